#include "ml/registry/gate.h"

#include <cmath>

#include "base/text.h"
#include "ml/statistics/kpi.h"

namespace gyre::registry {
namespace {

constexpr double kMarginOfScores = 0.01, kMarginOfErrors = 0.02;
constexpr std::size_t kRulesMax = 100;
constexpr std::string_view kBounds[] = {"estimate", "pessimistic", "lower", "upper"};

Error BadRule(std::size_t position, std::string_view what) {
  return InvalidArgument("GY3608", "gate rule {} {}", position + 1, what)
      .Why(
          "a rule is {\"metric\", \"op\", \"value\", \"bound\"?}, {\"better_than\": \"baseline\"}, "
          "{\"non_inferior_to\": \"champion\", "
          "\"margin\"?} or {\"kpi\": \"auc >= 0.84\"}");
}

Result<Rule> ParseKpiRule(const Json& json, std::size_t position) {
  if (!json["kpi"].is_string()) return BadRule(position, "has a kpi that is no text");
  GYRE_TRY(const statistics::Kpi kpi, statistics::ParseKpi(json["kpi"].AsString()));
  Rule rule;
  rule.metric = kpi.name;
  rule.op = statistics::ComparisonText(kpi.op);
  rule.value = kpi.value;
  return rule;
}

Result<Rule> ParseThreshold(const Json& json, std::size_t position) {
  Rule rule;
  rule.metric = json["metric"].AsString();
  if (rule.metric.empty()) return BadRule(position, "names no metric");
  if (const statistics::MetricInfo* info = statistics::FindMetric(rule.metric))
    rule.metric = info->name;
  const auto op = statistics::ParseComparison(json.Has("op") ? json["op"].AsString() : ">=");
  if (!op) return BadRule(position, "has an op that is none of >=, <=, >, <");
  rule.op = statistics::ComparisonText(*op);
  if (!json["value"].is_number()) return BadRule(position, "has no number as its value");
  rule.value = json["value"].AsDouble();
  const std::string bound = json["bound"].StringOr("estimate");
  std::size_t at = 0;
  while (at < std::size(kBounds) && kBounds[at] != bound) ++at;
  if (at == std::size(kBounds))
    return BadRule(position, "has a bound that is none of estimate, pessimistic, lower, upper");
  rule.bound = static_cast<Rule::Bound>(at);
  return rule;
}

Result<Rule> ParseComparisonRule(const Json& json, std::size_t position, Rule::Kind kind,
                                 std::string_view key) {
  Rule rule;
  rule.kind = kind;
  rule.other = json[key].AsString();
  if (rule.other != "baseline" && rule.other != "champion")
    return BadRule(position, "compares with neither \"baseline\" nor \"champion\"");
  if (json.Has("metric")) {
    const statistics::MetricInfo* info = statistics::FindMetric(json["metric"].AsString());
    if (info == nullptr) return BadRule(position, "compares by an unknown metric");
    rule.metric = info->name;
  }
  for (const auto& [name, target] :
       {std::pair("margin", &rule.margin), std::pair("margin_relative", &rule.margin_relative)}) {
    if (!json.Has(name)) continue;
    if (!json[name].is_number() || json[name].AsDouble() < 0)
      return BadRule(position, "has a margin that is no number from 0 up");
    *target = json[name].AsDouble();
  }
  return rule;
}

Result<Rule> ParseRule(const Json& json, std::size_t position) {
  if (!json.is_object()) return BadRule(position, "is no object");
  for (const auto& [key, value] : json.members()) {
    static constexpr std::string_view kKeys[] = {
        "metric",          "op",     "value",           "bound", "better_than",
        "non_inferior_to", "margin", "margin_relative", "kpi"};
    bool known = false;
    for (const std::string_view name : kKeys) known = known || name == key;
    if (!known) return BadRule(position, fmt::format("has an unknown member `{}`", key));
  }
  if (json.Has("kpi")) return ParseKpiRule(json, position);
  if (json.Has("better_than"))
    return ParseComparisonRule(json, position, Rule::Kind::kBetterThan, "better_than");
  if (json.Has("non_inferior_to"))
    return ParseComparisonRule(json, position, Rule::Kind::kNonInferiorTo, "non_inferior_to");
  return ParseThreshold(json, position);
}

Json NumberToJson(const Number& number) {
  Json json = Json::Obj({{"estimate", number.estimate}});
  if (number.lower) json.Set("lower", *number.lower);
  if (number.upper) json.Set("upper", *number.upper);
  return json;
}

using NumberMap = std::map<std::string, Number, std::less<>>;
using NestedMap = std::map<std::string, NumberMap, std::less<>>;

Json MapToJson(const NumberMap& map) {
  Json json = Json::Obj();
  for (const auto& [key, number] : map) json.Set(key, NumberToJson(number));
  return json;
}

Result<NumberMap> MapFromJson(const Json& json, std::string_view what) {
  NumberMap map;
  for (const auto& [key, value] : json.members()) {
    if (!value["estimate"].is_number())
      return InvalidArgument("GY3608", "{}.{} has no estimate", what, key);
    Number number{value["estimate"].AsDouble(), {}, {}};
    if (value["lower"].is_number()) number.lower = value["lower"].AsDouble();
    if (value["upper"].is_number()) number.upper = value["upper"].AsDouble();
    map[key] = number;
  }
  return map;
}

const Number* Find(const NumberMap& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}
const Number* Find(const NestedMap& map, std::string_view outer, std::string_view key) {
  const auto it = map.find(outer);
  return it == map.end() ? nullptr : Find(it->second, key);
}

std::string Short(double value) { return fmt::format("{:.4g}", value); }

bool HigherIsBetter(std::string_view metric) {
  const statistics::MetricInfo* info = statistics::FindMetric(metric);
  return info == nullptr || info->better == statistics::Better::kHigher;
}

Reason JudgeThreshold(const Rule& rule, const GateNumbers& numbers) {
  Reason reason;
  reason.rule = fmt::format("{} {} {}", rule.metric, rule.op, rule.value);
  if (rule.bound != Rule::Bound::kEstimate)
    reason.rule += fmt::format(" ({} bound)", kBounds[static_cast<std::size_t>(rule.bound)]);
  const auto fact = numbers.facts.find(rule.metric);
  const Number* number = Find(numbers.metrics, rule.metric);
  Number from_fact;
  if (number == nullptr && fact != numbers.facts.end()) {
    from_fact = {fact->second, fact->second, fact->second};
    number = &from_fact;
  }
  if (number == nullptr) {
    reason.text = fmt::format("{} was not measured", rule.metric);
    return reason;
  }
  const statistics::Comparison op =
      statistics::ParseComparison(rule.op).value_or(statistics::Comparison::kAtLeast);
  const bool wants_high =
      op == statistics::Comparison::kAtLeast || op == statistics::Comparison::kAbove;
  std::optional<double> value = number->estimate;
  if (rule.bound == Rule::Bound::kLower || (rule.bound == Rule::Bound::kPessimistic && wants_high))
    value = number->lower;
  if (rule.bound == Rule::Bound::kUpper || (rule.bound == Rule::Bound::kPessimistic && !wants_high))
    value = number->upper;
  if (!value) {
    reason.text = fmt::format("{} has no interval", rule.metric);
    return reason;
  }
  reason.pass = statistics::Holds(*value, op, rule.value);
  reason.text = fmt::format("{} is {}{}", rule.metric, Short(*value),
                            reason.pass ? "" : fmt::format(", needed {} {}", rule.op, rule.value));
  return reason;
}

double MarginOf(const Rule& rule, const std::string& metric, const GateNumbers& numbers) {
  if (rule.margin) return *rule.margin;
  if (!rule.margin_relative && HigherIsBetter(metric)) return kMarginOfScores;
  const Number* other = Find(numbers.others, rule.other, metric);
  return rule.margin_relative.value_or(kMarginOfErrors) *
         (other == nullptr ? 0 : std::fabs(other->estimate));
}

Reason JudgeComparison(const Rule& rule, const GateNumbers& numbers) {
  const std::string metric = rule.metric.empty() ? numbers.primary : rule.metric;
  const bool to_be_better = rule.kind == Rule::Kind::kBetterThan;
  const double margin = to_be_better ? 0 : MarginOf(rule, metric, numbers);
  Reason reason;
  reason.rule = fmt::format("{} {}", to_be_better ? "better than" : "not inferior to", rule.other);
  if (rule.other == "champion" && numbers.champion.empty()) {
    reason.pass = true;
    reason.text = "there is no champion to compare with";
    return reason;
  }
  const Number* gain = Find(numbers.gains, rule.other, metric);
  if (gain == nullptr || !gain->lower || !gain->upper) {
    reason.text = fmt::format("{} was not compared with the {}", metric, rule.other);
    return reason;
  }
  reason.pass = to_be_better ? *gain->lower > 0 : *gain->lower >= -margin;
  const std::string_view direction = gain->estimate == 0  ? "the same"
                                     : gain->estimate > 0 ? "better"
                                                          : "worse";
  reason.text =
      fmt::format("{} {} by {} (interval of the gain {} to {}", metric, direction,
                  Short(std::fabs(gain->estimate)), Short(*gain->lower), Short(*gain->upper));
  if (!to_be_better) reason.text += fmt::format(", margin {}", Short(margin));
  reason.text += ")";
  return reason;
}

}  // namespace

Json Rule::ToJson() const {
  if (kind == Kind::kThreshold) {
    return Json::Obj({{"metric", metric},
                      {"op", op},
                      {"value", value},
                      {"bound", kBounds[static_cast<std::size_t>(bound)]}});
  }
  Json json = Json::Obj({{kind == Kind::kBetterThan ? "better_than" : "non_inferior_to", other}});
  if (!metric.empty()) json.Set("metric", metric);
  if (margin) json.Set("margin", *margin);
  if (margin_relative) json.Set("margin_relative", *margin_relative);
  return json;
}

Result<std::vector<Rule>> ParseRules(const Json& list) {
  if (!list.is_array()) return InvalidArgument("GY3608", "the rules of a gate are a JSON list");
  if (list.size() > kRulesMax)
    return InvalidArgument("GY3608", "a gate has at most {} rules, this one {}", kRulesMax,
                           list.size());
  std::vector<Rule> rules;
  for (std::size_t i = 0; i < list.size(); ++i) {
    GYRE_TRY(Rule rule, ParseRule(list.items()[i], i));
    rules.push_back(std::move(rule));
  }
  return rules;
}

Json RulesToJson(std::span<const Rule> rules) {
  Json list = Json::Arr();
  for (const Rule& rule : rules) list.Push(rule.ToJson());
  return list;
}

std::vector<Rule> DefaultRules(bool has_champion) {
  Rule rule;
  rule.kind = has_champion ? Rule::Kind::kNonInferiorTo : Rule::Kind::kBetterThan;
  rule.other = has_champion ? "champion" : "baseline";
  return {rule};
}

Result<std::vector<Rule>> KpiRules(std::span<const std::string> expressions) {
  Json list = Json::Arr();
  for (const std::string& expression : expressions) list.Push(Json::Obj({{"kpi", expression}}));
  return ParseRules(list);
}

Json GateNumbers::ToJson() const {
  Json json = Json::Obj({{"primary", primary}, {"metrics", MapToJson(metrics)}});
  for (const auto& [name, nested] : {std::pair("gains", &gains), std::pair("others", &others)}) {
    Json outer = Json::Obj();
    for (const auto& [other, map] : *nested) outer.Set(other, MapToJson(map));
    json.Set(name, std::move(outer));
  }
  Json fact_values = Json::Obj();
  for (const auto& [name, value] : facts) fact_values.Set(name, value);
  json.Set("facts", std::move(fact_values));
  json.Set("champion", champion);
  return json;
}

Result<GateNumbers> GateNumbers::FromJson(const Json& json) {
  GateNumbers numbers;
  numbers.primary = json["primary"].AsString();
  numbers.champion = json["champion"].AsString();
  GYRE_TRY(numbers.metrics, MapFromJson(json["metrics"], "metrics"));
  for (const auto& [name, nested] :
       {std::pair("gains", &numbers.gains), std::pair("others", &numbers.others)}) {
    for (const auto& [other, map] : json[name].members()) {
      GYRE_TRY((*nested)[other], MapFromJson(map, name));
    }
  }
  for (const auto& [name, value] : json["facts"].members()) {
    if (value.is_number()) numbers.facts[name] = value.AsDouble();
  }
  return numbers;
}

Json Verdict::ToJson() const {
  Json list = Json::Arr();
  for (const Reason& reason : reasons)
    list.Push(Json::Obj({{"pass", reason.pass}, {"rule", reason.rule}, {"text", reason.text}}));
  return Json::Obj({{"pass", pass}, {"reasons", std::move(list)}});
}

Verdict Judge(std::span<const Rule> rules, const GateNumbers& numbers) {
  Verdict verdict;
  verdict.pass = true;
  for (const Rule& rule : rules) {
    verdict.reasons.push_back(rule.kind == Rule::Kind::kThreshold ? JudgeThreshold(rule, numbers)
                                                                  : JudgeComparison(rule, numbers));
    verdict.pass = verdict.pass && verdict.reasons.back().pass;
  }
  if (rules.empty()) verdict.reasons.push_back({true, "no rules", "the gate has no rules"});
  return verdict;
}

}  // namespace gyre::registry
