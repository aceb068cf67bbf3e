// What MLflow has kept, whichever way: a database, a folder of files or a live server. Private to
// cli.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/imports/runs.h"

namespace gyre::cli::imports {

using StoredTags = std::map<std::string, std::string>;

struct StoredExperiment {
  std::int64_t number = 0;
  std::string title, artifact_root;
  std::int64_t created_us = 0;
  bool deleted = false;
  StoredTags tags = {};
};

struct StoredModelPoint {
  std::string key;
  double value = 0;
  std::int64_t step = 0, time_us = 0;
  std::string run_id, dataset_name, dataset_digest;
};

// A model that a client logged (MLflow 3).
struct StoredLoggedModel {
  std::string id, name, artifact_root, run_id, model_type;
  std::string status = "ready";
  std::int64_t created_us = 0;
  bool deleted = false;
  StoredTags params = {}, tags = {};
  std::vector<StoredModelPoint> metrics = {};
  std::string said_root = {};  // what clients are told instead; empty = the same
};

struct StoredRun {
  RunSource run;
  std::string artifact_root;
  std::string said_root = {};  // what clients are told instead; empty = the same
};

struct StoredVersion {
  int number = 0;
  std::string source, run_id, run_link, description, stage, created_by;
  std::int64_t created_us = 0;
  StoredTags tags = {};
};
struct StoredModel {
  std::string title, description;
  StoredTags tags = {};
  std::vector<StoredVersion> versions = {};  // by number, without those that are deleted
  std::map<std::string, int> aliases = {};
};

class MlflowStore {
 public:
  virtual ~MlflowStore() = default;
  virtual Result<std::vector<StoredExperiment>> Experiments() = 0;
  virtual Result<std::vector<std::string>> RunsOf(const StoredExperiment& experiment) = 0;  // ids
  virtual Result<StoredRun> ReadRun(const StoredExperiment& experiment, const std::string& id) = 0;
  virtual Result<std::vector<std::string>> LoggedModelsOf(
      const StoredExperiment& experiment) = 0;  // ids
  virtual Result<StoredLoggedModel> ReadLoggedModel(const StoredExperiment& experiment,
                                                    const std::string& id) = 0;
  virtual Result<std::vector<StoredModel>> Models() = 0;
  // What it holds besides that: "traces" -> 12.
  virtual Result<std::map<std::string, std::int64_t>> Others() = 0;
};

bool IsMlflowDatabase(const std::string& path);
bool IsMlflowFolder(const std::string& path);
bool IsMlflowPostgres(const std::string& url);  // also as MLflow writes it: postgresql+psycopg2://
bool IsMlflowServer(const std::string& url);
Result<std::unique_ptr<MlflowStore>> OpenMlflowDatabase(const std::string& path);
Result<std::unique_ptr<MlflowStore>> OpenMlflowFolder(const std::string& path);
// GY4963 the database has no tables of MLflow; those of OpenPostgres().
Result<std::unique_ptr<MlflowStore>> OpenMlflowPostgres(const std::string& url);
// The files of the run or logged model that was read last lie below `scratch`. GY4962 the server's
// own refusal.
Result<std::unique_ptr<MlflowStore>> OpenMlflowServer(const std::string& url,
                                                      const std::string& scratch);

// Words of both: "FINISHED" or 3 -> "finished".
std::string RunStatusOf(std::string_view word);
std::string ModelStatusOf(std::string_view word);  // "LOGGED_MODEL_READY" or 2 -> "ready"
// MLflow cannot keep an infinity: the largest number stands for it.
double MetricOf(double value);
// The path of this machine that an artifact root names, "" when it names none; `here` is where
// relative ones begin (empty: nowhere), `served` the folder of what a server keeps
// ("mlflow-artifacts:/").
std::string LocalPathOf(std::string_view root, const std::string& here, const std::string& served);

}  // namespace gyre::cli::imports
