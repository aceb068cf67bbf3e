// --tag KEY=VALUE and --untag KEY, as what a change says: text by name, null for what goes.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"
#include "cli/command.h"

namespace gyre::cli {

inline constexpr Option kSetTag = {
    .name = "--tag",
    .value_name = "KEY=VALUE",
    .help = "sets a tag; repeat it for more",
    .repeated = true,
};
inline constexpr Option kUntag = {
    .name = "--untag",
    .value_name = "KEY",
    .help = "takes a tag away; repeat it for more",
    .repeated = true,
};

inline Result<Json> TagsToSet(const Invocation& in) {
  Json tags = Json::Obj();
  for (const std::string& tag : in.List("tag")) {
    const std::size_t at = tag.find('=');
    if (at == std::string::npos)
      return InvalidArgument("GY4060", "`{}` lacks a value", tag).Fix("--tag team=crm");
    tags.Set(tag.substr(0, at), tag.substr(at + 1));
  }
  for (const std::string& key : in.List("untag")) tags.Set(key, Json());
  return tags;
}

}  // namespace gyre::cli
