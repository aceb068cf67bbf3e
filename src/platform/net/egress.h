// Where gyre may connect to on its own account, such as a webhook that somebody named: public
// addresses, and those that a setting allows. The address is checked after the name was looked up,
// and the connection goes to that very address, so a name cannot change its mind in between.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct sockaddr;

namespace gyre::net {

// Immutable.
class EgressGuard {
 public:
  // What is allowed beside public addresses: "loopback", "private" and networks such as
  // "10.1.0.0/16", with commas between. Clouds' metadata addresses are allowed only by their
  // network. Error: kInvalidArgument GY1627.
  static Result<EgressGuard> Parse(std::string_view allow);
  // Error: kPermissionDenied GY1626.
  Result<> Check(const sockaddr* address) const;
  // The same for a host that is written as an address; any name passes here.
  Result<> CheckHost(const std::string& host) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;  // IPv4 is mapped into IPv6
  struct Network {
    Bytes bytes;
    int bits;
  };
  Result<> Judge(const Bytes& bytes) const;

  bool loopback_ = false, private_ = false;
  std::vector<Network> networks_;
};

}  // namespace gyre::net
