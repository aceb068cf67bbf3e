// The history of a project as laps: each candidate goes once around the eight stages, and leaves in
// each how much was done there. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ml/loop/facts.h"

namespace gyre::loop {

inline constexpr std::array<std::string_view, 8> kStages = {
    "goal",        "data",       "preparation", "features",
    "development", "evaluation", "deployment",  "monitoring"};
enum StageNumber : unsigned char {
  kGoal,
  kData,
  kPreparation,
  kFeatures,
  kDevelopment,
  kEvaluation,
  kDeployment,
  kMonitoring,
};

// None: the lap did not come there. Reused: as it was in the lap before.
enum class Effort : unsigned char { kNone, kReused, kSome, kMost };
std::string_view EffortName(Effort effort);  // "none", "reused", "some", "most"

struct Arc {
  Effort effort = Effort::kNone;
  std::string mark = {};  // "rejected", "rolled back", "alert"; empty = nothing happened to it
  std::string text = {};  // what was done, or what happened
  std::int64_t at_us = 0;
};

struct Lap {
  int version = 0;        // of the model
  std::string name = {};  // "churn:v3"
  std::int64_t begun_us = 0;
  bool answers = false;  // it is in production now
  std::array<Arc, kStages.size()> arcs = {};
};

// What goes on now: a lap that is not through.
struct Running {
  int stage = -1;   // of kStages; -1 = nothing goes on
  int version = 0;  // 0 = its model is still to come
  std::string text = {};
  std::int64_t since_us = 0;
};

std::vector<Lap> LapsOf(const Facts& facts);  // oldest first
Running RunningOf(const Facts& facts);

Json LapToJson(const Lap& lap);
Json RunningToJson(const Running& running);

}  // namespace gyre::loop
