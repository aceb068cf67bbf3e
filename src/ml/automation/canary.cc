#include "ml/automation/canary.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "ml/automation/members.h"
#include "ml/statistics/bootstrap.h"
#include "ml/statistics/sequential.h"

namespace gyre::automation {
namespace {

constexpr std::string_view kBad = "GY4802";
constexpr double kEvidence = 100;  // one healthy canary in a hundred may be sent back by chance

double Rate(const SideFacts& side) {
  return side.requests == 0 ? 0
                            : static_cast<double>(side.failed) / static_cast<double>(side.requests);
}

// What speaks against the canary; empty = nothing.
class Harm {
 public:
  explicit Harm(std::vector<std::string>* checks) : checks_(checks) {}
  void Look(bool harm, std::string_view name, const std::string& text) {
    Say(harm ? "stop" : "pass", name, text);
    if (harm && reason_.empty()) reason_ = fmt::format("{}: {}", name, text);
  }
  void Say(std::string_view verdict, std::string_view name, const std::string& text) {
    checks_->push_back(fmt::format("{} {}: {}", verdict, name, text));
  }
  const std::string& reason() const { return reason_; }

 private:
  std::vector<std::string>* checks_;
  std::string reason_;
};

// What the k-th look may be wrong with, so that all of them together are not above 1 / kEvidence.
double WrongAt(int look) {
  const double k = std::max(look, 1);
  return 1 / (kEvidence * k * (k + 1));
}

// Of the requests, as planned or as it came. Before the champion has answered anything, what came
// is no measure: the first request of all would be all of the traffic.
double ShareOfCanary(const CanaryPlan& plan, const CanaryFacts& facts) {
  const double planned = plan.weights[static_cast<std::size_t>(facts.step)];
  if (facts.champion.requests == 0) return planned;
  const auto canary = static_cast<double>(facts.canary.requests);
  return std::max(planned, canary / (canary + static_cast<double>(facts.champion.requests)));
}

SideFacts Together(const SideFacts& before, const SideFacts& now) {
  SideFacts all = now;
  all.requests += before.requests;
  all.failed += before.failed;
  all.rows += before.rows;
  return all;
}

// The logarithm of what this step's bets, and those of the steps before, have come to: that the
// canary has more of such requests than its share.
double EvidenceOf(double carried, int step, std::int64_t canary, std::int64_t champion,
                  double share) {
  const double begun = -std::log(2.0) * (step + 1);  // 1/2, 1/4, ...: never above 1 together
  const double most = std::max(carried, begun), least = std::min(carried, begun);
  const double stake = most + std::log1p(std::exp(least - most));
  return stake + statistics::LogEvidenceOfMore(canary, champion, share);
}

double EvidenceOfErrors(const CanaryPlan& plan, const CanaryFacts& facts) {
  return EvidenceOf(facts.before.errors, facts.step, facts.canary.failed, facts.champion.failed,
                    ShareOfCanary(plan, facts));
}

double EvidenceOfLatency(const CanaryPlan& plan, const CanaryFacts& facts) {
  return EvidenceOf(facts.before.latency, facts.step, facts.canary.slow, facts.champion.slow,
                    ShareOfCanary(plan, facts));
}

bool BeyondChance(double evidence) { return evidence >= std::log(kEvidence); }

void LookAtErrors(const CanaryPlan& plan, const CanaryFacts& facts, Harm* harm) {
  const SideFacts canary = Together(facts.before.canary, facts.canary),
                  champion = Together(facts.before.champion, facts.champion);
  const double more =
      std::max(Rate(facts.canary) - Rate(facts.champion), Rate(canary) - Rate(champion));
  const bool harm_done =
      more > plan.error_rate_more_max && BeyondChance(EvidenceOfErrors(plan, facts));
  harm->Look(harm_done, "errors",
             fmt::format("{} of {} requests failed, {} of {} at the champion", canary.failed,
                         canary.requests, champion.failed, champion.requests));
}

void LookAtLatency(const CanaryPlan& plan, const CanaryFacts& facts, Harm* harm) {
  const double mine = facts.canary.latency_us_p99, other = facts.champion.latency_us_p99;
  // The p99 of a few requests is the slowest of them.
  if (mine == 0 || other == 0 ||
      std::min(facts.before.canary.requests + facts.canary.requests,
               facts.before.champion.requests + facts.champion.requests) <
          plan.latency_requests_min)
    return;
  const bool slower = mine > SlowFrom(plan, other) && BeyondChance(EvidenceOfLatency(plan, facts));
  harm->Look(slower, "latency",
             fmt::format("p99 {:.3g} ms, {:.3g} ms at the champion", mine / 1000, other / 1000));
}

bool HasLabels(const CanaryPlan& plan, const Beside& beside) {
  return std::min(beside.champion.labelled, beside.canary.labelled) >= plan.quality_labels_min;
}

// Whether there was anything to judge by.
bool LookAtQuality(const CanaryPlan& plan, const Beside& beside, Harm* harm) {
  if (!HasLabels(plan, beside)) {
    harm->Say("wait", "quality",
              fmt::format("{} rows with labels, {} at the champion; {} of each are wanted",
                          GroupDigits(beside.canary.labelled),
                          GroupDigits(beside.champion.labelled), plan.quality_labels_min));
    return false;
  }
  if (!std::isfinite(beside.worse) || !std::isfinite(beside.error)) {
    harm->Say("wait", "quality",
              fmt::format("{} rows with labels say too little of {}: too few of a class, or alike",
                          GroupDigits(beside.canary.labelled), beside.metric));
    return false;
  }
  const double allowed = plan.quality_worse_max * std::abs(beside.champion.value);
  const double surely =
      beside.worse - statistics::NormalQuantile(1 - WrongAt(beside.looks)) * beside.error;
  const std::string by =
      beside.worse <= 0 ? fmt::format("better by {:.4g}", -beside.worse)
      : surely <= 0     ? fmt::format("worse by {:.4g}, not surely", beside.worse)
                        : fmt::format("worse by {:.4g}, surely by {:.4g}", beside.worse, surely);
  harm->Look(
      surely > allowed, "quality",
      fmt::format("{} {:.4g} on {} labels, {:.4g} on {} at the champion; {}; {:.2g} is "
                  "allowed",
                  beside.metric, beside.canary.value, GroupDigits(beside.canary.labelled),
                  beside.champion.value, GroupDigits(beside.champion.labelled), by, allowed));
  return true;
}

void LookAtPredictions(const CanaryPlan& plan, const Beside& beside, Harm* harm) {
  if (beside.method.empty()) {
    harm->Say("wait", "predictions",
              fmt::format("{} rows, {} at the champion: too few to compare their answers",
                          GroupDigits(beside.canary.rows), GroupDigits(beside.champion.rows)));
    return;
  }
  const bool moved =
      beside.p_value <= WrongAt(beside.looks) && beside.effect >= plan.prediction_effect_min;
  const std::string text = fmt::format(
      "{} answers lie {:.3g} from the champion's {} (p {:.2g}, {}); from {:.3g} on they differ",
      GroupDigits(beside.canary.rows), beside.effect, GroupDigits(beside.champion.rows),
      beside.p_value, beside.method, plan.prediction_effect_min);
  if (moved && !plan.prediction_drift_back)
    harm->Say("note", "predictions", text);
  else
    harm->Look(moved, "predictions", text);
}

// Whether quality was judged.
bool LookAtBoth(const CanaryPlan& plan, const CanaryFacts& facts, Harm* harm) {
  if (!facts.beside) return false;
  if (!facts.beside->problem.empty()) {
    harm->Say("note", "quality", "the answers could not be compared: " + facts.beside->problem);
    return false;
  }
  LookAtPredictions(plan, *facts.beside, harm);
  return LookAtQuality(plan, *facts.beside, harm);
}

CanaryDecision Onward(const CanaryPlan& plan, const CanaryFacts& facts, CanaryDecision decision) {
  const auto steps = std::ssize(plan.weights);
  const bool last = facts.step + 1 >= steps;
  decision.move = last ? CanaryMove::kPromote : CanaryMove::kAdvance;
  decision.reason = last
                        ? fmt::format("all {} steps passed", steps)
                        : fmt::format("step {} of {} passed, next {:.0f} %", facts.step + 1, steps,
                                      100 * plan.weights[static_cast<std::size_t>(facts.step) + 1]);
  return decision;
}

Result<> ReadPredictionDrift(const Json& value, bool* back) {
  const std::string& text = value.AsString();
  *back = text == "roll back";
  if (*back || text == "tell") return {};
  return InvalidArgument(kBad, "`prediction_drift` of a canary must be `tell` or `roll back`")
      .Fix("tell");
}

Result<> ReadWeights(const Json& value, std::vector<double>* weights) {
  weights->clear();
  for (const Json& item : value.items()) weights->push_back(item.AsDouble(-1));
  const bool in_range = std::ranges::all_of(*weights, [](double w) { return w > 0 && w < 1; });
  const bool rising = std::ranges::is_sorted(*weights, std::less_equal<>());
  if (weights->empty() || weights->size() > 20 || !in_range || !rising) {
    return InvalidArgument(kBad,
                           "`weights` of a canary must be 1 to 20 rising shares between 0 and 1")
        .Fix("[0.05, 0.25, 0.5]");
  }
  return {};
}

}  // namespace

std::string_view CanaryMoveName(CanaryMove move) {
  constexpr std::string_view kNames[] = {"hold", "advance", "promote", "roll back"};
  return kNames[static_cast<std::size_t>(move)];
}

Result<CanaryPlan> CanaryPlanFromJson(const Json& json) {
  CanaryPlan plan;
  if (json.is_null()) return plan;
  constexpr std::int64_t kMonthSeconds = std::int64_t{31} * 86'400;
  GYRE_DO(
      MemberReader("a canary", kBad)
          .Custom("weights", [&](const Json& value) { return ReadWeights(value, &plan.weights); })
          .Whole("bake_s", &plan.bake_s, 0, kMonthSeconds)
          .Whole("rows_min", &plan.rows_min, 0, 1'000'000'000)
          .Whole("step_s_max", &plan.step_s_max, 1, kMonthSeconds)
          .Number("error_rate_more_max", &plan.error_rate_more_max, 0, 1)
          .Number("latency_ratio_max", &plan.latency_ratio_max, 1, 1e6)
          .Whole("latency_requests_min", &plan.latency_requests_min, 1, 1'000'000'000)
          .Whole("latency_us_slack", &plan.latency_us_slack, 0, 1'000'000'000)
          .Number("quality_worse_max", &plan.quality_worse_max, 0, 1e6)
          .Whole("quality_labels_min", &plan.quality_labels_min, 30, 1'000'000'000)
          .Flag("quality_required", &plan.quality_required)
          .Custom("prediction_drift",
                  [&](const Json& value) {
                    return ReadPredictionDrift(value, &plan.prediction_drift_back);
                  })
          .Number("prediction_effect_min", &plan.prediction_effect_min, 0, 1e6)
          .Read(json));
  if (plan.step_s_max < plan.bake_s)
    return InvalidArgument(kBad, "`step_s_max` of a canary must not be below its `bake_s`");
  return plan;
}

Json CanaryPlanToJson(const CanaryPlan& plan) {
  Json weights = Json::Arr();
  for (const double weight : plan.weights) weights.Push(weight);
  return Json::Obj({{"weights", std::move(weights)},
                    {"bake_s", plan.bake_s},
                    {"rows_min", plan.rows_min},
                    {"step_s_max", plan.step_s_max},
                    {"error_rate_more_max", plan.error_rate_more_max},
                    {"latency_ratio_max", plan.latency_ratio_max},
                    {"latency_requests_min", plan.latency_requests_min},
                    {"latency_us_slack", plan.latency_us_slack},
                    {"quality_worse_max", plan.quality_worse_max},
                    {"quality_labels_min", plan.quality_labels_min},
                    {"quality_required", plan.quality_required},
                    {"prediction_drift", plan.prediction_drift_back ? "roll back" : "tell"},
                    {"prediction_effect_min", plan.prediction_effect_min}});
}

Carried CarryOn(const CanaryPlan& plan, const CanaryFacts& facts) {
  return {.champion = Together(facts.before.champion, facts.champion),
          .canary = Together(facts.before.canary, facts.canary),
          .errors = EvidenceOfErrors(plan, facts),
          .latency = EvidenceOfLatency(plan, facts)};
}

double SlowFrom(const CanaryPlan& plan, double champion_us_p99) {
  return std::max(champion_us_p99 * plan.latency_ratio_max,
                  champion_us_p99 + static_cast<double>(plan.latency_us_slack));
}

CanaryDecision DecideCanary(const CanaryPlan& plan, const CanaryFacts& facts) {
  CanaryDecision decision;
  if (!facts.champion_changed.empty()) {  // both sides' numbers are of two comparisons by now
    decision.move = CanaryMove::kRollBack;
    decision.reason = facts.champion_changed;
    return decision;
  }
  Harm harm(&decision.checks);
  LookAtErrors(plan, facts, &harm);
  LookAtLatency(plan, facts, &harm);
  const bool judged = LookAtBoth(plan, facts, &harm) || !plan.quality_required;
  if (!facts.alert.empty()) harm.Look(true, "alert", facts.alert);
  for (const std::string& told : facts.told) harm.Say("note", "alert", told);
  if (!harm.reason().empty()) {
    decision.move = CanaryMove::kRollBack;
    decision.reason = harm.reason();
    return decision;
  }
  const std::string seen = fmt::format("{} of {} rows, {} of {} s", facts.canary.rows,
                                       plan.rows_min, facts.seconds_in_step, plan.bake_s);
  const bool baked = facts.canary.rows >= plan.rows_min && facts.seconds_in_step >= plan.bake_s;
  if (baked && judged) return Onward(plan, facts, std::move(decision));
  if (facts.seconds_in_step >= plan.step_s_max) {
    decision.move = CanaryMove::kRollBack;
    decision.reason =
        baked
            ? fmt::format("quality: too few labels in {} s to judge by", facts.seconds_in_step)
            : fmt::format("traffic: {} in {} s, too few to judge by", seen, facts.seconds_in_step);
    return decision;
  }
  decision.reason = baked ? "waits for labels to judge quality by" : "baking: " + seen;
  return decision;
}

}  // namespace gyre::automation
