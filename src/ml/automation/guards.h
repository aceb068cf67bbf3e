// May a trigger start its run now? The decision alone: facts in, an answer with its reason out. No
// I/O, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ml/automation/trigger.h"
#include "ml/pipelines/schedule.h"

namespace gyre::automation {

// What is known when an occurrence is judged.
struct GuardFacts {
  std::int64_t now_us = 0;
  std::int64_t quiet_until_us = 0;        // the end of the quiet hours; 0 = it is not their time
  std::vector<std::int64_t> starts_us{};  // runs of this trigger in the last 30 days, any order
  double cpu_seconds_of_month = 0;        // that they have used
  std::string running{};                  // id of a run that holds the same lock; empty = none
  std::string quality_alert{};            // an alert that says that input of the subject is broken
  int failures_in_a_row = 0;
  // Rows with labels since the trouble began, and how many the run asks for; nothing where it is
  // not about that.
  struct Labels {
    std::int64_t rows = 0, wanted = 0, since_us = 0;
  };
  std::optional<Labels> labels{};
  std::int64_t heard_us = 0;  // when the occurrence was heard
  bool by_hand = false;       // a person asked: cooldown, quiet hours and failures do not bind
};

enum class Action : unsigned char {
  kStart,
  kWait,    // asked again at `again_us`
  kSkip,    // this occurrence is over
  kPerson,  // skipped, and a person must look
  kCancel,  // the run that goes on is cancelled, then asked again
};
std::string_view ActionName(Action action);  // "start", "wait", "skip", "person", "cancel"

struct Decision {
  Action action = Action::kStart;
  std::string guard{};   // "cooldown"; empty when all agree
  std::string reason{};  // one sentence
  std::int64_t again_us = 0;
  std::int64_t labelled = -1;  // of the facts; -1 = nobody counted
  // What each guard said, for a dry run: "cooldown: last run began 7 h ago, 6 h asked".
  std::vector<std::string> checks{};
};

// Guards in the order of their weight: enabled, failures, quality, one at a time, cooldown, runs a
// day, budget, quiet hours, labels. The first that objects decides; all are listed.
Decision Judge(const TriggerSpec& spec, const GuardFacts& facts);

bool IsQuiet(const QuietHours& hours, int minute_of_day);
// The minute at which they are over, by the clocks of the zone, however these jump; 0 outside them.
std::int64_t QuietUntil(const QuietHours& hours, const pipelines::TimeZone& zone,
                        std::int64_t now_us);

}  // namespace gyre::automation
