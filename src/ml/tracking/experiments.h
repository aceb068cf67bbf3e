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

// So many experiments of a folder are moved, or searched, at once.
inline constexpr int kFolderMax = 10'000;

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

// "team/churn/v2" lies in the folder "team/churn": a folder is what titles have in common, and is
// there as long as one of them has it.
struct Folder {
  std::string path;
  std::int64_t experiments = 0;  // below it, at whatever depth
};
struct FolderQuery {
  std::string project;
  std::string folder = {};  // empty = the top
  View view = View::kActive;
  int limit = 1'000;
  std::string page_token = {};
};
// What lies in a folder itself, by title.
struct FolderPage {
  std::vector<Folder> folders;
  std::vector<Experiment> experiments;
  std::string next_page_token;
};

// In one transaction; what is not there to be removed is passed over.
struct ExperimentChange {
  std::optional<std::string> title = {};
  std::map<std::string, std::string> tags = {};
  std::vector<std::string> removed_tags = {};
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
  // By number, title or name, in that order. kNotFound GY3422.
  virtual Result<Experiment> Resolve(std::string_view project, std::string_view reference) = 0;
  virtual Result<ExperimentPage> Search(const ExperimentSearch& search) = 0;
  virtual Result<FolderPage> ListFolder(const FolderQuery& query) = 0;
  // Numbers of the active ones below a folder, newest first; at most kFolderMax.
  virtual Result<std::vector<std::int64_t>> Below(std::string_view project,
                                                  std::string_view folder) = 0;
  // How many active runs it has.
  virtual Result<std::int64_t> CountRuns(std::int64_t number) = 0;
  // Each once, however many runs read it. Numbers of other projects find nothing.
  virtual Result<std::vector<DatasetUse>> Datasets(std::string_view project,
                                                   std::span<const std::int64_t> numbers,
                                                   int limit) = 0;

  // Of an active one: kFailedPrecondition GY3423 otherwise.
  virtual Result<> Change(std::string_view project, std::int64_t number,
                          const ExperimentChange& change) = 0;
  virtual Result<> Rename(std::string_view project, std::int64_t number,
                          std::string_view title) = 0;
  virtual Result<> SetTags(std::string_view project, std::int64_t number,
                           const std::map<std::string, std::string>& tags) = 0;
  virtual Result<> DeleteTag(std::string_view project, std::int64_t number,
                             std::string_view key) = 0;  // kNotFound GY3424
  // Marks it and its runs. Restore brings back all of them, also those deleted one by one before.
  virtual Result<> Delete(std::string_view project, std::int64_t number) = 0;
  virtual Result<> Restore(std::string_view project, std::int64_t number) = 0;
  // Everything below `from`, deleted ones too, lies below `to` then (empty = the top); all of it or
  // nothing. Answers how many. kNotFound GY3433 no such folder, kInvalidArgument GY3434 one that
  // cannot be moved there, kAlreadyExists GY3420.
  virtual Result<int> MoveFolder(std::string_view project, std::string_view from,
                                 std::string_view to) = 0;
};

Result<std::unique_ptr<Experiments>> OpenExperiments(db::Database& database, const Clock& clock,
                                                     RunStamps& stamps);

}  // namespace gyre::tracking
