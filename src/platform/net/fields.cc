#include "platform/net/fields.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::net {
namespace {

constexpr std::size_t kNameShown = 100;

const Field* Find(Fields fields, std::string_view name) {
  const auto found = std::ranges::find_if(fields, [&](const Field& f) { return f.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

std::vector<std::string> NamesOf(Fields fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.emplace_back(field.name);
  return names;
}

// "did you mean ..." and what there is.
Error WithNames(Error error, std::string_view name, Fields fields, std::string_view kind) {
  const std::vector<std::string> names = NamesOf(fields);
  if (const auto close = ClosestMatch(name, names))
    error = std::move(error).Fix("did you mean `" + *close + "`?");
  if (names.empty()) return std::move(error).Fix(fmt::format("there are no {} here", kind));
  return std::move(error).Fix(fmt::format("the {} are {}", kind, Join(names, ", ")));
}

Result<> CheckValue(const Field& field, std::string_view value) {
  const std::string_view only = field.type == Type::kBool ? "true|false" : field.only;
  if (only.empty()) return {};
  std::vector<std::string> values;
  for (const std::string_view known : Split(only, '|')) values.emplace_back(known);
  if (std::ranges::find(values, value) != values.end()) return {};
  return InvalidArgument("GY1601", "`{}` is `{}`, but must be one of {}", field.name,
                         value.substr(0, kNameShown), Join(values, ", "));
}

}  // namespace

Result<> CheckQuery(const Request& request, const Route& route) {
  if (route.any_query) return {};
  const auto& query = request.query;
  for (auto it = query.begin(); it != query.end(); ++it) {
    const auto& [name, value] = *it;
    const Field* field = Find(route.query, name);
    if (field == nullptr) {
      return WithNames(InvalidArgument("GY1631", "there is no query parameter `{}` here",
                                       std::string_view(name).substr(0, kNameShown)),
                       name, route.query, "parameters");
    }
    const auto same = [&](const auto& pair) { return pair.first == name; };
    if (field->type != Type::kTexts && std::any_of(query.begin(), it, same))
      return InvalidArgument("GY1631", "the query gives `{}` twice", name).Fix("give it once");
    GYRE_DO(CheckValue(*field, value));
  }
  return {};
}

Result<> CheckMembers(const Json& body, const Route& route) {
  if (route.members.size() == 0 || Find(route.members, "*") != nullptr) return {};
  for (const auto& [key, value] : body.members()) {
    if (Find(route.members, key) != nullptr) continue;
    const std::string_view name = std::string_view(key).substr(0, kNameShown);
    return WithNames(
        InvalidArgument("GY1630", "there is no member `{}` here", name).Where(std::string(name)),
        key, route.members, "members");
  }
  return {};
}

// A handler that reads what its row does not list would wait for what is always refused.
std::optional<std::string> Request::Query(std::string_view name) const {
  GYRE_CHECK(route == nullptr || route->any_query || Find(route->query, name) != nullptr);
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Request::QueryAll(std::string_view name) const {
  GYRE_CHECK(route == nullptr || route->any_query || Find(route->query, name) != nullptr);
  std::vector<std::string> values;
  for (const auto& [key, value] : query) {
    if (key == name) values.push_back(value);
  }
  return values;
}

Result<std::int64_t> Request::QueryInt(std::string_view name, std::int64_t fallback,
                                       std::int64_t min, std::int64_t max) const {
  const auto text = Query(name);
  if (!text) return fallback;
  const auto value = ParseInt(*text);
  if (!value || *value < min || *value > max) {
    return InvalidArgument("GY1601", "`{}` is `{}`, not a whole number from {} to {}", name, *text,
                           min, max);
  }
  return *value;
}

}  // namespace gyre::net
