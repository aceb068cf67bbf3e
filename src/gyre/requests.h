// Who is still at work.
#pragma once

#include <set>

#include "base/mutex.h"
#include "platform/net/http.h"

namespace gyre {

// Knows how many requests are between the gate and their answer, so that a command which owns the
// directory does not leave while another command is in the middle of something.
class RunningRequests : public net::Gatekeeper, public net::Observer {
 public:
  RunningRequests(net::Gatekeeper& gate, net::Observer& observer)
      : gate_(gate), observer_(observer) {}
  Result<> Admit(net::Request& request, const net::Route& route) override;
  bool AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const override;
  Result<net::Response> Witness(const net::Request& request, const net::Route& route,
                                const std::function<Result<net::Response>()>& run) override {
    return gate_.Witness(request, route, run);
  }
  void OnFinished(const net::Finished& finished) override;
  int count() const;

 private:
  net::Gatekeeper& gate_;
  net::Observer& observer_;
  mutable Mutex mutex_;
  std::set<const net::Request*> admitted_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre
