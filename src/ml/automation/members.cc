#include "ml/automation/members.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace gyre::automation {

Error MemberReader::Wrong(std::string_view name, std::string_view rule) const {
  return InvalidArgument(code_, "`{}` of {} must be {}", name, what_, rule);
}

MemberReader& MemberReader::Text(std::string_view name, std::string* out) {
  return Custom(name, [this, name = std::string(name), out](const Json& value) -> Result<> {
    if (!value.is_string()) return Wrong(name, "text");
    *out = value.AsString();
    return {};
  });
}

MemberReader& MemberReader::Flag(std::string_view name, bool* out) {
  return Custom(name, [this, name = std::string(name), out](const Json& value) -> Result<> {
    if (!value.is_bool()) return Wrong(name, "true or false");
    *out = value.AsBool();
    return {};
  });
}

MemberReader& MemberReader::Whole(std::string_view name, std::int64_t* out, std::int64_t min,
                                  std::int64_t max) {
  return Custom(name,
                [this, name = std::string(name), out, min, max](const Json& value) -> Result<> {
                  if (!value.is_int() || value.AsInt() < min || value.AsInt() > max) {
                    return Wrong(name, fmt::format("a whole number from {} to {}", min, max));
                  }
                  *out = value.AsInt();
                  return {};
                });
}

MemberReader& MemberReader::Number(std::string_view name, double* out, double min, double max) {
  return Custom(
      name, [this, name = std::string(name), out, min, max](const Json& value) -> Result<> {
        const double number = value.AsDouble();
        if (!value.is_number() || !std::isfinite(number) || number < min || number > max) {
          return Wrong(name, fmt::format("a number from {} to {}", min, max));
        }
        *out = number;
        return {};
      });
}

MemberReader& MemberReader::Custom(std::string_view name,
                                   std::function<Result<>(const Json&)> read) {
  members_.push_back({std::string(name), std::move(read)});
  return *this;
}

Result<> MemberReader::Read(const Json& json) const {
  if (!json.is_object()) return InvalidArgument(code_, "{} must be an object", what_);
  for (const auto& [key, value] : json.members()) {
    const auto member = std::ranges::find(members_, key, &Member::name);
    if (member == members_.end()) {
      std::vector<std::string> names;
      for (const Member& known : members_) names.push_back(known.name);
      Error error = InvalidArgument(code_, "{} has no member `{}`", what_, key);
      if (const auto close = ClosestMatch(key, names))
        return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
      return std::move(error).Fix("its members are " + Join(names, ", "));
    }
    if (!value.is_null()) GYRE_DO(member->read(value));
  }
  return {};
}

}  // namespace gyre::automation
