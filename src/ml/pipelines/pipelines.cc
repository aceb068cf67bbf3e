#include "ml/pipelines/pipelines.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/id.h"
#include "base/text.h"
#include "ml/pipelines/compare.h"
#include "ml/pipelines/engine.h"
#include "ml/pipelines/resources.h"
#include "ml/pipelines/run_view.h"
#include "ml/pipelines/step_secrets.h"
#include "ml/pipelines/traces.h"
#include "ml/pipelines/versions.h"
#include "platform/exec/bounded_log.h"
#include "platform/exec/files.h"
#include "platform/exec/folders.h"

namespace gyre::pipelines {
namespace {

constexpr int kDepthMax = 8;  // of pipelines that run pipelines
constexpr KindKey kPipelineKeys[] = {{kPipelineKey, true, true}, {"params"}};
const KindFacts kPipelineFacts{kPipelineKind, kPipelineKeys, {}, true};

// A step that is a run of another pipeline. It holds no slot: only that run's own steps do.
class PipelineKind final : public StepKind {
 public:
  PipelineKind(Pipelines& pipelines, blob::Store& blobs) : pipelines_(pipelines), blobs_(blobs) {}
  const KindFacts& facts() const override { return kPipelineFacts; }

  Result<std::string> Start(const StepContext& context) override {
    const auto depth = std::ranges::count(context.created_by, '>');
    if (depth >= kDepthMax)
      return InvalidArgument("GY4724", "pipelines run one another {} deep", kDepthMax)
          .Fix("a pipeline cannot be part of itself");
    RunRequest request;
    request.project = context.project;
    request.pipeline = context.with[kPipelineKey].AsString();
    if (request.pipeline.find(':') == std::string::npos)  // who began it was asked about no version
      return InvalidArgument("GY4717", "the run is of a server that fixed no versions")
          .Fix("gyre pipelines run, which begins a new one");
    request.params = context.with["params"];
    request.triggered_by = fmt::format("pipeline run {}", context.run_id.substr(0, 8));
    request.key = context.attempt_key;
    request.no_cache = context.no_cache;
    request.created_by = context.created_by + ">" + context.step;
    GYRE_TRY(const RunView run, pipelines_.Run(std::move(request)));
    return run.id;
  }

  Result<std::optional<StepEnd>> Poll(const std::string& reference,
                                      const StepContext& /*context*/) override {
    GYRE_TRY(const RunView run, pipelines_.Get(reference));
    if (run.state == "running") return std::optional<StepEnd>();
    if (run.state != "succeeded")
      return std::optional<StepEnd>(
          StepEnd{.outputs = MakeError(
                      run.state == "cancelled" ? Code::kCancelled : Code::kFailedPrecondition,
                      run.error.empty() ? "GY4725" : run.error, "run {} {}: {}",
                      run.id.substr(0, 8), run.state, run.reason)});
    return std::optional<StepEnd>(
        StepEnd{.outputs = run.outputs,
                .links = {{"pipeline_run", run.id,
                           fmt::format("{} {}", run.pipeline, run.id.substr(0, 8)), true}},
                .blobs = FilesOf(run)});
  }

  void Cancel(const std::string& reference) override {
    static_cast<void>(pipelines_.Cancel(reference, "the run that began it was cancelled"));
  }

 private:
  // So that they outlive that run. A text that only looks like a file of the project is none.
  std::vector<blob::Object> FilesOf(const RunView& run) const {
    std::vector<blob::Object> files;
    for (const auto& [name, value] : run.outputs.members()) {
      const Json::Array one = {value};
      for (const Json& item : value.is_array() ? value.items() : one) {
        auto file = FileOf(blobs_, item);
        if (file && pipelines_.HasFile(run.project, file->digest).value_or(false))
          files.push_back(*std::move(file));
      }
    }
    return files;
  }

  Pipelines& pipelines_;
  blob::Store& blobs_;
};

class PipelinesOnStore final : public Pipelines {
 public:
  PipelinesOnStore(const PipelinesRooms& rooms, PipelinesSettings settings)
      : rooms_(rooms),
        settings_(std::move(settings)),
        versions_(rooms.database, kinds_, rooms.clock),
        store_(rooms.database, rooms.events),
        gpus_(FindGpus("/dev", VisibleGpus(), settings_.gpus)),
        engine_(store_,
                ProgramRooms{rooms.blobs, settings_.directory, Environment(),
                             settings_.log_bytes_max, settings_.find_secret, gpus_},
                kinds_, rooms.clock, settings_.parallel_max) {
    AddKind(std::make_unique<PipelineKind>(*this, rooms_.blobs));
  }

  void AddKind(std::unique_ptr<StepKind> kind) override {
    std::string name(kind->facts().name);
    kinds_.insert_or_assign(std::move(name), std::move(kind));
  }
  Result<> Start() override {
    GYRE_DO(versions_.Start());
    return engine_.Start();
  }

  Result<PipelineVersion> Add(std::string_view project, std::string_view source,
                              std::string_view source_name, std::string_view by) override {
    return versions_.Add(project, source, source_name, by);
  }
  Result<PipelineVersion> Resolve(std::string_view project, std::string_view reference) override {
    return versions_.Resolve(project, reference);
  }
  Result<std::vector<PipelineVersion>> List(std::string_view project, std::string_view after_name,
                                            int limit) override {
    return versions_.store().ListNewest(project, after_name, limit);
  }
  Result<std::vector<PipelineVersion>> Versions(std::string_view project,
                                                std::string_view name) override {
    return versions_.store().ListVersions(project, name);
  }
  Result<> Remove(std::string_view project, std::string_view reference) override {
    return versions_.Remove(project, reference);
  }
  Result<Json> Graph(std::string_view project, std::string_view reference) override;
  Result<Json> Check(std::string_view project, std::string_view source,
                     std::string_view source_name) override {
    GYRE_TRY(const Spec spec, versions_.Fix(project, source, source_name));
    return Json::Obj({{"name", spec.name}, {"spec", SpecToJson(spec)}});
  }
  Result<std::vector<std::string>> PermissionsOf(const RunRequest& request) override;
  Result<std::vector<std::string>> PermissionsOfRun(std::string_view id) override;
  Result<> CheckParams(const RunRequest& request) override;

  Result<runners::Estimate> Expected(std::string_view project, std::string_view name) override {
    return store_.Expected(project, name);
  }
  Result<RunView> Run(RunRequest request) override;
  Result<RunView> Get(std::string_view id) override { return store_.GetRun(id); }
  Result<std::vector<RunView>> ListRuns(const RunQuery& query) override {
    return store_.ListRuns(query);
  }
  Result<Json> Describe(std::string_view id, int limit) override;
  Result<bool> HasFile(std::string_view project, std::string_view digest) override {
    return store_.HasFile(project, digest);
  }
  Result<Json> Compare(std::string_view id, const Comparison& wanted) override {
    GYRE_TRY(const RunView run, store_.GetRun(id));
    GYRE_TRY(const StoredRun stored, store_.Load(run.id, PipelineStore::Which::kRunning));
    return CompareItems(stored, wanted);
  }
  Result<> Cancel(std::string_view id, std::string_view reason) override;
  Result<RunView> Retry(std::string_view id, std::string_view from) override;
  Result<LogPart> ReadLog(std::string_view id, std::string_view step, int attempt,
                          std::int64_t offset, std::int64_t bytes_max) override;
  Result<RunView> Wait(std::string_view id, std::int64_t timeout_ms) override {
    GYRE_TRY(const RunView run, store_.GetRun(id));
    engine_.WaitForEnd(run.id, timeout_ms * 1000);
    return store_.GetRun(run.id);
  }
  Result<Forgotten> Forget(std::int64_t ended_before_us) override GYRE_EXCLUDES(forgetting_);
  bool busy() override { return engine_.busy(); }

 private:
  struct Planned {
    Spec spec;
    std::int64_t version = 0;  // 0 = of a source that was not added
  };
  std::optional<std::string> VisibleGpus() const {
    const auto found = settings_.environment.find(std::string(kVisibleGpus));
    return found == settings_.environment.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> Environment() const {
    std::vector<std::string> environment;
    for (const auto& [name, value] : settings_.environment)
      environment.push_back(fmt::format("{}={}", name, value));
    return environment;
  }
  Result<Planned> PlanOf(const RunRequest& request);
  Result<std::int64_t> RemoveFolders();

  const PipelinesRooms rooms_;
  const PipelinesSettings settings_;
  Mutex forgetting_;
  Kinds kinds_;
  pipelines::Versions versions_;
  PipelineStore store_;
  const std::vector<std::string> gpus_;
  Engine engine_;  // last: it uses all of the above
};

Result<Json> PipelinesOnStore::Graph(std::string_view project, std::string_view reference) {
  GYRE_TRY(const PipelineVersion found, Resolve(project, reference));
  GYRE_TRY(const Spec spec, versions_.SpecOf(found));
  Json document = VersionToJson(found);
  document.Set("spec", SpecToJson(spec)).Set("source", found.source);
  return document;
}

// What a request would run now, exactly.
Result<PipelinesOnStore::Planned> PipelinesOnStore::PlanOf(const RunRequest& request) {
  Planned planned;
  if (request.pipeline.empty()) {
    const std::string name = request.source_name.empty() ? "pipeline.yaml" : request.source_name;
    GYRE_TRY(planned.spec, versions_.Fix(request.project, request.source, name));
    if (planned.spec.is_component)
      return InvalidArgument("GY4711", "{} is a component: a pipeline uses it", name)
          .Fix("gyre pipelines add FILE");
    return planned;
  }
  GYRE_TRY(const PipelineVersion version, Resolve(request.project, request.pipeline));
  if (version.noun == "component")
    return InvalidArgument("GY4711", "`{}` is a component: a pipeline uses it", version.reference())
        .Fix(fmt::format("steps: {{first: {{use: {}}}}}", version.name));
  planned.version = version.version;
  GYRE_TRY(planned.spec, versions_.SpecOf(version));
  return planned;
}

Result<std::vector<std::string>> PipelinesOnStore::PermissionsOf(const RunRequest& request) {
  GYRE_TRY(const Planned planned, PlanOf(request));
  return versions_.PermissionsOf(planned.spec, request.project);
}

Result<std::vector<std::string>> PipelinesOnStore::PermissionsOfRun(std::string_view id) {
  GYRE_TRY(const StoredRun stored, store_.Load(id, PipelineStore::Which::kRunning));
  GYRE_TRY(const Json plan, Json::Parse(stored.plan, 128));
  return versions_.PermissionsOf(SpecFromJson(plan), stored.run.project);
}

Result<Json> ParamsOf(const Spec& spec, const RunRequest& request) {
  GYRE_TRY(Json given, ParamsFromTexts(spec, request.param_texts));
  for (const auto& [name, value] : request.params.members()) given.Set(name, value);
  return BindParams(spec, given);
}

Result<> PipelinesOnStore::CheckParams(const RunRequest& request) {
  GYRE_TRY(const Planned planned, PlanOf(request));
  GYRE_TRY([[maybe_unused]] const Json params, ParamsOf(planned.spec, request));
  return {};
}

Result<RunView> PipelinesOnStore::Run(RunRequest request) {
  if (!request.key.empty()) {
    GYRE_TRY(const auto same, store_.RunOfKey(request.key));
    if (same) return store_.GetRun(*same);
  }
  GYRE_TRY(Planned planned, PlanOf(request));
  Spec& spec = planned.spec;
  spec.takes_nothing = request.no_cache;
  if (request.admit) {
    GYRE_TRY(const auto permissions, versions_.PermissionsOf(spec, request.project));
    GYRE_DO(request.admit(permissions));
  }
  RunRecord run;
  MachineFacts machine = OfThisMachine();
  machine.gpus = gpus_;
  GYRE_DO(CheckResources(spec, machine));
  GYRE_DO(CheckSecrets(spec, request.project, settings_.find_secret));
  GYRE_TRY(run.params, ParamsOf(spec, request));
  run.id = NewId();
  run.project = request.project;
  run.pipeline = spec.name;
  run.version = planned.version;
  run.triggered_by = request.triggered_by;
  run.created_by = request.created_by;
  run.created_us = rooms_.clock.NowMicros();
  run.trace = telemetry::TraceParentOf(telemetry::ParentOfWork());
  GYRE_TRY(const runners::Estimate expected, store_.Expected(run.project, run.pipeline));
  const Result<> written = store_.InsertRun(run, SpecToJson(spec).Dump(), request.key, expected);
  if (!written && written.error().code() == Code::kAlreadyExists && !request.key.empty()) {
    GYRE_TRY(const auto same, store_.RunOfKey(request.key));
    if (same) return store_.GetRun(*same);
  }
  if (!written) return written.error();
  engine_.Begin(run.id);
  return store_.GetRun(run.id);
}

Result<Json> PipelinesOnStore::Describe(std::string_view id, int limit) {
  GYRE_TRY(const RunView run, store_.GetRun(id));
  GYRE_TRY(const PipelineStore::RunSums sums, store_.Sums(run.id));
  GYRE_TRY(Json document, DescribeRun(run, sums));
  if (limit == 0) return document;
  GYRE_TRY(const StoredRun stored, store_.Load(run.id, PipelineStore::Which::kAll));
  GYRE_TRY(Json tasks, TasksOfRun(stored, limit));
  document.Set("tasks", std::move(tasks));
  return document;
}

Result<> PipelinesOnStore::Cancel(std::string_view id, std::string_view reason) {
  GYRE_TRY(const RunView run, store_.GetRun(id));
  if (run.state != "running") return {};
  return engine_.Cancel(run.id, std::string(reason));
}

Result<RunView> PipelinesOnStore::Retry(std::string_view id, std::string_view from) {
  GYRE_TRY(const RunView run, store_.GetRun(id));
  GYRE_DO(store_.AdmitAgain(run, rooms_.clock.NowMicros()));
  GYRE_DO(engine_.Retry(run.id, std::string(from)));
  return store_.GetRun(run.id);
}

Result<LogPart> PipelinesOnStore::ReadLog(std::string_view id, std::string_view step, int attempt,
                                          std::int64_t offset, std::int64_t bytes_max) {
  GYRE_TRY(const RunView run, store_.GetRun(id));
  GYRE_TRY(const StoredRun stored, store_.Load(run.id, PipelineStore::Which::kAll));
  GYRE_TRY(const LoggedAttempt found, FindAttempt(stored, step, attempt));
  LogPart part{.text = {}, .next_offset = offset, .ended = false};
  part.ended = found.ended || run.state != "running";
  if (!found.reference.empty()) {
    const std::string text = fmt::format("it works as {}\n", found.reference);
    if (offset < static_cast<std::int64_t>(text.size()))
      part.text = text.substr(static_cast<std::size_t>(offset));
    part.next_offset = offset + static_cast<std::int64_t>(part.text.size());
    return part;
  }
  if (found.number == 0) return part;
  const std::string file =
      LogFile(AttemptFolder(settings_.directory, run.id, found.step, found.item, found.number));
  const auto secrets = SecretsOf(found.step, run.project, settings_.find_secret);
  if (auto piece = ReadMaskedLog(file, offset, bytes_max, secrets, part.ended)) {
    part.text = std::move(piece->text);
    part.next_offset = piece->next_offset;
  }
  if (part.next_offset < exec::FileSize(file)) part.ended = false;
  return part;
}

Result<Pipelines::Forgotten> PipelinesOnStore::Forget(std::int64_t ended_before_us) {
  const MutexLock lock(forgetting_);
  GYRE_TRY(std::vector<std::string> old, store_.EndedBefore(ended_before_us));
  Forgotten forgotten;
  GYRE_TRY(forgotten.runs, engine_.Forget(std::move(old)));
  GYRE_TRY(forgotten.results, store_.ForgetCached(rooms_.clock.NowMicros()));
  GYRE_TRY(forgotten.folders, RemoveFolders());
  return forgotten;
}

// Those whose run is gone: its rows go before its files do.
Result<std::int64_t> PipelinesOnStore::RemoveFolders() {
  GYRE_TRY(const auto folders, exec::ListFolders(settings_.directory));
  const std::int64_t old_us = rooms_.clock.NowMicros() - kMicrosPerDay;
  std::int64_t removed = 0;
  for (const exec::FolderEntry& folder : folders) {
    if (!LooksLikeId(folder.name) || folder.modified_us > old_us) continue;
    GYRE_TRY(const bool needed, store_.HasRun(folder.name));
    if (needed) continue;
    GYRE_DO(exec::RemoveTree(fmt::format("{}/{}", settings_.directory, folder.name)));
    ++removed;
  }
  return removed;
}

// Keeps what was done until somebody asks for it; after a restart it is done again, harmlessly.
class Immediate final : public StepKind {
 public:
  Immediate(const KindFacts& facts, std::string_view permission,
            std::function<StepEnd(const StepContext&)> execute)
      : facts_(facts), permission_(permission), execute_(std::move(execute)) {}
  const KindFacts& facts() const override { return facts_; }
  std::string_view permission() const override { return permission_; }
  Result<std::string> Start(const StepContext& context) override {
    StepEnd end = execute_(context);
    const MutexLock lock(mutex_);
    ends_.insert_or_assign(context.attempt_key, std::move(end));
    return std::string();
  }
  Result<std::optional<StepEnd>> Poll(const std::string& /*reference*/,
                                      const StepContext& context) override {
    const MutexLock lock(mutex_);
    auto found = ends_.extract(context.attempt_key);
    if (!found) return std::optional<StepEnd>();
    return std::optional<StepEnd>(std::move(found.mapped()));
  }

 private:
  const KindFacts facts_;
  const std::string permission_;
  const std::function<StepEnd(const StepContext&)> execute_;
  Mutex mutex_;
  std::map<std::string, StepEnd> ends_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace

FindSecret NoSecrets() {
  return [](std::string_view, std::string_view reference) -> Result<std::string> {
    return NotFound("GY4736", "nobody keeps `{}` here", reference);
  };
}

std::unique_ptr<StepKind> ImmediateKind(const KindFacts& facts, std::string_view permission,
                                        std::function<StepEnd(const StepContext&)> execute) {
  return std::make_unique<Immediate>(facts, permission, std::move(execute));
}

Result<std::unique_ptr<Pipelines>> OpenPipelines(const PipelinesRooms& rooms,
                                                 PipelinesSettings settings) {
  GYRE_DO(exec::MakeDirectories(settings.directory));
  return std::unique_ptr<Pipelines>(std::make_unique<PipelinesOnStore>(rooms, std::move(settings)));
}

}  // namespace gyre::pipelines
