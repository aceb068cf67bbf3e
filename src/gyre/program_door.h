// Where the program of a run finds the API: over TCP, which is all that clients of other makers
// speak.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "platform/net/server.h"

namespace gyre {

// Behind a door that everybody on this machine can knock at: the token of a program, or nothing.
class ProgramsOnly : public net::Gatekeeper {
 public:
  explicit ProgramsOnly(net::Gatekeeper& gate) : gate_(gate) {}
  Result<> Admit(net::Request& request, const net::Route& route) override;
  bool AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const override {
    return gate_.AdmitsWithoutWaiting(request, route);
  }
  Result<net::Response> Witness(const net::Request& request, const net::Route& route,
                                const std::function<Result<net::Response>()>& run) override {
    return gate_.Witness(request, route, run);
  }

 private:
  net::Gatekeeper& gate_;
};

// An owner that has no address listens on one of this machine's own while programs work. The owner
// stays for them: a client holds on to the address that it was started with. Thread-safe.
class ProgramDoor {
 public:
  using Listen = std::function<Result<std::unique_ptr<net::Server>>()>;
  explicit ProgramDoor(Listen listen) : listen_(std::move(listen)) {}

  // The address for the program of a run that process `pid` waits for; 0 = not known. "" where
  // this machine lets nobody listen.
  std::string Open(const std::string& run, int pid);
  void Close(const std::string& run);
  bool busy() const;  // another process waits for a program
  void Drain();

 private:
  const Listen listen_;
  mutable Mutex mutex_;
  std::unique_ptr<net::Server> server_ GYRE_GUARDED_BY(mutex_);
  std::map<std::string, int> waiting_ GYRE_GUARDED_BY(mutex_);  // run -> who waits for its program
};

}  // namespace gyre
