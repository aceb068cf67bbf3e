#include "ml/serving/serving.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "ml/serving/endpoint_store.h"
#include "ml/serving/service.h"
#include "platform/telemetry/log.h"

namespace gyre::serving {

namespace {

constexpr telemetry::Logger kLog{"ml/serving"};
constexpr std::int64_t kTickMicros = kMicrosPerSecond;
// Between two tries to load what could not be loaded: it may have been repaired.
constexpr std::int64_t kRetryFirstMicros = 4 * kMicrosPerSecond;
constexpr std::int64_t kRetryMostMicros = 60 * kMicrosPerSecond;
constexpr int kFollowTicks = 5;  // events tell at once; this is for those that were lost
constexpr int kPage = 500;
constexpr std::size_t kNotesMax = 200;
constexpr std::int64_t kRefusalsASecond = 5;

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

}  // namespace

Error NoSuchEndpoint(std::string_view name) {
  return NotFound("GY3802", "there is no endpoint `{}`", name)
      .Fix("gyre endpoints")
      .Fix("gyre deploy MODEL@champion");
}

ServingService::ServingService(const Surroundings& around, ServingSettings settings)
    : around_(around), settings_(settings), shadows_(settings.rows_max) {}

// --- loading -------------------------------------------------------------------------------------

SnapshotCounters ServingService::CountersOf(const std::string& endpoint, std::string_view variant) {
  telemetry::Labels labels = {{"endpoint", endpoint}};
  if (variant != kChampion) labels.emplace_back("variant", variant);
  telemetry::Metrics& metrics = around_.metrics;
  return {&metrics.GetCounter("gyre_endpoint_requests_total", "Prediction requests by endpoint",
                              labels),
          &metrics.GetCounter("gyre_endpoint_rows_total", "Rows predicted by endpoint", labels),
          &metrics.GetCounter("gyre_endpoint_failed_total", "Prediction requests that were refused",
                              labels),
          &metrics.GetCounter("gyre_endpoint_faults_total",
                              "Prediction requests that failed by the model's own fault", labels),
          &metrics.GetCounter("gyre_endpoint_ignored_columns_total",
                              "Values sent for columns that the model does not know", labels),
          &metrics.GetCounter("gyre_endpoint_bytes_total",
                              "Bytes of prediction requests and answers", labels),
          &metrics.GetCounter("gyre_endpoint_cpu_nanoseconds_total",
                              "CPU time of answering by endpoint, sampled", labels)};
}

std::shared_ptr<VariantStats> ServingService::StatsOf(const std::string& endpoint,
                                                      const Deployment& deployment,
                                                      const SnapshotCounters& counters) {
  const MutexLock lock(state_mutex_);
  std::shared_ptr<VariantStats>& stats = stats_[endpoint][deployment.id];
  if (!stats) {
    stats = std::make_shared<VariantStats>();
    stats->deployment_id = deployment.id;
    stats->since_us = around_.clock.NowMicros();
    stats->requests = counters.requests->value();
    stats->rows = counters.rows->value();
    stats->failed = counters.failed->value();
    stats->faults = counters.faults->value();
  }
  return stats;
}

// Everything that can fail or is slow happens here, before a request sees the snapshot.
Result<std::shared_ptr<const Snapshot>> ServingService::LoadSnapshot(const Endpoint& endpoint,
                                                                     const Deployment& deployment,
                                                                     std::string_view role) {
  GYRE_TRY(const std::string bytes, around_.blobs.Get(deployment.package.digest));
  GYRE_TRY(auto scorer, predictors::Scorer::Load(bytes));
  SnapshotInfo info{
      .endpoint = endpoint.name,
      .project = endpoint.project,
      .deployment_id = deployment.id,
      .model = deployment.model,
      .variant = deployment.variant.empty() ? std::string(kChampion) : deployment.variant,
      .model_name = deployment.model.substr(0, deployment.model.rfind(":v")),
      .model_version = 0,
      .scorer = std::move(scorer)};
  const std::size_t colon = deployment.model.rfind(":v");
  if (colon != std::string::npos) {
    info.model_version = static_cast<int>(
        ParseInt(std::string_view(deployment.model).substr(colon + 2)).value_or(0));
  }
  std::shared_ptr<const inference_log::Stream> stream;
  if (around_.log != nullptr) {
    stream = around_.log->Open({.project = info.project,
                                .endpoint = info.endpoint,
                                .deployment_id = deployment.id,
                                .model = deployment.model,
                                .model_version_id = deployment.model_version_id,
                                .role = std::string(role),
                                .inputs = info.scorer->input(),
                                .target = info.scorer->package().target,
                                .target_type = info.scorer->package().target_type,
                                .classes = info.scorer->classes()});
  }
  const SnapshotCounters counters = CountersOf(endpoint.name, info.variant);
  auto stats = StatsOf(endpoint.name, deployment, counters);
  {
    const MutexLock lock(state_mutex_);
    Owner& owner = counted_[{info.endpoint, info.variant}];
    owner.project = info.project;
    if (role != "shadow") owner.answers = true;
  }
  auto snapshot = MakeSnapshot(std::move(info), counters, std::move(stats), std::move(stream));
  Answer warm_up;
  RowReader reader;
  warm_up.Begin(*snapshot);
  GYRE_DO(reader.Read(R"({"inputs":[{}]})", *snapshot, 1, warm_up));
  return snapshot;
}

Result<std::shared_ptr<const Route>> ServingService::MakeRoute(const Endpoint& endpoint) {
  const std::shared_ptr<const Route> running = routes_.Find(endpoint.name);
  const auto get = [&](const Deployment& deployment,
                       std::string_view role) -> Result<std::shared_ptr<const Snapshot>> {
    const auto runs = [&](const std::shared_ptr<const Snapshot>& snapshot) {
      return snapshot && snapshot->info.deployment_id == deployment.id;
    };
    if (running && runs(running->main)) return running->main;
    for (const Arm& arm : running ? running->arms : std::vector<Arm>()) {
      if (runs(arm.snapshot) && role != "shadow") return arm.snapshot;
    }
    for (const auto& shadow :
         running ? running->shadows : std::vector<std::shared_ptr<const Snapshot>>()) {
      if (runs(shadow) && role == "shadow") return shadow;
    }
    return LoadSnapshot(endpoint, deployment, role);
  };
  auto route = std::make_shared<Route>();
  route->project = endpoint.project;
  route->endpoint = endpoint.name;
  route->park_after_us = endpoint.park_after_us;
  GYRE_TRY(route->sticky, ParseSticky(endpoint.sticky));
  GYRE_TRY(route->main, get(endpoint.deployment, kChampion));
  for (const Variant& variant : endpoint.variants) {
    GYRE_TRY(auto snapshot, get(variant.deployment, variant.shadow ? "shadow" : "canary"));
    if (variant.shadow)
      route->shadows.push_back(std::move(snapshot));
    else
      route->arms.push_back({variant.name, Xxh3(variant.name), variant.share, std::move(snapshot)});
  }
  if (!route->arms.empty())
    route->arms.push_back(
        {std::string(kChampion), Xxh3(kChampion), ChampionShare(endpoint), route->main});
  return route;
}

void ServingService::KeepStatsOf(const Route& route) {
  std::map<std::string, std::shared_ptr<VariantStats>> kept;
  const auto keep = [&](const std::shared_ptr<const Snapshot>& snapshot) {
    kept[snapshot->info.deployment_id] = snapshot->stats;
  };
  keep(route.main);
  for (const Arm& arm : route.arms) keep(arm.snapshot);
  for (const auto& shadow : route.shadows) keep(shadow);
  stats_.insert_or_assign(route.endpoint, std::move(kept));
}

void ServingService::Publish(std::shared_ptr<const Route> route) {
  {
    const MutexLock lock(state_mutex_);
    if (const auto found = problems_.find(route->endpoint); found != problems_.end())
      problems_.erase(found);
    KeepStatsOf(*route);
  }
  routes_.Publish(std::move(route));
}

// What cannot be loaded says why when it is asked.
void ServingService::Load(const Endpoint& endpoint) {
  auto route = MakeRoute(endpoint);
  if (route) return Publish(*std::move(route));
  const std::int64_t now_us = around_.clock.MonotonicMicros();
  const MutexLock lock(state_mutex_);
  const auto before = problems_.find(endpoint.name);
  const bool known = before != problems_.end();
  if (!known || before->second.why.message() != route.error().message())
    kLog.Failed("endpoint not loaded", route.error());
  const std::int64_t wait_us =
      known ? std::min(2 * before->second.wait_us, kRetryMostMicros) : kRetryFirstMicros;
  problems_.insert_or_assign(endpoint.name,
                             Unloaded{endpoint.project, route.error(), now_us + wait_us, wait_us});
}

bool ServingService::IsDue(const std::string& endpoint) {
  if (routes_.Find(endpoint)) return false;
  const MutexLock state(state_mutex_);
  const auto problem = problems_.find(endpoint);
  return problem == problems_.end() || around_.clock.MonotonicMicros() >= problem->second.again_us;
}

Result<> ServingService::Start() {
  std::string after;
  while (true) {
    // What goes on after a crash changes endpoints already: a change must not be loaded over.
    const MutexLock lock(deploy_mutex_);
    std::vector<Endpoint> page;
    GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(page, ReadEndpoints(reader, "", kPage, after));
      return {};
    }));
    for (const Endpoint& endpoint : page) Load(endpoint);
    if (page.size() < kPage) break;
    after = page.back().name;
  }
  ready_.store(true);
  follower_ = exec::Worker("follower", [this](const exec::StopFlag& stop) {
    for (int tick = 1; !stop.WaitMicros(kTickMicros); ++tick) {
      ParkIdle();
      if (tick % kFollowTicks != 0) continue;
      if (const auto done = Reconcile(); !done) kLog.Failed("aliases not followed", done.error());
    }
  });
  return {};
}

void ServingService::Stop() {
  follower_ = exec::Worker();
  shadows_.Stop();
}

// --- what there is -------------------------------------------------------------------------------

Result<Endpoint> ServingService::Require(std::string_view project, std::string_view name) {
  Endpoint endpoint;
  bool found = false;
  GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindEndpoint(reader, name, &endpoint));
    return {};
  }));
  if (!found || (!project.empty() && endpoint.project != project)) return NoSuchEndpoint(name);
  return endpoint;
}

Result<bool> ServingService::IsThere(const std::string& model_version_id) {
  const auto version = around_.registry.GetVersion(model_version_id);
  if (!version && version.error().code() != Code::kNotFound) return version.error();
  return version.has_value();
}

// What is, beside what should be.
void ServingService::Describe(Endpoint* endpoint) {
  if (const auto route = routes_.Find(endpoint->name)) {
    endpoint->parked = route->parked;
    std::vector<std::shared_ptr<const Snapshot>> all = route->shadows;
    for (const Arm& arm : route->arms) all.push_back(arm.snapshot);
    if (route->arms.empty() && route->main) all.push_back(route->main);
    const auto runs = [&](const Deployment& deployment) {
      return std::ranges::any_of(
          all, [&](const auto& one) { return one->info.deployment_id == deployment.id; });
    };
    endpoint->ready = runs(endpoint->deployment) &&
                      std::ranges::all_of(endpoint->variants, [&](const Variant& variant) {
                        return runs(variant.deployment);
                      });
    for (const auto& one : all) endpoint->memory_bytes += one->info.scorer->memory_bytes();
  }
  const MutexLock lock(state_mutex_);
  if (const auto problem = problems_.find(endpoint->name); problem != problems_.end()) {
    endpoint->problem = problem->second.why.ToString();
  }
}

// A rollback or a canary promoted by hand leaves the alias where it is: whoever trains or deploys
// by it means another version than answers.
std::string ServingService::ApartOf(const Endpoint& endpoint) {
  const std::string& model = endpoint.deployment.model;
  const std::string alias = fmt::format("{}@champion", model.substr(0, model.find(':')));
  const auto named = around_.registry.Resolve(endpoint.project, alias);
  if (!named || named->id == endpoint.deployment.model_version_id) return {};
  return fmt::format("{} is {}", alias, named->name());
}

Result<Endpoint> ServingService::Get(std::string_view project, std::string_view name) {
  GYRE_TRY(Endpoint endpoint, Require(project, name));
  Describe(&endpoint);
  endpoint.apart = ApartOf(endpoint);
  return endpoint;
}

Result<std::vector<Endpoint>> ServingService::List(std::string_view project, int limit,
                                                   std::string_view after) {
  std::vector<Endpoint> endpoints;
  GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
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
  GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(deployments, ReadDeployments(reader, endpoint.id, limit));
    return {};
  }));
  return deployments;
}

void ServingService::Note(const std::string& endpoint, std::string_view level,
                          std::string_view variant, std::string message) {
  const std::int64_t now_us = around_.clock.NowMicros();
  const MutexLock lock(state_mutex_);
  Noted& noted = notes_[endpoint];
  if (level == "refused") {
    if (noted.second != now_us / kMicrosPerSecond) noted.in_second = 0;
    noted.second = now_us / kMicrosPerSecond;
    if (++noted.in_second > kRefusalsASecond) return;
  }
  noted.entries.push_back({now_us, std::string(level), std::string(variant), std::move(message)});
  if (noted.entries.size() > kNotesMax) noted.entries.pop_front();
}

// What was done to it, and what this process has noted beside that.
Result<Json> ServingService::Log(std::string_view project, std::string_view name, int limit) {
  GYRE_TRY(const Endpoint endpoint, Require(project, name));
  std::vector<Noted::Entry> all;
  GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(std::vector<LogEntry> done, ReadLog(reader, endpoint.id, limit));
    for (LogEntry& entry : done)
      all.push_back({entry.at_us, "info", std::move(entry.variant), std::move(entry.message)});
    return {};
  }));
  {
    const MutexLock lock(state_mutex_);
    if (const auto found = notes_.find(endpoint.name); found != notes_.end())
      all.insert(all.end(), found->second.entries.rbegin(), found->second.entries.rend());
  }
  std::ranges::stable_sort(all, std::greater<>(), &Noted::Entry::at_us);
  Json items = Json::Arr();
  for (const Noted::Entry& entry : all) {
    if (items.size() == static_cast<std::size_t>(limit)) break;
    items.Push(Json::Obj({{"at", FormatTime(entry.at_us)},
                          {"level", entry.level},
                          {"variant", entry.variant},
                          {"message", entry.message}}));
  }
  return items;
}

EndpointCounts ServingService::Counts(std::string_view endpoint, std::string_view variant) {
  const SnapshotCounters counters = CountersOf(std::string(endpoint), variant);
  return {counters.requests->value(), counters.rows->value(),    counters.failed->value(),
          counters.faults->value(),   counters.ignored->value(), counters.bytes->value(),
          counters.cpu_ns->value()};
}

std::vector<CountedVariant> ServingService::Counted() {
  std::vector<CountedVariant> all;
  const MutexLock lock(state_mutex_);
  for (const auto& [key, owner] : counted_) all.push_back({owner.project, key.first, key.second});
  return all;
}

EndpointCounts ServingService::Answered(std::string_view endpoint) {
  std::vector<std::string> variants;
  {
    const MutexLock lock(state_mutex_);
    for (const auto& [key, owner] : counted_) {
      if (key.first == endpoint && owner.answers) variants.push_back(key.second);
    }
  }
  EndpointCounts all;
  for (const std::string& variant : variants) {
    const EndpointCounts more = Counts(endpoint, variant);
    all.requests += more.requests;
    all.rows += more.rows;
    all.failed += more.failed;
    all.faults += more.faults;
    all.ignored_columns += more.ignored_columns;
    all.bytes += more.bytes;
    all.cpu_ns += more.cpu_ns;
  }
  return all;
}

// --- requests ------------------------------------------------------------------------------------

std::string ServingService::ProjectOf(std::string_view endpoint) {
  if (const auto route = routes_.Find(endpoint)) return route->project;
  const MutexLock lock(state_mutex_);
  const auto problem = problems_.find(endpoint);
  return problem == problems_.end() ? std::string() : problem->second.project;
}

bool ServingService::Parked(std::string_view endpoint) {
  const auto view = routes_.Enter();
  const auto found = view->table->by_name.find(endpoint);
  return found != view->table->by_name.end() && found->second->parked;
}

std::shared_ptr<const Snapshot> ServingService::Find(std::string_view endpoint) {
  const auto route = Awake(endpoint);
  return route ? route->main : nullptr;
}

std::shared_ptr<const Snapshot> ServingService::Choose(std::string_view endpoint,
                                                       const Headers& headers) {
  const auto route = Awake(endpoint);
  if (!route || route->arms.empty()) return route ? route->main : nullptr;
  const auto view = routes_.Enter();
  view->answer.TakeKey();
  return route->arms[PickArm(route->arms, KeyOf(*route, {}, &headers, *view))].snapshot;
}

std::shared_ptr<const Snapshot> ServingService::FindVersion(std::string_view endpoint,
                                                            std::string_view version) {
  const auto route = Awake(endpoint);
  if (!route) return nullptr;
  const auto runs = [&](const std::shared_ptr<const Snapshot>& snapshot) {
    return std::to_string(snapshot->info.model_version) == version;
  };
  for (const Arm& arm : route->arms) {
    if (runs(arm.snapshot)) return arm.snapshot;
  }
  return runs(route->main) ? route->main : nullptr;
}

std::vector<std::shared_ptr<const Snapshot>> ServingService::Snapshots() {
  std::vector<std::shared_ptr<const Snapshot>> all;
  const auto routes = routes_.All();
  for (const auto& [name, route] : routes->by_name) {
    if (route->main) all.push_back(route->main);
  }
  return all;
}

Error ServingService::Missing(std::string_view endpoint) {
  {
    const MutexLock lock(state_mutex_);
    if (const auto problem = problems_.find(endpoint); problem != problems_.end()) {
      return MakeError(Code::kUnavailable, "GY3805", "endpoint `{}` is not loaded: {}", endpoint,
                       problem->second.why.message());
    }
  }
  if (!ready()) return MakeError(Code::kUnavailable, "GY3805", "endpoints are being loaded");
  return NoSuchEndpoint(endpoint);
}

// What decides on the variant: the caller's key where the endpoint asks for one and the request has
// it, else the request itself.
std::uint64_t ServingService::KeyOf(const Route& route, std::string_view body,
                                    const Headers* headers, Routes::View& view) {
  std::uint64_t key = 0;
  if (route.sticky.by == Sticky::By::kHeader) {
    const auto value = headers != nullptr ? headers->Find(route.sticky.name) : std::nullopt;
    if (value && !value->empty()) key = Xxh3(*value);
  } else if (route.sticky.by != Sticky::By::kRequest && !body.empty()) {
    key = view.reader.KeyOf(body, route.sticky.by, route.sticky.name);
  }
  return key != 0 ? key : view.answer.NextKey();
}

// Whether this version would have answered that; what the client sent wrong, nobody takes.
bool ServingService::Takes(const Snapshot& snapshot, std::string_view body) const {
  Answer answer;
  RowReader reader;
  answer.Begin(snapshot);
  return reader.Read(body, snapshot, static_cast<std::size_t>(settings_.rows_max), answer)
      .has_value();
}

Result<std::string> ServingService::Predict(std::string_view endpoint, std::string_view body,
                                            const Headers* headers) {
  const auto view = routes_.Enter();
  auto found = view->table->by_name.find(endpoint);
  if (found != view->table->by_name.end() && found->second->parked) {
    GYRE_DO(Wake(endpoint));
    routes_.Refresh(*view);
    found = view->table->by_name.find(endpoint);
  }
  if (found == view->table->by_name.end()) return Missing(endpoint);
  const Route& route = *found->second;  // the view holds it until the guard goes
  const std::shared_ptr<const Snapshot>& chosen =
      route.arms.empty()
          ? route.main
          : route.arms[PickArm(route.arms, KeyOf(route, body, headers, *view))].snapshot;
  const Snapshot& snapshot = *chosen;
  snapshot.counters.requests->Add();
  const CpuMeter meter(body.size(), view->requests++, *snapshot.counters.cpu_ns);
  const std::int64_t begin_us = around_.clock.NowMicros();
  view->answer.Begin(snapshot, &view->recorder, !route.shadows.empty());
  auto facts =
      view->reader.Read(body, snapshot, static_cast<std::size_t>(settings_.rows_max), view->answer);
  const bool readable = facts.has_value();
  if (facts) facts = CheckEventTimes(*facts, begin_us);
  if (!facts) {
    view->recorder.Discard();
    snapshot.counters.failed->Add();
    // A clock that is wrong is the client's fault, whoever answers.
    if (!readable && &snapshot != route.main.get() && Takes(*route.main, body))
      snapshot.counters.faults->Add();
    Note(route.endpoint, "refused", snapshot.info.variant, facts.error().message());
    return facts.error();
  }
  snapshot.counters.rows->Add(static_cast<std::int64_t>(facts->rows));
  if (facts->ignored != 0)
    snapshot.counters.ignored->Add(static_cast<std::int64_t>(facts->ignored));
  std::string answer = view->answer.Finish(*facts);
  const std::int64_t took_us = std::max<std::int64_t>(0, around_.clock.NowMicros() - begin_us);
  view->recorder.Commit({.received_us = begin_us,
                         .latency_us = took_us,
                         .event_times_us = facts->event_times_us,
                         .inference_ids = facts->inference_ids,
                         .keys = facts->keys});
  snapshot.stats->latency_us.Add(static_cast<double>(took_us));
  snapshot.counters.bytes->Add(static_cast<std::int64_t>(body.size() + answer.size()));
  if (!route.shadows.empty()) shadows_.Offer(route, chosen, body, view->answer, begin_us);
  return answer;
}

Result<std::unique_ptr<Serving>> OpenServing(db::Database& database, blob::Store& blobs,
                                             registry::Registry& registry, events::Events& events,
                                             telemetry::Metrics& metrics, const Clock& clock,
                                             ServingSettings settings,
                                             inference_log::InferenceLog* log) {
  return std::make_unique<ServingService>(
      Surroundings{database, blobs, registry, events, metrics, clock, log}, settings);
}

}  // namespace gyre::serving
