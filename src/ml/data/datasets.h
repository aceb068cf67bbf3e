// Datasets and their versions. A version is immutable: Parquet parts in the blob store, schema,
// profile, content hash. The same content again makes no new version. References: "sales" (the
// latest), "sales:v3", "project/sales:v3" (only within the project). Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ledger/events/events.h"
#include "ml/runners/jobs.h"
#include "ml/runners/tasks.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"
#include "platform/table/formats.h"
#include "platform/table/frame.h"

namespace gyre::data {

db::ModuleSchema DataSchema();

struct Part {
  blob::Object object{};
  std::int64_t rows = 0;
};

struct Version {
  std::string id{}, dataset_id{}, project{}, dataset{};
  std::int64_t number = 0;  // "v3" is 3
  std::string
      content_hash{};  // of the values, whatever the file was called and however it was split
  std::string source_name{}, format{};  // "sales.csv", "CSV, comma separated, UTF-8"
  std::string source_digest{};          // SHA-256 of that file; empty in versions of old
  std::int64_t rows = 0, source_bytes = 0;
  table::Schema schema{};
  table::Formats formats{};          // of its columns' text
  std::vector<Part> parts{};         // Parquet, in order
  std::vector<std::string> notes{};  // how it was read
  Json warnings{};  // of the profile: [{severity, kind, column, message}], high first
  Json check{};     // of the expectations at import: null when there were none
  std::int64_t rows_quarantined = 0;
  std::map<std::string, std::string> tags{};
  std::string created_by{};
  std::int64_t created_us = 0;

  std::string reference() const { return dataset + ":v" + std::to_string(number); }
  std::int64_t bytes() const;
};
Json VersionToJson(const Version& version);  // with the manifest of its parts

struct Dataset {
  std::string id{}, project{}, name{}, created_by{};
  std::int64_t created_us = 0;
  std::optional<Version> latest{};
  std::int64_t versions = 0;
};
Json DatasetToJson(const Dataset& dataset);

// An upload that is being written. Nothing is left when it is destroyed without being handed to
// Import.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual Result<> Append(std::string_view bytes) = 0;
};

struct ImportRequest {
  std::string project{}, dataset{};
  std::string filename{};            // shown in messages; its extension is a hint
  std::string format{};              // csv, jsonl, parquet, tar (a folder); empty = by content
  std::string bad{};                 // error, null, quarantine; empty = quarantine where somebody
                                     // has set expectations, else error
  std::string columns{};             // same: of another table than the newest version's it takes
                                     // nothing (GY2115); any, empty = whatever the file has
  std::vector<std::string> types{};  // "age=text", "when=date:%d/%m/%Y"
  std::map<std::string, std::string> tags{};
  std::string target{};                  // for association and leak warnings; may be empty
  std::vector<std::string> made_from{};  // ids of versions that these rows were asked of
  std::string created_by{};
};

class Datasets {
 public:
  virtual ~Datasets() = default;

  // --- versions ----------------------------------------------------------------------------------
  // Errors: kNotFound GY2101 no such dataset (did you mean), GY2102 no such version;
  // kInvalidArgument GY2103 not a reference; kPermissionDenied GY2112 it leads into another
  // project.
  virtual Result<Version> Resolve(std::string_view project, std::string_view reference) = 0;
  virtual Result<Version> GetVersionById(std::string_view id) = 0;
  virtual Result<Dataset> Get(std::string_view project, std::string_view name) = 0;
  virtual Result<std::vector<Dataset>> List(std::string_view project, std::string_view after_name,
                                            int limit) = 0;
  virtual Result<std::vector<std::string>> Names(std::string_view project) = 0;
  virtual Result<std::vector<Version>> ListVersions(std::string_view project, std::string_view name,
                                                    std::int64_t before_number, int limit) = 0;
  // Local paths of the parts, for a worker task. Error: kDataLoss GY1502 when one is damaged.
  virtual Result<std::vector<std::string>> PartPaths(const Version& version) = 0;
  virtual Result<> SetTags(std::string_view project, std::string_view reference,
                           const std::map<std::string, std::string>& tags) = 0;  // "" removes
  // Removes a dataset with all its versions, or one version ("sales:v3"); blobs go when nothing
  // else needs them.
  virtual Result<> Remove(std::string_view project, std::string_view reference) = 0;

  // --- import ------------------------------------------------------------------------------------
  virtual Result<std::unique_ptr<Upload>> NewUpload() = 0;
  // Submits a "dataset.import" job. Its result: {"dataset", "version", "unchanged", "rows",
  // "columns", "warnings", "notes", ...}.
  virtual Result<runners::Job> Import(ImportRequest request, std::unique_ptr<Upload> upload) = 0;
  // The same within a job that runs, from that progress on: a job that waited for another one would
  // hold the slot that this one needs. The job's project, person and memory are those of the
  // import.
  virtual Result<Json> ImportWithin(runners::JobRun& run, double progress_from,
                                    ImportRequest request, std::unique_ptr<Upload> upload) = 0;

  // --- looking into a version --------------------------------------------------------------------
  virtual Result<Json> Profile(const Version& version) = 0;
  // Association of each column with `target`, and its leak warnings.
  virtual Result<Json> ProfileAgainst(const Version& version, std::string_view target) = 0;
  virtual Result<Json> Rows(const Version& version, std::int64_t offset, std::int64_t limit) = 0;
  virtual Result<Json> Quarantine(const Version& version, std::int64_t limit) = 0;
  virtual Result<Json> Diff(const Version& from, const Version& to) = 0;
  // One Parquet file of all parts; made and kept at the first call when there are several.
  virtual Result<blob::Object> ParquetFile(const Version& version) = 0;
  // Writes csv, jsonl or parquet into a scratch file; the caller removes it.
  virtual Result<std::string> Export(const Version& version, std::string_view format,
                                     const std::function<bool()>& cancelled) = 0;

  // --- expectations ------------------------------------------------------------------------------
  // The suite in force: what was set, else what the first version suggests. {"expectations": [...],
  // "number", "origin"}.
  virtual Result<Json> Expectations(std::string_view project, std::string_view name) = 0;
  virtual Result<Json> SuggestExpectations(const Version& version) = 0;
  virtual Result<Json> SetExpectations(std::string_view project, std::string_view name,
                                       const Json& suite, std::string_view by) = 0;
  // Submits a "dataset.check" job. Its result: {"success", "results": [...]}.
  virtual Result<runners::Job> Check(const Version& version, std::string_view by) = 0;
};

// Registers its kinds of jobs, so before jobs.Start(). Events: dataset.version.created,
// dataset.version.removed.
Result<std::unique_ptr<Datasets>> OpenDatasets(db::Database& database, blob::Store& blobs,
                                               runners::Jobs& jobs, events::Events& events,
                                               const Clock& clock);

// Worker side: "data.import", "data.check", "data.query", "data.export", "data.associate".
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::data
