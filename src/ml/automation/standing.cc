// Alerts that fire already: heard by triggers that are new, and heard again where an answer did not
// end them.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "ml/automation/service.h"
#include "ml/automation/trigger_store.h"
#include "platform/telemetry/log.h"

namespace gyre::automation {
namespace {

constexpr telemetry::Logger kLog{"automation"};

// Of one endpoint: what the trigger listens for, and, once that was answered, what else says that
// the answer was none. Drift is seen before its labels come; performance is seen with them.
struct About {
  std::vector<const StandingAlert*> heard{}, also{};
};
std::map<std::string, About> ByEndpoint(const Trigger& trigger,
                                        const std::vector<StandingAlert>& standing) {
  std::map<std::string, About> found;
  const Listening& on = trigger.spec.on;
  for (const StandingAlert& alert : standing) {
    const Occurrence& occurrence = alert.occurrence;
    if (occurrence.project != trigger.project) continue;
    if (Listens(trigger.spec, occurrence))
      found[occurrence.subject].heard.push_back(&alert);
    else if (on.cause == Cause::kDrift && occurrence.cause == Cause::kPerformance &&
             (on.subject.empty() || on.subject == occurrence.subject))
      found[occurrence.subject].also.push_back(&alert);
  }
  return found;
}

bool HearsAlerts(const Trigger& trigger) {
  return trigger.spec.enabled && SubjectKind(trigger.spec.on.cause) == "endpoint";
}

std::string CameTo(const Firing& answer) {
  return answer.outcome.text.empty() ? answer.reason : answer.outcome.text;
}

std::vector<const StandingAlert*> All(const About& about) {
  std::vector<const StandingAlert*> all = about.heard;
  all.insert(all.end(), about.also.begin(), about.also.end());
  return all;
}

}  // namespace

// A person who cancelled a run, or said no, has answered. So has a guard that let nothing start, as
// long as it holds; a run has until new rows with labels can teach another one.
Result<AutomationService::Again> AutomationService::AskAgain(const Trigger& trigger,
                                                             const Firing& answer,
                                                             const Alerts& alerts) {
  if (answer.ended_us == 0) return Again{.why = "its firing goes on"};
  if (answer.guard == kCancelled || answer.guard == "approval")
    return Again{.why = "a person has answered: " + answer.reason};
  const StandingAlert* alert = alerts.front();
  if (answer.outcome.kind == kPromoted) {
    const auto still = std::ranges::find_if(alerts, [&](const StandingAlert* one) {
      return answer.answered_us > 0 && one->bad_us >= answer.answered_us;
    });
    if (still == alerts.end())
      return Again{.why = answer.outcome.text + "; no window since then was bad"};
    alert = *still;
  }
  Firing next = NewFiring(trigger, alert->occurrence, "");
  next.key = fmt::format("{} after {}", next.key, answer.id);
  if (answer.state != "skipped") {
    const std::int64_t since_us = answer.since_us > 0 ? answer.since_us : next.since_us;
    GYRE_TRY(const auto labels, LabelsFor(trigger, next, since_us));
    if (!labels) return Again{.why = "one incident fires once"};
    const std::int64_t before =
        answer.since_us > 0 ? std::max<std::int64_t>(answer.labelled, 0) : 0;
    const std::int64_t come = std::max<std::int64_t>(labels->rows - before, 0);
    if (come < labels->wanted)
      return Again{.why = fmt::format("{} of {} new rows with labels have come since",
                                      GroupDigits(come), GroupDigits(labels->wanted))};
    next.text += fmt::format(
        "; again with {} new rows with labels: the last answer did not end it "
        "({})",
        GroupDigits(come), CameTo(answer));
  } else {
    next.text += "; it still fires";
  }
  GYRE_TRY(const Decision decision, JudgeNow(trigger, next));
  if (decision.action != Action::kStart) return Again{.why = decision.reason};
  return Again{.next = std::move(next), .why = "it would start again"};
}

Result<> AutomationService::HearStandingOf(const Trigger& trigger,
                                           const std::vector<StandingAlert>& standing) {
  const std::set<std::string>& stood = stood_;  // as the turn has it, which is held
  for (const auto& [endpoint, about] : ByEndpoint(trigger, standing)) {
    std::vector<Firing> fresh;
    std::optional<Firing> answer;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      for (const StandingAlert* alert : about.heard) {
        // What began a moment ago is told by its event.
        if (!stood.contains(alert->occurrence.key)) continue;
        GYRE_TRY(const auto known, FindFiringOf(reader, trigger.id, alert->occurrence.key));
        if (!known) fresh.push_back(NewFiring(trigger, alert->occurrence, ""));
      }
      GYRE_TRY(answer, FindAnswer(reader, trigger.id, endpoint));
      return {};
    }));
    if (fresh.empty() && answer && answer->ended_us != 0) {
      GYRE_TRY(Again again, AskAgain(trigger, *answer, All(about)));
      if (again.next) fresh.push_back(*std::move(again.next));
    }
    if (fresh.empty()) continue;
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      for (const Firing& firing : fresh) GYRE_DO(Hear(tx, firing));
      return {};
    }));
  }
  return {};
}

Result<> AutomationService::HearStanding() {
  if (!below_.standing) return {};
  GYRE_TRY(const std::vector<StandingAlert> standing, below_.standing());
  if (!standing.empty()) {
    GYRE_TRY(const std::vector<Trigger> triggers, List(""));
    for (const Trigger& trigger : triggers) {
      if (!HearsAlerts(trigger)) continue;
      if (const auto heard = HearStandingOf(trigger, standing); !heard)
        kLog.Warn("a trigger could not hear what fires",
                  {{"trigger", trigger.spec.name}, {"error", heard.error().ToString()}});
    }
  }
  stood_.clear();
  for (const StandingAlert& alert : standing) stood_.insert(alert.occurrence.key);
  return {};
}

// What becomes of the alerts that fire now: each with its answer. Where all were answered, nothing
// would start before that changes.
Result<Json> AutomationService::CheckStanding(const Trigger& trigger, Json* action, Json* reason) {
  Json alerts = Json::Arr();
  if (!below_.standing || !HearsAlerts(trigger)) return alerts;
  GYRE_TRY(const std::vector<StandingAlert> standing, below_.standing());
  bool answered = false, starts = false;
  std::string why;
  for (const auto& [endpoint, about] : ByEndpoint(trigger, standing)) {
    std::optional<Firing> answer;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(answer, FindAnswer(reader, trigger.id, endpoint));
      return {};
    }));
    Again again;
    if (answer) {
      GYRE_TRY(again, AskAgain(trigger, *answer, All(about)));
      answered = true;
      starts = starts || again.next.has_value();
      why = fmt::format("firing {} ({}): {}", answer->id.substr(0, 8),
                        answer->ended_us == 0 ? answer->state : CameTo(*answer), again.why);
    } else if (!about.heard.empty()) {
      starts = true;
    }
    for (const StandingAlert* alert : All(about)) {
      const bool listens = Listens(trigger.spec, alert->occurrence);
      alerts.Push(Json::Obj(
          {{"alert", alert->occurrence.text},
           {"says", answer    ? why
                    : listens ? "not heard yet: it is within seconds"
                              : "this trigger listens for drift; performance counts once drift was "
                                "answered"}}));
    }
  }
  if (answered && !starts) {
    *action = "wait";
    *reason = "what fires now was answered by " + why;
  }
  return alerts;
}

}  // namespace gyre::automation
