// SQL over the datasets of a project, as jobs. The answer is a blob that no row refers to: the
// collector removes it when it is older than its grace time (a day). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "ml/data/datasets.h"
#include "ml/runners/jobs.h"
#include "platform/blob/blob_store.h"

namespace gyre::data {

struct QueryRequest {
  std::string project{};
  std::string sql{};             // datasets are tables; "name:v2" in quotes is an older version
  std::int64_t rows_max = 1000;  // 0 = all, with a format
  std::string format{};          // csv, jsonl, parquet: the answer is a file; empty: JSON
  std::string created_by{};
  // Dataset -> id of the version that its bare name means; the latest when there is none.
  std::map<std::string, std::string> pinned{};
  // Told of each version that the query names, before it is submitted. A name that stands in it for
  // something else (a column) counts too: rather one too many than one too few.
  std::function<Result<>(const Version& version, bool by_name_alone)> on_read{};
};

constexpr std::string_view kQueryJob = "dataset.query";

class Queries {
 public:
  // Registers the kind "dataset.query", so before jobs.Start().
  Queries(Datasets& datasets, blob::Store& blobs, runners::Jobs& jobs, std::int64_t timeout_ms);

  // Which versions the names mean is settled here, however long the job waits. Its result: {"rows",
  // "truncated", "sha256", "bytes"}.
  Result<runners::Job> Submit(const QueryRequest& request);
  // {"columns", "rows", "truncated"} as JSON, or a file of the format. Errors: kNotFound GY2118 no
  // such job, GY2120 its answer has been removed, kFailedPrecondition GY2119 it has not succeeded.
  struct Kept {
    blob::Object object;
    std::string format;  // as asked
  };
  Result<Kept> Answer(std::string_view project, std::string_view job_id);

 private:
  Result<Json> TablesOf(const QueryRequest& request);
  Result<> AddTables(const std::string& dataset, const QueryRequest& request, Json* tables);
  Result<Json> Execute(runners::JobRun& run);
  Result<Json> Ask(runners::JobRun& run);

  Datasets& datasets_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
  const std::int64_t timeout_ms_;
};

}  // namespace gyre::data
