#include "ml/data/version_store.h"

#include <limits>

#include "base/id.h"
#include "base/text.h"
#include "ml/data/dataset_json.h"

namespace gyre::data {

namespace {
constexpr std::string_view kOwnerKind = "dataset_version";
constexpr std::string_view kVersionColumns =
    "v.id, v.dataset_id, d.project, d.name, v.number, v.content_hash, v.source_name, v.format, "
    "v.row_count, v.source_bytes, v.schema_json, "
    "v.notes_json, v.warnings_json, v.check_json, v.quarantine_rows, v.created_by, v.created_us, "
    "v.profile_digest, v.merged_digest, "
    "v.quarantine_digest, v.merged_bytes, v.source_digest";

// The texts of a row; they are parsed after the reading, which then ends sooner.
struct RawVersion {
  StoredVersion stored;
  std::string schema, notes, warnings, check;
};

RawVersion ReadRow(const db::Row& row) {
  RawVersion raw;
  Version& version = raw.stored.version;
  version.id = row.Str(0);
  version.dataset_id = row.Str(1);
  version.project = row.Str(2);
  version.dataset = row.Str(3);
  version.number = row.Int(4);
  version.content_hash = row.Str(5);
  version.source_name = row.Str(6);
  version.format = row.Str(7);
  version.rows = row.Int(8);
  version.source_bytes = row.Int(9);
  raw.schema = row.Str(10);
  raw.notes = row.Str(11);
  raw.warnings = row.Str(12);
  raw.check = row.Str(13);
  version.rows_quarantined = row.Int(14);
  version.created_by = row.Str(15);
  version.created_us = row.Int(16);
  raw.stored.files.profile_digest = row.Str(17);
  raw.stored.files.merged_digest = row.Str(18);
  raw.stored.files.quarantine_digest = row.Str(19);
  raw.stored.files.merged_bytes = row.Int(20);
  version.source_digest = row.Str(21);
  return raw;
}

Result<StoredVersion> Parse(RawVersion raw) {
  Version& version = raw.stored.version;
  GYRE_TRY(const Json schema, Json::Parse(raw.schema));
  GYRE_TRY(version.schema, table::SchemaFromJson(schema));
  version.formats = table::FormatsOf(schema);
  GYRE_TRY(const Json notes, Json::Parse(raw.notes));
  for (const Json& note : notes.items()) version.notes.push_back(note.AsString());
  GYRE_TRY(version.warnings, Json::Parse(raw.warnings));
  GYRE_TRY(version.check, Json::Parse(raw.check));
  return std::move(raw.stored);
}

Result<> ReadPartsAndTags(db::Reader& reader, Version* version) {
  GYRE_DO(
      reader.Query("SELECT digest, size_bytes, row_count FROM dataset_part WHERE version_id = ?1 "
                   "ORDER BY position",
                   {version->id}, [&](const db::Row& row) -> Result<> {
                     version->parts.push_back({{row.Str(0), row.Int(1)}, row.Int(2)});
                     return {};
                   }));
  return reader.Query("SELECT name, value FROM dataset_tag WHERE version_id = ?1 ORDER BY name",
                      {version->id}, [&](const db::Row& row) -> Result<> {
                        version->tags[row.Str(0)] = row.Str(1);
                        return {};
                      });
}

Dataset ReadDataset(const db::Row& row) {
  Dataset dataset;
  dataset.id = row.Str(0);
  dataset.project = row.Str(1);
  dataset.name = row.Str(2);
  dataset.created_by = row.Str(3);
  dataset.created_us = row.Int(4);
  dataset.versions = row.Int(5);
  return dataset;
}
constexpr std::string_view kDatasetColumns =
    "d.id, d.project, d.name, d.created_by, d.created_us, (SELECT count(*) FROM dataset_version v "
    "WHERE v.dataset_id = d.id)";

Result<> WriteTags(db::Transaction& tx, std::string_view version_id,
                   const std::map<std::string, std::string>& tags) {
  for (const auto& [name, value] : tags) {
    GYRE_DO(tx.Execute("DELETE FROM dataset_tag WHERE version_id = ?1 AND name = ?2",
                       {version_id, name}));
    if (!value.empty())
      GYRE_DO(tx.Execute("INSERT INTO dataset_tag (version_id, name, value) VALUES (?1, ?2, ?3)",
                         {version_id, name, value}));
  }
  return {};
}
}  // namespace

Result<std::optional<Dataset>> VersionStore::FindDataset(std::string_view project,
                                                         std::string_view name) {
  std::optional<Dataset> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    return reader.Query(fmt::format("SELECT {} FROM dataset d WHERE d.project = ?1 AND d.name = ?2",
                                    kDatasetColumns),
                        {project, name}, [&](const db::Row& row) -> Result<> {
                          found = ReadDataset(row);
                          return {};
                        });
  }));
  return found;
}

Result<std::vector<std::string>> VersionStore::DatasetNames(std::string_view project, int limit) {
  std::vector<std::string> names;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    return reader.Query("SELECT name FROM dataset WHERE project = ?1 ORDER BY name LIMIT ?2",
                        {project, limit}, [&](const db::Row& row) -> Result<> {
                          names.push_back(row.Str(0));
                          return {};
                        });
  }));
  return names;
}

Result<std::vector<Dataset>> VersionStore::ListDatasets(std::string_view project,
                                                        std::string_view after_name, int limit) {
  std::vector<Dataset> list;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    return reader.Query(fmt::format("SELECT {} FROM dataset d WHERE d.project = ?1 AND d.name > ?2 "
                                    "ORDER BY d.name LIMIT ?3",
                                    kDatasetColumns),
                        {project, after_name, limit}, [&](const db::Row& row) -> Result<> {
                          list.push_back(ReadDataset(row));
                          return {};
                        });
  }));
  for (Dataset& dataset : list) {
    GYRE_TRY(auto latest, FindVersion(dataset.id, 0));
    if (latest) dataset.latest = std::move(latest->version);
  }
  return list;
}

Result<std::optional<StoredVersion>> VersionStore::Find(std::string_view where, db::Params params) {
  std::optional<StoredVersion> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    std::optional<RawVersion> raw;
    GYRE_DO(reader.Query(
        fmt::format(
            "SELECT {} FROM dataset_version v JOIN dataset d ON d.id = v.dataset_id WHERE {}",
            kVersionColumns, where),
        params, [&](const db::Row& row) -> Result<> {
          raw = ReadRow(row);
          return {};
        }));
    if (!raw) return {};
    GYRE_TRY(found, Parse(*std::move(raw)));
    return ReadPartsAndTags(reader, &found->version);
  }));
  return found;
}

Result<std::optional<StoredVersion>> VersionStore::FindVersion(std::string_view dataset_id,
                                                               std::int64_t number) {
  if (number > 0) return Find("v.dataset_id = ?1 AND v.number = ?2", {dataset_id, number});
  return Find("v.dataset_id = ?1 ORDER BY v.number DESC LIMIT 1", {dataset_id});
}

Result<std::optional<StoredVersion>> VersionStore::FindVersionById(std::string_view id) {
  return Find("v.id = ?1", {id});
}

Result<std::optional<std::int64_t>> VersionStore::FindBySource(std::string_view dataset_id,
                                                               std::string_view source_key) {
  std::optional<std::int64_t> number;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    return reader.Query(
        "SELECT number FROM dataset_version WHERE dataset_id = ?1 AND source_key = ?2 ORDER BY "
        "number DESC LIMIT 1",
        {dataset_id, source_key}, [&](const db::Row& row) -> Result<> {
          number = row.Int(0);
          return {};
        });
  }));
  return number;
}

Result<std::vector<Version>> VersionStore::ListVersions(std::string_view dataset_id,
                                                        std::int64_t before_number, int limit) {
  std::vector<Version> list;
  if (before_number <= 0) before_number = std::numeric_limits<std::int64_t>::max();
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    std::vector<RawVersion> rows;
    GYRE_DO(reader.Query(fmt::format("SELECT {} FROM dataset_version v JOIN dataset d ON d.id = "
                                     "v.dataset_id WHERE v.dataset_id = ?1 AND v.number < ?2 "
                                     "ORDER BY v.number DESC LIMIT ?3",
                                     kVersionColumns),
                         {dataset_id, before_number, limit}, [&](const db::Row& row) -> Result<> {
                           rows.push_back(ReadRow(row));
                           return {};
                         }));
    for (RawVersion& row : rows) {
      GYRE_TRY(StoredVersion stored, Parse(std::move(row)));
      GYRE_DO(ReadPartsAndTags(reader, &stored.version));
      list.push_back(std::move(stored.version));
    }
    return {};
  }));
  return list;
}

namespace {

// What a version's row holds as text, written before the transaction: its closure does database
// work only.
struct VersionText {
  explicit VersionText(const Version& version)
      : schema(SchemaJson(version).Dump()),
        warnings(version.warnings.Dump()),
        check(version.check.Dump()) {
    Json list = Json::Arr();
    for (const std::string& note : version.notes) list.Push(note);
    notes = list.Dump();
  }
  std::string schema, notes, warnings, check;
};

// Gives `version` its dataset, which is made when there is none, and its number.
Result<> Enlist(db::Transaction& tx, const std::string& new_dataset_id, Version* version) {
  version->dataset_id.clear();
  GYRE_DO(tx.Query("SELECT id, number_latest FROM dataset WHERE project = ?1 AND name = ?2",
                   {version->project, version->dataset}, [&](const db::Row& row) -> Result<> {
                     version->dataset_id = row.Str(0);
                     version->number = row.Int(1) + 1;
                     return {};
                   }));
  if (!version->dataset_id.empty()) return {};
  version->dataset_id = new_dataset_id;
  version->number = 1;
  return tx.Execute(
      "INSERT INTO dataset (id, project, name, number_latest, created_by, created_us) VALUES "
      "(?1, ?2, ?3, 0, ?4, ?5)",
      {version->dataset_id, version->project, version->dataset, version->created_by,
       version->created_us});
}

// The number of the version with the same content, 0 when there is none.
Result<std::int64_t> SameContent(db::Transaction& tx, const Version& version) {
  std::int64_t number = 0;
  GYRE_DO(tx.Query("SELECT number FROM dataset_version WHERE dataset_id = ?1 AND content_hash = ?2",
                   {version.dataset_id, version.content_hash}, [&](const db::Row& row) -> Result<> {
                     number = row.Int(0);
                     return {};
                   }));
  return number;
}

Result<> Insert(db::Transaction& tx, const NewVersion& made, const Version& version,
                const VersionText& text) {
  GYRE_DO(tx.Execute(
      "INSERT INTO dataset_version (id, dataset_id, number, content_hash, source_key, "
      "source_name, source_bytes, format, row_count, "
      "schema_json, notes_json, warnings_json, check_json, profile_digest, merged_digest, "
      "merged_bytes, quarantine_digest, "
      "quarantine_rows, created_by, created_us, source_digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
      "?8, ?9, ?10, "
      "?11, ?12, ?13, ?14, '', 0, ?15, ?16, ?17, ?18, ?19)",
      {version.id, version.dataset_id, version.number, version.content_hash, made.source_key,
       version.source_name, version.source_bytes, version.format, version.rows, text.schema,
       text.notes, text.warnings, text.check, made.files.profile_digest,
       made.files.quarantine_digest, version.rows_quarantined, version.created_by,
       version.created_us, version.source_digest}));
  GYRE_DO(tx.Execute("UPDATE dataset SET number_latest = ?2 WHERE id = ?1",
                     {version.dataset_id, version.number}));
  for (std::size_t i = 0; i < version.parts.size(); ++i) {
    const Part& part = version.parts[i];
    GYRE_DO(
        tx.Execute("INSERT INTO dataset_part (version_id, position, digest, size_bytes, "
                   "row_count) VALUES (?1, ?2, ?3, ?4, ?5)",
                   {version.id, i, part.object.digest, part.object.size_bytes, part.rows}));
  }
  GYRE_DO(WriteTags(tx, version.id, version.tags));
  for (const blob::Object& object : made.objects)
    GYRE_DO(blob::AddRef(tx, kOwnerKind, version.id, object));
  return {};
}

}  // namespace

Result<Version> VersionStore::Commit(const NewVersion& made, bool* created, const Also& also) {
  Version version = made.version;
  version.id = NewId();
  const VersionText text(version);
  const std::string new_dataset_id = NewId();
  std::int64_t existing = 0;
  const Result<> written = database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(Enlist(tx, new_dataset_id, &version));
    GYRE_TRY(existing, SameContent(tx, version));
    if (existing > 0) return {};
    GYRE_DO(Insert(tx, made, version, text));
    return also ? also(tx, version) : Result<>();
  });
  if (!written) return written.error();
  *created = existing == 0;
  if (*created) return version;
  GYRE_TRY(auto stored, FindVersion(version.dataset_id, existing));
  if (!stored)
    return NotFound("GY2102", "version v{} of {} was removed meanwhile", existing, version.dataset);
  return stored->version;
}

Result<> VersionStore::SetTags(std::string_view version_id,
                               const std::map<std::string, std::string>& tags) {
  return database_.Write(
      [&](db::Transaction& tx) -> Result<> { return WriteTags(tx, version_id, tags); });
}

Result<> VersionStore::SetMerged(std::string_view version_id, const blob::Object& object) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(
        tx.Execute("UPDATE dataset_version SET merged_digest = ?2, merged_bytes = ?3 WHERE id = ?1 "
                   "AND merged_digest = ''",
                   {version_id, object.digest, object.size_bytes}));
    return tx.changes() == 1 ? blob::AddRef(tx, kOwnerKind, version_id, object) : Result<>();
  });
}

Result<> Announce(events::Events& events, db::Transaction& tx, const Version& version,
                  std::string_view kind) {
  // Names are checked: nothing here needs escaping.
  const std::string payload =
      fmt::format(R"({{"dataset":"{}","version":{}}})", version.dataset, version.number);
  return events.Publish(
      tx, {.kind = kind, .project = version.project, .subject = version.id, .payload = payload});
}

Result<> VersionStore::Remove(std::string_view dataset_id, std::int64_t number,
                              trash::Removal removal, const Also& also) {
  GYRE_TRY(std::vector<Version> versions,
           ListVersions(dataset_id, 0, std::numeric_limits<int>::max()));
  if (number > 0)
    std::erase_if(versions, [&](const Version& version) { return version.number != number; });
  std::int64_t rows = 0;
  for (const Version& version : versions) rows += version.rows;
  const std::string what =
      number > 0 ? fmt::format("{} rows", GroupDigits(rows))
                 : fmt::format("{} versions, {} rows", versions.size(), GroupDigits(rows));
  removal.what = what;
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, removal));
    for (const Version& version : versions) {
      GYRE_DO(parcel.Take("dataset_part", "version_id = ?1", {version.id}));
      GYRE_DO(parcel.Take("dataset_tag", "version_id = ?1", {version.id}));
      GYRE_DO(parcel.Take("dataset_version", "id = ?1", {version.id}));
      GYRE_DO(parcel.TakeBlobs(kOwnerKind, version.id));
      if (also) GYRE_DO(also(tx, version));
    }
    if (number > 0) return {};
    GYRE_DO(parcel.Take("dataset_suite", "dataset_id = ?1", {dataset_id}));
    return parcel.Take("dataset", "id = ?1", {dataset_id});
  });
}

Result<std::optional<VersionStore::Suite>> VersionStore::NewestSuite(std::string_view dataset_id) {
  std::optional<Suite> found;
  std::string text;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    return reader.Query(
        "SELECT number, suite_json, created_by, created_us FROM dataset_suite WHERE dataset_id = "
        "?1 ORDER BY number DESC LIMIT 1",
        {dataset_id}, [&](const db::Row& row) -> Result<> {
          found = Suite{row.Int(0), {}, row.Str(2), row.Int(3)};
          text = row.Str(1);
          return {};
        });
  }));
  if (!found) return found;
  GYRE_TRY(found->suite, Json::Parse(text));
  return found;
}

Result<VersionStore::Suite> VersionStore::AddSuite(std::string_view dataset_id, const Json& suite,
                                                   std::string_view by, std::int64_t now_us) {
  Suite added{1, suite, std::string(by), now_us};
  const std::string text = suite.Dump();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(tx.Query("SELECT coalesce(max(number), 0) FROM dataset_suite WHERE dataset_id = ?1",
                     {dataset_id}, [&](const db::Row& row) -> Result<> {
                       added.number = row.Int(0) + 1;
                       return {};
                     }));
    return tx.Execute(
        "INSERT INTO dataset_suite (dataset_id, number, suite_json, created_by, created_us) VALUES "
        "(?1, ?2, ?3, ?4, ?5)",
        {dataset_id, added.number, text, by, now_us});
  }));
  return added;
}

}  // namespace gyre::data
