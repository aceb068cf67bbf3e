#include "ml/registry/logged_gate.h"

#include <cmath>

#include "ml/registry/promotion.h"
#include "ml/statistics/metrics.h"
#include "ml/tracking/logged_models.h"
#include "ml/tracking/tracking.h"

namespace gyre::registry {
namespace {

constexpr std::size_t kThresholdsMax = 100;
// MLflow's, where the other value is 0 and there is no share of it.
constexpr double kAnyBetter = 1e-10;

Error BadThresholds(std::string why) {
  return InvalidArgument("GY3650", "the tag {} holds no thresholds", kGateTag)
      .Why(std::move(why))
      .Fix("json.dumps(thresholds, default=vars)    (of what validate_evaluation_results takes)");
}

// "threshold" or "_threshold".
const Json& Member(const Json& threshold, const std::string& name) {
  return threshold.Has(name) ? threshold[name] : threshold["_" + name];
}

Result<std::optional<double>> NumberIn(const Json& threshold, const std::string& name,
                                       const std::string& metric) {
  const Json& value = Member(threshold, name);
  if (value.is_null()) return std::optional<double>();
  if (value.is_number()) return std::optional(value.AsDouble());
  return BadThresholds(fmt::format("{} of `{}` is no number", name, metric.substr(0, 100)));
}

Result<MetricThreshold> ParseThreshold(const std::string& metric, const Json& json) {
  MetricThreshold threshold{.metric = metric};
  GYRE_TRY(threshold.threshold, NumberIn(json, "threshold", metric));
  GYRE_TRY(threshold.min_absolute_change, NumberIn(json, "min_absolute_change", metric));
  GYRE_TRY(threshold.min_relative_change, NumberIn(json, "min_relative_change", metric));
  const Json& direction = Member(json, "greater_is_better");
  if (!direction.is_bool())
    return BadThresholds(fmt::format("`{}` lacks greater_is_better", metric.substr(0, 100)));
  threshold.greater_is_better = direction.AsBool();
  if (!threshold.threshold && !threshold.min_absolute_change && !threshold.min_relative_change)
    return BadThresholds(fmt::format("`{}` names no threshold", metric.substr(0, 100)));
  return threshold;
}

std::string Short(double value) { return fmt::format("{:.6g}", value); }

// Not true of NaN.
bool AtLeastAsGood(double value, double bound, bool greater_is_better) {
  return greater_is_better ? value >= bound : value <= bound;
}

Reason Missing(std::string rule, std::string_view metric) {
  return {false, std::move(rule), fmt::format("{} was not logged", metric)};
}

Reason JudgeBound(const MetricThreshold& one, const double* value) {
  std::string rule = fmt::format("{} {} {}", one.metric,
                                 one.greater_is_better ? ">=" : "<=", Short(*one.threshold));
  if (value == nullptr) return Missing(std::move(rule), one.metric);
  return {AtLeastAsGood(*value, *one.threshold, one.greater_is_better), std::move(rule),
          fmt::format("{} is {}", one.metric, Short(*value))};
}

struct Change {
  double least = 0;
  bool relative = false;
};

bool IsBetterBy(double value, double other, const Change& change, bool greater_is_better) {
  const double gain = greater_is_better ? value - other : other - value;
  if (change.relative && other != 0) return gain / std::fabs(other) >= change.least;
  const double least = change.relative ? kAnyBetter : change.least;
  return AtLeastAsGood(value, greater_is_better ? other + least : other - least, greater_is_better);
}

Reason JudgeChange(const MetricThreshold& one, const Change& change, const double* value,
                   const LoggedNumbers* holder, std::string_view holder_name) {
  std::string rule = fmt::format("{} better by {}{}", one.metric,
                                 change.relative ? Short(change.least * 100) : Short(change.least),
                                 change.relative ? " %" : "");
  if (holder == nullptr)
    return {true, std::move(rule), "nobody has the alias: there is nothing to compare with"};
  rule += fmt::format(" than {}", holder_name);
  if (value == nullptr) return Missing(std::move(rule), one.metric);
  const auto other = holder->values.find(one.metric);
  if (other == holder->values.end())
    return {false, std::move(rule),
            fmt::format("{} was not logged of {}", one.metric, holder_name)};
  return {IsBetterBy(*value, other->second, change, one.greater_is_better), std::move(rule),
          fmt::format("{} is {}, that of {} {}", one.metric, Short(*value), holder_name,
                      Short(other->second))};
}

// Rules name metrics as gyre does, clients as their libraries do.
GateNumbers GateNumbersOf(const LoggedNumbers& logged, std::string champion) {
  GateNumbers numbers;
  numbers.champion = std::move(champion);
  for (const auto& [name, value] : logged.values) {
    const Number number{.estimate = value, .lower = {}, .upper = {}};
    numbers.metrics[name] = number;
    if (const statistics::MetricInfo* info = statistics::FindMetric(name))
      numbers.metrics.try_emplace(std::string(info->name), number);
  }
  return numbers;
}

void AddLatest(const std::vector<tracking::ModelPoint>& points, LoggedNumbers* numbers) {
  std::map<std::string, const tracking::ModelPoint*> latest;
  for (const tracking::ModelPoint& point : points) {
    const tracking::ModelPoint*& last = latest[point.key];
    const bool later = last == nullptr ||
                       std::pair(last->time_us, last->step) <= std::pair(point.time_us, point.step);
    if (later) last = &point;
  }
  for (const auto& [key, point] : latest) numbers->values.insert_or_assign(key, point->value);
}

void AddFrom(std::string place, LoggedNumbers* numbers) {
  numbers->from += (numbers->from.empty() ? "" : " and ") + place;
}

// A run of another project, or of another server, is none.
Result<> AddRun(tracking::Tracking& tracking, const ModelVersion& version, const std::string& id,
                LoggedNumbers* numbers) {
  const auto run = tracking.GetRunById(id);
  if (!run && run.error().code() != Code::kNotFound) return run.error();
  if (!run || run->project != version.project) return {};
  for (const auto& [key, metric] : run->metrics) numbers->values.emplace(key, metric.value);
  AddFrom("run " + id, numbers);
  return {};
}

bool SameVerdict(const std::optional<RecordedVerdict>& before, const Verdict& verdict,
                 const AliasPolicy& policy, const std::string& champion_id) {
  return before && before->rules_hash == TermsHash(policy) && before->champion_id == champion_id &&
         before->verdict.ToJson() == verdict.ToJson();
}

}  // namespace

Result<std::vector<MetricThreshold>> ParseThresholds(std::string_view json) {
  const auto document = Json::Parse(json);
  if (!document || !document->is_object()) return BadThresholds("it is no JSON object");
  if (document->members().empty()) return BadThresholds("there is none in it");
  if (document->size() > kThresholdsMax)
    return BadThresholds(fmt::format("there are more than {}", kThresholdsMax));
  std::vector<MetricThreshold> thresholds;
  for (const auto& [metric, value] : document->members()) {
    if (!value.is_object())
      return BadThresholds(fmt::format("`{}` is no object", metric.substr(0, 100)));
    GYRE_TRY(MetricThreshold threshold, ParseThreshold(metric, value));
    thresholds.push_back(std::move(threshold));
  }
  return thresholds;
}

NumbersOfVersion NumbersOfClients(tracking::Tracking& tracking, tracking::LoggedModels& models) {
  return [&tracking, &models](const ModelVersion& version) -> Result<LoggedNumbers> {
    LoggedNumbers numbers;
    if (version.has_package()) {
      for (const auto& [name, value] : version.metrics.members())
        if (value.is_number()) numbers.values.emplace(name, value.AsDouble());
      return numbers;
    }
    if (const auto run = version.tags.find(std::string(kGateRunTag)); run != version.tags.end()) {
      GYRE_DO(AddRun(tracking, version, run->second, &numbers));
      return numbers;
    }
    if (!version.logged_model.empty()) {
      const auto model = models.Get(version.project, version.logged_model);
      if (!model && model.error().code() != Code::kNotFound) return model.error();
      if (model) AddLatest(model->metrics, &numbers);
      if (!numbers.values.empty()) AddFrom("logged model " + version.logged_model, &numbers);
    }
    if (!version.run_id.empty()) GYRE_DO(AddRun(tracking, version, version.run_id, &numbers));
    return numbers;
  };
}

std::vector<Reason> JudgeThresholds(const std::vector<MetricThreshold>& thresholds,
                                    const LoggedNumbers& numbers, const LoggedNumbers* holder,
                                    std::string_view holder_name) {
  std::vector<Reason> reasons;
  for (const MetricThreshold& one : thresholds) {
    const auto found = numbers.values.find(one.metric);
    const double* const value = found == numbers.values.end() ? nullptr : &found->second;
    const auto judge_change = [&](double least, bool relative) {
      reasons.push_back(JudgeChange(one, {least, relative}, value, holder, holder_name));
    };
    if (one.threshold) reasons.push_back(JudgeBound(one, value));
    if (one.min_absolute_change) judge_change(*one.min_absolute_change, false);
    if (one.min_relative_change) judge_change(*one.min_relative_change, true);
  }
  return reasons;
}

Result<> LoggedGate::Judge(const ModelVersion& version, std::string_view alias,
                           std::string_view by) {
  if (version.has_package()) return {};
  GYRE_TRY(const AliasPolicy policy, registry_.PolicyOf(version.project, version.model, alias));
  const auto tag = version.tags.find(std::string(kGateTag));
  if (policy.rules.size() == 0 && tag == version.tags.end()) return {};
  GYRE_TRY(const auto holder, registry_.FindAlias(version.project, version.model, alias));
  if (holder && holder->id == version.id) return {};
  GYRE_TRY(const LoggedNumbers numbers, numbers_(version));
  LoggedNumbers of_holder;
  if (holder) {
    GYRE_TRY(of_holder, numbers_(*holder));
  }
  const std::string holder_name = holder ? holder->name() : std::string();
  Verdict verdict{.pass = true, .reasons = {}};
  if (policy.rules.size() > 0) {
    GYRE_TRY(const std::vector<Rule> rules, ParseRules(policy.rules));
    verdict = registry::Judge(rules, GateNumbersOf(numbers, holder_name));
  }
  if (tag != version.tags.end()) {
    GYRE_TRY(const auto thresholds, ParseThresholds(tag->second));
    for (Reason& reason :
         JudgeThresholds(thresholds, numbers, holder ? &of_holder : nullptr, holder_name)) {
      verdict.pass = verdict.pass && reason.pass;
      verdict.reasons.push_back(std::move(reason));
    }
  }
  verdict.reasons.push_back(
      {true, "as its client logged it",
       numbers.from.empty() ? "nothing was logged of it" : "measured in " + numbers.from});
  const std::string champion_id = holder ? holder->id : std::string();
  GYRE_TRY(const auto before, registry_.LatestVerdict(version.id, alias));
  if (SameVerdict(before, verdict, policy, champion_id)) return {};
  const auto recorded = registry_.RecordVerdict({.version_id = version.id,
                                                 .alias = std::string(alias),
                                                 .champion_id = champion_id,
                                                 .evaluation_id = {},
                                                 .created_by = std::string(by),
                                                 .policy = policy,
                                                 .verdict = verdict});
  return recorded ? Result<>() : Result<>(recorded.error());
}

}  // namespace gyre::registry
