#include "ml/automation/canary.h"

#include <algorithm>
#include <cmath>

#include "ml/automation/members.h"
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
    checks_->push_back(fmt::format("{} {}: {}", harm ? "stop" : "pass", name, text));
    if (harm && reason_.empty()) reason_ = fmt::format("{}: {}", name, text);
  }
  const std::string& reason() const { return reason_; }

 private:
  std::vector<std::string>* checks_;
  std::string reason_;
};

void LookAtErrors(const CanaryPlan& plan, const CanaryFacts& facts, Harm* harm) {
  const double more = Rate(facts.canary) - Rate(facts.champion);
  const auto requests = static_cast<double>(facts.champion.requests + facts.canary.requests);
  const double share =
      std::max(plan.weights[static_cast<std::size_t>(facts.step)],
               static_cast<double>(facts.canary.requests) / std::max(requests, 1.0));
  // With all of the traffic on the canary there is nobody beside it: the allowance alone decides.
  const bool beyond_chance =
      share >= 1 || statistics::LogEvidenceOfMore(facts.canary.failed, facts.champion.failed,
                                                  share) >= std::log(kEvidence);
  harm->Look(more > plan.error_rate_more_max && beyond_chance, "errors",
             fmt::format("{} of {} requests failed, {} of {} at the champion", facts.canary.failed,
                         facts.canary.requests, facts.champion.failed, facts.champion.requests));
}

void LookAtLatency(const CanaryPlan& plan, const CanaryFacts& facts, Harm* harm) {
  const double mine = facts.canary.latency_us_p99, other = facts.champion.latency_us_p99;
  // The p99 of a few requests is the slowest of them.
  if (mine == 0 || other == 0 ||
      std::min(facts.canary.requests, facts.champion.requests) < plan.latency_requests_min)
    return;
  const bool slower = mine > other * plan.latency_ratio_max &&
                      mine - other > static_cast<double>(plan.latency_us_slack);
  harm->Look(slower, "latency",
             fmt::format("p99 {:.2f} ms, {:.2f} ms at the champion", mine / 1000, other / 1000));
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
                    {"latency_us_slack", plan.latency_us_slack}});
}

CanaryDecision DecideCanary(const CanaryPlan& plan, const CanaryFacts& facts) {
  CanaryDecision decision;
  Harm harm(&decision.checks);
  LookAtErrors(plan, facts, &harm);
  LookAtLatency(plan, facts, &harm);
  if (!facts.alert.empty()) harm.Look(true, "alert", facts.alert);
  if (!harm.reason().empty()) {
    decision.move = CanaryMove::kRollBack;
    decision.reason = harm.reason();
    return decision;
  }
  const std::string seen = fmt::format("{} of {} rows, {} of {} s", facts.canary.rows,
                                       plan.rows_min, facts.seconds_in_step, plan.bake_s);
  if (facts.canary.rows >= plan.rows_min && facts.seconds_in_step >= plan.bake_s)
    return Onward(plan, facts, std::move(decision));
  if (facts.seconds_in_step >= plan.step_s_max) {
    decision.move = CanaryMove::kRollBack;
    decision.reason =
        fmt::format("traffic: {} in {} s, too few to judge by", seen, facts.seconds_in_step);
    return decision;
  }
  decision.reason = "baking: " + seen;
  return decision;
}

}  // namespace gyre::automation
