// What MLflow has kept, whichever way: a SQLite database or a folder of files. Private to cli.
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

// A model that a run logged (MLflow 3), whose files lie beside those of the run.
struct StoredLoggedModel {
  std::string id, name, artifact_root, run_id;
};

struct StoredRun {
  RunSource run;
  std::string artifact_root;
  std::vector<StoredLoggedModel> models = {};
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
  virtual Result<std::vector<StoredModel>> Models() = 0;
  // What it holds besides that: "traces" -> 12.
  virtual Result<std::map<std::string, std::int64_t>> Others() = 0;
};

bool IsMlflowDatabase(const std::string& path);
bool IsMlflowFolder(const std::string& path);
bool IsMlflowServer(const std::string& url);
Result<std::unique_ptr<MlflowStore>> OpenMlflowDatabase(const std::string& path);
Result<std::unique_ptr<MlflowStore>> OpenMlflowFolder(const std::string& path);
// The files of the run that was read last lie below `scratch`. GY4962 the server's own refusal.
Result<std::unique_ptr<MlflowStore>> OpenMlflowServer(const std::string& url,
                                                      const std::string& scratch);

// Words of both: "FINISHED" or 3 -> "finished".
std::string RunStatusOf(std::string_view word);
// MLflow cannot keep an infinity: the largest number stands for it.
double MetricOf(double value);
// The path of this machine that an artifact root names, "" when it names none; `here` is where
// relative ones begin, `served` the folder of what a server keeps ("mlflow-artifacts:/").
std::string LocalPathOf(std::string_view root, const std::string& here, const std::string& served);

}  // namespace gyre::cli::imports
