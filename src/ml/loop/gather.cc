// Asks the rooms for what loop/facts.h holds.
#include <algorithm>
#include <map>

#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/data/datasets.h"
#include "ml/loop/loop.h"
#include "ml/monitoring/kpi_watch.h"
#include "ml/monitoring/monitors.h"
#include "ml/pipelines/pipelines.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/serving/serving.h"
#include "ml/tracking/tracking.h"

namespace gyre::loop {
namespace {

constexpr int kDatasetVersionsShown = 24;
constexpr int kDeploymentsRead = 500;
constexpr int kFiringsRead = 200;
constexpr int kListed = 1000;
constexpr std::string_view kRollback = "rollback";
constexpr std::string_view kTrainKind = "train";

class Gatherer {
 public:
  Gatherer(const LoopRooms& rooms, std::string_view project) : rooms_(rooms) {
    facts_.project = project;
    facts_.now_us = rooms.clock.NowMicros();
  }

  Result<Facts> All(std::string_view model) {
    GYRE_DO(Goals());
    GYRE_DO(Endpoints());
    GYRE_DO(Monitoring());
    GYRE_DO(Versions(model));
    GYRE_DO(Dataset());
    GYRE_DO(Triggers());
    GYRE_DO(Work());
    return std::move(facts_);
  }

 private:
  Result<> Goals();
  Result<> Endpoints();
  Result<> Monitoring();
  Result<> Dataset();
  Result<> Triggers();
  Result<> Work();
  Result<> Versions(std::string_view model);
  Result<std::string> ChooseModel(std::string_view model);
  Result<VersionFacts> Version(const registry::ModelVersion& version);
  Result<> AddRun(const registry::ModelVersion& version, VersionFacts* facts);
  Result<> AddGate(const registry::ModelVersion& version, VersionFacts* facts);
  bool Trains(std::string_view pipeline) const;
  void AddDeployments(VersionFacts* facts) const;
  void AddAlerts(VersionFacts* facts) const;

  const LoopRooms& rooms_;
  Facts facts_;
  std::map<std::string, std::vector<serving::Deployment>> deployments_;  // newest first
  std::vector<serving::Endpoint> endpoints_;
  std::vector<monitoring::Alert> alerts_;  // also those that are over
};

Result<> Gatherer::Goals() {
  GYRE_TRY(const projects::Project project, rooms_.projects.Get(facts_.project));
  if (!project.problem) return {};
  facts_.statement = project.problem->statement;
  facts_.target = project.problem->target;
  facts_.owner = project.problem->owner;
  facts_.problem_version = project.problem->version;
  facts_.problem_us = project.problem->created_us;
  GYRE_TRY(const auto states, rooms_.kpis.List(facts_.project));
  for (const monitoring::KpiState& state : states)
    facts_.goals.push_back({.kpi = state.now.kpi,
                            .state = state.now.state,
                            .reason = state.now.reason,
                            .value = state.now.value,
                            .since_us = state.since_us});
  return {};
}

Result<> Gatherer::Endpoints() {
  GYRE_TRY(endpoints_, rooms_.serving.List(facts_.project, kListed, ""));
  for (const serving::Endpoint& endpoint : endpoints_) {
    EndpointFacts one{.name = endpoint.name,
                      .model = endpoint.deployment.model,
                      .follows = endpoint.follows,
                      .basis = endpoint.deployment.basis,
                      .problem = endpoint.problem,
                      .ready = endpoint.ready,
                      .parked = endpoint.parked,
                      .deployed_us = endpoint.deployment.created_us};
    const serving::EndpointCounts counts = rooms_.serving.Answered(endpoint.name);
    one.requests = counts.requests;
    one.failures = counts.faults;
    for (const serving::Variant& variant : endpoint.variants) {
      if (variant.shadow || variant.share <= 0) continue;
      one.canary = {.model = variant.deployment.model,
                    .share = variant.share,
                    .reason = variant.deployment.reason,
                    .since_us = variant.deployment.created_us};
      GYRE_TRY(const auto release, rooms_.releases.OfEndpoint(endpoint.name));
      if (release && release->model == one.canary.model) {
        one.canary.state = release->state;
        one.canary.reason = release->reason;
        one.canary.since_us = release->created_us;
      }
    }
    GYRE_TRY(deployments_[endpoint.name],
             rooms_.serving.History(facts_.project, endpoint.name, kDeploymentsRead));
    facts_.endpoints.push_back(std::move(one));
  }
  return {};
}

Result<> Gatherer::Monitoring() {
  GYRE_TRY(const auto monitors, rooms_.monitors.List(facts_.project));
  MonitorFacts& facts = facts_.monitoring;
  facts.monitors = static_cast<int>(monitors.size());
  for (const monitoring::Monitor& monitor : monitors) {
    facts.windows += monitor.windows;
    facts.newest_us = std::max(facts.newest_us, monitor.newest_us);
    if (facts.problem.empty()) facts.problem = monitor.problem;
  }
  GYRE_TRY(alerts_, rooms_.monitors.Alerts(
                        {.projects = std::vector{facts_.project}, .all = true, .limit = kListed}));
  for (const monitoring::Alert& alert : alerts_) {
    if (alert.state.phase == monitoring::Phase::kOk) continue;
    facts.alerts.push_back({.name = alert.name(),
                            .what = alert.what,
                            .endpoint = alert.endpoint,
                            .phase = std::string(monitoring::PhaseName(alert.state.phase)),
                            .since_us = alert.state.since_us,
                            .acked = !alert.state.acked_by.empty()});
  }
  return {};
}

// "churn" of "churn:v3".
std::string ModelOf(const std::string& name) { return name.substr(0, name.find(':')); }

Result<std::string> Gatherer::ChooseModel(std::string_view model) {
  if (!model.empty()) {
    GYRE_TRY(const registry::Model found, rooms_.registry.GetModel(facts_.project, model));
    return found.name;
  }
  const auto newest = std::ranges::max_element(
      endpoints_, {}, [](const serving::Endpoint& one) { return one.deployment.created_us; });
  if (newest != endpoints_.end() && !newest->deployment.model.empty())
    return ModelOf(newest->deployment.model);
  GYRE_TRY(const auto models,
           rooms_.registry.ListModels(facts_.project, {.limit = kListed, .after = ""}));
  const auto changed = std::ranges::max_element(models, {}, &registry::Model::updated_us);
  return changed == models.end() ? std::string() : changed->name;
}

Result<> Gatherer::AddRun(const registry::ModelVersion& version, VersionFacts* facts) {
  if (version.run_id.empty()) return {};
  auto run = rooms_.tracking.GetRunById(version.run_id);
  if (!run) return {};  // it is in the trash, or gone
  facts->wall_seconds = run->resources["wall_seconds"].AsDouble();
  facts->reproducible = !version.datasets.empty() && !version.recipe_hash.empty() &&
                        (run->seed.has_value() || !run->code["commit"].AsString().empty());
  if (!run->code["commit"].AsString().empty()) {
    facts_.work.code_known = true;
    facts_.work.code_run = run->id;
  }
  if (run->job.empty()) return {};
  GYRE_TRY(const auto tried, rooms_.tracking.ListRuns(
                                 {.project = facts_.project, .job = run->job, .limit = kListed}));
  facts->candidates =
      static_cast<int>(std::ranges::count(tried.runs, "candidate", &tracking::Run::kind));
  return {};
}

Result<> Gatherer::AddGate(const registry::ModelVersion& version, VersionFacts* facts) {
  GYRE_TRY(const auto verdict, rooms_.registry.LatestVerdict(version.id, "champion"));
  GYRE_TRY(const auto approvals, rooms_.registry.Approvals(version.id));
  for (const registry::Approval& approval : approvals) {
    facts->gate.approvals += approval.approved ? 1 : 0;
    facts->gate.rejected = facts->gate.rejected || !approval.approved;
  }
  if (!verdict) return {};
  facts->gate.judged = true;
  facts->gate.passed = verdict->verdict.pass;
  facts->gate.at_us = verdict->created_us;
  facts->gate.rules = static_cast<int>(verdict->verdict.reasons.size());
  for (const auto& reason : verdict->verdict.reasons) {
    facts->gate.rules_passed += reason.pass ? 1 : 0;
    if (!reason.pass && facts->gate.why.empty()) facts->gate.why = reason.text;
  }
  return {};
}

// When it answered, and whether it was sent back: what came next by a rollback took its place.
void Gatherer::AddDeployments(VersionFacts* facts) const {
  for (const auto& [endpoint, history] : deployments_) {
    const serving::Deployment* next = nullptr;  // the champion after this one
    for (const serving::Deployment& one : history) {
      const bool champion = one.variant.empty() || one.variant == serving::kChampion;
      if (one.model == facts->name) {
        facts->deployed_us =
            facts->deployed_us == 0 ? one.created_us : std::min(facts->deployed_us, one.created_us);
        if (champion && next == nullptr) facts->answers = true;
        if (champion && next != nullptr && next->model != one.model) {
          facts->replaced_us = std::max(facts->replaced_us, next->created_us);
          if (next->basis.starts_with(kRollback)) {
            facts->rolled_back = true;
            facts->rolled_back_us = next->created_us;
          }
        }
      }
      if (champion) next = &one;
    }
  }
  if (facts->answers) {
    facts->replaced_us = 0;
    facts->rolled_back = false;
  }
}

void Gatherer::AddAlerts(VersionFacts* facts) const {
  for (const monitoring::Alert& alert : alerts_) {
    if (alert.model != facts->name || alert.incident_id.empty()) continue;
    ++facts->alerts;
    if (alert.state.since_us < facts->alert_us) continue;
    facts->alert_us = alert.state.since_us;
    facts->alert = alert.what.empty() ? alert.name() : alert.what;
  }
}

Result<VersionFacts> Gatherer::Version(const registry::ModelVersion& version) {
  VersionFacts facts{.version = version.version,
                     .name = version.name(),
                     .created_us = version.created_us,
                     .created_by = version.created_by,
                     .recipe_hash = version.recipe_hash,
                     .task = version.task,
                     .target = version.target,
                     .learner = version.learner,
                     .inputs = static_cast<int>(version.signature["inputs"].size()),
                     .run_id = version.run_id};
  if (!version.metrics.members().empty()) {
    facts.metric = version.metrics.members().front().first;
    facts.value = version.metrics.members().front().second.AsDouble();
  }
  for (const registry::DatasetUse& use : version.datasets) {
    if (!facts.dataset.empty()) break;
    const auto dataset = rooms_.datasets.GetVersionById(use.dataset_version_id);
    if (!dataset) continue;  // it was removed since
    facts.dataset = dataset->reference();
    facts.dataset_rows = dataset->rows;
  }
  GYRE_DO(AddRun(version, &facts));
  GYRE_DO(AddGate(version, &facts));
  AddDeployments(&facts);
  AddAlerts(&facts);
  return facts;
}

Result<> Gatherer::Versions(std::string_view model) {
  GYRE_TRY(facts_.model, ChooseModel(model));
  if (facts_.model.empty()) return {};
  GYRE_TRY(const auto versions, rooms_.registry.ListVersions(facts_.project, facts_.model));
  GYRE_TRY(const auto policy, rooms_.registry.PolicyOf(facts_.project, facts_.model, "champion"));
  GYRE_TRY(const auto moves,
           rooms_.registry.History(facts_.project, facts_.model, "champion", kListed));
  const std::size_t told = std::min<std::size_t>(versions.size(), kLapsMax);
  facts_.versions_before = static_cast<int>(versions.size() - told);
  for (std::size_t i = told; i-- > 0;) {
    GYRE_TRY(VersionFacts facts, Version(versions[i]));
    facts.gate.approvals_min = policy.approvals_min;
    for (const registry::AliasMove& move : moves)  // newest first
      if (move.version_id == versions[i].id) facts.champion_us = move.moved_us;
    facts_.versions.push_back(std::move(facts));
  }
  return {};
}

Result<> Gatherer::Dataset() {
  std::string name;
  for (const VersionFacts& version : facts_.versions)
    if (!version.dataset.empty()) name = ModelOf(version.dataset);
  if (name.empty()) {
    GYRE_TRY(const auto datasets, rooms_.datasets.List(facts_.project, "", kListed));
    const auto newest = std::ranges::max_element(datasets, {}, [](const data::Dataset& one) {
      return one.latest ? one.latest->created_us : 0;
    });
    if (newest == datasets.end() || !newest->latest) return {};
    name = newest->name;
  }
  auto versions = rooms_.datasets.ListVersions(facts_.project, name, 0, kDatasetVersionsShown);
  if (!versions || versions->empty()) return {};  // removed since
  const data::Version& latest = versions->front();
  DatasetFacts facts{.name = name,
                     .version = latest.number,
                     .rows = latest.rows,
                     .created_us = latest.created_us,
                     .rows_before = versions->size() > 1 ? (*versions)[1].rows : -1,
                     .columns = static_cast<int>(latest.schema.size()),
                     .warnings = static_cast<int>(latest.warnings.size()),
                     .quarantined = latest.rows_quarantined};
  GYRE_TRY(const Json suite, rooms_.datasets.Expectations(facts_.project, name));
  facts.expectations = static_cast<int>(suite["expectations"].size());
  for (const Json& result : latest.check["results"].items())
    facts.failed += result["success"].AsBool() ? 0 : 1;
  for (const data::Version& version : *versions)
    facts.rows_of_versions.insert(facts.rows_of_versions.begin(), version.rows);
  facts_.dataset = std::move(facts);
  return {};
}

bool Gatherer::Trains(std::string_view pipeline) const {
  const auto graph = rooms_.pipelines.Graph(facts_.project, pipeline);
  return graph && std::ranges::any_of((*graph)["spec"]["steps"].items(), [](const Json& step) {
           return step["kind"].AsString() == kTrainKind;
         });
}

Result<> Gatherer::Triggers() {
  GYRE_TRY(const auto triggers, rooms_.automation.List(facts_.project));
  for (const automation::Trigger& trigger : triggers)
    facts_.triggers.push_back({.name = trigger.spec.name,
                               .cause = std::string(automation::CauseName(trigger.spec.on.cause)),
                               .pipeline = trigger.spec.pipeline,
                               .enabled = trigger.spec.enabled,
                               .retrains = Trains(trigger.spec.pipeline)});
  GYRE_TRY(const auto firings,
           rooms_.automation.Firings({.project = facts_.project, .limit = kFiringsRead}));
  for (const automation::Firing& firing : firings)
    facts_.firings.push_back(
        {.trigger = firing.trigger,
         .cause = firing.cause,
         .state = firing.state,
         .outcome = firing.outcome.kind,
         .text = firing.outcome.text.empty() ? firing.text : firing.outcome.text,
         .at_us = firing.created_us});
  return {};
}

Result<> Gatherer::Work() {
  WorkFacts& work = facts_.work;
  GYRE_TRY(const auto newest, rooms_.tracking.ListRuns({.project = facts_.project, .limit = 1}));
  work.has_runs = !newest.runs.empty();
  GYRE_TRY(const auto jobs,
           rooms_.jobs.List(
               {.projects = std::vector{facts_.project}, .state = "running", .limit = kListed}));
  GYRE_TRY(const auto runs,
           rooms_.pipelines.ListRuns(
               {.projects = std::vector{facts_.project}, .state = "running", .limit = kListed}));
  work.running = static_cast<int>(jobs.size() + runs.size());
  for (const runners::Job& job : jobs) {
    if (job.created_us < work.now_us) continue;
    work.now = job.title;
    work.now_us = job.created_us;
  }
  if (!jobs.empty() || runs.empty()) return {};
  work.now = runs.front().name();
  work.now_us = runs.front().created_us;
  return {};
}

}  // namespace

Result<Facts> FactsOf(const LoopRooms& rooms, std::string_view project, std::string_view model) {
  return Gatherer(rooms, project).All(model);
}

}  // namespace gyre::loop
