// What endpoints answered, and what turned out to be true: rows with inputs and outputs, captured
// in bounded memory, and labels that come later, in any order. The owner's side: it finds files;
// reading them (joined.h) is a worker's work. An endpoint is a name in a project; what it answered
// stays when it is removed, until it is too old. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/data/datasets.h"
#include "ml/inference_log/joined.h"
#include "ml/inference_log/policy.h"
#include "ml/inference_log/recorder.h"
#include "ml/runners/jobs.h"
#include "ml/runners/tasks.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"
#include "platform/telemetry/metrics.h"

namespace gyre::inference_log {

db::ModuleSchema InferenceLogSchema();

struct LogSettings {
  std::string key_path = {};                // of the key that hashes columns; made when missing
  std::int64_t buffer_bytes_max = 8 << 20;  // of each thread that answers
  std::int64_t segment_rows_max = 32'768;
  std::int64_t segment_bytes_max = 8 << 20;
  std::int64_t seal_us = 3 * kMicrosPerSecond;  // a crash loses at most what is younger
};

// What there is of an endpoint in a range of event times, without reading a file: whether a window
// is complete, and how full it is.
struct WindowFacts {
  std::int64_t segments = 0;
  std::int64_t rows = 0;     // of the segments that reach into the range: an upper bound
  std::int64_t pending = 0;  // answered, in no segment yet (of the endpoint)
  std::int64_t label_batches = 0, labels = 0;          // of the endpoint
  std::int64_t event_max_us = 0, received_max_us = 0;  // of the endpoint, sealed; 0 = nothing
  std::int64_t complete_through_us = 0;  // what came before then is sealed, or counted as dropped
};

// What was sealed after a moment.
struct SealedSince {
  std::int64_t newest_us = 0;             // when the newest segment of all was sealed; 0 = none
  std::int64_t event_min_us = INT64_MAX;  // the earliest event in those sealed since
};

// An endpoint as people ask for it. Rows that were answered while capture was on = captured +
// pending + dropped + left_out (+ expired + forgotten).
struct CaptureStatus {
  std::string project = {}, endpoint = {};
  Policy policy = {};
  std::int64_t captured = 0, pending = 0, dropped = 0;
  std::int64_t left_out = 0;   // by sampling
  std::int64_t expired = 0;    // removed by retention
  std::int64_t forgotten = 0;  // removed because somebody asked for it
  std::int64_t ahead = 0;      // whose event time was ahead of the clock: their arrival counts
  std::int64_t labels = 0;     // as they came, with repeats
  std::int64_t segments = 0, bytes = 0;
  std::int64_t event_min_us = 0, event_max_us = 0, received_max_us = 0;
};
Json CaptureStatusToJson(const CaptureStatus& status);

// Where and when an answer was given, as far as its id tells among what is kept of a project.
struct Trace {
  bool captured = false;
  std::int64_t matches = 0;  // captured rows with that id; a client may give one twice
  // The newest of them.
  std::string endpoint = {}, deployment_id = {}, model = {}, model_version_id = {}, role = {};
  std::int64_t event_us = 0, received_us = 0, latency_us = 0;
  Json prediction = {}, label = {}, label_time = {};
  // Not captured: the thread that gave the id captured these answers before and after it. 0 = none.
  std::int64_t after_us = 0, before_us = 0;
  std::vector<std::string> problems = {};  // damaged files
};

// Files for ReadJoined, held so that none is collected meanwhile.
struct ReadPlan {
  ReadRequest request;
  std::vector<blob::Pin> pins;
};

// What was forgotten.
struct Forgotten {
  std::int64_t rows = 0, labels = 0, files = 0;
  std::vector<std::string> endpoints = {};  // whose rows or labels they were
  std::vector<std::string> problems = {};   // damaged files: what they held is not known
};
Json ForgottenToJson(const Forgotten& forgotten);

// Labels of one request: all of them, or none.
class Feedback {
 public:
  virtual ~Feedback() = default;
  // `place` is said in messages: "rows[3]". Errors: kInvalidArgument GY4610, GY4611.
  virtual Result<> Add(const Json& row, std::string_view place) = 0;
  // Durable when it returns: {"accepted", "unknown_classes": {name: count}}.
  virtual Result<Json> Commit() = 0;
};

class InferenceLog {
 public:
  virtual ~InferenceLog() = default;  // as Stop
  virtual void Start() = 0;
  virtual void Stop() = 0;  // writes what there is

  // --- answering ---------------------------------------------------------------------------------
  // Before a deployment answers. Recorders are given the stream.
  virtual std::shared_ptr<const Stream> Open(StreamSpec spec) = 0;
  // Seals what was answered until now. Error: kOutOfSpace and others; it is tried again by itself.
  virtual Result<> Flush() = 0;

  // --- policy ------------------------------------------------------------------------------------
  virtual Result<Policy> GetPolicy(std::string_view project, std::string_view endpoint) = 0;
  // Errors: kInvalidArgument GY4602 to GY4604.
  virtual Result<Policy> SetPolicy(std::string_view project, std::string_view endpoint,
                                   const Json& change, std::string_view by) = 0;
  // The inputs of the model that answers whose values the policy hashes or drops: nothing can be
  // trained, or judged, on such rows.
  virtual Result<std::vector<std::string>> WithheldInputs(std::string_view project,
                                                          std::string_view endpoint) = 0;

  // --- labels ------------------------------------------------------------------------------------
  // Error: kFailedPrecondition GY4612 when the endpoint has never answered.
  virtual Result<std::unique_ptr<Feedback>> NewFeedback(std::string_view project,
                                                        std::string_view endpoint) = 0;
  // A file of labels (csv, jsonl, parquet) by a job "feedback.import". Its result: {"accepted",
  // "unknown_classes", "notes"}.
  virtual Result<runners::Job> ImportLabels(std::string_view project, std::string_view endpoint,
                                            std::string filename, std::string format,
                                            std::string by, const blob::Object& upload) = 0;

  // --- reading -----------------------------------------------------------------------------------
  virtual Result<WindowFacts> Window(std::string_view project, std::string_view endpoint,
                                     std::int64_t from_us, std::int64_t to_us) = 0;
  virtual Result<SealedSince> Since(std::string_view project, std::string_view endpoint,
                                    std::int64_t sealed_us) = 0;
  virtual Result<ReadPlan> Plan(std::string_view project, std::string_view endpoint,
                                std::int64_t from_us, std::int64_t to_us) = 0;
  // The files that hold rows which were received since then, whatever the time of their events;
  // among those rows may be older ones.
  virtual Result<ReadPlan> PlanReceived(std::string_view project, std::string_view endpoint,
                                        std::int64_t since_us) = 0;
  virtual Result<CaptureStatus> Status(std::string_view project, std::string_view endpoint) = 0;
  // By name; empty project = of all.
  virtual Result<std::vector<CaptureStatus>> List(std::string_view project) = 0;
  // In a worker, while the caller waits: JoinCountsToJson and "problems".
  virtual Result<Json> Count(std::string_view project, std::string_view endpoint) = 0;
  // The newest rows: {"columns", "rows", "problems"}.
  virtual Result<Json> Rows(std::string_view project, std::string_view endpoint,
                            std::int64_t from_us, std::int64_t to_us, std::int64_t limit) = 0;
  // Reads what is kept of all endpoints of the project.
  virtual Result<Trace> Find(std::string_view project, std::string_view inference_id) = 0;
  // Writes csv, jsonl or parquet into a scratch folder that the caller removes.
  virtual Result<std::string> Export(std::string_view project, std::string_view endpoint,
                                     std::int64_t from_us, std::int64_t to_us,
                                     std::string_view format) = 0;

  // --- forgetting --------------------------------------------------------------------------------
  struct ForgetRequest {
    std::string project{}, endpoint{};  // empty endpoint: of all
    std::string key{}, id{};            // one of them: of a person, or of one answer
    std::string by{};
  };
  // Rows with that key or inference id, and their labels, are gone at once and for good when it
  // returns: the files are written anew without them, in one transaction, and the old ones are
  // removed; a start removes those that a crash left. What was made of them (windows, datasets,
  // models, backups) stays. The audit log says how many, not whose. Errors: kInvalidArgument GY4620
  // neither or both, kUnavailable GY4621 what was answered just now cannot be stored yet.
  virtual Result<Forgotten> Forget(const ForgetRequest& request) = 0;

  // --- retraining --------------------------------------------------------------------------------
  struct DatasetRequest {
    std::string project, endpoint, dataset;
    std::int64_t from_us = INT64_MIN, to_us = INT64_MAX;
    std::int64_t last_us = 0;  // > 0: only so much before the newest event, instead of from_us
    bool labelled_only = false;
    bool new_classes = false;  // rows whose label is no class of the model come along
    // Nobody looks at it before a model is made of it: rows that lack an input are left out, and a
    // class that is new and frequent is an error of the job: GY4618. Of a class of the model that
    // is not among the fresh rows older ones come along; where there are none: GY4618.
    bool retrain = false;
    std::int64_t rows_min = 0;  // fewer are an error of the job: GY4617
    // 0 = all rows are fresh. Else those since then (of the event time) are, and count for
    // rows_min; of those before, the newest fill up to fill_to rows, but never more than the fresh
    // ones, and nothing else of the history comes along.
    std::int64_t since_us = 0, fill_to = 0;
    // With fewer rows than that, those of an older dataset version stand before them, in the same
    // columns.
    std::int64_t history_below = 0;
    std::string history{};  // reference
    std::string by;
  };
  // A job "captures.dataset": inputs and the label under the target's name become a version. Its
  // result is that of dataset.import, with "fresh_rows" and "mixed". Lineage: model version ->
  // dataset version, "captured". What was left out is among the "problems". Errors: those of
  // Datasets::Resolve for the history; GY4619 when the policy withholds an input from a retrain.
  virtual Result<runners::Job> MakeDataset(DatasetRequest request) = 0;
};

// Registers its kinds of jobs, so before jobs.Start().
Result<std::unique_ptr<InferenceLog>> OpenInferenceLog(db::Database& database, blob::Store& blobs,
                                                       runners::Jobs& jobs,
                                                       data::Datasets& datasets,
                                                       telemetry::Metrics& metrics,
                                                       const Clock& clock, LogSettings settings);

// Worker side: "inference_log.count", "inference_log.rows", "inference_log.trace",
// "inference_log.export", "inference_log.dataset", "inference_log.labels".
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::inference_log
