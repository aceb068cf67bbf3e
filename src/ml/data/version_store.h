// All SQL of ml/data. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/events/events.h"
#include "ledger/trash/parcel.h"
#include "ml/data/datasets.h"

namespace gyre::data {

// What a row of dataset_version holds besides what a Version shows.
struct VersionFiles {
  std::string profile_digest, merged_digest, quarantine_digest;
  std::int64_t merged_bytes = 0;
};
struct StoredVersion {
  Version version;
  VersionFiles files;
};
struct NewVersion {
  Version version;  // id, number and dataset_id are filled in
  VersionFiles files;
  std::string source_key;
  std::vector<blob::Object> objects;  // everything that the version refers to
};

// Event "dataset.version.created" or "dataset.version.removed".
Result<> Announce(events::Events& events, db::Transaction& tx, const Version& version,
                  std::string_view kind);

class VersionStore {
 public:
  explicit VersionStore(db::Database& database) : database_(database) {}

  Result<std::optional<Dataset>> FindDataset(std::string_view project, std::string_view name);
  Result<std::vector<std::string>> DatasetNames(std::string_view project, int limit);
  Result<std::vector<Dataset>> ListDatasets(std::string_view project, std::string_view after_name,
                                            int limit);
  // number 0 = the latest
  Result<std::optional<StoredVersion>> FindVersion(std::string_view dataset_id,
                                                   std::int64_t number);
  Result<std::optional<StoredVersion>> FindVersionById(std::string_view id);
  Result<std::optional<std::int64_t>> FindBySource(std::string_view dataset_id,
                                                   std::string_view source_key);
  Result<std::vector<Version>> ListVersions(std::string_view dataset_id, std::int64_t before_number,
                                            int limit);

  // In one transaction: the dataset when it is new, the version unless its content is there already
  // (then that one), references to blobs. `created` says which. `also` runs in the same transaction
  // when a version was made.
  using Also = std::function<Result<>(db::Transaction&, const Version&)>;
  Result<Version> Commit(const NewVersion& version, bool* created, const Also& also);
  Result<> SetTags(std::string_view version_id, const std::map<std::string, std::string>& tags);
  Result<> SetMerged(std::string_view version_id, const blob::Object& object);
  // number 0 = the dataset with all its versions. Answers the ids of the versions that went.
  // Into the trash; `number` 0 = all of them and the dataset.
  Result<> Remove(std::string_view dataset_id, std::int64_t number, trash::Removal removal,
                  const Also& also);

  struct Suite {
    std::int64_t number = 0;
    Json suite;
    std::string created_by;
    std::int64_t created_us = 0;
  };
  Result<std::optional<Suite>> NewestSuite(std::string_view dataset_id);
  Result<Suite> AddSuite(std::string_view dataset_id, const Json& suite, std::string_view by,
                         std::int64_t now_us);

 private:
  Result<std::optional<StoredVersion>> Find(std::string_view where, db::Params params);
  db::Database& database_;
};

}  // namespace gyre::data
