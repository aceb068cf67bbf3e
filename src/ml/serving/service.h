// The one Serving: requests (serving.cc), deployments (deploying.cc), variants and parking
// (traffic.cc). Private.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "ml/serving/routes.h"
#include "ml/serving/serving.h"
#include "ml/serving/shadow.h"
#include "ml/serving/snapshot.h"
#include "platform/exec/thread_pool.h"

namespace gyre::serving {

struct Surroundings {
  db::Database& database;
  blob::Store& blobs;
  registry::Registry& registry;
  events::Events& events;
  telemetry::Metrics& metrics;
  const Clock& clock;
  inference_log::InferenceLog* log;
};

Error NoSuchEndpoint(std::string_view name);
// "header:X-User"; "" is by request. Error: kInvalidArgument GY3852.
Result<Sticky> ParseSticky(std::string_view text);
// The share of the champion: what the variants leave.
double ChampionShare(const Endpoint& endpoint);
// Error: GY3856, where `over` names a version that the endpoint does not run.
Result<> CheckRuns(const Endpoint& endpoint, std::string_view over);

class ServingService final : public Serving {
 public:
  ServingService(const Surroundings& around, ServingSettings settings);

  // --- serving.cc --------------------------------------------------------------------------------
  Result<> Start() override;
  bool ready() const override { return ready_.load(); }
  void Stop() override;
  std::string ProjectOf(std::string_view endpoint) override;
  bool Parked(std::string_view endpoint) override;
  std::shared_ptr<const Snapshot> Find(std::string_view endpoint) override;
  std::shared_ptr<const Snapshot> Choose(std::string_view endpoint,
                                         const Headers& headers) override;
  std::shared_ptr<const Snapshot> FindVersion(std::string_view endpoint,
                                              std::string_view version) override;
  std::vector<std::shared_ptr<const Snapshot>> Snapshots() override;
  Result<std::string> Predict(std::string_view endpoint, std::string_view body,
                              const Headers* headers) override;
  EndpointCounts Counts(std::string_view endpoint, std::string_view variant) override;
  std::vector<CountedVariant> Counted() override;
  EndpointCounts Answered(std::string_view endpoint) override;
  Result<Endpoint> Get(std::string_view project, std::string_view endpoint) override;
  Result<std::vector<Endpoint>> List(std::string_view project, int limit,
                                     std::string_view after) override;
  Result<std::vector<Deployment>> History(std::string_view project, std::string_view endpoint,
                                          int limit) override;
  Result<Json> Log(std::string_view project, std::string_view endpoint, int limit) override;

  Shadows& shadows() { return shadows_; }  // for tests

  // --- deploying.cc ------------------------------------------------------------------------------
  Result<Endpoint> Deploy(DeployRequest request) override;
  Result<Endpoint> Rollback(RollbackRequest request) override;
  Result<> Remove(std::string_view project, std::string_view endpoint,
                  std::string_view by) override;
  Result<> Reconcile() override;

  // --- traffic.cc --------------------------------------------------------------------------------
  Result<Endpoint> SetVariant(VariantRequest request) override;
  Result<> CheckSameTask(const Endpoint& endpoint, const registry::ModelVersion& version);
  Result<Endpoint> SetTraffic(std::string_view project, std::string_view endpoint,
                              const std::map<std::string, double>& shares, std::string reason,
                              std::string by) override;
  Result<Endpoint> RemoveVariant(std::string_view project, std::string_view endpoint,
                                 std::string_view variant, std::string reason,
                                 std::string by) override;
  Result<Endpoint> PromoteVariant(PromoteRequest request) override;
  Result<Endpoint> Change(EndpointChange change) override;
  Result<std::vector<VariantCounts>> Variants(std::string_view project,
                                              std::string_view endpoint) override;

 private:
  // A change to what should run, and how it is told.
  struct Move {
    std::string kind;  // "endpoint.deployed", "endpoint.traffic"
    std::string what;  // "canary has 10 %"
    std::string by, reason;
    Deployment* fresh = nullptr;  // of the endpoint: not written yet
    bool is_new = false;          // the endpoint itself
  };

  Result<Endpoint> Require(std::string_view project, std::string_view name);
  void Describe(Endpoint* endpoint);
  std::string ApartOf(const Endpoint& endpoint);
  Error Missing(std::string_view endpoint);
  Result<bool> IsThere(const std::string& model_version_id);

  // --- loading (serving.cc)
  SnapshotCounters CountersOf(const std::string& endpoint, std::string_view variant);
  std::shared_ptr<VariantStats> StatsOf(const std::string& endpoint, const Deployment& deployment,
                                        const SnapshotCounters& counters);
  Result<std::shared_ptr<const Snapshot>> LoadSnapshot(const Endpoint& endpoint,
                                                       const Deployment& deployment,
                                                       std::string_view role);
  // The route that `endpoint` asks for; what runs already is not loaded again.
  Result<std::shared_ptr<const Route>> MakeRoute(const Endpoint& endpoint);
  void Publish(std::shared_ptr<const Route> route);
  void Load(const Endpoint& endpoint);
  // Whether it shall be loaded now: it does not answer, and was not tried just before.
  bool IsDue(const std::string& endpoint);
  Result<> TakeUp(const Endpoint& seen);
  // Answers no more.
  void Forget(const std::string& endpoint) GYRE_REQUIRES(deploy_mutex_);
  Result<> ForgetGone();
  // Statistics are large: those of deployments that answer no more go.
  void KeepStatsOf(const Route& route) GYRE_REQUIRES(state_mutex_);
  void Note(const std::string& endpoint, std::string_view level, std::string_view variant,
            std::string message);

  // --- changing (deploying.cc)
  // Loads, writes and swaps. The endpoint is as it should be.
  Result<Endpoint> Apply(Endpoint endpoint, const Move& move) GYRE_REQUIRES(deploy_mutex_);
  Result<Endpoint> Replace(Endpoint endpoint, Deployment deployment) GYRE_REQUIRES(deploy_mutex_);
  // `beside`: the options of a variant, for the remedy: " --shadow".
  Result<> CheckSameCallers(const Endpoint& endpoint, const registry::ModelVersion& version,
                            std::string_view beside = {});
  Result<> CheckStillThere(const Endpoint& endpoint, const Deployment& earlier);
  Result<> FollowOne(const Endpoint& seen);
  // The followed version does not fit: told once, and shown until that is over.
  Result<> Refuse(const Endpoint& endpoint, const registry::ModelVersion& version,
                  const Error& why);
  void ForgetProblem(const std::string& endpoint);

  // --- parking (traffic.cc)
  void ParkIdle();
  // Loads a parked endpoint; by whoever comes first, the others wait.
  Result<> Wake(std::string_view endpoint);
  std::shared_ptr<const Route> Awake(std::string_view endpoint);
  bool Takes(const Snapshot& snapshot, std::string_view body) const;
  std::uint64_t KeyOf(const Route& route, std::string_view body, const Headers* headers,
                      Routes::View& view);

  const Surroundings around_;
  const ServingSettings settings_;
  std::atomic<bool> ready_{false};
  Routes routes_;
  Shadows shadows_;

  Mutex deploy_mutex_;  // one change at a time; held while loading, never by a request
  Mutex state_mutex_;
  struct Unloaded {
    std::string project;
    Error why;
    std::int64_t again_us = 0, wait_us = 0;  // of the clock that never goes back
  };
  std::map<std::string, Unloaded, std::less<>> problems_ GYRE_GUARDED_BY(state_mutex_);
  // By endpoint and deployment, of those that answer; a parked endpoint keeps its own.
  std::map<std::string, std::map<std::string, std::shared_ptr<VariantStats>>, std::less<>> stats_
      GYRE_GUARDED_BY(state_mutex_);
  struct Owner {
    std::string project;
    bool answers = false;  // callers; else it was never but a shadow
  };
  std::map<std::pair<std::string, std::string>, Owner> counted_
      GYRE_GUARDED_BY(state_mutex_);  // by endpoint and variant
  struct Noted {
    struct Entry {
      std::int64_t at_us;
      std::string level, variant, message;
    };
    std::deque<Entry> entries;               // the newest last
    std::int64_t second = 0, in_second = 0;  // refusals
  };
  std::map<std::string, Noted, std::less<>> notes_ GYRE_GUARDED_BY(state_mutex_);
  struct Seen {
    std::int64_t requests = 0, since_us = 0;
  };
  std::map<std::string, Seen> seen_;  // the follower's, of endpoints that may be parked

  exec::Worker follower_;  // last: stops before the rest goes
};

}  // namespace gyre::serving
