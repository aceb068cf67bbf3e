// Logged models: what clients store as a model, with params, tags and what was measured of it. It
// is of an experiment, and mostly of a run; its files are those of FileOwner::kLoggedModel. A
// registered version may name one. Deleting one is a mark that hides it. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "ml/tracking/filter.h"
#include "platform/db/database.h"

namespace gyre::tracking {

enum class ModelStatus : unsigned char { kPending, kReady, kFailed };
std::string_view ModelStatusName(ModelStatus status);  // "pending", "ready", "failed"

struct ModelPoint {
  std::string key;
  double value = 0;
  std::int64_t step = 0, time_us = 0;
  std::string run_id, dataset_name, dataset_digest;
};

// By the id of their model.
using ModelPoints = std::map<std::string, std::vector<ModelPoint>>;

struct LoggedModel {
  std::string id, project, run_id, name, model_type;  // id: "m-" and 32 hexadecimal digits
  std::int64_t experiment = 0;
  ModelStatus status = ModelStatus::kPending;
  std::string artifact_root;  // empty = ours
  std::int64_t created_us = 0, updated_us = 0, deleted_us = 0;
  std::map<std::string, std::string> params = {}, tags = {};
  std::vector<ModelPoint> metrics = {};  // all of them, by key and time
};

struct NewLoggedModel {
  std::string project;
  std::int64_t experiment = 0;
  std::string name, run_id = {}, model_type = {};
  std::map<std::string, std::string> params = {}, tags = {};
  std::string id = {};          // of an import: kept; empty = a new one
  std::int64_t created_us = 0;  // of an import; 0 = now
};

// Only what was measured on it; an empty digest = on any of that name.
struct DatasetFilter {
  std::string name, digest;
};
struct ModelOrder {
  OrderBy by;
  DatasetFilter dataset = {};  // of a metric
};
struct ModelSearch {
  std::string project;
  std::vector<std::int64_t> experiments;
  Filter filter = {};                        // of kLoggedModelFields; metrics are the latest ones
  std::vector<DatasetFilter> datasets = {};  // metrics count on these only; one must be there
  std::vector<ModelOrder> order = {};        // then created_us DESC, id ASC
  int limit = 50;
  std::string page_token = {};
};
struct FoundModels {
  std::vector<LoggedModel> models;
  std::string next_page_token;  // empty at the end
};

class LoggedModels {
 public:
  LoggedModels(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // GY3422, GY3423 its experiment; GY3445 the id is none, or another project's.
  Result<LoggedModel> Create(const NewLoggedModel& from);
  // kNotFound GY3441; a deleted one only when it is asked for.
  Result<LoggedModel> Get(std::string_view project, std::string_view id, bool deleted_too = false);
  Result<LoggedModel> Finish(std::string_view project, std::string_view id, ModelStatus status);
  Result<> Delete(std::string_view project, std::string_view id);
  // A param that is there keeps its value.
  Result<> AddParams(std::string_view project, std::string_view id,
                     const std::map<std::string, std::string>& params);
  // Of an import: without a run that logs them, too. The same point twice is one. GY3441.
  Result<> AddPoints(std::string_view project, std::string_view id,
                     const std::vector<ModelPoint>& points);
  Result<> SetTags(std::string_view project, std::string_view id,
                   const std::map<std::string, std::string>& tags);
  Result<> DeleteTag(std::string_view project, std::string_view id,
                     std::string_view key);  // GY3442 no such tag
  // kInvalidArgument GY3432 a page token of another search.
  Result<FoundModels> Search(const ModelSearch& search);

 private:
  using Change = std::function<Result<>(db::Transaction&, const LoggedModel&)>;
  Result<> ChangeOne(std::string_view project, std::string_view id, const Change& change);

  db::Database& database_;
  const Clock& clock_;
};

}  // namespace gyre::tracking
