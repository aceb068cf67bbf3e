#include "ml/monitoring/alerts.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace gyre::monitoring {
namespace {

constexpr std::string_view kPhaseNames[] = {"ok", "pending", "firing"};
constexpr std::size_t kOwedBytesMax = 500;

// Bad windows that count towards an alert about what this one shows.
int BadOf(const AlertState& state, const Observation& seen) {
  if (seen.version.empty() || seen.level != Level::kBad)
    return static_cast<int>(std::ranges::count(state.recent, true));
  return static_cast<int>(std::ranges::count_if(state.versions, [&](const auto& versions) {
    return std::ranges::find(versions, seen.version) != versions.end();
  }));
}

void Remember(const AlertRule& rule, const Observation& seen, AlertState* state) {
  const bool bad = seen.level == Level::kBad;
  if (bad) {
    if (state->recent.empty() || !state->recent.back()) state->run_us = seen.begin_us;
    state->bad_us = seen.begin_us;
  }
  state->recent.push_back(bad);
  state->named.push_back(bad ? seen.columns : std::vector<std::string>());
  state->versions.resize(state->recent.size() - 1);
  state->versions.push_back(bad ? seen.bad_versions : std::vector<std::string>());
  const auto keep = static_cast<std::size_t>(rule.of_windows);
  if (state->recent.size() > keep) state->recent.erase(state->recent.begin());
  if (state->named.size() > keep) state->named.erase(state->named.begin());
  if (state->versions.size() > keep) state->versions.erase(state->versions.begin());
}

void ForgetWindows(AlertState* state) {
  state->recent.clear();
  state->named.clear();
  state->versions.clear();
}

Json ListsToJson(const std::vector<std::vector<std::string>>& lists) {
  Json all = Json::Arr();
  for (const std::vector<std::string>& texts : lists) {
    Json list = Json::Arr();
    for (const std::string& text : texts) list.Push(text);
    all.Push(std::move(list));
  }
  return all;
}

std::vector<std::vector<std::string>> ListsFromJson(const Json& json) {
  std::vector<std::vector<std::string>> lists;
  for (const Json& texts : json.items()) {
    lists.emplace_back();
    for (const Json& text : texts.items()) lists.back().push_back(text.AsString());
  }
  return lists;
}

std::vector<std::string> NamedOften(const AlertRule& rule, const AlertState& state) {
  std::vector<std::string> often;
  for (const std::string& column :
       state.named.empty() ? std::vector<std::string>() : state.named.back()) {
    const auto times = std::ranges::count_if(state.named, [&](const auto& columns) {
      return std::ranges::find(columns, column) != columns.end();
    });
    if (times >= rule.bad_windows) often.push_back(column);
  }
  return often;
}

bool Flapping(const AlertRule& rule, AlertState* state) {
  std::erase_if(state->changes,
                [&](std::int64_t at) { return at <= state->windows - rule.flap_windows; });
  return static_cast<int>(state->changes.size()) >= rule.flap_changes;
}

// Why nobody is told; empty: they are.
std::string MuteOf(const AlertRule& rule, AlertState* state, std::int64_t time_us,
                   std::int64_t now_us) {
  if (IsSnoozed(*state, now_us)) return "snoozed until " + FormatTime(state->snoozed_until_us);
  if (Flapping(rule, state))
    return fmt::format("it began or ended {} times within {} windows", state->changes.size(),
                       rule.flap_windows);
  // Told far ahead of this window: a clock that was wrong. It must not silence what comes now.
  if (state->told_us != 0 && std::abs(time_us - state->told_us) < rule.renotify_us)
    return "told at " + FormatTime(state->told_us);
  return {};
}

void Begin(const AlertRule& rule, const Observation& seen, std::int64_t now_us, AlertState* state,
           Step* step) {
  state->phase = Phase::kFiring;
  state->since_us = seen.time_us;
  state->incident_us = state->run_us;
  state->acked_by.clear();
  state->changes.push_back(state->windows);
  step->began = true;
  step->reason = fmt::format("{} ({} of the last {} windows)", seen.what, BadOf(*state, seen),
                             state->recent.size());
  step->mute = MuteOf(rule, state, seen.time_us, now_us);
  step->tell = step->mute.empty();
  if (step->tell) state->told_us = seen.time_us;
}

void End(const AlertRule& rule, const Observation& seen, std::int64_t now_us, AlertState* state,
         Step* step) {
  state->phase = Phase::kOk;
  state->since_us = seen.time_us;
  state->acked_by.clear();
  state->changes.push_back(state->windows);
  step->ended = true;
  step->reason = fmt::format("{} calm windows in a row", state->calm_in_row);
  if (IsSnoozed(*state, now_us))
    step->mute = "snoozed until " + FormatTime(state->snoozed_until_us);
  else if (Flapping(rule, state))
    step->mute = "it comes and goes";
  step->tell = step->mute.empty();
  ForgetWindows(state);
}

void GoOn(const AlertRule& rule, const Observation& seen, std::int64_t now_us, AlertState* state,
          Step* step) {
  step->reason = seen.level == Level::kBad ? seen.what : "it is not calm long enough";
  if (!state->acked_by.empty()) {
    step->mute = "acknowledged by " + state->acked_by;
  } else if (step->mute = MuteOf(rule, state, seen.time_us, now_us); step->mute.empty()) {
    step->tell = seen.level == Level::kBad;
    if (step->tell) state->told_us = seen.time_us;
  }
}

void Await(const AlertRule& rule, const Observation& seen, std::int64_t now_us, AlertState* state,
           Step* step) {
  const int bad = BadOf(*state, seen);
  const Phase before = state->phase;
  // Where columns are named, one of them must be named again: chance rarely names the same twice.
  const bool again = seen.columns.empty() || !step->columns.empty();
  if (bad >= rule.bad_windows && again && seen.level == Level::kBad && seen.inhibited_by.empty()) {
    Begin(rule, seen, now_us, state, step);
    return;
  }
  state->phase = std::ranges::count(state->recent, true) > 0 ? Phase::kPending : Phase::kOk;
  if (state->phase != before) state->since_us = seen.time_us;
  if (!seen.inhibited_by.empty() && seen.level == Level::kBad) {
    step->reason = fmt::format("{}; held back: {} explains it", seen.what, seen.inhibited_by);
  } else if (bad >= rule.bad_windows && !again) {
    step->reason = seen.what + "; not the same columns as before";
  } else if (bad > 0) {
    step->reason = fmt::format("{} ({} of {} windows that an alert takes)",
                               seen.level == Level::kBad ? seen.what : "not bad this time", bad,
                               rule.bad_windows);
  } else {
    step->reason = before == Phase::kPending ? "it has passed" : "nothing to say";
  }
}

// Of many windows judged at once people are told the outcome, not each turn.
void Defer(const Observation& seen, AlertState* state, Step* step) {
  if (!step->tell || (!seen.behind && state->owed.empty())) return;
  state->owed = state->owed.empty() ? step->reason : state->owed + "; then: " + step->reason;
  if (state->owed.size() > kOwedBytesMax) state->owed = "after several changes: " + step->reason;
  if (!seen.behind) {
    step->reason = std::exchange(state->owed, {});
    return;
  }
  step->tell = false;
  step->mute = "told with the newest window";
}

Result<> ReadCount(const Json& json, std::string_view key, int max, int* count) {
  const Json* value = json.Find(key);
  if (value == nullptr) return {};
  if (!value->is_int() || value->AsInt() < 1 || value->AsInt() > max)
    return InvalidArgument("GY4503", "`{}` of an alert rule must be a whole number from 1 to {}",
                           key, max)
        .Where("alert." + std::string(key));
  *count = static_cast<int>(value->AsInt());
  return {};
}

}  // namespace

std::string RuleText(const AlertRule& rule) {
  return fmt::format("{} of {} windows, over after {} calm ones", rule.bad_windows, rule.of_windows,
                     rule.calm_windows);
}

Json RuleToJson(const AlertRule& rule) {
  return Json::Obj({{"bad", rule.bad_windows},
                    {"of", rule.of_windows},
                    {"calm", rule.calm_windows},
                    {"renotify", rule.renotify_us / kMicrosPerSecond},
                    {"flap_changes", rule.flap_changes},
                    {"flap_windows", rule.flap_windows}});
}

Result<AlertRule> RuleFromJson(const Json& json) {
  constexpr int kWindowsMax = 1'000;
  AlertRule rule;
  if (json.is_null()) return rule;
  const Json known = RuleToJson(rule);
  for (const auto& [key, value] : json.members()) {
    if (!known.Has(key))
      return InvalidArgument("GY4503", "an alert rule has no `{}`", key)
          .Why("its members are bad, of, calm, renotify, flap_changes and flap_windows");
  }
  GYRE_DO(ReadCount(json, "bad", kWindowsMax, &rule.bad_windows));
  rule.of_windows = std::max(rule.of_windows, rule.bad_windows);
  GYRE_DO(ReadCount(json, "of", kWindowsMax, &rule.of_windows));
  GYRE_DO(ReadCount(json, "calm", kWindowsMax, &rule.calm_windows));
  GYRE_DO(ReadCount(json, "flap_changes", kWindowsMax, &rule.flap_changes));
  GYRE_DO(ReadCount(json, "flap_windows", kWindowsMax, &rule.flap_windows));
  int seconds = static_cast<int>(rule.renotify_us / kMicrosPerSecond);
  GYRE_DO(ReadCount(json, "renotify", 366 * 86'400, &seconds));
  rule.renotify_us = seconds * kMicrosPerSecond;
  if (rule.bad_windows > rule.of_windows)
    return InvalidArgument("GY4503", "{} of {} windows can never be bad", rule.bad_windows,
                           rule.of_windows)
        .Where("alert.of");
  return rule;
}

Level LevelOf(double score, double raise, double clear) {
  if (score >= raise) return Level::kBad;
  return score >= clear ? Level::kBetween : Level::kCalm;
}

std::string_view PhaseName(Phase phase) { return kPhaseNames[static_cast<std::size_t>(phase)]; }

std::optional<Phase> ParsePhase(std::string_view name) {
  const auto found = std::ranges::find(kPhaseNames, name);
  if (found == std::end(kPhaseNames)) return std::nullopt;
  return static_cast<Phase>(found - std::begin(kPhaseNames));
}

Json StateToJson(const AlertState& state) {
  Json recent = Json::Arr(), changes = Json::Arr();
  for (const bool bad : state.recent) recent.Push(bad);
  for (const std::int64_t at : state.changes) changes.Push(at);
  return Json::Obj({{"phase", PhaseName(state.phase)},
                    {"recent", std::move(recent)},
                    {"named", ListsToJson(state.named)},
                    {"versions", ListsToJson(state.versions)},
                    {"calm_in_row", state.calm_in_row},
                    {"changes", std::move(changes)},
                    {"windows", state.windows},
                    {"since_us", state.since_us},
                    {"run_us", state.run_us},
                    {"incident_us", state.incident_us},
                    {"bad_us", state.bad_us},
                    {"told_us", state.told_us},
                    {"acked_by", state.acked_by},
                    {"snoozed_us", state.snoozed_us},
                    {"snoozed_until_us", state.snoozed_until_us},
                    {"owed", state.owed}});
}

AlertState StateFromJson(const Json& json) {
  AlertState state;
  state.phase = ParsePhase(json["phase"].AsString()).value_or(Phase::kOk);
  for (const Json& bad : json["recent"].items()) state.recent.push_back(bad.AsBool());
  state.named = ListsFromJson(json["named"]);
  state.versions = ListsFromJson(json["versions"]);
  state.calm_in_row = static_cast<int>(json["calm_in_row"].AsInt());
  for (const Json& at : json["changes"].items()) state.changes.push_back(at.AsInt());
  state.windows = json["windows"].AsInt();
  state.since_us = json["since_us"].AsInt();
  state.run_us = json["run_us"].AsInt();
  state.incident_us = json["incident_us"].AsInt();
  state.bad_us = json["bad_us"].AsInt();
  state.told_us = json["told_us"].AsInt();
  state.acked_by = json["acked_by"].AsString();
  state.snoozed_us = json["snoozed_us"].AsInt();
  state.snoozed_until_us = json["snoozed_until_us"].AsInt();
  state.owed = json["owed"].AsString();
  return state;
}

Step Observe(const AlertRule& rule, AlertState* state, const Observation& observation,
             std::int64_t now_us) {
  Step step{.from = state->phase, .to = state->phase, .reason = {}};
  if (observation.level == Level::kUnknown) {
    step.reason = observation.what.empty() ? "too little is known" : observation.what;
    return step;
  }
  ++state->windows;
  Remember(rule, observation, state);
  step.columns = NamedOften(rule, *state);
  state->calm_in_row = observation.level == Level::kCalm ? state->calm_in_row + 1 : 0;
  if (state->phase != Phase::kFiring) {
    Await(rule, observation, now_us, state, &step);
  } else if (state->calm_in_row >= rule.calm_windows) {
    End(rule, observation, now_us, state, &step);
  } else {
    GoOn(rule, observation, now_us, state, &step);
  }
  Defer(observation, state, &step);
  step.to = state->phase;
  return step;
}

Step Restart(const AlertRule& rule, AlertState* state, const Observation& observation,
             std::string_view model, std::int64_t now_us) {
  Step step{.from = state->phase, .to = state->phase, .reason = {}};
  if (state->phase == Phase::kFiring) End(rule, observation, now_us, state, &step);
  ForgetWindows(state);
  state->calm_in_row = observation.level == Level::kCalm ? 1 : 0;
  ++state->windows;
  Remember(rule, observation, state);
  state->phase = observation.level == Level::kBad ? Phase::kPending : Phase::kOk;
  state->since_us = observation.time_us;
  step.to = state->phase;
  step.reason = fmt::format("{} answers since and is judged anew", model);
  Defer(observation, state, &step);
  return step;
}

Result<> Acknowledge(AlertState* state, std::string_view by) {
  if (state->phase != Phase::kFiring)
    return FailedPrecondition("GY4504", "the alert is {}: there is nothing to acknowledge",
                              PhaseName(state->phase));
  state->acked_by = std::string(by);
  return {};
}

void Snooze(AlertState* state, std::int64_t now_us, std::int64_t until_us) {
  state->snoozed_us = now_us;
  state->snoozed_until_us = until_us;
}

bool IsSnoozed(const AlertState& state, std::int64_t now_us) {
  const std::int64_t length_us = state.snoozed_until_us - state.snoozed_us;
  return now_us < state.snoozed_until_us && now_us >= state.snoozed_us - length_us;
}

}  // namespace gyre::monitoring
