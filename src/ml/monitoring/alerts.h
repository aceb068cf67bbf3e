// When a signal becomes an alert, and when it is over. Pure: a state and what one window showed in,
// the next state and the reason of each change out.
//
//   ok -> pending (one bad window) -> firing (m of the last n) -> ok again (so many calm in a row)
//
// A score between the two thresholds is neither bad nor calm, so that a signal on the edge does not
// flutter. Silence (acknowledged, snoozed, flapping, within the pause) mutes what people are told,
// never the state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"

namespace gyre::monitoring {

struct AlertRule {
  int bad_windows = 2;                                      // m of
  int of_windows = 3;                                       // the last n
  int calm_windows = 2;                                     // in a row end it
  std::int64_t renotify_us = 24 * 3600 * kMicrosPerSecond;  // between two tellings of the same
  int flap_changes = 4;                                     // beginnings and ends
  int flap_windows = 12;  // within so many windows: told only once until it settles
  friend bool operator==(const AlertRule&, const AlertRule&) = default;
};
std::string RuleText(const AlertRule& rule);  // "2 of 3 windows, over after 2 calm ones"
Json RuleToJson(const AlertRule& rule);
Result<AlertRule> RuleFromJson(const Json& json);  // kInvalidArgument GY4503 names the member

enum class Level : unsigned char {
  kCalm,
  kBetween,  // above what ends an alert, below what begins one
  kBad,
  kUnknown,  // too few rows or labels: changes nothing
};
// With scores where more is worse.
Level LevelOf(double score, double raise, double clear);

enum class Phase : unsigned char { kOk, kPending, kFiring };
std::string_view PhaseName(Phase phase);
std::optional<Phase> ParsePhase(std::string_view name);

struct AlertState {
  Phase phase = Phase::kOk;
  std::vector<bool> recent = {};                     // bad or not, of the last windows, newest last
  std::vector<std::vector<std::string>> named = {};  // what each of them named
  std::vector<std::vector<std::string>> versions = {};  // and of which versions it was
  int calm_in_row = 0;
  std::vector<std::int64_t> changes = {};  // numbers of windows at which it began or ended
  std::int64_t windows = 0;                // observed
  std::int64_t since_us = 0;               // of the phase, in the time of the data
  // In the time of the data: where the unbroken run of bad windows began, of which this is the
  // newest; where that of the incident began; and the beginning of the last bad window.
  std::int64_t run_us = 0, incident_us = 0, bad_us = 0;
  std::int64_t told_us = 0;  // in the time of the data; 0 = never
  std::string acked_by = {};
  std::int64_t snoozed_us = 0, snoozed_until_us = 0;  // by the clock
  std::string owed = {};                              // what people are still to be told
  friend bool operator==(const AlertState&, const AlertState&) = default;
};
Json StateToJson(const AlertState& state);
AlertState StateFromJson(const Json& json);

struct Observation {
  Level level = Level::kUnknown;
  std::int64_t begin_us = 0, time_us = 0;  // the beginning and the end of the window
  std::string what = {};                   // "2 columns drifted: hour, temp"
  std::vector<std::string> columns = {};
  // Of a signal that is measured on the rows of one version: that it is about, and all that were
  // bad. Bad windows of two versions are no streak.
  std::string version = {};
  std::vector<std::string> bad_versions = {};
  std::string inhibited_by = {};  // a firing alert that explains this one: "data quality"
  bool behind = false;  // newer windows are judged at once: people are told when all of them are
};

struct Step {
  Phase from = Phase::kOk, to = Phase::kOk;
  bool began = false, ended = false;
  bool tell = false;      // people are told
  std::string reason;     // of the change, or of there being none
  std::string mute = {};  // why nobody is told of a change
  // Named by as many windows as an alert takes: one that chance names once is none of them.
  std::vector<std::string> columns = {};
};
Step Observe(const AlertRule& rule, AlertState* state, const Observation& observation,
             std::int64_t now_us);
// The window is of another model than the alert: it is over, and this is the first window of the
// new one.
Step Restart(const AlertRule& rule, AlertState* state, const Observation& observation,
             std::string_view model, std::int64_t now_us);

// By people. Errors: kFailedPrecondition GY4504 when it does not fire.
Result<> Acknowledge(AlertState* state, std::string_view by);
// A clock that is set back lengthens it to twice its time at most.
void Snooze(AlertState* state, std::int64_t now_us, std::int64_t until_us);
bool IsSnoozed(const AlertState& state, std::int64_t now_us);

}  // namespace gyre::monitoring
