#include "ml/automation/automation.h"

#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ledger/lineage/lineage.h"
#include "ml/automation/presets.h"
#include "ml/automation/service.h"
#include "ml/automation/trigger_store.h"
#include "ml/automation/watched_folder.h"
#include "platform/exec/fault_point.h"
#include "platform/telemetry/log.h"

namespace gyre::automation {
namespace {

constexpr std::size_t kTriggersMax = 10'000;
constexpr int kFiringsOfOneWrite = 1'000;
constexpr telemetry::Logger kLog{"automation"};

Error TooMany(const Trigger& trigger, std::int64_t under_way) {
  return Error(Code::kResourceExhausted, "GY4815",
               fmt::format("{} firings of trigger {} are under way already", GroupDigits(under_way),
                           trigger.spec.name))
      .Why("each starts a run of its own, one at a time: more would only wait")
      .Fix(fmt::format("gyre triggers firings {} --state waiting", trigger.spec.name))
      .Fix("call again when some have ended");
}

}  // namespace

// --- triggers ------------------------------------------------------------------------------------

Result<Trigger> AutomationService::Create(std::string_view project, TriggerSpec spec,
                                          std::string_view by) {
  GYRE_DO(CheckName("trigger", spec.name));
  GYRE_DO(CheckSubjects(project, spec));
  GYRE_TRY(spec.pipeline, below_.check(project, spec));
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
  lookouts_stale_ = true;
  return trigger;
}

Result<Trigger> AutomationService::Replace(std::string_view project, TriggerSpec spec,
                                           std::string_view /*by*/) {
  GYRE_TRY(Trigger trigger, Get(project, spec.name));
  // One that only is switched off and on may have outlived its subject.
  if (spec.on != trigger.spec.on || spec.params != trigger.spec.params)
    GYRE_DO(CheckSubjects(project, spec));
  GYRE_TRY(spec.pipeline, below_.check(project, spec));
  trigger.spec = std::move(spec);
  trigger.updated_us = clock_.NowMicros();
  const std::string text = TriggerSpecToJson(trigger.spec).Dump();
  const MutexLock turn(turn_mutex_);
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(UpdateTrigger(tx, trigger, text));
    return AskAnew(tx, trigger.id);
  }));
  lookouts_stale_ = true;
  return trigger;
}

Result<> AutomationService::Remove(std::string_view project, std::string_view name) {
  GYRE_TRY(const Trigger trigger, Get(project, name));
  GYRE_DO(database_.Write(
      [&](db::Transaction& tx) { return RemoveTrigger(tx, trigger, "gyre", clock_.NowMicros()); }));
  TriggersChanged();
  return {};
}

// What a trigger names must be there: a name that nobody has is a slip of the pen far more often
// than a plan, and would never fire.
Result<> AutomationService::CheckSubjects(std::string_view project, const TriggerSpec& spec) {
  const std::string& subject = spec.on.subject;
  if (spec.on.cause == Cause::kFile) GYRE_DO(CheckFolder(subject));
  const std::string_view kind = SubjectKind(spec.on.cause);
  const bool is_kept = kind == "endpoint" || kind == "dataset" || kind == "model";
  if (is_kept && !subject.empty()) GYRE_DO(CheckIsThere(project, kind, subject));
  const std::string endpoint = EndpointOf(spec);
  const bool is_preset = !PresetNamed(spec.pipeline.substr(0, spec.pipeline.find(':'))).empty();
  return is_preset && !endpoint.empty() ? CheckIsThere(project, "endpoint", endpoint) : Result<>();
}

Result<> AutomationService::CheckIsThere(std::string_view project, std::string_view kind,
                                         std::string_view name) {
  GYRE_TRY(const std::vector<std::string> names, below_.names(project, kind));
  if (std::ranges::find(names, name) != names.end()) return {};
  Error error = NotFound("GY4811", "there is no {} `{}` in project {}", kind, name, project)
                    .Why("a trigger names what is there");
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix(names.empty() ? fmt::format("make the {} first", kind)
                                            : fmt::format("gyre {}s", kind));
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
  firing.since_us = occurrence.since_us;
  return firing;
}

Result<> Hear(db::Transaction& tx, const Firing& firing) {
  GYRE_TRY(const auto under_way, IsOfAnAlert(firing) ? FindUnderWay(tx, firing)
                                                     : Result<std::optional<Firing>>(std::nullopt));
  if (!under_way) {
    GYRE_TRY(const std::int64_t others, CountUnderWay(tx, firing.trigger_id));
    if (others >= kUnderWayMax) {
      kLog.Warn("a trigger hears more than it can work off", {{"trigger", firing.trigger}});
      return {};
    }
    GYRE_TRY([[maybe_unused]] const bool is_new, InsertFiring(tx, firing));
    return {};
  }
  GYRE_TRY(const bool is_new, JoinFiring(tx, firing, under_way->id));
  if (!is_new || under_way->run_id.empty()) return {};
  return LinkCause(tx, firing.project, {firing.cause, firing.source_id, firing.text},
                   under_way->run_id, firing.created_us);
}

Result<int> AutomationService::Tell(const Occurrence& occurrence) {
  GYRE_TRY(const std::vector<Trigger> triggers, List(occurrence.project));
  std::vector<Firing> firings;
  for (const Trigger& trigger : triggers) {
    if (Listens(trigger.spec, occurrence)) firings.push_back(NewFiring(trigger, occurrence, ""));
  }
  if (firings.empty()) return 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const Firing& firing : firings) GYRE_DO(Hear(tx, firing));
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
    GYRE_TRY(known, FindFiringOf(tx, trigger.id, firing.key));
    if (known) return {};
    GYRE_TRY(const std::int64_t under_way, CountUnderWay(tx, trigger.id));
    if (under_way >= kUnderWayMax) return TooMany(trigger, under_way);
    GYRE_DO(InsertFiring(tx, firing));
    return {};
  }));
  exec::Fault("firing.open");
  if (known) return *std::move(known);
  GYRE_DO(Turn());
  return GetFiring(project, firing.id);
}

Result<Json> AutomationService::DryRun(std::string_view project, std::string_view name) {
  GYRE_TRY(const Trigger trigger, Get(project, name));
  Occurrence occurrence{.cause = trigger.spec.on.cause, .subject = trigger.spec.on.subject};
  GYRE_TRY(const Decision decision, JudgeNow(trigger, NewFiring(trigger, occurrence, "")));
  GYRE_TRY(const std::vector<Firing> past,
           Firings({.project = trigger.project, .trigger = trigger.spec.name, .limit = 1000}));
  Below::Cost cost;
  for (const Firing& firing : past) {
    if (firing.ended_us == 0 || firing.run_id.empty()) continue;
    cost.cpu_seconds += firing.cpu_seconds;
    ++cost.runs;
  }
  const bool is_own = cost.runs > 0;
  if (!is_own) {
    GYRE_TRY(cost, below_.cost(trigger.project, trigger.spec.pipeline));
  }
  const Json each = cost.runs == 0 ? Json() : Json(cost.cpu_seconds / cost.runs);
  Json action = ActionName(decision.action), reason = decision.reason;
  GYRE_TRY(Json alerts, CheckStanding(trigger, &action, &reason));
  std::vector<std::string> obstacles;
  if (const std::string endpoint = EndpointOf(trigger.spec);
      below_.obstacles && !endpoint.empty()) {
    GYRE_TRY(obstacles, below_.obstacles(trigger.project, trigger.spec, endpoint));
  }
  return Json::Obj({{"trigger", trigger.spec.name},
                    {"action", std::move(action)},
                    {"reason", std::move(reason)},
                    {"checks", Texts(decision.checks)},
                    {"alerts", std::move(alerts)},
                    {"obstacles", Texts(obstacles)},
                    {"pipeline", trigger.spec.pipeline},
                    {"params", trigger.spec.params},
                    {"endpoint", EndpointOf(trigger.spec)},
                    {"approval", trigger.spec.approval},
                    {"past_runs", cost.runs},
                    {"past_runs_of", is_own ? "trigger" : "pipeline"},
                    {"cpu_seconds_per_run", each}});
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

Result<std::int64_t> AutomationService::Forget(std::int64_t ended_before_us) {
  std::int64_t forgotten = 0;
  for (std::int64_t more = 1; more > 0; forgotten += more) {
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(more, ForgetFirings(tx, ended_before_us, kFiringsOfOneWrite));
      return {};
    }));
  }
  return forgotten;
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

std::unique_ptr<Automation> OpenAutomation(db::Database& database, events::Events& events,
                                           const Clock& clock, Below below,
                                           Automation::Settings settings) {
  auto automation =
      std::make_unique<AutomationService>(database, clock, std::move(below), settings);
  events.Subscribe({.name = "automation",
                    .kinds = {"alert.", "dataset.version.created", "kpi.", "model."},
                    .react = [service = automation.get()](const events::Event& event) -> Result<> {
                      const auto occurrence = OccurrenceOf(event);
                      if (!occurrence) return {};
                      GYRE_TRY([[maybe_unused]] const int heard, service->Tell(*occurrence));
                      return {};
                    }});
  return automation;
}

}  // namespace gyre::automation
