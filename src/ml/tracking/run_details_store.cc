#include <optional>

#include "base/json.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

// The first string after every one that begins with `prefix`.
std::string PrefixEnd(std::string_view prefix) { return std::string(prefix) + "\xf4\x8f\xbf\xbf"; }

Json TextsToJson(const std::string& text) {
  auto json = Json::Parse(text, 8);
  return json ? *std::move(json) : Json::Obj();
}

}  // namespace

Result<> PutFile(db::Transaction& tx, std::string_view owner, const Artifact& file) {
  return tx.Execute(
      "INSERT INTO tracking_file (owner, path, digest, size_bytes, media_type) VALUES (?1, ?2, ?3, "
      "?4, ?5) ON CONFLICT (owner, path) DO UPDATE SET digest = excluded.digest, size_bytes = "
      "excluded.size_bytes, media_type = excluded.media_type",
      {owner, file.path, file.object.digest, file.object.size_bytes, file.media_type});
}

Result<std::vector<Artifact>> ReadFiles(db::Reader& reader, std::string_view owner,
                                        std::string_view prefix) {
  return db::Collect<Artifact>(
      reader,
      "SELECT path, digest, size_bytes, media_type FROM tracking_file WHERE owner = ?1 AND path >= "
      "?2 AND path < ?3 ORDER BY path LIMIT 10000",
      {owner, prefix, PrefixEnd(prefix)}, [](const db::Row& row) {
        return Artifact{row.Str(0), blob::Object{row.Str(1), row.Int(2)}, row.Str(3)};
      });
}

Result<> PutOutput(db::Transaction& tx, std::string_view run_id, const Output& output) {
  return tx.Execute(
      "INSERT INTO tracking_run_output (run_id, kind, id, name) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (run_id, kind, id) DO UPDATE SET name = excluded.name",
      {run_id, output.kind, output.id, output.name});
}

Result<std::vector<Output>> ReadOutputs(db::Reader& reader, std::string_view run_id) {
  return db::Collect<Output>(
      reader,
      "SELECT kind, id, name FROM tracking_run_output WHERE run_id = ?1 ORDER BY kind, name LIMIT "
      "1000",
      {run_id}, [](const db::Row& row) { return Output{row.Str(0), row.Str(1), row.Str(2)}; });
}

Result<> PutDataset(db::Transaction& tx, const RunKey& run, const DatasetInput& dataset,
                    std::string_view tags) {
  std::int64_t number = 0;
  const auto find = [&]() -> Result<bool> {
    return tx.QueryOne(
        "SELECT number FROM tracking_dataset WHERE experiment = ?1 AND name = ?2 AND digest = ?3",
        {run.experiment, dataset.name, dataset.digest},
        [&](const db::Row& row) { number = row.Int(0); });
  };
  GYRE_TRY(const bool known, find());
  if (!known) {
    GYRE_TRY(number, NextNumber(tx, "dataset"));
    GYRE_DO(tx.Execute(
        "INSERT INTO tracking_dataset (number, experiment, name, digest, source_type, source, "
        "schema_text, profile) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        {number, run.experiment, dataset.name, dataset.digest, dataset.source_type, dataset.source,
         dataset.schema, dataset.profile}));
  }
  return tx.Execute(
      "INSERT INTO tracking_run_dataset (run, dataset, context, tags) VALUES (?1, ?2, ?3, ?4) ON "
      "CONFLICT (run, dataset) DO UPDATE SET context = excluded.context, tags = excluded.tags",
      {run.number, number, dataset.context, tags});
}

Result<std::vector<DatasetInput>> ReadDatasets(db::Reader& reader, std::int64_t run) {
  return db::Collect<DatasetInput>(
      reader,
      "SELECT d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile, u.context, "
      "u.tags FROM tracking_run_dataset u JOIN tracking_dataset d ON d.number = u.dataset WHERE "
      "u.run = ?1 ORDER BY d.number",
      {run}, [](const db::Row& row) {
        DatasetInput input{row.Str(0), row.Str(1), row.Str(2), row.Str(3),
                           row.Str(4), row.Str(5), row.Str(6), {}};
        const Json tags = TextsToJson(row.Str(7));
        for (const auto& [key, value] : tags.members()) input.tags.emplace(key, value.AsString());
        return input;
      });
}

}  // namespace gyre::tracking
