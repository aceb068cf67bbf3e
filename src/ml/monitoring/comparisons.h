// Comparisons of two tables as jobs. Like the answer of a query, a comparison is a blob that no row
// refers to: the collector removes it when it is older than its grace time (a day). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/data/datasets.h"
#include "ml/runners/jobs.h"
#include "ml/runners/tasks.h"
#include "platform/blob/blob_store.h"

namespace gyre::monitoring {

// One of both tables: a dataset version, a file that was sent, or a file of this machine.
struct ComparedTable {
  std::optional<data::Version> version{};
  std::optional<blob::Object> upload{};
  std::string file{};    // absolute path; whoever takes it from a request has made sure that it may
  std::string name{};    // of a file, for people
  std::string format{};  // of a file; empty = by content
};

struct ComparisonRequest {
  std::string project{};
  ComparedTable reference{}, current{};
  std::string method{};               // empty = the calibrated default
  std::optional<double> threshold{};  // of the method
  std::vector<std::string> columns{};
  std::string created_by{};
};

// Before a large file is taken for nothing. Errors: GY3007; kInvalidArgument GY4524 a threshold
// without a method, GY4525 one that is out of range.
Result<> CheckComparison(const ComparisonRequest& request);

class Comparisons {
 public:
  // Registers the kind "monitoring.compare", so before jobs.Start(). threads: of one comparison.
  Comparisons(data::Datasets& datasets, blob::Store& blobs, runners::Jobs& jobs, int threads);

  // Result of the job: {"drifted", "drifted_columns", "compared_columns", "notes", "sha256",
  // "bytes"}. Errors: those of CheckComparison.
  Result<runners::Job> Submit(const ComparisonRequest& request);
  // What CompareTables said. `program`: the program that asks, empty for anybody else. Errors:
  // kNotFound GY4526 no such job, GY4528 it has been removed, kFailedPrecondition GY4527 it has not
  // succeeded, kPermissionDenied GY4532 a program and another one's comparison.
  Result<Json> Find(std::string_view project, std::string_view job_id,
                    std::string_view program = {});

 private:
  Result<Json> Execute(runners::JobRun& run);
  Result<Json> SideOf(const Json& table);

  data::Datasets& datasets_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
  const int threads_;
};

// A comparison as one HTML page that needs nothing else: pictures, tables and reasons, by drift.
std::string ReportPage(const Json& comparison);

// Worker side: "monitoring.compare".
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::monitoring
