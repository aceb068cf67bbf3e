// Endpoints: names that answer predictions, and the deployments behind them.
//
// What should run stands in the database: one append-only row per deployment; the endpoint points
// at its champion, and variants beside it have a share of the traffic or shadow it. What runs is a
// table of routes over immutable snapshots {scorer, names, plan} that is swapped as a whole. A
// request holds its snapshot until it is answered, so that a swap fails nobody. The packages of
// earlier deployments stay referenced: rolling back needs nothing but the database. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ledger/events/events.h"
#include "ml/inference_log/inference_log.h"
#include "ml/predictors/scorer.h"
#include "ml/registry/registry.h"
#include "ml/runners/tasks.h"
#include "ml/serving/counts.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"
#include "platform/telemetry/metrics.h"

namespace gyre::serving {

db::ModuleSchema ServingSchema();

struct Deployment {
  std::string id, endpoint_id;
  int number = 0;  // of this endpoint, from 1
  std::string model_version_id;
  std::string model;      // "churn:v3"
  std::string reference;  // as it was asked for: "churn@champion"
  blob::Object package;
  std::string variant;  // "" = the champion, "canary"
  std::string basis;    // "deploy", "rollback", "alias moved", "canary", "shadow", "promoted"
  std::string reason, deployed_by;
  std::int64_t created_us = 0;
};
Json DeploymentToJson(const Deployment& deployment);

// What answers beside the champion, which has the rest of the traffic.
inline constexpr std::string_view kChampion = "champion", kCanary = "canary";
struct Variant {
  std::string name;  // kCanary, unless somebody has chosen another
  Deployment deployment;
  double share = 0;     // of the requests, 0 to 1
  bool shadow = false;  // scores what others have answered; has no share
};

struct Endpoint {
  std::string id, project, name;  // names are unique per server
  std::string follows;    // "churn@champion": moves of this alias are followed; empty = pinned
  Deployment deployment;  // what should run
  std::vector<Variant> variants;   // by name
  std::string sticky;              // keeps a caller on one variant: "", "header:X-User",
                                   // "column:customer" of the first row, "member:session"
  std::int64_t park_after_us = 0;  // without requests for so long, memory is given back; 0 = never
  bool ready = false;              // all of it runs
  bool parked = false;             // the next request loads it
  std::string problem;             // why not
  std::string apart;  // "churn@champion is churn:v2": another than answers; only of Get
  std::string created_by;
  std::int64_t created_us = 0, updated_us = 0;
  std::int64_t memory_bytes = 0;  // of the loaded predictor
};
Json EndpointToJson(const Endpoint& endpoint);
// What answers as its canary; null where it has none.
const Deployment* CanaryOf(const Endpoint& endpoint);

// What answers: immutable, shared by the requests that use it.
struct Snapshot;
struct SnapshotInfo {
  std::string endpoint, project, deployment_id, model;  // "churn:v3"
  std::string variant;                                  // "champion", "canary"
  std::string model_name;                               // "churn"
  int model_version = 0;
  std::shared_ptr<const predictors::Scorer> scorer;
};
const SnapshotInfo& InfoOf(const Snapshot& snapshot);

// For protocols that score by themselves: counts a request, as failed unless it was answered, with
// the CPU time of its thread, and captures what was answered.
class RequestMeter {
 public:
  RequestMeter(std::shared_ptr<const Snapshot> snapshot, std::size_t body_bytes);
  ~RequestMeter();
  RequestMeter(const RequestMeter&) = delete;
  RequestMeter& operator=(const RequestMeter&) = delete;
  void Answered(std::size_t rows, std::size_t answer_bytes);
  void Failed(const Error& error);  // whose fault it was; else it counts as the client's
  // `id`: the client's own, if it gave one; it names the rows ("id", "id-1", ...).
  void Capture(const table::Frame& inputs, const predictors::Scores& scores, std::string_view id);

 private:
  const std::shared_ptr<const Snapshot> snapshot_;
  const std::size_t body_bytes_;
  const std::int64_t begin_ns_;
  const std::int64_t begin_us_;  // of the clock on the wall
  bool answered_ = false;
};

struct ServingSettings {
  std::int64_t rows_max = 10'000;  // of one online request
  bool follow_aliases = true;
};

struct DeployRequest {
  std::string project, reference;  // "churn@champion", "churn:v3"
  std::string endpoint;            // empty = the model's name
  std::string reason, deployed_by;
  bool replace = false;  // callers may have to send or to read something else from now on
  std::string over{};    // "churn:v1": only where the endpoint runs this; empty = whatever it runs
};
struct RollbackRequest {
  std::string project, endpoint;
  int to = 0;  // number of an earlier deployment; 0 = the one before the present one
  std::string reason, deployed_by;
};

struct VariantRequest {
  std::string project, endpoint;
  std::string variant;    // "canary"
  std::string reference;  // "churn@challenger"; empty = what it runs already
  double share = 0;       // 0 to 1
  bool shadow = false;
  std::string reason, by;
  bool replace = false;  // also when it takes columns that callers do not send
};
struct PromoteRequest {
  std::string project, endpoint;
  std::string variant{kCanary};
  std::string reason, by;
  bool replace = false;  // callers may have to send or to read something else from now on
  std::string over{};    // as of DeployRequest
  std::string model{};   // "churn:v2": only where the variant runs this; empty = whatever it runs
};
// Members that are not there stay as they are.
struct EndpointChange {
  std::string project, endpoint;
  std::optional<std::string> sticky;
  std::optional<std::int64_t> park_after_us;
  std::string by;
};

// Headers of a request, for endpoints that keep a caller on one variant by one of them.
class Headers {
 public:
  virtual std::optional<std::string_view> Find(std::string_view name) const = 0;

 protected:
  ~Headers() = default;
};

class Serving {
 public:
  virtual ~Serving() = default;

  // Loads what should run. Returns when each endpoint is ready or has failed by name; then follows
  // aliases.
  virtual Result<> Start() = 0;
  virtual bool ready() const = 0;  // Start has returned
  virtual void Stop() = 0;         // follows no aliases any more; goes on answering

  // Loaded, replayed against its golden vectors and answering when it returns.
  // Errors: those of Registry::Resolve, kAlreadyExists GY3801 the name belongs to another project,
  // GY3203, GY3110 a broken package, kFailedPrecondition GY3855 the endpoint's callers would have
  // to send or to read something else, GY3856 it runs another version than `over`.
  virtual Result<Endpoint> Deploy(DeployRequest request) = 0;
  // Back to the state before: when a canary has traffic that was the last change, and it goes;
  // else, or with `to`, the champion is replaced, and no canary stays either. Shadows stay. Errors:
  // kNotFound GY3802 no such endpoint, GY3803 no such deployment, kFailedPrecondition GY3804 there
  // is no earlier one, GY3807 its model version has been removed.
  virtual Result<Endpoint> Rollback(RollbackRequest request) = 0;

  // --- traffic -----------------------------------------------------------------------------------
  // Sets one variant, made where it is missing: loaded and answering when it returns. The same
  // request again changes nothing. Errors: those of Deploy, kInvalidArgument GY3850 (name, share),
  // kNotFound GY3851 no such variant.
  virtual Result<Endpoint> SetVariant(VariantRequest request) = 0;
  // Shares by name. Those that are not named stay; the champion has the rest, or what is said of it
  // must be that. Errors: GY3850, GY3851.
  virtual Result<Endpoint> SetTraffic(std::string_view project, std::string_view endpoint,
                                      const std::map<std::string, double>& shares,
                                      std::string reason, std::string by) = 0;
  // Takes a variant away; empty = all that have a share. Error: GY3851 unless empty.
  virtual Result<Endpoint> RemoveVariant(std::string_view project, std::string_view endpoint,
                                         std::string_view variant, std::string reason,
                                         std::string by) = 0;
  // What the variant runs becomes the champion, and the variant goes. Follows its alias on only
  // where that names this version. Errors: GY3851, GY3855, GY3856, GY3857 it runs another than
  // `model`.
  virtual Result<Endpoint> PromoteVariant(PromoteRequest request) = 0;
  virtual Result<Endpoint> Change(EndpointChange change) = 0;  // GY3852 sticky, GY3853 park_after
  // The champion first, then by name.
  virtual Result<std::vector<VariantCounts>> Variants(std::string_view project,
                                                      std::string_view endpoint) = 0;
  // Newest first: {"at", "level", "variant", "message"}. The newest 200 changes are kept; refused
  // requests (a few a second) and parking only since start.
  virtual Result<Json> Log(std::string_view project, std::string_view endpoint, int limit) = 0;

  virtual Result<> Remove(std::string_view project, std::string_view endpoint,
                          std::string_view by) = 0;
  virtual Result<Endpoint> Get(std::string_view project, std::string_view endpoint) = 0;
  virtual Result<std::vector<Endpoint>> List(
      std::string_view project, int limit,
      std::string_view after) = 0;  // by name; empty project = all
  virtual Result<std::vector<Deployment>> History(std::string_view project,
                                                  std::string_view endpoint,
                                                  int limit) = 0;  // newest first

  // Whose it is, loaded or not, without waking it; empty when there is no such endpoint.
  virtual std::string ProjectOf(std::string_view endpoint) = 0;
  // Whether the next request waits until its models are loaded again.
  virtual bool Parked(std::string_view endpoint) = 0;
  // The champion. Waits only where a parked endpoint must be loaded. Null when there is no such
  // endpoint or it is not loaded.
  virtual std::shared_ptr<const Snapshot> Find(std::string_view endpoint) = 0;
  // The variant for one request, for protocols that score by themselves: by the header, where the
  // endpoint is sticky by one, else by chance.
  virtual std::shared_ptr<const Snapshot> Choose(std::string_view endpoint,
                                                 const Headers& headers) = 0;
  // The champion or canary that runs this version of its model. Null when none does.
  virtual std::shared_ptr<const Snapshot> FindVersion(std::string_view endpoint,
                                                      std::string_view version) = 0;
  virtual std::vector<std::shared_ptr<const Snapshot>> Snapshots() = 0;

  // The online path: a body `{"inputs": [{column: value, ...}, ...]}` in, the answer as JSON out.
  // Waits only for a parked endpoint, and does not allocate beyond its answer once warm (beside a
  // shadow it copies the body). Column order of the rows is
  // learned, unknown columns are ignored and counted, missing ones are null. Errors: kNotFound
  // GY3802, kUnavailable GY3805 not loaded, kInvalidArgument GY3810 (body), GY3811 (row and column
  // named), GY3812 (too many rows).
  virtual Result<std::string> Predict(std::string_view endpoint, std::string_view body,
                                      const Headers* headers = nullptr) = 0;
  // Of the endpoint's champion, or of one variant, over all its deployments.
  virtual EndpointCounts Counts(std::string_view endpoint,
                                std::string_view variant = kChampion) = 0;
  virtual std::vector<CountedVariant> Counted() = 0;
  // Of all that answered callers under this name, also what has been taken away since; shadows did
  // not.
  virtual EndpointCounts Answered(std::string_view endpoint) = 0;

  // Compares what should run with what runs: deploys what followed aliases point at now. One that
  // does not fit the endpoint's callers is refused, the old one answers on: event
  // "endpoint.refused", once for each version. Called
  // when an alias has moved (event "model.alias.moved") and now and then.
  virtual Result<> Reconcile() = 0;
};

// `log` gets what endpoints answer; null: nothing is captured.
Result<std::unique_ptr<Serving>> OpenServing(db::Database& database, blob::Store& blobs,
                                             registry::Registry& registry, events::Events& events,
                                             telemetry::Metrics& metrics, const Clock& clock,
                                             ServingSettings settings,
                                             inference_log::InferenceLog* log = nullptr);

// The worker's side: "predictors.score_file", "predictors.explain_file".
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::serving
