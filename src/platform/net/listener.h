// Sockets that wait for clients. Private to platform/net.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"

namespace gyre::net {

// Closes the descriptor, and removes the file of a Unix socket.
class Listener {
 public:
  // "127.0.0.1:7171", "[::1]:0", "localhost:7171". Errors: kInvalidArgument GY1612,
  // kFailedPrecondition GY1610, GY1611.
  static Result<std::unique_ptr<Listener>> Tcp(const std::string& listen,
                                               bool beyond_loopback_allowed);
  // Mode 0600. A file left by a dead owner is replaced. Errors: GY1610 when somebody answers there,
  // GY1612.
  static Result<std::unique_ptr<Listener>> Unix(const std::string& path);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  int port() const { return port_; }
  bool is_unix() const { return !path_.empty(); }
  const std::string& host() const { return host_; }  // as a URL writes it: "127.0.0.1", "[::1]"
  // No new clients. Those of a Unix socket who wait already can still be accepted; nobody is left
  // between, whom neither a refusal nor an accept would reach.
  void Refuse();
  void Close();

 private:
  Listener() = default;
  int fd_ = -1;
  int port_ = 0;
  std::string host_, path_;
};

// A socket connected to a Unix path of any length. Error: kUnavailable GY1620.
Result<int> ConnectUnix(const std::string& path);

}  // namespace gyre::net
