// How a firing goes on: judged, asked for, started, followed.
#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ledger/lineage/lineage.h"
#include "ml/automation/service.h"
#include "ml/automation/trigger_store.h"
#include "ml/pipelines/schedule.h"
#include "platform/exec/fault_point.h"
#include "platform/telemetry/log.h"

namespace gyre::automation {
namespace {

constexpr telemetry::Logger kLog{"automation"};
constexpr std::int64_t kMonthMicros = 30 * kMicrosPerDay;
constexpr std::int64_t kLabelsAgainMicros = 60 * kMicrosPerSecond;
constexpr int kFiringsPerTurn = 100;
constexpr std::int64_t kLookMicros = 2 * kMicrosPerSecond;    // between looks at folders and clocks
constexpr std::int64_t kBlindMicros = 30 * kMicrosPerSecond;  // after a look that failed

// Of firings that wait for labels.
constexpr std::string_view kTooFewRows = "GY4617", kNoRows = "GY4613";

// Of runs that learn nothing from these rows, however often they are asked: labels of classes that
// the model does not know, inputs that the log withholds. The data is in the way, not the pipeline.
constexpr std::string_view kOtherClasses = "GY4618", kWithheld = "GY4619";

void NoteBlind(const Trigger& trigger, const Error& error) {
  kLog.Warn("a trigger cannot look", {{"trigger", trigger.spec.name}, {"error", error.ToString()}});
}

std::string ChecksText(const Firing& firing) {
  return (firing.checks.is_array() ? firing.checks : Json::Arr()).Dump();
}

// As many as there is room for, and the last of them says what is left out: what nobody can work
// off is not piled up.
Result<> InsertAll(db::Transaction& tx, const Trigger& trigger, std::vector<Firing>* firings) {
  GYRE_TRY(const std::int64_t under_way, CountUnderWay(tx, trigger.id));
  const auto room = static_cast<std::size_t>(std::max<std::int64_t>(kUnderWayMax - under_way, 0));
  if (firings->size() > room) {
    kLog.Warn("a trigger hears more than it can work off",
              {{"trigger", trigger.spec.name}, {"left_out", firings->size() - room}});
    if (room > 0)
      (*firings)[room - 1].text +=
          fmt::format("; {} more are left out: {} wait already", firings->size() - room, under_way);
    firings->resize(room);
  }
  for (const Firing& firing : *firings) GYRE_DO(InsertFiring(tx, firing));
  return {};
}

}  // namespace

Result<> AutomationService::Start() {
  worker_ = exec::Worker("automation", [this](const exec::StopFlag& stop) {
    do {
      if (const auto turned = Turn(); !turned)
        kLog.Error("a turn failed", {{"error", turned.error().ToString()}});
    } while (!stop.WaitMicros(settings_.tick_us));
  });
  return {};
}

Result<Decision> AutomationService::JudgeNow(const Trigger& trigger, const Firing& firing) {
  GuardFacts facts;
  facts.now_us = clock_.NowMicros();
  facts.by_hand = firing.cause == CauseName(Cause::kHand);
  if (const auto& quiet = trigger.spec.guards.quiet_hours) {
    GYRE_TRY(const auto zone, pipelines::TimeZone::Load(quiet->zone));
    facts.quiet_until_us = QuietUntil(*quiet, zone, facts.now_us);
  }
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(History history, HistoryOf(reader, trigger.id, facts.now_us - kMonthMicros));
    facts.starts_us = std::move(history.starts_us);
    facts.cpu_seconds_of_month = history.cpu_seconds;
    facts.failures_in_a_row = history.failures_in_a_row;
    GYRE_TRY(facts.running, RunningBeside(reader, firing));
    return {};
  }));
  if (trigger.spec.guards.one_at_a_time && facts.running.empty()) {
    GYRE_TRY(facts.running, below_.beside(trigger.project, trigger.spec));
  }
  std::string endpoint = EndpointOf(trigger.spec);
  if (endpoint.empty() && SubjectKind(trigger.spec.on.cause) == "endpoint")
    endpoint = firing.subject;
  if (trigger.spec.guards.quality_first && !endpoint.empty() &&
      firing.cause != CauseName(Cause::kQuality)) {
    GYRE_TRY(facts.quality_alert, below_.quality_alert(trigger.project, endpoint));
  }
  GYRE_TRY(const auto labels, LabelsFor(trigger, firing, firing.since_us));
  if (labels) facts.labels = GuardFacts::Labels{labels->rows, labels->wanted, firing.since_us};
  facts.heard_us = firing.created_us;
  return Judge(trigger.spec, facts);
}

// Triggers and zones are read when one of them has changed, not at every look.
Result<> AutomationService::ReadLookouts() {
  if (!lookouts_stale_.exchange(false)) return {};
  std::vector<Lookout> lookouts;
  const auto read = database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::vector<Trigger> triggers, ListTriggers(reader, ""));
    for (const Trigger& trigger : triggers) {
      if (!LooksOut(trigger.spec)) continue;
      GYRE_TRY(const auto last_us, LookedAt(reader, trigger.id));
      auto lookout = MakeLookout(trigger, last_us.value_or(trigger.created_us));
      if (lookout) {
        lookouts.push_back(*std::move(lookout));
      } else {
        NoteBlind(trigger, lookout.error());
      }
    }
    return {};
  });
  if (!read) lookouts_stale_ = true;
  if (read) lookouts_ = std::move(lookouts);
  return read;
}

// Of the endpoint that its run learns from.
Result<std::optional<Below::Labels>> AutomationService::LabelsFor(const Trigger& trigger,
                                                                  const Firing& firing,
                                                                  std::int64_t since_us) {
  if (since_us == 0 || !below_.labels) return std::optional<Below::Labels>();
  std::string endpoint = EndpointOf(trigger.spec);
  if (endpoint.empty()) endpoint = firing.subject;
  return below_.labels(trigger.project, trigger.spec, endpoint, since_us);
}

Result<> AutomationService::LookFor(Lookout* lookout) {
  GYRE_TRY(const Seen seen, LookOut(*lookout, clock_.NowMicros()));
  std::vector<Firing> firings;
  for (const Occurrence& occurrence : seen.occurrences) {
    if (Listens(lookout->trigger.spec, occurrence))
      firings.push_back(NewFiring(lookout->trigger, occurrence, ""));
  }
  if (!firings.empty()) {
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_DO(InsertAll(tx, lookout->trigger, &firings));
      return SetLookedAt(tx, lookout->trigger.id, seen.looked_us);
    }));
    exec::Fault("firing.open");
  }
  lookout->last_us = seen.looked_us;
  lookout->next_us = seen.next_us;
  return {};
}

// One that cannot look does not keep the others from looking.
Result<> AutomationService::LookAround() {
  GYRE_DO(ReadLookouts());
  const std::int64_t now_us = clock_.NowMicros();
  for (Lookout& lookout : lookouts_) {
    if (now_us < lookout.next_us) continue;
    if (const auto looked = LookFor(&lookout); !looked) {
      NoteBlind(lookout.trigger, looked.error());
      lookout.next_us = now_us + kBlindMicros;
    }
  }
  return {};
}

// A start that lies ahead counts as just begun, once: else a clock that was a year ahead for a
// minute would hold its triggers for a year.
Result<> AutomationService::MindTheClock() {
  const std::int64_t now_us = clock_.NowMicros(), before_us = std::exchange(turned_us_, now_us);
  if (before_us != 0 && now_us >= before_us) return {};
  lookouts_stale_ = true;
  return database_.Write([&](db::Transaction& tx) {
    return ForgetTheFuture(tx, now_us, settings_.approval_s_max * kMicrosPerSecond);
  });
}

Result<> AutomationService::Turn() {
  const MutexLock turn(turn_mutex_);
  GYRE_DO(MindTheClock());
  if (const std::int64_t now_us = clock_.MonotonicMicros(); now_us >= look_us_) {
    look_us_ = now_us + kLookMicros;
    GYRE_DO(LookAround());
    if (const auto heard = HearStanding(); !heard)
      kLog.Error("alerts that fire were not heard", {{"error", heard.error().ToString()}});
  }
  std::vector<Firing> due;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(due, DueFirings(reader, clock_.NowMicros(), kFiringsPerTurn));
    return {};
  }));
  for (Firing& firing : due) {
    const std::string id = firing.id;
    if (const auto advanced = Advance(std::move(firing)); !advanced)
      kLog.Error("a firing stands still", {{"firing", id}, {"error", advanced.error().ToString()}});
  }
  if (below_.settle) {
    if (const auto settled = below_.settle(); !settled)
      kLog.Error("a canary without a run was not taken back",
                 {{"error", settled.error().ToString()}});
  }
  return {};
}

Result<> AutomationService::Save(const Firing& firing) {
  const std::string checks = ChecksText(firing);
  return database_.Write([&](db::Transaction& tx) { return UpdateFiring(tx, firing, checks); });
}

Result<> AutomationService::SaveAndTell(const Firing& firing) {
  const std::string checks = ChecksText(firing);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(UpdateFiring(tx, firing, checks));
    return below_.tell ? below_.tell(tx, firing) : Result<>();
  });
}

Result<> AutomationService::Advance(Firing firing) {
  if (firing.state == "running") return Follow(std::move(firing));
  GYRE_TRY(const Trigger trigger, Get(firing.project, firing.trigger));
  if (firing.state == "starting") return LaunchRun(std::move(firing), trigger);
  if (firing.state == "approval") {  // its time has passed
    firing.state = "expired";
    firing.reason = fmt::format("nobody with role {} agreed in time", trigger.spec.approval);
    firing.ended_us = clock_.NowMicros();
    return Save(firing);
  }
  return JudgeFiring(std::move(firing), trigger);
}

// Of this trigger alone: what somebody began by hand is waited for.
Result<> AutomationService::CancelBeside(const Firing& firing, const Trigger& trigger) {
  std::string running;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(running, RunningBeside(reader, firing));
    return {};
  }));
  if (running.empty() || running == kStartsNow) return {};
  return below_.cancel(running, fmt::format("trigger {}: {}", trigger.spec.name, firing.text));
}

Result<> AutomationService::JudgeFiring(Firing firing, const Trigger& trigger) {
  GYRE_TRY(const Decision decision, JudgeNow(trigger, firing));
  firing.guard = decision.guard;
  firing.reason = decision.reason;
  firing.checks = Texts(decision.checks);
  firing.labelled = decision.labelled;
  const std::int64_t now_us = clock_.NowMicros();
  const bool would_act = decision.action == Action::kStart || decision.action == Action::kCancel;
  if (would_act && !trigger.spec.approval.empty() && firing.approved_by.empty()) {
    firing.state = "approval";
    firing.reason = fmt::format("waits for somebody with role {}", trigger.spec.approval);
    firing.again_us = now_us + settings_.approval_s_max * kMicrosPerSecond;
    return AskForApproval(firing, trigger);
  }
  switch (decision.action) {
    case Action::kCancel:
      GYRE_DO(CancelBeside(firing, trigger));
      [[fallthrough]];
    case Action::kWait:
      firing.state = "waiting";
      firing.again_us = decision.again_us;
      return Save(firing);
    case Action::kSkip:
    case Action::kPerson:
      firing.state = "skipped";
      firing.ended_us = now_us;
      return decision.action == Action::kPerson ? SaveAndTell(firing) : Save(firing);
    case Action::kStart:
      break;
  }
  firing.state = "starting";
  firing.started_us = now_us;
  firing.again_us = 0;
  exec::Fault("firing.judged");
  GYRE_DO(Save(firing));  // the intent, before the act
  exec::Fault("firing.starting");
  return LaunchRun(std::move(firing), trigger);
}

Result<> AutomationService::AskForApproval(const Firing& firing, const Trigger& trigger) {
  const std::string checks = ChecksText(firing);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(UpdateFiring(tx, firing, checks));
    return below_.ask ? below_.ask(tx, firing, trigger.spec.approval) : Result<>();
  });
}

// A pipeline with a parameter `file` is told which file it was, with its folder.
Result<Json> AutomationService::ParamsOf(const Firing& firing, const Trigger& trigger) {
  Json params = trigger.spec.params;
  if (firing.cause != CauseName(Cause::kFile) || params.Has(kFileParam) || !below_.takes)
    return params;
  GYRE_TRY(const bool takes, below_.takes(trigger.project, trigger.spec.pipeline, kFileParam));
  if (!takes) return params;
  // The key is the name, a time and a size (lookout.cc).
  const std::size_t size = firing.key.rfind(' ');
  const std::size_t time = firing.key.rfind(' ', size - 1);
  if (params.is_null()) params = Json::Obj();
  params.Set(kFileParam, fmt::format("{}/{}", firing.subject, firing.key.substr(0, time)));
  return params;
}

// The firing's id is the key: begun again after a crash, it is the same run.
Result<> AutomationService::LaunchRun(Firing firing, const Trigger& trigger) {
  GYRE_TRY(Json params, ParamsOf(firing, trigger));
  const auto run = below_.start({.project = trigger.project,
                                 .pipeline = trigger.spec.pipeline,
                                 .key = firing.id + firing.run_id,  // of a run before it, if any
                                 .params = std::move(params),
                                 .triggered_by = Json::Obj({{"trigger", trigger.spec.name},
                                                            {"firing", firing.id},
                                                            {"cause", firing.cause},
                                                            {"subject", firing.subject},
                                                            {"source", firing.source_id},
                                                            {"text", firing.text}}),
                                 .since_us = firing.since_us});
  if (!run) {
    firing.state = "failed";
    firing.reason = "the run could not be started: " + run.error().ToString();
    firing.ended_us = clock_.NowMicros();
    return EndFiring(std::move(firing), /*tells=*/true);
  }
  exec::Fault("firing.launched");
  firing.state = "running";
  firing.run_id = *run;
  const std::string checks = ChecksText(firing);
  const std::int64_t now_us = clock_.NowMicros();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(UpdateFiring(tx, firing, checks));
    GYRE_DO(lineage::EnsureNode(tx, {.id = firing.run_id,
                                     .kind = "pipeline_run",
                                     .label = firing.run_id.substr(0, 12),
                                     .project = firing.project,
                                     .created_us = now_us}));
    GYRE_TRY(const std::vector<Joined> joined, JoinedTo(tx, firing.id));
    for (const Joined& cause : joined)
      GYRE_DO(LinkCause(tx, firing.project, cause, firing.run_id, now_us));
    if (firing.source_id.empty())
      return lineage::AddEdge(tx, firing.trigger_id, firing.run_id, "triggered");
    return LinkCause(tx, firing.project, {firing.cause, firing.source_id, firing.text},
                     firing.run_id, now_us);
  }));
  exec::Fault("firing.running");
  return {};
}

// Labels come later than the drift that asks for them. A person who fired it sees the reason.
Result<bool> AutomationService::WaitsForLabels(const Firing& firing, const Below::RunState& run) {
  if (firing.cause == CauseName(Cause::kHand) || (run.error != kTooFewRows && run.error != kNoRows))
    return false;
  GYRE_TRY(const Trigger trigger, Get(firing.project, firing.trigger));
  return clock_.NowMicros() - firing.created_us <
         trigger.spec.guards.labels_wait_s * kMicrosPerSecond;
}

// Its run has ended. What joined it has an answer only where the run judged something.
Result<> AutomationService::EndFiring(Firing firing, bool tells) {
  GYRE_TRY(const Trigger trigger, Get(firing.project, firing.trigger));
  const bool unanswered = firing.state == "failed" && firing.outcome.kind.empty();
  const std::int64_t now_us = clock_.NowMicros();
  const std::int64_t again_us =
      std::max(now_us, firing.started_us + trigger.spec.guards.cooldown_s * kMicrosPerSecond);
  const std::string checks = ChecksText(firing);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(UpdateFiring(tx, firing, checks));
    if (unanswered) {
      // Whoever cancelled it wants nothing to begin; what cancelled it is there to be joined.
      GYRE_TRY(const int passed, PassOn(tx, firing, firing.guard != kCancelled, [&](Firing* next) {
                 next->id = NewId();
                 next->state = "waiting";
                 next->guard = "cooldown";
                 next->reason =
                     "the run that it had joined failed; the next one is after the "
                     "cooldown";
                 next->created_us = now_us;
                 next->again_us = again_us;
               }));
      if (passed > 0) {
        firing.reason += fmt::format("; {} that joined it wait{} for the next run", passed,
                                     passed == 1 ? "s" : "");
        GYRE_DO(UpdateFiring(tx, firing, checks));
      }
    }
    return tells && below_.tell ? below_.tell(tx, firing) : Result<>();
  });
}

Result<> AutomationService::Follow(Firing firing) {
  auto seen = below_.run_state(firing.run_id);
  if (!seen && seen.error().code() == Code::kNotFound)
    seen = Below::RunState{.state = "was removed"};
  GYRE_TRY(const Below::RunState run, seen);
  if (run.state == "running") return {};
  GYRE_TRY(const bool waits, WaitsForLabels(firing, run));
  if (waits) {
    firing.state = "waiting";
    firing.guard = "labels";
    firing.reason = run.reason + "; asked again when more may have come";
    firing.started_us = 0;  // nothing was learned: no cooldown begins
    // Half as long again as it has waited: some twenty runs a week, not one a minute.
    const std::int64_t now_us = clock_.NowMicros();
    firing.again_us = now_us + std::max(kLabelsAgainMicros, (now_us - firing.created_us) / 2);
    return Save(firing);
  }
  firing.state = run.state == "succeeded" ? "succeeded" : "failed";
  firing.reason =
      fmt::format("its run {}{}{}", run.state, run.reason.empty() ? "" : ": ", run.reason);
  if (run.state == "cancelled") firing.guard = kCancelled;
  firing.outcome = run.outcome;
  if (run.error == kOtherClasses || run.error == kWithheld) {
    firing.guard = kRefused;
    firing.outcome = {std::string(kRefused), "not retrained: " + run.reason};
  }
  firing.cpu_seconds = run.cpu_seconds;
  if (firing.outcome.kind == kPromoted && below_.newest_event && IsOfAnAlert(firing)) {
    GYRE_TRY(firing.answered_us, below_.newest_event(firing.project, firing.subject));
  }
  firing.ended_us = clock_.NowMicros();
  exec::Fault("firing.ending");
  GYRE_DO(EndFiring(firing, run.state == "failed" || !firing.outcome.kind.empty()));
  exec::Fault("firing.ended");
  return {};
}

}  // namespace gyre::automation
