// Which method judges which column, read strictly.
#include <set>

#include "ml/monitoring/compare_task.h"
#include "ml/monitoring/signals.h"

namespace gyre::monitoring {
namespace {

using statistics::DriftOptions;

constexpr std::string_view kCalibrated = "calibrated";

std::string_view NameOf(const DriftOptions& options) {
  return options.method == nullptr ? kCalibrated : options.method->name;
}

Error Wrong(std::string_view member, std::string_view rule) {
  return InvalidArgument("GY4501", "`{}` of a monitor must be {}", member, rule)
      .Where(std::string(member));
}

// `method` and `threshold`: null pointers where the change does not say them.
Result<DriftOptions> ChangedOptions(const DriftOptions& before, const Json* method,
                                    const Json* threshold) {
  Json asked = Json::Obj();
  if (method != nullptr && !method->is_string() && !method->is_null())
    return Wrong("method", "the name of a method");
  if (threshold != nullptr && !threshold->is_number() && !threshold->is_null())
    return Wrong("threshold", "a number");
  const std::string name(method != nullptr ? method->AsString() : NameOf(before));
  asked.Set("method", name == kCalibrated ? "" : name);
  if (threshold != nullptr)
    asked.Set("threshold", *threshold);
  else if (method == nullptr && before.threshold)
    asked.Set("threshold", *before.threshold);
  return DriftOptionsOf(asked);
}

const Json* MemberOf(const Json& json, const std::string& name) {
  return json.Has(name) ? &json[name] : nullptr;
}

Result<> ChangeColumns(const Json& methods, const Json& thresholds, DriftRules* rules) {
  std::set<std::string> names;
  for (const auto& [what, list] :
       {std::pair{"methods", &methods}, std::pair{"thresholds", &thresholds}}) {
    if (!list->is_null() && !list->is_object()) return Wrong(what, "columns with a value each");
    for (const auto& [name, value] : list->members()) names.insert(name);
  }
  for (const std::string& name : names) {
    const Json* const method = MemberOf(methods, name);
    if (method != nullptr && method->is_null()) {
      rules->columns.erase(name);
      continue;
    }
    GYRE_TRY(rules->columns[name],
             ChangedOptions(rules->Of(name), method, MemberOf(thresholds, name)));
  }
  return {};
}

}  // namespace

const DriftOptions& DriftRules::Of(const std::string& column) const {
  const auto own = columns.find(column);
  return own == columns.end() ? all : own->second;
}

void RulesToJson(const DriftRules& rules, Json* json) {
  Json methods = Json::Obj(), thresholds = Json::Obj();
  for (const auto& [column, options] : rules.columns) {
    methods.Set(column, NameOf(options));
    if (options.threshold) thresholds.Set(column, *options.threshold);
  }
  json->Set("effect_min", rules.effect_min)
      .Set("method", NameOf(rules.all))
      .Set("threshold", rules.all.threshold ? Json(*rules.all.threshold) : Json())
      .Set("methods", std::move(methods))
      .Set("thresholds", std::move(thresholds));
}

bool IsDriftMember(std::string_view member) {
  return member == "effect_min" || member == "method" || member == "threshold" ||
         member == "methods" || member == "thresholds";
}

Result<DriftRules> ChangedRules(DriftRules rules, const Json& change) {
  constexpr double kEffectMax = 100;
  if (const Json* const effect = MemberOf(change, "effect_min")) {
    rules.effect_min = effect->AsDouble(-1);
    if (!(rules.effect_min >= 0 && rules.effect_min <= kEffectMax))
      return Wrong("effect_min", fmt::format("a number from 0 to {}", kEffectMax));
  }
  GYRE_TRY(rules.all,
           ChangedOptions(rules.all, MemberOf(change, "method"), MemberOf(change, "threshold")));
  GYRE_DO(ChangeColumns(change["methods"], change["thresholds"], &rules));
  return rules;
}

}  // namespace gyre::monitoring
