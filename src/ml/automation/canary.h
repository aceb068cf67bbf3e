// How a challenger takes over: small shares of the traffic first, each for a while, and back at the
// first sign of harm. The decision alone, from counts of both sides. No I/O, no clock.
#pragma once

#include <cstdint>
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
};
// Errors: kInvalidArgument GY4802 names the member and its rule.
Result<CanaryPlan> CanaryPlanFromJson(const Json& json);
Json CanaryPlanToJson(const CanaryPlan& plan);

// Of one side, since the step began.
struct SideFacts {
  std::int64_t requests = 0, failed = 0, rows = 0;
  double latency_us_p99 = 0;  // 0 = unknown
};
struct CanaryFacts {
  int step = 0;  // index in weights
  std::int64_t seconds_in_step = 0;
  SideFacts champion{}, canary{};
  std::string alert{};  // of the canary's own monitor; empty = none
};

enum class CanaryMove : unsigned char { kHold, kAdvance, kPromote, kRollBack };
std::string_view CanaryMoveName(CanaryMove move);  // "hold", "advance", "promote", "roll back"

struct CanaryDecision {
  CanaryMove move = CanaryMove::kHold;
  std::string reason{};
  std::vector<std::string> checks{};
};

// Harm is judged at every look and binds at once; time and traffic only hold back. A difference in
// error rates counts when it is larger than the plan allows and larger than chance would make it at
// any of the looks, so that neither one early failure nor many looks end a healthy release
// (failures counted as independent). `step` must be an index of `weights`.
CanaryDecision DecideCanary(const CanaryPlan& plan, const CanaryFacts& facts);

}  // namespace gyre::automation
