#include "ml/serving/serving.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include "base/id.h"
#include "base/mutex.h"
#include "base/text.h"
#include "ml/registry/reference.h"
#include "ml/serving/answer.h"
#include "ml/serving/endpoint_store.h"
#include "ml/serving/snapshot.h"
#include "platform/exec/thread_pool.h"
#include "platform/telemetry/log.h"

namespace gyre::serving {

namespace {

constexpr telemetry::Logger kLog{"ml/serving"};
constexpr std::int64_t kFollowEveryMicros =
    5 * kMicrosPerSecond;  // events tell at once; this is for those that were lost
constexpr int kPage = 500;
constexpr int kDeploymentsSearched = 1'000;

std::uint64_t NextServing() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

// What one thread keeps between requests. It looks at the table through its own pointer and takes
// the lock only after a change, so that a request touches nothing that other threads write.
struct ThreadView {
  std::uint64_t serving = 0, generation = 0;
  std::shared_ptr<const SnapshotTable> table;
  RowReader reader;
  Answer answer;
  inference_log::Recorder recorder;
  unsigned requests = 0;  // on this thread
};

// Reading the thread's CPU clock is a system call. Each large request pays it; of the small ones
// one in kSampled does and stands for all of them.
class CpuMeter {
 public:
  CpuMeter(std::size_t body_bytes, unsigned request, telemetry::Counter& counter)
      : weight_(body_bytes >= kLargeBytes ? 1
                : request % kSampled == 0 ? kSampled
                                          : 0),
        counter_(counter),
        begin_ns_(weight_ == 0 ? 0 : ThreadCpuNanos()) {}
  ~CpuMeter() {
    if (weight_ != 0) counter_.Add((ThreadCpuNanos() - begin_ns_) * weight_);
  }
  CpuMeter(const CpuMeter&) = delete;
  CpuMeter& operator=(const CpuMeter&) = delete;

 private:
  static constexpr std::size_t kLargeBytes = 32 << 10;
  static constexpr unsigned kSampled = 64;

  const std::int64_t weight_;
  telemetry::Counter& counter_;
  const std::int64_t begin_ns_;
};

Error NoSuchEndpoint(std::string_view name) {
  return NotFound("GY3802", "there is no endpoint `{}`", name)
      .Fix("gyre endpoints")
      .Fix("gyre deploy MODEL@champion");
}

class ServingService final : public Serving {
 public:
  ServingService(db::Database& database, blob::Store& blobs, registry::Registry& registry,
                 events::Events& events, telemetry::Metrics& metrics, const Clock& clock,
                 ServingSettings settings, inference_log::InferenceLog* log)
      : database_(database),
        blobs_(blobs),
        registry_(registry),
        events_(events),
        metrics_(metrics),
        clock_(clock),
        settings_(settings),
        log_(log),
        serial_(NextServing()),
        table_(std::make_shared<SnapshotTable>()) {}

  Result<> Start() override;
  bool ready() const override { return ready_.load(); }
  void Stop() override { follower_ = exec::Worker(); }
  Result<Endpoint> Deploy(DeployRequest request) override;
  Result<Endpoint> Rollback(RollbackRequest request) override;
  Result<> Remove(std::string_view project, std::string_view endpoint,
                  std::string_view by) override;
  Result<Endpoint> Get(std::string_view project, std::string_view endpoint) override;
  Result<std::vector<Endpoint>> List(std::string_view project, int limit,
                                     std::string_view after) override;
  Result<std::vector<Deployment>> History(std::string_view project, std::string_view endpoint,
                                          int limit) override;
  std::shared_ptr<const Snapshot> Find(std::string_view endpoint) override;
  std::vector<std::shared_ptr<const Snapshot>> Snapshots() override;
  Result<std::string> Predict(std::string_view endpoint, std::string_view body) override;
  EndpointCounts Counts(std::string_view endpoint) override;
  Result<> Reconcile() override;

 private:
  Result<std::shared_ptr<const Snapshot>> LoadSnapshot(const Endpoint& endpoint);
  Result<Endpoint> Replace(Endpoint endpoint, Deployment deployment) GYRE_REQUIRES(deploy_mutex_);
  Result<Endpoint> Require(std::string_view project, std::string_view name);
  void Publish(std::shared_ptr<const Snapshot> snapshot, std::string_view removed);
  void Describe(Endpoint* endpoint);
  Result<bool> IsThere(const std::string& model_version_id);
  Result<> CheckStillThere(const Endpoint& endpoint, const Deployment& earlier);
  Result<> FollowOne(const Endpoint& endpoint);
  Error Missing(std::string_view endpoint);
  ThreadView& View();
  SnapshotCounters CountersOf(const std::string& endpoint);
  std::shared_ptr<const inference_log::Stream> OpenStream(const SnapshotInfo& info,
                                                          const Deployment& deployment);

  db::Database& database_;
  blob::Store& blobs_;
  registry::Registry& registry_;
  events::Events& events_;
  telemetry::Metrics& metrics_;
  const Clock& clock_;
  const ServingSettings settings_;
  inference_log::InferenceLog* const log_;
  const std::uint64_t serial_;
  std::atomic<bool> ready_{false};
  std::atomic<std::uint64_t> generation_{1};

  Mutex deploy_mutex_;  // one change at a time; held while loading, never by a request
  Mutex table_mutex_;
  std::shared_ptr<const SnapshotTable> table_ GYRE_GUARDED_BY(table_mutex_);
  std::map<std::string, Error, std::less<>> problems_ GYRE_GUARDED_BY(table_mutex_);

  exec::Worker follower_;  // last: stops before the rest goes
};

SnapshotCounters ServingService::CountersOf(const std::string& endpoint) {
  const telemetry::Labels labels = {{"endpoint", endpoint}};
  return {&metrics_.GetCounter("gyre_endpoint_requests_total", "Prediction requests by endpoint",
                               labels),
          &metrics_.GetCounter("gyre_endpoint_rows_total", "Rows predicted by endpoint", labels),
          &metrics_.GetCounter("gyre_endpoint_failed_total",
                               "Prediction requests that were refused", labels),
          &metrics_.GetCounter("gyre_endpoint_ignored_columns_total",
                               "Values sent for columns that the model does not know", labels),
          &metrics_.GetCounter("gyre_endpoint_bytes_total",
                               "Bytes of prediction requests and answers", labels),
          &metrics_.GetCounter("gyre_endpoint_cpu_nanoseconds_total",
                               "CPU time of answering by endpoint, sampled", labels)};
}

std::shared_ptr<const inference_log::Stream> ServingService::OpenStream(
    const SnapshotInfo& info, const Deployment& deployment) {
  if (log_ == nullptr) return nullptr;
  const predictors::ModelPackage& package = info.scorer->package();
  return log_->Open({.project = info.project,
                     .endpoint = info.endpoint,
                     .deployment_id = deployment.id,
                     .model = deployment.model,
                     .model_version_id = deployment.model_version_id,
                     .inputs = info.scorer->input(),
                     .target = package.target,
                     .target_type = package.target_type,
                     .classes = info.scorer->classes()});
}

// Everything that can fail or is slow happens here, before a request sees the snapshot.
Result<std::shared_ptr<const Snapshot>> ServingService::LoadSnapshot(const Endpoint& endpoint) {
  const Deployment& deployment = endpoint.deployment;
  GYRE_TRY(const std::string bytes, blobs_.Get(deployment.package.digest));
  GYRE_TRY(auto scorer, predictors::Scorer::Load(bytes));
  SnapshotInfo info{.endpoint = endpoint.name,
                    .project = endpoint.project,
                    .deployment_id = deployment.id,
                    .model = deployment.model,
                    .model_name = deployment.model.substr(0, deployment.model.rfind(":v")),
                    .model_version = 0,
                    .scorer = std::move(scorer)};
  const std::size_t colon = deployment.model.rfind(":v");
  if (colon != std::string::npos) {
    info.model_version = static_cast<int>(
        ParseInt(std::string_view(deployment.model).substr(colon + 2)).value_or(0));
  }
  auto stream = OpenStream(info, deployment);
  auto snapshot = MakeSnapshot(std::move(info), CountersOf(endpoint.name), std::move(stream));
  Answer warm_up;
  RowReader reader;
  warm_up.Begin(*snapshot);
  GYRE_DO(reader.Read(R"({"inputs":[{}]})", *snapshot, 1, warm_up));
  return snapshot;
}

void ServingService::Publish(std::shared_ptr<const Snapshot> snapshot, std::string_view removed) {
  const MutexLock lock(table_mutex_);
  auto next = std::make_shared<SnapshotTable>(*table_);
  if (!removed.empty()) {
    if (const auto found = next->by_name.find(removed); found != next->by_name.end())
      next->by_name.erase(found);
    if (const auto found = problems_.find(removed); found != problems_.end())
      problems_.erase(found);
  }
  if (snapshot) {
    const std::string& name = snapshot->info.endpoint;
    if (const auto found = problems_.find(name); found != problems_.end()) problems_.erase(found);
    next->by_name[name] = std::move(snapshot);
  }
  table_ = std::move(next);
  generation_.fetch_add(1);
}

ThreadView& ServingService::View() {
  thread_local ThreadView view;
  const std::uint64_t generation = generation_.load();
  if (view.serving != serial_ || view.generation != generation) {
    const MutexLock lock(table_mutex_);
    view.table = table_;
    view.generation = generation_.load();
    view.serving = serial_;
  }
  return view;
}

Result<> ServingService::Start() {
  std::string after;
  while (true) {
    std::vector<Endpoint> page;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(page, ReadEndpoints(reader, "", kPage, after));
      return {};
    }));
    for (const Endpoint& endpoint : page) {
      auto snapshot = LoadSnapshot(endpoint);
      if (snapshot) {
        Publish(*std::move(snapshot), "");
      } else {
        kLog.Failed("endpoint not loaded", snapshot.error());
        const MutexLock lock(table_mutex_);
        problems_.insert_or_assign(endpoint.name, snapshot.error());
      }
    }
    if (page.size() < kPage) break;
    after = page.back().name;
  }
  ready_.store(true);
  if (!settings_.follow_aliases) return {};
  follower_ = exec::Worker("follower", [this](const exec::StopFlag& stop) {
    while (!stop.WaitMicros(kFollowEveryMicros)) {
      if (const auto done = Reconcile(); !done) kLog.Failed("aliases not followed", done.error());
    }
  });
  return {};
}

Result<Endpoint> ServingService::Replace(Endpoint endpoint, Deployment deployment) {
  const bool is_new = endpoint.id.empty();
  const std::int64_t now_us = clock_.NowMicros();
  if (is_new) {
    endpoint.id = NewId();
    endpoint.created_us = now_us;
    endpoint.created_by = deployment.deployed_by;
  }
  endpoint.updated_us = now_us;
  deployment.id = NewId();
  deployment.endpoint_id = endpoint.id;
  deployment.created_us = now_us;
  endpoint.deployment = deployment;
  GYRE_TRY(auto snapshot, LoadSnapshot(endpoint));
  const std::string news = Json::Obj({{"endpoint", endpoint.name},
                                      {"deployment", deployment.id},
                                      {"model", deployment.model},
                                      {"model_version_id", deployment.model_version_id},
                                      {"basis", deployment.basis},
                                      {"by", deployment.deployed_by}})
                               .Dump();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    if (is_new) GYRE_DO(InsertEndpoint(tx, endpoint));
    GYRE_DO(AppendDeployment(tx, endpoint, &endpoint.deployment));
    GYRE_DO(TellLineage(tx, endpoint, endpoint.deployment));
    return events_.Publish(tx, {.kind = "endpoint.deployed",
                                .project = endpoint.project,
                                .subject = endpoint.name,
                                .payload = news});
  }));
  Publish(std::move(snapshot), "");
  kLog.Info("endpoint swapped", {{"endpoint", endpoint.name},
                                 {"model", endpoint.deployment.model},
                                 {"deployment", endpoint.deployment.number},
                                 {"basis", endpoint.deployment.basis}});
  Describe(&endpoint);
  return endpoint;
}

Result<Endpoint> ServingService::Deploy(DeployRequest request) {
  GYRE_TRY(const registry::ModelVersion version,
           registry_.Resolve(request.project, request.reference));
  const std::string name = request.endpoint.empty() ? version.model : request.endpoint;
  GYRE_DO(CheckName("endpoint", name));
  GYRE_TRY(const registry::ModelReference reference, registry::ParseReference(request.reference));
  const MutexLock lock(deploy_mutex_);
  Endpoint endpoint;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool found, FindEndpoint(reader, name, &endpoint));
    return {};
  }));
  if (!endpoint.id.empty() && endpoint.project != request.project) {
    return MakeError(Code::kAlreadyExists, "GY3801",
                     "the endpoint name `{}` belongs to another project", name)
        .Why("endpoint names are unique per server")
        .Fix("choose another: gyre deploy MODEL --name OTHER");
  }
  endpoint.project = request.project;
  endpoint.name = name;
  endpoint.follows = reference.alias.empty() ? "" : request.reference;
  return Replace(std::move(endpoint), Deployment{.id = {},
                                                 .endpoint_id = {},
                                                 .number = 0,
                                                 .model_version_id = version.id,
                                                 .model = version.name(),
                                                 .reference = request.reference,
                                                 .package = version.package,
                                                 .basis = "deploy",
                                                 .reason = request.reason,
                                                 .deployed_by = request.deployed_by,
                                                 .created_us = 0});
}

Result<Endpoint> ServingService::Require(std::string_view project, std::string_view name) {
  Endpoint endpoint;
  bool found = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindEndpoint(reader, name, &endpoint));
    return {};
  }));
  if (!found || (!project.empty() && endpoint.project != project)) return NoSuchEndpoint(name);
  return endpoint;
}

Result<bool> ServingService::IsThere(const std::string& model_version_id) {
  const auto version = registry_.GetVersion(model_version_id);
  if (!version && version.error().code() != Code::kNotFound) return version.error();
  return version.has_value();
}

// Who removed a version wants it to answer no more: its package is still here, but is not used.
Result<> ServingService::CheckStillThere(const Endpoint& endpoint, const Deployment& earlier) {
  GYRE_TRY(const bool there, IsThere(earlier.model_version_id));
  if (there) return {};
  Error error = FailedPrecondition("GY3807",
                                   "deployment {} of endpoint `{}` was {}, which has been "
                                   "removed",
                                   earlier.number, endpoint.name, earlier.model)
                    .Why("a removed version is not brought back");
  std::vector<Deployment> all;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(all, ReadDeployments(reader, endpoint.id, kDeploymentsSearched));
    return {};
  }));
  for (const Deployment& one : all) {
    if (one.model_version_id == endpoint.deployment.model_version_id) continue;
    GYRE_TRY(const bool alive, IsThere(one.model_version_id));
    if (!alive) continue;
    return std::move(error).Fix(fmt::format("gyre endpoints rollback {} --to {}    ({})",
                                            endpoint.name, one.number, one.model));
  }
  return std::move(error).Fix(fmt::format("gyre deploy {}:vN --name {}",
                                          earlier.model.substr(0, earlier.model.find(':')),
                                          endpoint.name));
}

Result<Endpoint> ServingService::Rollback(RollbackRequest request) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(request.project, request.endpoint));
  const int to = request.to == 0 ? endpoint.deployment.number - 1 : request.to;
  if (to < 1 && request.to == 0) {
    return FailedPrecondition("GY3804", "endpoint `{}` has no earlier deployment", request.endpoint)
        .Fix(fmt::format("gyre endpoints show {}", request.endpoint));
  }
  Deployment earlier;
  bool found = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindDeployment(reader, endpoint.id, to, &earlier));
    return {};
  }));
  if (!found) {
    return NotFound("GY3803", "endpoint `{}` has no deployment {}", request.endpoint, to)
        .Fix(fmt::format("gyre endpoints show {}", request.endpoint));
  }
  GYRE_DO(CheckStillThere(endpoint, earlier));
  Describe(&endpoint);
  const bool live = endpoint.ready && endpoint.follows.empty() &&
                    earlier.model_version_id == endpoint.deployment.model_version_id;
  if (live) return endpoint;
  earlier.basis = fmt::format("rollback to {}", to);
  earlier.reason = request.reason;
  earlier.deployed_by = request.deployed_by;
  endpoint.follows.clear();  // else the alias would undo it at once
  return Replace(std::move(endpoint), std::move(earlier));
}

Result<> ServingService::Remove(std::string_view project, std::string_view name,
                                std::string_view /*by*/) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(const Endpoint endpoint, Require(project, name));
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(RemoveEndpoint(tx, endpoint.id));
    return events_.Publish(
        tx, {.kind = "endpoint.removed", .project = endpoint.project, .subject = endpoint.name});
  }));
  Publish(nullptr, endpoint.name);
  return {};
}

// What is, beside what should be.
void ServingService::Describe(Endpoint* endpoint) {
  const MutexLock lock(table_mutex_);
  if (const auto found = table_->by_name.find(endpoint->name); found != table_->by_name.end()) {
    endpoint->ready = found->second->info.deployment_id == endpoint->deployment.id;
    endpoint->memory_bytes = found->second->info.scorer->memory_bytes();
  }
  if (const auto problem = problems_.find(endpoint->name); problem != problems_.end()) {
    endpoint->problem = problem->second.ToString();
  }
}

Result<Endpoint> ServingService::Get(std::string_view project, std::string_view name) {
  GYRE_TRY(Endpoint endpoint, Require(project, name));
  Describe(&endpoint);
  return endpoint;
}

Result<std::vector<Endpoint>> ServingService::List(std::string_view project, int limit,
                                                   std::string_view after) {
  std::vector<Endpoint> endpoints;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(endpoints, ReadEndpoints(reader, project, limit, after));
    return {};
  }));
  for (Endpoint& endpoint : endpoints) Describe(&endpoint);
  return endpoints;
}

Result<std::vector<Deployment>> ServingService::History(std::string_view project,
                                                        std::string_view name, int limit) {
  GYRE_TRY(const Endpoint endpoint, Require(project, name));
  std::vector<Deployment> deployments;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(deployments, ReadDeployments(reader, endpoint.id, limit));
    return {};
  }));
  return deployments;
}

std::shared_ptr<const Snapshot> ServingService::Find(std::string_view endpoint) {
  const ThreadView& view = View();
  const auto found = view.table->by_name.find(endpoint);
  return found == view.table->by_name.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Snapshot>> ServingService::Snapshots() {
  std::vector<std::shared_ptr<const Snapshot>> all;
  for (const auto& [name, snapshot] : View().table->by_name) all.push_back(snapshot);
  return all;
}

Error ServingService::Missing(std::string_view endpoint) {
  {
    const MutexLock lock(table_mutex_);
    if (const auto problem = problems_.find(endpoint); problem != problems_.end()) {
      return MakeError(Code::kUnavailable, "GY3805", "endpoint `{}` is not loaded: {}", endpoint,
                       problem->second.message());
    }
  }
  if (!ready()) return MakeError(Code::kUnavailable, "GY3805", "endpoints are being loaded");
  return NoSuchEndpoint(endpoint);
}

Result<std::string> ServingService::Predict(std::string_view endpoint, std::string_view body) {
  ThreadView& view = View();
  const auto found = view.table->by_name.find(endpoint);
  if (found == view.table->by_name.end()) return Missing(endpoint);
  const Snapshot& snapshot =
      *found->second;  // the view holds it; only this thread changes its view
  snapshot.counters.requests->Add();
  const CpuMeter meter(body.size(), view.requests++, *snapshot.counters.cpu_ns);
  const std::int64_t begin_us = clock_.NowMicros();
  view.answer.Begin(snapshot, &view.recorder);
  const auto facts =
      view.reader.Read(body, snapshot, static_cast<std::size_t>(settings_.rows_max), view.answer);
  if (!facts) {
    view.recorder.Discard();
    snapshot.counters.failed->Add();
    return facts.error();
  }
  snapshot.counters.rows->Add(static_cast<std::int64_t>(facts->rows));
  if (facts->ignored != 0)
    snapshot.counters.ignored->Add(static_cast<std::int64_t>(facts->ignored));
  std::string answer = view.answer.Finish(*facts);
  view.recorder.Commit({.received_us = begin_us,
                        .latency_us = std::max<std::int64_t>(0, clock_.NowMicros() - begin_us),
                        .event_times_us = facts->event_times_us,
                        .inference_ids = facts->inference_ids,
                        .keys = facts->keys});
  snapshot.counters.bytes->Add(static_cast<std::int64_t>(body.size() + answer.size()));
  return answer;
}

EndpointCounts ServingService::Counts(std::string_view endpoint) {
  const SnapshotCounters counters = CountersOf(std::string(endpoint));
  return {counters.requests->value(), counters.rows->value(),  counters.failed->value(),
          counters.ignored->value(),  counters.bytes->value(), counters.cpu_ns->value()};
}

Result<> ServingService::FollowOne(const Endpoint& seen) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(seen.project, seen.name));
  if (endpoint.follows.empty()) return {};
  GYRE_TRY(const registry::ModelVersion version,
           registry_.Resolve(endpoint.project, endpoint.follows));
  if (version.id == endpoint.deployment.model_version_id) return {};
  Deployment next{.id = {},
                  .endpoint_id = {},
                  .number = 0,
                  .model_version_id = version.id,
                  .model = version.name(),
                  .reference = endpoint.follows,
                  .package = version.package,
                  .basis = "alias moved",
                  .reason = {},
                  .deployed_by = "gyre",
                  .created_us = 0};
  GYRE_DO(Replace(std::move(endpoint), std::move(next)));
  return {};
}

// Compares what the database wants with what runs.
Result<> ServingService::Reconcile() {
  if (!settings_.follow_aliases) return {};
  std::string after;
  while (true) {
    std::vector<Endpoint> page;
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(page, ReadEndpoints(reader, "", kPage, after));
      return {};
    }));
    for (const Endpoint& endpoint : page) {
      if (endpoint.follows.empty()) continue;
      // One broken model must not keep the others from being followed.
      if (const auto done = FollowOne(endpoint); !done)
        kLog.Failed("alias not followed", done.error());
    }
    if (page.size() < kPage) return {};
    after = page.back().name;
  }
}

}  // namespace

Result<std::unique_ptr<Serving>> OpenServing(db::Database& database, blob::Store& blobs,
                                             registry::Registry& registry, events::Events& events,
                                             telemetry::Metrics& metrics, const Clock& clock,
                                             ServingSettings settings,
                                             inference_log::InferenceLog* log) {
  return std::make_unique<ServingService>(database, blobs, registry, events, metrics, clock,
                                          settings, log);
}

}  // namespace gyre::serving
