// The month after the deployment of `gyre demo`: traffic with a hidden drift, labels that come
// late, and what gyre makes of it by itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "cli/session.h"

namespace gyre::cli {

class Output;

inline constexpr std::uint64_t kDemoMonthSeed = 9;
inline constexpr std::size_t kDemoDayRows = 1'500;
inline constexpr int kDemoLearnedDays = 2;  // that a retraining looks back

// What was answered, in order, and what became known of it.
struct DemoMonth {
  std::vector<double> scores;
  std::vector<bool> left;
  std::vector<int> day;
  std::int64_t labels = 0;  // that were sent
  // Alerts of drift and of performance as they were when they began to fire, and on which day.
  Json drift, performance;
  int drift_day = 0, performance_day = 0;
  // What followed: the firing of the trigger and its run as they ended, and on which day a new
  // model had all the traffic; 0 = never.
  Json monitor, trigger, firing, run, verdict;
  std::string challenger;    // "churn:v2"
  std::int64_t learned = 0;  // rows that it was trained on
  int promoted_day = 0;
};
// The AUC of what was answered on these days.
double AucOfDays(const DemoMonth& month, int first, int last);

// Watches the endpoint day by day, has drift trigger a retraining, replays the month and prints
// what happens.
Result<> ReplayMonth(Session& session, const std::string& url, DemoMonth& month, Output& out);

}  // namespace gyre::cli
