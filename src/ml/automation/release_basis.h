// What a release is judged from, kept with it: its champion, what had been counted when its step
// began, and what the steps before have shown. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "ml/automation/canary.h"
#include "ml/statistics/log_counts.h"

namespace gyre::automation {

// Of one side. Counters begin anew with each process and with each deployment.
struct CountedSide {
  std::string deployment{};
  SideFacts facts{};
  statistics::LogCounts latency_us{};
};

struct ReleaseBasis {
  std::string champion_model{};      // when the release began: "churn:v3"
  std::string process{};             // that counted what follows
  CountedSide champion{}, canary{};  // when the step began
  Carried carried{};                 // what the steps before have shown,
  statistics::LogCounts carried_champion_us{}, carried_canary_us{};
  std::vector<std::int64_t> steps_us{};  // when each began; empty in releases of before that
  int step_given = -1;                   // the last whose share was given; then others changed it
  int looks = 0;                         // so many comparisons were asked for

  Json ToJson() const;
  static ReleaseBasis FromJson(const Json& json);
};

// What was counted after the step began. `now` becomes that.
void TakeOff(const CountedSide& began, CountedSide* now);

}  // namespace gyre::automation
