// How a challenger takes over: small shares of the traffic first, each for a while, and back at the
// first sign of harm. The decision alone, from counts of both sides. No I/O, no clock.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::automation {

struct CanaryPlan {
  std::vector<double> weights = {0.05, 0.25, 0.5};  // shares of the traffic, rising; then all
  std::int64_t bake_s = 600;                        // each step lasts at least this long
  std::int64_t rows_min = 200;           // and until the canary has answered so many rows in it
  std::int64_t step_s_max = 24 * 3600;   // with too little traffic for that: give up, go back
  double error_rate_more_max = 0.01;     // canary's share of failed requests above the champion's
  double latency_ratio_max = 1.5;        // p99 against the champion's,
  std::int64_t latency_us_slack = 5000;  // when it is also this much slower
  std::int64_t latency_requests_min = 300;  // of each side, before that is looked at
  double quality_worse_max = 0.02;          // share of the champion's metric that may be lost
  std::int64_t quality_labels_min = 100;    // of each side, before that is looked at
  bool quality_required = false;            // no step passes before
  bool prediction_drift_back = false;       // else it is only told: a better model may differ
  double prediction_effect_min = 0.1;       // smaller differences of the answers are none
};
// Errors: kInvalidArgument GY4802 names the member and its rule.
Result<CanaryPlan> CanaryPlanFromJson(const Json& json);
Json CanaryPlanToJson(const CanaryPlan& plan);

// Of one side, since the step began.
struct SideFacts {
  std::int64_t requests = 0, failed = 0, rows = 0;
  double latency_us_p99 = 0;  // since the release began; 0 = unknown
  std::int64_t slow = 0;      // requests that took longer than SlowFrom of the champion's p99
};
// What the steps before have shown: requests and failures of both sides, and the natural logarithm
// of the evidence against the canary.
struct Carried {
  SideFacts champion{}, canary{};
  double errors = -std::numeric_limits<double>::infinity();
  double latency = -std::numeric_limits<double>::infinity();
};
// Quality: of the rows of all steps, and what is known of their truth by now. Answers: of those
// that came since the step began. NaN: not measured.
struct Beside {
  struct Side {
    std::int64_t rows = 0, labelled = 0;
    double value = 0;  // of the metric
  };
  Side champion{}, canary{};
  std::string metric{};            // "auc"
  double worse = 0, error = 0;     // of the canary, whatever the direction; standard error
  std::string method{};            // of the answers' distributions; empty = too few rows
  double p_value = 0, effect = 0;  // of their difference
  std::string problem{};           // why nothing could be compared
  int looks = 1;                   // so many times it was looked, with this one
};
struct CanaryFacts {
  int step = 0;  // index in weights
  std::int64_t seconds_in_step = 0;
  SideFacts champion{}, canary{};
  Carried before{};
  std::optional<Beside> beside{};
  std::string alert{};              // of the canary alone; empty = none
  std::vector<std::string> told{};  // alerts that are not, or not surely: they stop nothing
  std::string champion_changed{};   // what there is to judge against is gone; empty = it is there
};

enum class CanaryMove : unsigned char { kHold, kAdvance, kPromote, kRollBack };
std::string_view CanaryMoveName(CanaryMove move);  // "hold", "advance", "promote", "roll back"

struct CanaryDecision {
  CanaryMove move = CanaryMove::kHold;
  std::string reason{};
  std::vector<std::string> checks{};
};

// What the next step starts from. Every step begins a bet of its own, with half of what the bets
// before it left, and goes on with theirs: their sum starts at 1 and is fair as long as the canary
// is healthy, so that small harm adds up over the steps while a false alarm stays as rare.
Carried CarryOn(const CanaryPlan& plan, const CanaryFacts& facts);

// From here on a request of the canary is slower than the plan allows.
double SlowFrom(const CanaryPlan& plan, double champion_us_p99);

// Harm is judged at every look and binds at once; time and traffic only hold back. A difference in
// error rates, of the step or of all steps, counts when it is larger than the plan allows and
// larger than chance would make it at any of the looks of any step, so that neither one early
// failure nor many looks end a healthy release (failures counted as independent); slow requests
// count like failures. Quality and answers likewise: look k is allowed 1 / (k (k + 1)) of the
// chance of a false alarm. `step` must be an index of `weights`. A check begins with its verdict:
// pass, stop, wait (for labels or rows) or note (told, binds nobody).
CanaryDecision DecideCanary(const CanaryPlan& plan, const CanaryFacts& facts);

}  // namespace gyre::automation
