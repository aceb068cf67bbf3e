#include "ml/automation/automation.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/mutex.h"
#include "base/text.h"
#include "ledger/lineage/lineage.h"
#include "ml/automation/lookout.h"
#include "ml/automation/trigger_store.h"
#include "ml/pipelines/schedule.h"
#include "platform/exec/fault_point.h"
#include "platform/exec/thread_pool.h"
#include "platform/telemetry/log.h"

namespace gyre::automation {
namespace {

constexpr telemetry::Logger kLog{"automation"};
constexpr std::int64_t kMonthMicros = 30 * kMicrosPerDay;
constexpr std::int64_t kLabelsAgainMicros = 60 * kMicrosPerSecond;
constexpr std::int64_t kLabelsWaitedForMicros = 7 * kMicrosPerDay;
constexpr int kFiringsPerTurn = 100;
constexpr std::int64_t kLookMicros = 2 * kMicrosPerSecond;  // between looks at folders and clocks
constexpr std::int64_t kLookNoteMicros = 60 * kMicrosPerSecond;  // of looks that saw nothing
constexpr std::size_t kTriggersMax = 10'000;

std::string ChecksText(const Firing& firing) {
  return (firing.checks.is_array() ? firing.checks : Json::Arr()).Dump();
}

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

class AutomationService final : public Automation {
 public:
  AutomationService(db::Database& database, const Clock& clock, Below below, Settings settings)
      : database_(database), clock_(clock), below_(std::move(below)), settings_(settings) {}

  Result<> Start() override;
  void Stop() override { worker_ = exec::Worker(); }

  Result<std::string> PipelineOf(std::string_view project, const TriggerSpec& spec) override {
    return below_.check(project, spec.pipeline, spec.params);
  }
  Result<Trigger> Create(std::string_view project, TriggerSpec spec, std::string_view by) override;
  Result<Trigger> Replace(std::string_view project, TriggerSpec spec, std::string_view by) override;
  Result<> Remove(std::string_view project, std::string_view name) override;
  Result<Trigger> Get(std::string_view project, std::string_view name) override;
  Result<std::vector<Trigger>> List(std::string_view project) override;

  Result<int> Tell(const Occurrence& occurrence) override;
  Result<Firing> Fire(std::string_view project, std::string_view name, Occurrence occurrence,
                      std::string_view by) override;
  Result<Json> DryRun(std::string_view project, std::string_view name) override;
  Result<std::vector<Firing>> Firings(const FiringQuery& query) override;
  Result<Firing> GetFiring(std::string_view project, std::string_view id) override;
  Result<Firing> Approve(std::string_view project, std::string_view id, bool agreed,
                         std::string_view by, std::string_view comment) override;
  Result<> Turn() override;

 private:
  Firing NewFiring(const Trigger& trigger, const Occurrence& occurrence, std::string_view by) const;
  Result<Decision> JudgeNow(const Trigger& trigger, const Firing& firing);
  Result<> Advance(Firing firing);
  Result<> JudgeFiring(Firing firing, const Trigger& trigger);
  Result<> LaunchRun(Firing firing, const Trigger& trigger);
  bool WaitsForLabels(const Firing& firing, const Below::RunState& run) const;
  Result<> Follow(Firing firing);
  Result<> Save(const Firing& firing);
  Result<> LookFor(const Trigger& trigger);
  Result<> LookAround();
  Result<> MindTheClock() GYRE_REQUIRES(turn_mutex_);
  Result<> AskForApproval(const Firing& firing, const Trigger& trigger);

  db::Database& database_;
  const Clock& clock_;
  const Below below_;
  const Settings settings_;
  Mutex turn_mutex_;                                         // one turn at a time
  std::int64_t look_us_ GYRE_GUARDED_BY(turn_mutex_) = 0;    // at folders, not before
  std::int64_t turned_us_ GYRE_GUARDED_BY(turn_mutex_) = 0;  // the last turn, by the clock
  exec::Worker worker_;
};

Result<> AutomationService::Start() {
  worker_ = exec::Worker("automation", [this](const exec::StopFlag& stop) {
    do {
      if (const auto turned = Turn(); !turned)
        kLog.Error("a turn failed", {{"error", turned.error().ToString()}});
    } while (!stop.WaitMicros(settings_.tick_us));
  });
  return {};
}

// --- triggers ------------------------------------------------------------------------------------

Result<Trigger> AutomationService::Create(std::string_view project, TriggerSpec spec,
                                          std::string_view by) {
  GYRE_DO(CheckName("trigger", spec.name));
  GYRE_TRY(spec.pipeline, below_.check(project, spec.pipeline, spec.params));
  GYRE_TRY(const std::vector<Trigger> all, List(project));
  if (all.size() >= kTriggersMax)
    return Error(Code::kResourceExhausted, "GY4807",
                 fmt::format("the project has {} triggers already", all.size()));
  Trigger trigger;
  trigger.id = NewId();
  trigger.project = project;
  trigger.spec = std::move(spec);
  trigger.created_by = by;
  trigger.created_us = trigger.updated_us = clock_.NowMicros();
  const std::string text = TriggerSpecToJson(trigger.spec).Dump();
  const auto written = database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(InsertTrigger(tx, trigger, text));
    return lineage::AddNode(tx, {.id = trigger.id,
                                 .kind = "trigger",
                                 .label = trigger.spec.name,
                                 .project = trigger.project,
                                 .created_us = trigger.created_us});
  });
  if (!written && written.error().code() == Code::kAlreadyExists) {
    return Error(Code::kAlreadyExists, "GY4803",
                 fmt::format("there is a trigger `{}` already", trigger.spec.name))
        .Fix(fmt::format("gyre triggers show {}", trigger.spec.name));
  }
  GYRE_DO(Result<>(written));
  return trigger;
}

Result<Trigger> AutomationService::Replace(std::string_view project, TriggerSpec spec,
                                           std::string_view /*by*/) {
  GYRE_TRY(Trigger trigger, Get(project, spec.name));
  GYRE_TRY(spec.pipeline, below_.check(project, spec.pipeline, spec.params));
  trigger.spec = std::move(spec);
  trigger.updated_us = clock_.NowMicros();
  const std::string text = TriggerSpecToJson(trigger.spec).Dump();
  const MutexLock turn(turn_mutex_);
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(UpdateTrigger(tx, trigger, text));
    return AskAnew(tx, trigger.id);
  }));
  return trigger;
}

Result<> AutomationService::Remove(std::string_view project, std::string_view name) {
  GYRE_TRY(const Trigger trigger, Get(project, name));
  return database_.Write([&](db::Transaction& tx) { return DeleteTrigger(tx, trigger.id); });
}

Result<Trigger> AutomationService::Get(std::string_view project, std::string_view name) {
  std::optional<Trigger> found;
  std::vector<std::string> names;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindTrigger(reader, project, name));
    if (found) return {};
    GYRE_TRY(const auto all, ListTriggers(reader, project));
    for (const Trigger& trigger : all) names.push_back(trigger.spec.name);
    return {};
  }));
  if (found) return *std::move(found);
  Error error = NotFound("GY4804", "there is no trigger `{}`", name);
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("gyre triggers");
}

Result<std::vector<Trigger>> AutomationService::List(std::string_view project) {
  std::vector<Trigger> triggers;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(triggers, ListTriggers(reader, project));
    return {};
  }));
  return triggers;
}

// --- occurrences ---------------------------------------------------------------------------------

Firing AutomationService::NewFiring(const Trigger& trigger, const Occurrence& occurrence,
                                    std::string_view by) const {
  Firing firing;
  firing.id = NewId();
  firing.trigger_id = trigger.id;
  firing.trigger = trigger.spec.name;
  firing.project = trigger.project;
  firing.key = occurrence.key;
  firing.cause = CauseName(occurrence.cause);
  firing.subject = occurrence.subject;
  firing.source_id = occurrence.source_id;
  firing.text = occurrence.text;
  firing.fired_by = by;
  firing.state = "open";
  firing.created_us = clock_.NowMicros();
  return firing;
}

Result<int> AutomationService::Tell(const Occurrence& occurrence) {
  GYRE_TRY(const std::vector<Trigger> triggers, List(occurrence.project));
  std::vector<Firing> firings;
  for (const Trigger& trigger : triggers) {
    if (Listens(trigger.spec, occurrence)) firings.push_back(NewFiring(trigger, occurrence, ""));
  }
  if (firings.empty()) return 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const Firing& firing : firings) GYRE_DO(InsertFiring(tx, firing));
    return {};
  }));
  exec::Fault("firing.open");
  return static_cast<int>(firings.size());
}

Result<Firing> AutomationService::Fire(std::string_view project, std::string_view name,
                                       Occurrence occurrence, std::string_view by) {
  GYRE_TRY(const Trigger trigger, Get(project, name));
  occurrence.project = project;
  if (occurrence.subject.empty()) occurrence.subject = trigger.spec.on.subject;
  Firing firing = NewFiring(trigger, occurrence, by);
  if (firing.key.empty()) firing.key = firing.id;
  std::optional<Firing> known;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const bool is_new, InsertFiring(tx, firing));
    if (is_new) return {};
    GYRE_TRY(known, FindFiringOf(tx, trigger.id, firing.key));
    return {};
  }));
  exec::Fault("firing.open");
  if (known) return *std::move(known);
  GYRE_DO(Turn());
  return GetFiring(project, firing.id);
}

// --- the reconciler ------------------------------------------------------------------------------

Result<Decision> AutomationService::JudgeNow(const Trigger& trigger, const Firing& firing) {
  GuardFacts facts;
  facts.now_us = clock_.NowMicros();
  facts.by_hand = firing.cause == CauseName(Cause::kHand);
  facts.minute_of_day = static_cast<int>(facts.now_us / (60 * kMicrosPerSecond) % (24 * 60));
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(History history, HistoryOf(reader, trigger.id, facts.now_us - kMonthMicros));
    facts.starts_us = std::move(history.starts_us);
    facts.cpu_seconds_of_month = history.cpu_seconds;
    facts.failures_in_a_row = history.failures_in_a_row;
    GYRE_TRY(facts.running, RunningBeside(reader, firing));
    return {};
  }));
  if (trigger.spec.guards.quality_first && !firing.subject.empty() &&
      firing.cause != CauseName(Cause::kQuality)) {
    GYRE_TRY(facts.quality_alert, below_.quality_alert(trigger.project, firing.subject));
  }
  return Judge(trigger.spec, facts);
}

Result<Json> AutomationService::DryRun(std::string_view project, std::string_view name) {
  GYRE_TRY(const Trigger trigger, Get(project, name));
  Occurrence occurrence{.cause = trigger.spec.on.cause, .subject = trigger.spec.on.subject};
  GYRE_TRY(const Decision decision, JudgeNow(trigger, NewFiring(trigger, occurrence, "")));
  GYRE_TRY(const std::vector<Firing> past,
           Firings({.project = trigger.project, .trigger = trigger.spec.name, .limit = 1000}));
  double cpu_seconds = 0;
  int runs = 0;
  for (const Firing& firing : past) {
    if (firing.ended_us == 0 || firing.run_id.empty()) continue;
    cpu_seconds += firing.cpu_seconds;
    ++runs;
  }
  const Json cost = runs == 0 ? Json() : Json(cpu_seconds / runs);
  return Json::Obj({{"trigger", trigger.spec.name},
                    {"action", ActionName(decision.action)},
                    {"reason", decision.reason},
                    {"checks", Texts(decision.checks)},
                    {"pipeline", trigger.spec.pipeline},
                    {"params", trigger.spec.params},
                    {"approval", trigger.spec.approval},
                    {"past_runs", runs},
                    {"cpu_seconds_per_run", cost}});
}

Result<> AutomationService::LookFor(const Trigger& trigger) {
  std::optional<std::int64_t> last_us;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(last_us, LookedAt(reader, trigger.id));
    return {};
  }));
  GYRE_TRY(const Seen seen,
           LookOut(trigger, last_us.value_or(trigger.created_us), clock_.NowMicros()));
  std::vector<Firing> firings;
  for (const Occurrence& occurrence : seen.occurrences) {
    if (Listens(trigger.spec, occurrence)) firings.push_back(NewFiring(trigger, occurrence, ""));
  }
  const bool moved = seen.looked_us - last_us.value_or(0) >= kLookNoteMicros;
  if (firings.empty() && !moved) return {};
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const Firing& firing : firings) GYRE_DO(InsertFiring(tx, firing));
    return SetLookedAt(tx, trigger.id, seen.looked_us);
  });
}

// One that cannot look does not keep the others from looking.
Result<> AutomationService::LookAround() {
  GYRE_TRY(const std::vector<Trigger> triggers, List(""));
  for (const Trigger& trigger : triggers) {
    if (!LooksOut(trigger.spec)) continue;
    if (const auto looked = LookFor(trigger); !looked)
      kLog.Warn("a trigger cannot look",
                {{"trigger", trigger.spec.name}, {"error", looked.error().ToString()}});
  }
  return {};
}

// A start that lies ahead counts as just begun, once: else a clock that was a year ahead for a
// minute would hold its triggers for a year.
Result<> AutomationService::MindTheClock() {
  const std::int64_t now_us = clock_.NowMicros(), before_us = std::exchange(turned_us_, now_us);
  if (before_us != 0 && now_us >= before_us) return {};
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

Result<> AutomationService::JudgeFiring(Firing firing, const Trigger& trigger) {
  GYRE_TRY(const Decision decision, JudgeNow(trigger, firing));
  firing.guard = decision.guard;
  firing.reason = decision.reason;
  firing.checks = Texts(decision.checks);
  const std::int64_t now_us = clock_.NowMicros();
  switch (decision.action) {
    case Action::kWait:
      firing.state = "waiting";
      firing.again_us = decision.again_us;
      return Save(firing);
    case Action::kSkip:
    case Action::kPerson:
      firing.state = "skipped";
      firing.ended_us = now_us;
      return Save(firing);
    case Action::kStart:
      break;
  }
  if (!trigger.spec.approval.empty() && firing.approved_by.empty()) {
    firing.state = "approval";
    firing.reason = fmt::format("waits for somebody with role {}", trigger.spec.approval);
    firing.again_us = now_us + settings_.approval_s_max * kMicrosPerSecond;
    return AskForApproval(firing, trigger);
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

// The firing's id is the key: begun again after a crash, it is the same run.
Result<> AutomationService::LaunchRun(Firing firing, const Trigger& trigger) {
  const auto run = below_.start({.project = trigger.project,
                                 .pipeline = trigger.spec.pipeline,
                                 .key = firing.id + firing.run_id,  // of a run before it, if any
                                 .params = trigger.spec.params,
                                 .triggered_by = Json::Obj({{"trigger", trigger.spec.name},
                                                            {"firing", firing.id},
                                                            {"cause", firing.cause},
                                                            {"subject", firing.subject},
                                                            {"source", firing.source_id},
                                                            {"text", firing.text}})});
  if (!run) {
    firing.state = "failed";
    firing.reason = "the run could not be started: " + run.error().ToString();
    firing.ended_us = clock_.NowMicros();
    return Save(firing);
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
    if (firing.source_id.empty())
      return lineage::AddEdge(tx, firing.trigger_id, firing.run_id, "triggered");
    GYRE_DO(lineage::EnsureNode(tx, {.id = firing.source_id,
                                     .kind = firing.cause,
                                     .label = firing.text,
                                     .project = firing.project,
                                     .created_us = now_us}));
    return lineage::AddEdge(tx, firing.source_id, firing.run_id, "triggered");
  }));
  exec::Fault("firing.running");
  return {};
}

// Labels come later than the drift that asks for them. A person who fired it sees the reason.
bool AutomationService::WaitsForLabels(const Firing& firing, const Below::RunState& run) const {
  constexpr std::string_view kTooFewRows = "GY4617", kNoRows = "GY4613";
  return firing.cause != CauseName(Cause::kHand) &&
         (run.error.contains(kTooFewRows) || run.error.contains(kNoRows)) &&
         clock_.NowMicros() - firing.created_us < kLabelsWaitedForMicros;
}

Result<> AutomationService::Follow(Firing firing) {
  auto seen = below_.run_state(firing.run_id);
  if (!seen && seen.error().code() == Code::kNotFound) seen = Below::RunState{"was removed", "", 0};
  GYRE_TRY(const Below::RunState run, seen);
  if (run.state == "running") return {};
  if (WaitsForLabels(firing, run)) {
    firing.state = "waiting";
    firing.guard = "labels";
    firing.reason = run.error + "; asked again when more may have come";
    firing.started_us = 0;  // nothing was learned: no cooldown begins
    // Half as long again as it has waited: some twenty runs a week, not one a minute.
    const std::int64_t now_us = clock_.NowMicros();
    firing.again_us = now_us + std::max(kLabelsAgainMicros, (now_us - firing.created_us) / 2);
    return Save(firing);
  }
  firing.state = run.state == "succeeded" ? "succeeded" : "failed";
  firing.reason = run.state == "succeeded" ? "its run succeeded"
                                           : fmt::format("its run {}: {}", run.state, run.error);
  firing.cpu_seconds = run.cpu_seconds;
  firing.ended_us = clock_.NowMicros();
  exec::Fault("firing.ending");
  GYRE_DO(Save(firing));
  exec::Fault("firing.ended");
  return {};
}

// --- firings -------------------------------------------------------------------------------------

Result<std::vector<Firing>> AutomationService::Firings(const FiringQuery& query) {
  std::vector<Firing> firings;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(firings, ListFirings(reader, query));
    return {};
  }));
  return firings;
}

Result<Firing> AutomationService::GetFiring(std::string_view project, std::string_view id) {
  std::optional<Firing> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindFiring(reader, id));
    return {};
  }));
  if (found && found->project == project) return *std::move(found);
  return NotFound("GY4805", "there is no firing `{}`", id).Fix("gyre triggers firings");
}

Result<Firing> AutomationService::Approve(std::string_view project, std::string_view id,
                                          bool agreed, std::string_view by,
                                          std::string_view comment) {
  GYRE_TRY(const std::string full_id, [&]() -> Result<std::string> {
    GYRE_TRY(const Firing found, GetFiring(project, id));
    return found.id;
  }());
  {
    const MutexLock turn(turn_mutex_);
    GYRE_TRY(Firing firing, GetFiring(project, full_id));
    if (firing.state != "approval") {
      return FailedPrecondition("GY4806", "firing {} waits for nobody: it is {}",
                                firing.id.substr(0, 8), firing.state);
    }
    const std::string said = comment.empty() ? std::string() : fmt::format(": {}", comment);
    if (agreed) {
      firing.state = "open";  // judged again: the world may have changed meanwhile
      firing.approved_by = by;
      firing.reason = fmt::format("{} agreed{}", by, said);
      firing.again_us = 0;
    } else {
      firing.state = "skipped";
      firing.guard = "approval";
      firing.reason = fmt::format("{} said no{}", by, said);
      firing.ended_us = clock_.NowMicros();
    }
    GYRE_DO(Save(firing));
  }
  GYRE_DO(Turn());
  return GetFiring(project, full_id);
}

}  // namespace

std::unique_ptr<Automation> OpenAutomation(db::Database& database, events::Events& events,
                                           const Clock& clock, Below below,
                                           Automation::Settings settings) {
  auto automation =
      std::make_unique<AutomationService>(database, clock, std::move(below), settings);
  events.Subscribe({.name = "automation",
                    .kinds = {"alert.", "dataset.version.created", "model."},
                    .react = [service = automation.get()](const events::Event& event) -> Result<> {
                      const auto occurrence = OccurrenceOf(event);
                      if (!occurrence) return {};
                      GYRE_TRY([[maybe_unused]] const int heard, service->Tell(*occurrence));
                      return {};
                    }});
  return automation;
}

}  // namespace gyre::automation
