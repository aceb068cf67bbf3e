#include "ml/inference_log/policy.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/text.h"

namespace gyre::inference_log {
namespace {

constexpr std::string_view kKeepNames[] = {"keep", "hash", "drop"};
constexpr double kDaysMax = 36'500;

std::optional<Keep> ParseKeep(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kKeepNames); ++i) {
    if (kKeepNames[i] == name) return static_cast<Keep>(i);
  }
  return std::nullopt;
}

Error Wrong(std::string_view member, std::string_view rule) {
  return InvalidArgument("GY4602", "`{}` of the policy must be {}", member, rule)
      .Where(std::string(member));
}

double Days(std::int64_t time_us) { return static_cast<double>(time_us) / kMicrosPerDay; }

Result<std::int64_t> ReadDays(std::string_view name, const Json& value) {
  const double days = value.AsDouble(-1);
  if (!value.is_number() || !(days > 0) || days > kDaysMax)
    return Wrong(name, "a number of days above 0, at most 36500");
  return static_cast<std::int64_t>(days * kMicrosPerDay);
}

Result<> ReadColumns(const Json& columns, Policy* policy) {
  if (!columns.is_object()) return Wrong("columns", "an object: {column: keep, hash or drop}");
  for (const auto& [column, value] : columns.members()) {
    const auto keep = ParseKeep(value.AsString());
    if (!keep) return Wrong("columns." + column, "keep, hash or drop");
    policy->columns.erase(column);
    if (*keep != Keep::kKeep) policy->columns.emplace(column, *keep);
  }
  return {};
}

}  // namespace

std::string_view KeepName(Keep keep) { return kKeepNames[static_cast<std::size_t>(keep)]; }

Json PolicyToJson(const Policy& policy) {
  Json columns = Json::Obj();
  for (const auto& [column, keep] : policy.columns) columns.Set(column, KeepName(keep));
  return Json::Obj({{"on", policy.on},
                    {"sample", policy.sample},
                    {"columns", std::move(columns)},
                    {"key_column", policy.key_column},
                    {"retention_days", Days(policy.retention_us)},
                    {"lateness_days", Days(policy.lateness_us)}});
}

Result<Policy> ChangedPolicy(Policy policy, const Json& change) {
  for (const auto& [name, value] : change.members()) {
    if (name == "on") {
      if (!value.is_bool()) return Wrong(name, "true or false");
      policy.on = value.AsBool();
    } else if (name == "sample") {
      policy.sample = value.AsDouble(-1);
      if (!value.is_number() || !(policy.sample > 0 && policy.sample <= 1))
        return Wrong(name, "a number above 0, at most 1");
    } else if (name == "columns") {
      GYRE_DO(ReadColumns(value, &policy));
    } else if (name == "key_column") {
      if (!value.is_string()) return Wrong(name, "the name of a column, or empty");
      policy.key_column = value.AsString();
    } else if (name == "retention_days") {
      GYRE_TRY(policy.retention_us, ReadDays(name, value));
    } else if (name == "lateness_days") {
      GYRE_TRY(policy.lateness_us, ReadDays(name, value));
    }
  }
  return policy;
}

Result<> CheckColumns(const Policy& policy, const table::Schema& inputs) {
  std::vector<std::string> names;
  for (const table::Field& field : inputs) names.push_back(field.name);
  for (const auto& [column, keep] : policy.columns) {
    if (column == policy.key_column || std::ranges::find(names, column) != names.end()) continue;
    Error error = InvalidArgument("GY4603", "the model does not read a column `{}`", column);
    if (const auto close = ClosestMatch(column, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return std::move(error).Why("only what the model reads is captured, and the key column");
  }
  if (!policy.key_column.empty() && policy.Of(policy.key_column) == Keep::kDrop) {
    return InvalidArgument("GY4604", "`{}` cannot be the key: it is dropped", policy.key_column)
        .Fix(fmt::format("keep it, or its hash: gyre captures policy ENDPOINT --hash {}",
                         policy.key_column));
  }
  return {};
}

}  // namespace gyre::inference_log
