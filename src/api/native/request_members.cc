#include "api/native/request_members.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"

namespace gyre::native {

Result<> OnlyMembers(const Json& body, std::initializer_list<std::string_view> names) {
  for (const auto& [key, value] : body.members()) {
    if (std::ranges::find(names, key) != names.end()) continue;
    const std::vector<std::string> known(names.begin(), names.end());
    const auto close = ClosestMatch(key, known);
    return InvalidArgument("GY1630", "there is no member `{}` here", key.substr(0, 100))
        .Where(key.substr(0, 100))
        .Fix(close ? "did you mean `" + *close + "`?" : "the members are " + Join(known, ", "));
  }
  return {};
}

}  // namespace gyre::native
