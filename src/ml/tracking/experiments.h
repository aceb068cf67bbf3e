// Experiments: what runs belong to. Each has a number that is unique on the server, a title (any
// text, unique in its project, also beside deleted ones) and a name (the title, or what our rule
// for names makes of it: "team-ana-churn" of "/team/ana/churn"; unique in its project). Deleting
// one is a mark that hides it and its runs; both come back together. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/tracking/filter.h"
#include "ml/tracking/run_stamps.h"
#include "platform/db/database.h"

namespace gyre::tracking {

// What runs belong to when nobody says. In the project `default` it has the number 0.
inline constexpr std::string_view kDefaultExperiment = "Default";

struct Experiment {
  std::string id, project, name, title;
  std::int64_t number = 0;
  std::string artifact_root;  // where clients send files; empty = ours
  std::int64_t created_us = 0, updated_us = 0, deleted_us = 0;  // deleted_us 0 = active
  std::map<std::string, std::string> tags = {};
};
Json ExperimentToJson(const Experiment& experiment);

struct NewExperiment {
  std::string project, title;
  std::string artifact_root = {};  // empty = ours
  std::map<std::string, std::string> tags = {};
  std::int64_t number = -1;     // of an import: kept where it is free; -1 = the next
  std::int64_t created_us = 0;  // 0 = now
};

enum class View : unsigned char { kActive, kDeleted, kAll };

struct ExperimentSearch {
  std::string project;
  View view = View::kActive;
  Filter filter = {};               // of kExperimentFields
  std::vector<OrderBy> order = {};  // empty: created_us DESC, number ASC
  int limit = 1'000;
  std::string page_token = {};
};
struct ExperimentPage {
  std::vector<Experiment> experiments;
  std::string next_page_token;
};

// What a run of an experiment read, and what for.
struct DatasetUse {
  std::int64_t experiment = 0;
  std::string name, digest, context;
};

class Experiments {
 public:
  virtual ~Experiments() = default;

  // kAlreadyExists GY3420 (the title is taken; by a deleted one, the error says so), GY3421 a bad
  // title or root.
  virtual Result<Experiment> Create(const NewExperiment& from) = 0;
  // Also deleted ones. Number 0 is the Default of that project, which is made when it is not there.
  // kNotFound GY3422.
  virtual Result<Experiment> Get(std::string_view project, std::int64_t number) = 0;
  virtual Result<Experiment> Find(std::string_view project, std::string_view title) = 0;
  virtual Result<ExperimentPage> Search(const ExperimentSearch& search) = 0;
  // Each once, however many runs read it. Numbers of other projects find nothing.
  virtual Result<std::vector<DatasetUse>> Datasets(std::string_view project,
                                                   std::span<const std::int64_t> numbers,
                                                   int limit) = 0;

  // Of an active one: kFailedPrecondition GY3423 otherwise.
  virtual Result<> Rename(std::string_view project, std::int64_t number,
                          std::string_view title) = 0;
  virtual Result<> SetTags(std::string_view project, std::int64_t number,
                           const std::map<std::string, std::string>& tags) = 0;
  virtual Result<> DeleteTag(std::string_view project, std::int64_t number,
                             std::string_view key) = 0;  // kNotFound GY3424
  // Marks it and its runs. Restore brings back all of them, also those deleted one by one before.
  virtual Result<> Delete(std::string_view project, std::int64_t number) = 0;
  virtual Result<> Restore(std::string_view project, std::int64_t number) = 0;
};

Result<std::unique_ptr<Experiments>> OpenExperiments(db::Database& database, const Clock& clock,
                                                     RunStamps& stamps);

}  // namespace gyre::tracking
