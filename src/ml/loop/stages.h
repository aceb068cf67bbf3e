// The eight stages of the loop as they stand: state, figure, one line of fact, and the next act.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ml/loop/facts.h"
#include "ml/loop/laps.h"

namespace gyre::loop {

// Fine, look at it, act now, something goes on, nothing is there yet.
enum class State : unsigned char { kOk, kWarn, kBad, kRunning, kIdle };
std::string_view StateName(State state);  // "ok", "warn", "bad", "running", "idle"

struct Act {
  std::string label = {};    // "Set a goal"
  std::string command = {};  // the same in the shell
  std::string page = {};     // of the web UI: "goal", "monitoring"
};
Json ActToJson(const Act& act);

struct Stage {
  State state = State::kIdle;
  std::int64_t at_us = 0;   // of what happened there last; 0 = nothing did
  std::string figure = {};  // "customers:v9, 61,240 rows"
  std::string fact = {};    // "+2,418 rows; 18 of 18 expectations hold"
  Act next = {};
  std::vector<double> trend = {};  // oldest first; may be empty
};
using Stages = std::array<Stage, kStages.size()>;

Stages StagesOf(const Facts& facts);
Json StagesToJson(const Stages& stages);

}  // namespace gyre::loop
