// Runs written straight into the tables: by the thousand in one transaction, also such as no client
// would make.
#pragma once

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ml/tracking/names.h"
#include "ml/tracking/tracking.h"
#include "platform/db/database.h"

namespace gyre::tracking {

struct MetricForTests {
  double value = 0;  // NaN too
  std::optional<double> least = {}, most = {};
};
struct DatasetForTests {
  std::string name, digest, context;
};
struct RunForTests {
  std::int64_t number = 0, experiment = 0;
  std::string project = "p", id = {}, name = {}, user_name = {}, artifact_root = {};
  std::string status = "finished";
  std::int64_t started_us = 0, ended_us = 0, deleted_us = 0;
  std::map<std::string, std::string> params = {}, tags = {};
  std::map<std::string, MetricForTests> metrics = {};
  std::vector<DatasetForTests> datasets = {};
};

inline Result<> WriteExperiment(db::Transaction& tx, std::int64_t number,
                                std::string_view project) {
  const std::string title = "e" + std::to_string(number);
  return tx.Execute(
      "INSERT INTO tracking_experiment (id, project, name, created_us, number, title, updated_us) "
      "VALUES (?1, ?2, ?3, 1, ?4, ?3, 1)",
      {title, project, title, number});
}

inline Result<> WriteDataset(db::Transaction& tx, const RunForTests& run,
                             const DatasetForTests& dataset) {
  const std::int64_t next =
      run.number * 10 + static_cast<std::int64_t>(&dataset - &run.datasets[0]);
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_dataset (number, experiment, name, digest, source_type, "
                 "source, schema_text, profile) VALUES (?1, ?2, ?3, ?4, '', '', '', '') "
                 "ON CONFLICT (experiment, name, digest) DO NOTHING",
                 {next, run.experiment, dataset.name, dataset.digest}));
  return tx.Execute(
      "INSERT INTO tracking_run_dataset (run, dataset, context, tags) SELECT ?1, "
      "number, ?2, '{}' FROM tracking_dataset WHERE experiment = ?3 AND name = ?4 AND "
      "digest = ?5 ON CONFLICT (run, dataset) DO NOTHING",
      {run.number, dataset.context, run.experiment, dataset.name, dataset.digest});
}

inline Result<> WriteTexts(db::Transaction& tx, const RunForTests& run, std::string_view insert,
                           const std::map<std::string, std::string>& texts) {
  for (const auto& [key, value] : texts) {
    GYRE_TRY(const std::int64_t name, NameBook::Ensure(tx, key));
    GYRE_DO(tx.Execute(insert, {run.number, name, run.experiment, value}));
  }
  return {};
}

inline Result<> WriteRun(db::Transaction& tx, const RunForTests& run) {
  GYRE_DO(tx.Execute(
      "INSERT INTO tracking_run (number, id, project, experiment, name, kind, job, parent, "
      "created_by, user_name, status, seed, error, created_us, started_us, ended_us, deleted_us, "
      "artifact_root, source, code, inputs, environment, resources) VALUES (?1, ?2, ?3, ?4, ?5, "
      "'client', '', '', '', ?6, ?7, '', '', ?8, ?8, ?9, ?10, ?11, '', '', '', '', '')",
      {run.number, run.id, run.project, run.experiment, run.name, run.user_name, run.status,
       run.started_us, run.ended_us, run.deleted_us, run.artifact_root}));
  GYRE_DO(WriteTexts(tx, run,
                     "INSERT INTO tracking_run_param (run, name, experiment, value) VALUES (?1, "
                     "?2, ?3, ?4)",
                     run.params));
  GYRE_DO(WriteTexts(tx, run,
                     "INSERT INTO tracking_run_tag (run, name, experiment, value) VALUES (?1, ?2, "
                     "?3, ?4)",
                     run.tags));
  for (const auto& [key, metric] : run.metrics) {
    GYRE_TRY(const std::int64_t name, NameBook::Ensure(tx, key));
    GYRE_DO(
        tx.Execute("INSERT INTO tracking_metric (run, name, experiment, value, step, time_us, "
                   "points, least, most) VALUES (?1, ?2, ?3, ?4, 0, 1, 1, ?5, ?6)",
                   {run.number, name, run.experiment, metric.value, metric.least, metric.most}));
  }
  for (const DatasetForTests& dataset : run.datasets) GYRE_DO(WriteDataset(tx, run, dataset));
  return {};
}

}  // namespace gyre::tracking
