// Evaluations that are kept: a document in the blob store, a row that says of what on which data,
// lineage, and the verdict of a gate. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/runners/tasks.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::evaluation {

db::ModuleSchema EvaluationSchema();

struct NewEvaluation {
  std::string project;
  std::string model_version_id;    // may be empty: training records before it registers, then puts
                                   // the id into NewVersion
  std::string other_version_id;    // the champion it was compared with; may be empty
  std::string dataset_version_id;  // may be empty (rows that are no dataset)
  std::string rows;                // "all", "held out"
  Json document;  // answer of the task "evaluation.run": {"evaluation", "comparison"?, "numbers"}
  std::string created_by;
};

struct StoredEvaluation {
  std::string id, project, model_version_id, other_version_id, dataset_version_id, rows, primary;
  Json metrics;  // {"auc": {"estimate", "lower", "upper"}}
  blob::Object document;
  std::string created_by;
  std::int64_t created_us = 0;
};
Json StoredEvaluationToJson(const StoredEvaluation& evaluation);

// Where the rows of a dataset reference lie: filled in by compose from ml/data.
struct DatasetRows {
  std::string version_id, reference;  // "sales:v3"
  std::vector<std::string> parts;     // local paths of Parquet
};
struct FindDataset {
  std::function<Result<DatasetRows>(std::string_view project, std::string_view reference)>
      by_reference;
  std::function<Result<DatasetRows>(std::string_view version_id)> by_id;
};

struct EvaluateRequest {
  std::string project;
  std::string model;               // reference
  std::string dataset;             // reference; empty = the rows that the policy of the alias names
  std::string against;             // reference of the other model; empty = none
  std::string alias = "champion";  // whose gate judges a comparison
  Json rules;           // of a gate to try; null = the policy of the alias, else the default
  Json options;         // of the task
  Json facts;           // to try KPI rules on: {"cost per saved customer": 11}
  std::string primary;  // metric; empty = that of the policy
  bool counts = true;   // false: a question; its verdict is a trial, whatever its terms
  std::string created_by;
};

class Evaluations {
 public:
  virtual ~Evaluations() = default;
  virtual Result<StoredEvaluation> Record(NewEvaluation evaluation) = 0;
  virtual Result<StoredEvaluation> Get(std::string_view id) = 0;          // kNotFound GY3706
  virtual Result<Json> Document(const StoredEvaluation& evaluation) = 0;  // with curves
  virtual Result<std::vector<StoredEvaluation>> List(std::string_view project,
                                                     std::string_view model_version_id,
                                                     int limit) = 0;  // newest first
  // The rows that taught a version, as LessonsToJson; null when they are gone: then nothing can be
  // said.
  virtual Result<Json> LessonsOf(const registry::ModelVersion& version) = 0;
  // Submits an "evaluation.run" job. Its result: {"evaluation": id, "model", "against"?, "dataset",
  // "rows", "metrics", "verdict", ...}. The verdict is recorded with the model version
  // ("verdict_recorded") when it was reached on the terms of the policy; "trial" names those of the
  // request that are not: its rules, facts, metric, bootstrap, rows, that it was a question, or
  // that the version holds the alias already. Errors of references come at once.
  virtual Result<runners::Job> Submit(EvaluateRequest request) = 0;
};

// Registers its kind of job with `jobs`: before Jobs::Start.
Result<std::unique_ptr<Evaluations>> OpenEvaluations(db::Database& database, blob::Store& blobs,
                                                     registry::Registry& registry,
                                                     runners::Jobs& jobs, FindDataset find_dataset,
                                                     const Clock& clock);

// Worker side: "evaluation.run".
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::evaluation
