// Endpoints: names that answer predictions, and the deployments behind them.
//
// What should run stands in the database (one append-only row per deployment, the endpoint points
// at one of them); what runs is a table of immutable snapshots {scorer, names, plan} that is
// swapped as a whole. A request holds its snapshot until it is answered, so that a swap fails
// nobody. The packages of earlier deployments stay referenced: rolling back needs nothing but the
// database. Thread-safe.
#pragma once

#include <cstdint>
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
  std::string basis;  // "deploy", "rollback", "alias moved"
  std::string reason, deployed_by;
  std::int64_t created_us = 0;
};
Json DeploymentToJson(const Deployment& deployment);

struct Endpoint {
  std::string id, project, name;  // names are unique per server
  std::string follows;    // "churn@champion": moves of this alias are followed; empty = pinned
  Deployment deployment;  // what should run
  bool ready = false;     // it runs
  std::string problem;    // why not
  std::string created_by;
  std::int64_t created_us = 0, updated_us = 0;
  std::int64_t memory_bytes = 0;  // of the loaded predictor
};
Json EndpointToJson(const Endpoint& endpoint);

// What answers: immutable, shared by the requests that use it.
struct Snapshot;
struct SnapshotInfo {
  std::string endpoint, project, deployment_id, model;  // "churn:v3"
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
};
struct RollbackRequest {
  std::string project, endpoint;
  int to = 0;  // number of an earlier deployment; 0 = the one before the present one
  std::string reason, deployed_by;
};

// Counted since start.
struct EndpointCounts {
  std::int64_t requests = 0, rows = 0, failed = 0, ignored_columns = 0;
  std::int64_t bytes = 0;   // of bodies and answers
  std::int64_t cpu_ns = 0;  // of the answering threads; small requests are sampled
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
  // GY3203, GY3110 a broken package.
  virtual Result<Endpoint> Deploy(DeployRequest request) = 0;
  // Errors: kNotFound GY3802 no such endpoint, GY3803 no such deployment, kFailedPrecondition
  // GY3804 there is no earlier one, GY3807 its model version has been removed.
  virtual Result<Endpoint> Rollback(RollbackRequest request) = 0;
  virtual Result<> Remove(std::string_view project, std::string_view endpoint,
                          std::string_view by) = 0;
  virtual Result<Endpoint> Get(std::string_view project, std::string_view endpoint) = 0;
  virtual Result<std::vector<Endpoint>> List(
      std::string_view project, int limit,
      std::string_view after) = 0;  // by name; empty project = all
  virtual Result<std::vector<Deployment>> History(std::string_view project,
                                                  std::string_view endpoint,
                                                  int limit) = 0;  // newest first

  // Never waits. Null when there is no such endpoint or it is not loaded.
  virtual std::shared_ptr<const Snapshot> Find(std::string_view endpoint) = 0;
  virtual std::vector<std::shared_ptr<const Snapshot>> Snapshots() = 0;

  // The online path: a body `{"inputs": [{column: value, ...}, ...]}` in, the answer as JSON out.
  // Never waits, and does not allocate beyond its answer once warm. Column order of the rows is
  // learned, unknown columns are ignored and counted, missing ones are null. Errors: kNotFound
  // GY3802, kUnavailable GY3805 not loaded, kInvalidArgument GY3810 (body), GY3811 (row and column
  // named), GY3812 (too many rows).
  virtual Result<std::string> Predict(std::string_view endpoint, std::string_view body) = 0;
  virtual EndpointCounts Counts(std::string_view endpoint) = 0;

  // Compares what should run with what runs: deploys what followed aliases point at now. Called
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
