// The first line's target: "/a?b", or "http://host/a?b". Pure; private to platform/net.
#pragma once

#include <string_view>

#include "base/error.h"

namespace gyre::net {

struct RequestTarget {
  std::string_view authority = {};  // of the absolute form: counts instead of the Host header
  std::string_view path = {};       // below the base path; empty when it is outside
  std::string_view query = {};
  bool inside = false;
};
RequestTarget SplitTarget(std::string_view target, std::string_view base_path);

// What no target may have. Error: kInvalidArgument GY1614.
Result<> CheckTarget(std::string_view target, std::string_view authority);

}  // namespace gyre::net
