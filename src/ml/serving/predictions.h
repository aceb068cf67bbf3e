// Scoring and explaining files as jobs. The file that comes in and the one that is made are blobs
// that no row refers to: the collector removes them when they are older than its grace time (a
// day). Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "platform/blob/blob_store.h"

namespace gyre::serving {

struct PredictionRequest {
  std::string project;
  std::string filename;         // for messages
  std::string format;           // of the file; empty = by content
  std::string output_format;    // csv, jsonl, parquet; explanations: none, only their summary
  bool bad_is_missing = false;  // cells that cannot be read: missing instead of an error
  std::string created_by;
};

struct ScoredFile {
  blob::Object object;
  std::string format;  // csv, jsonl, parquet
};

class Predictions {
 public:
  // Registers the kinds "predict.file" and "explain.file", so before jobs.Start().
  Predictions(registry::Registry& registry, blob::Store& blobs, runners::Jobs& jobs);

  // Before a large file is sent for nothing: that the model is there. The version's name.
  Result<registry::ModelVersion> Model(std::string_view project, std::string_view reference) {
    return registry_.Resolve(project, reference);
  }
  // Scores a blob. Result of the job: {"model", "rows", "notes", "format", "sha256", "bytes"}.
  Result<runners::Job> Submit(const registry::ModelVersion& version, PredictionRequest request,
                              const blob::Object& upload);
  // Explains how a model comes to its answers for a blob's rows. Result of the job: {"model",
  // "rows", "notes", "scale", "outputs"}, and where a file was asked for what Submit's has.
  Result<runners::Job> SubmitExplanation(const registry::ModelVersion& version,
                                         PredictionRequest request, const blob::Object& upload);
  // Errors: kNotFound GY3826 no such job, or it was to make no file, GY3828 its file has been
  // removed, kFailedPrecondition GY3827 it has not succeeded.
  Result<ScoredFile> Find(std::string_view project, std::string_view job_id);

 private:
  Result<runners::Job> SubmitKind(std::string_view kind, std::string title,
                                  const registry::ModelVersion& version, PredictionRequest request,
                                  const blob::Object& upload);
  Result<Json> Execute(runners::JobRun& run, std::string task);

  registry::Registry& registry_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
};

}  // namespace gyre::serving
