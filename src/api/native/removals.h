// Every removal by request: who needs the thing is said first, and refuses unless the caller
// forces it; what goes, goes into the trash. Private to api/native.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::trash {
class Trash;
}

namespace gyre::native {

inline constexpr net::Field kForce{"force", net::Type::kBool, "although others need it"};
inline constexpr net::Field kDryRun{"dry_run", net::Type::kBool, "only say who needs it"};

struct Removal {
  std::string_view noun = {};
  std::string name = {};  // "sales", "sales:v3"
  // Empty: it is of none. Else that of the path.
  std::optional<std::string> project = {};
  Json also = {};  // members of the answer to a dry run
  // An error that names who needs it and what to do about that; nothing when it is free to go.
  std::function<Result<>()> check = {};
  // All who need it, as programs read it: [{"noun", "project", "name"}].
  std::function<Result<Json>()> needed_by = {};
  bool with_aliases = false;  // they are no reason to stay, and go along
};

// Puts it into the trash and answers until when it can come back; with ?dry_run=true says what
// stands against it and whose matter that is, and changes nothing.
Result<net::Response> Remove(trash::Trash& trash, net::Request& request, const Removal& removal);

}  // namespace gyre::native
