#include "ml/automation/guards.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace gyre::automation {
namespace {

constexpr std::int64_t kMinuteMicros = 60 * kMicrosPerSecond;
// A run ends when it ends: ask again soon.
constexpr std::int64_t kRunningAgainMicros = 2 * kMicrosPerSecond;

// What one guard says: no action means that it agrees.
struct Word {
  std::string_view guard;
  bool agrees = true;
  Action action = Action::kStart;
  std::string reason;
  std::int64_t again_us = 0;
};
Word Agrees(std::string_view guard, std::string reason) {
  return {guard, true, Action::kStart, std::move(reason), 0};
}

std::string Since(std::int64_t micros) {
  return HumanSeconds(static_cast<double>(micros) / kMicrosPerSecond);
}

Word Enabled(const TriggerSpec& spec) {
  if (spec.enabled) return Agrees("enabled", "the trigger is on");
  return {"enabled", false, Action::kSkip, "the trigger is switched off", 0};
}

Word Failures(const Guards& guards, const GuardFacts& facts) {
  if (facts.by_hand || guards.failures_max == 0 || facts.failures_in_a_row < guards.failures_max)
    return Agrees("failures", fmt::format("{} of its last runs failed one after another",
                                          facts.failures_in_a_row));
  return {"failures", false, Action::kPerson,
          fmt::format("its last {} runs failed: a person must look", facts.failures_in_a_row), 0};
}

Word Quality(const Guards& guards, const GuardFacts& facts) {
  if (!guards.quality_first || facts.quality_alert.empty())
    return Agrees("quality", "no alert says that input values are lost (new values stop nothing)");
  return {"quality", false, Action::kSkip,
          fmt::format("the data is in doubt (alert {}): a model learnt from it would be too",
                      facts.quality_alert),
          0};
}

Word OneAtATime(const TriggerSpec& spec, const GuardFacts& facts) {
  if (!spec.guards.one_at_a_time || facts.running.empty())
    return Agrees("one at a time", "no other run goes on");
  Word word{"one at a time", false, Action::kWait, fmt::format("run {} goes on", facts.running),
            facts.now_us + kRunningAgainMicros};
  if (spec.on.cause != Cause::kSchedule || facts.by_hand) return word;
  if (spec.on.overlap == pipelines::Overlap::kSkip) word.action = Action::kSkip;
  if (spec.on.overlap == pipelines::Overlap::kCancel) word.action = Action::kCancel;
  return word;
}

// A start in the future is a clock that was set back: it counts as just begun.
Word Cooldown(const Guards& guards, const GuardFacts& facts) {
  if (facts.starts_us.empty()) return Agrees("cooldown", "it has not run yet");
  const std::int64_t last_us = std::min(std::ranges::max(facts.starts_us), facts.now_us);
  const std::int64_t asked_us = guards.cooldown_s * kMicrosPerSecond;
  const std::int64_t passed_us = facts.now_us - last_us;
  const std::string text =
      fmt::format("its last run began {} ago, {} asked", Since(passed_us), Since(asked_us));
  if (facts.by_hand || passed_us >= asked_us) return Agrees("cooldown", text);
  return {"cooldown", false, Action::kSkip, text, 0};
}

Word RunsPerDay(const Guards& guards, const GuardFacts& facts) {
  const std::int64_t runs = std::ranges::count_if(facts.starts_us, [&](std::int64_t start_us) {
    return start_us > facts.now_us - kMicrosPerDay;
  });
  const std::string text =
      guards.runs_per_day_max == 0
          ? fmt::format("{} runs in 24 hours, no limit", runs)
          : fmt::format("{} of {} runs in 24 hours", runs, guards.runs_per_day_max);
  if (guards.runs_per_day_max == 0 || runs < guards.runs_per_day_max)
    return Agrees("runs a day", text);
  return {"runs a day", false, Action::kSkip, text, 0};
}

Word Budget(const Guards& guards, const GuardFacts& facts) {
  if (guards.cpu_seconds_per_month == 0) return Agrees("budget", "no limit");
  const std::string text = fmt::format("{:.0f} of {:.0f} CPU-seconds used in 30 days",
                                       facts.cpu_seconds_of_month, guards.cpu_seconds_per_month);
  if (facts.cpu_seconds_of_month < guards.cpu_seconds_per_month) return Agrees("budget", text);
  return {"budget", false, Action::kSkip, text, 0};
}

Word Quiet(const Guards& guards, const GuardFacts& facts) {
  if (!guards.quiet_hours) return Agrees("quiet hours", "none");
  if (facts.by_hand || facts.quiet_until_us <= facts.now_us)
    return Agrees("quiet hours", "it is not their time");
  return {"quiet hours", false, Action::kWait,
          fmt::format("they end at {}", FormatTime(facts.quiet_until_us)), facts.quiet_until_us};
}

// A retraining is to learn the world as it is since the trouble began: labels come later than the
// drift that asks for them.
Word Labels(const Guards& guards, const GuardFacts& facts) {
  if (!facts.labels) return Agrees("labels", "its run does not ask for those since an incident");
  const auto& [rows, wanted, since_us] = *facts.labels;
  const std::string text =
      fmt::format("{} of {} rows with labels since {}, where the trouble began", GroupDigits(rows),
                  GroupDigits(wanted), FormatTime(since_us));
  if (facts.by_hand || rows >= wanted) return Agrees("labels", text);
  const std::int64_t waited_us = std::max<std::int64_t>(facts.now_us - facts.heard_us, 0);
  const std::int64_t wait_us = guards.labels_wait_s * kMicrosPerSecond;
  if (waited_us >= wait_us)
    return {"labels", false, Action::kPerson, fmt::format("{}, after {}", text, Since(waited_us)),
            0};
  return {"labels", false, Action::kWait,
          fmt::format("{}; it waits up to {}", text, Since(wait_us)),
          facts.now_us + std::clamp(waited_us / 20, kRunningAgainMicros, 5 * kMinuteMicros)};
}

}  // namespace

std::string_view ActionName(Action action) {
  constexpr std::string_view kNames[] = {"start", "wait", "skip", "person", "cancel"};
  return kNames[static_cast<std::size_t>(action)];
}

bool IsQuiet(const QuietHours& hours, int minute_of_day) {
  if (hours.from_minute < hours.to_minute)
    return minute_of_day >= hours.from_minute && minute_of_day < hours.to_minute;
  return minute_of_day >= hours.from_minute || minute_of_day < hours.to_minute;
}

std::int64_t QuietUntil(const QuietHours& hours, const pipelines::TimeZone& zone,
                        std::int64_t now_us) {
  std::int64_t until_us = now_us;
  while (IsQuiet(hours, zone.MinuteOfDay(until_us)))  // two days at most: `from` is not `to`
    until_us = (until_us / kMinuteMicros + 1) * kMinuteMicros;
  return until_us == now_us ? 0 : until_us;
}

Decision Judge(const TriggerSpec& spec, const GuardFacts& facts) {
  const Guards& guards = spec.guards;
  const Word words[] = {Enabled(spec),           Failures(guards, facts), Quality(guards, facts),
                        OneAtATime(spec, facts), Cooldown(guards, facts), RunsPerDay(guards, facts),
                        Budget(guards, facts),   Quiet(guards, facts),    Labels(guards, facts)};
  Decision decision;
  if (facts.labels) decision.labelled = facts.labels->rows;
  decision.reason = "all guards agree";
  for (const Word& word : words) {
    decision.checks.push_back(
        fmt::format("{} {}: {}", word.agrees ? "pass" : "stop", word.guard, word.reason));
    // Nothing is cancelled for a run that another guard would not let start.
    const bool decided = !decision.guard.empty() && decision.action != Action::kCancel;
    if (word.agrees || decided) continue;
    decision.action = word.action;
    decision.guard = word.guard;
    decision.reason = fmt::format("{}: {}", word.guard, word.reason);
    decision.again_us = word.again_us;
  }
  return decision;
}

}  // namespace gyre::automation
