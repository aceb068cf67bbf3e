// What a person is told of a removal: until when it can come back, and how.
#pragma once

#include <string_view>

#include "base/json.h"
#include "cli/command.h"
#include "cli/output.h"

namespace gyre::cli {

inline constexpr Option kForce = {"--force", "", "although others need it; --dry-run says who"};

// `item` is what the server answered; `what` as the command calls it: "dataset sales".
inline void SayRemoved(Output& out, std::string_view what, const Json& item) {
  const std::string until = item["until"].AsString().substr(0, 10);
  out.Done(until.empty() ? fmt::format("removed {}", what)
                         : fmt::format("removed {}; kept until {}: gyre undelete {} {}", what,
                                       until, item["noun"].AsString(), item["name"].AsString()));
}

}  // namespace gyre::cli
