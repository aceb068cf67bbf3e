// MLflow's SQLite store, as its migrations of 2.4 and later leave it. It is read as it lies there.
#include <limits>

#include "base/text.h"
#include "cli/imports/mlflow_store.h"
#include "platform/db/database_file.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::int64_t kMicrosPerMilli = 1'000;

std::int64_t MicrosOf(std::int64_t millis) {
  return millis > 0 && millis < INT64_MAX / kMicrosPerMilli ? millis * kMicrosPerMilli : 0;
}

class MlflowDatabase : public MlflowStore {
 public:
  explicit MlflowDatabase(std::unique_ptr<db::DatabaseFile> file) : file_(std::move(file)) {}

  Result<std::vector<StoredExperiment>> Experiments() override {
    std::vector<StoredExperiment> all;
    GYRE_DO(
        Rows("SELECT experiment_id, name, artifact_location, lifecycle_stage, creation_time FROM "
             "experiments ORDER BY experiment_id",
             {}, [&](const db::Row& row) {
               all.push_back({row.Int(0), row.Str(1), row.Str(2), MicrosOf(row.Int(4)),
                              row.Text(3) == "deleted"});
             }));
    for (StoredExperiment& experiment : all) {
      GYRE_TRY(experiment.tags, Texts("SELECT key, value FROM experiment_tags WHERE "
                                      "experiment_id = ?1",
                                      {experiment.number}));
    }
    return all;
  }

  Result<std::vector<std::string>> RunsOf(const StoredExperiment& experiment) override {
    std::vector<std::string> ids;
    GYRE_DO(Rows("SELECT run_uuid FROM runs WHERE experiment_id = ?1 ORDER BY start_time, run_uuid",
                 {experiment.number}, [&](const db::Row& row) { ids.push_back(row.Str(0)); }));
    return ids;
  }

  Result<StoredRun> ReadRun(const StoredExperiment& /*experiment*/,
                            const std::string& id) override {
    StoredRun stored;
    RunSource& run = stored.run;
    GYRE_DO(
        Rows("SELECT name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri "
             "FROM runs WHERE run_uuid = ?1",
             {id}, [&](const db::Row& row) {
               run.name = row.Str(0);
               run.user = row.Str(1);
               run.status = RunStatusOf(row.Text(2));
               run.created_us = MicrosOf(row.Int(3));
               run.ended_us = MicrosOf(row.Int(4));
               run.hidden = row.Text(5) == "deleted";
               stored.artifact_root = row.Str(6);
             }));
    GYRE_TRY(run.params, Texts("SELECT key, value FROM params WHERE run_uuid = ?1", {id}));
    GYRE_TRY(run.tags, Texts("SELECT key, value FROM tags WHERE run_uuid = ?1", {id}));
    GYRE_DO(ReadPoints(id, &run));
    GYRE_DO(ReadInputs(id, &run));
    GYRE_DO(ReadLoggedModels(id, &stored));
    return stored;
  }

  Result<std::vector<StoredModel>> Models() override {
    std::vector<StoredModel> all;
    GYRE_DO(Rows("SELECT name, description FROM registered_models ORDER BY creation_time, name", {},
                 [&](const db::Row& row) { all.push_back({row.Str(0), row.Str(1)}); }));
    for (StoredModel& model : all) GYRE_DO(ReadModel(&model));
    return all;
  }

  Result<std::map<std::string, std::int64_t>> Others() override {
    static constexpr std::pair<std::string_view, std::string_view> kTables[] = {
        {"trace_info", "traces"},
        {"evaluation_datasets", "evaluation datasets"},
        {"scorers", "scorers"},
        {"webhooks", "webhooks"},
    };
    std::map<std::string, std::int64_t> counts;
    for (const auto& [table, name] : kTables) {
      GYRE_TRY(const bool there, Has(table));
      if (!there) continue;
      GYRE_DO(Rows(fmt::format("SELECT count(*) FROM {}", table), {},
                   [&](const db::Row& row) { counts[std::string(name)] = row.Int(0); }));
    }
    return counts;
  }

 private:
  Result<> Rows(std::string_view sql, db::Params params,
                const std::function<void(const db::Row&)>& take) {
    return file_->Read([&](db::Reader& reader) {
      return reader.Query(sql, params, [&](const db::Row& row) -> Result<> {
        take(row);
        return {};
      });
    });
  }

  Result<StoredTags> Texts(std::string_view sql, db::Params params) {
    StoredTags texts;
    GYRE_DO(Rows(sql, params, [&](const db::Row& row) { texts[row.Str(0)] = row.Str(1); }));
    return texts;
  }

  Result<bool> Has(std::string_view table) {
    bool has = false;
    GYRE_DO(Rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", {table},
                 [&](const db::Row&) { has = true; }));
    return has;
  }

  // In the order in which they were written, which only grows.
  Result<> ReadPoints(const std::string& id, RunSource* run) {
    MetricNames names;
    return Rows(
        "SELECT key, value, is_nan, step, timestamp FROM metrics WHERE run_uuid = ?1 ORDER BY "
        "rowid",
        {id}, [&](const db::Row& row) {
          const double value =
              row.Bool(2) ? std::numeric_limits<double>::quiet_NaN() : MetricOf(row.Real(1));
          run->points.push_back({names.IndexOf(row.Str(0), &run->metrics), value, row.Int(3),
                                 row.Int(4) * kMicrosPerMilli});
        });
  }

  Result<> ReadInputs(const std::string& id, RunSource* run) {
    std::vector<std::string> inputs;
    GYRE_DO(Rows(
        "SELECT i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, "
        "d.dataset_schema, d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = "
        "i.source_id WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND "
        "i.destination_id = ?1 ORDER BY d.name, d.digest",
        {id}, [&](const db::Row& row) {
          Json dataset = Json::Obj({{"name", row.Text(1)},
                                    {"digest", row.Text(2)},
                                    {"source_type", row.Text(3)},
                                    {"source", row.Text(4)}});
          if (!row.IsNull(5)) dataset.Set("schema", row.Text(5));
          if (!row.IsNull(6)) dataset.Set("profile", row.Text(6));
          inputs.push_back(row.Str(0));
          run->datasets.push_back({std::move(dataset), {}});
        }));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      GYRE_TRY(run->datasets[i].tags,
               Texts("SELECT name, value FROM input_tags WHERE input_uuid = ?1", {inputs[i]}));
    }
    return {};
  }

  Result<> ReadLoggedModels(const std::string& id, StoredRun* stored) {
    GYRE_TRY(const bool there, Has("logged_models"));
    if (!there) return {};
    return Rows(
        "SELECT model_id, name, artifact_location FROM logged_models WHERE source_run_id = ?1 AND "
        "lifecycle_stage = 'active' ORDER BY creation_timestamp_ms, model_id",
        {id}, [&](const db::Row& row) {
          stored->models.push_back({row.Str(0), row.Str(1), row.Str(2), id});
        });
  }

  Result<> ReadModel(StoredModel* model) {
    GYRE_TRY(model->tags,
             Texts("SELECT key, value FROM registered_model_tags WHERE name = ?1", {model->title}));
    GYRE_DO(Rows(
        "SELECT alias, version FROM registered_model_aliases WHERE name = ?1", {model->title},
        [&](const db::Row& row) { model->aliases[row.Str(0)] = static_cast<int>(row.Int(1)); }));
    GYRE_DO(
        Rows("SELECT version, source, run_id, run_link, description, current_stage, user_id, "
             "creation_time FROM model_versions WHERE name = ?1 AND coalesce(current_stage, '') <> "
             "'Deleted_Internal' ORDER BY version",
             {model->title}, [&](const db::Row& row) {
               model->versions.push_back({static_cast<int>(row.Int(0)), row.Str(1), row.Str(2),
                                          row.Str(3), row.Str(4), row.Str(5), row.Str(6),
                                          MicrosOf(row.Int(7))});
             }));
    for (StoredVersion& version : model->versions) {
      GYRE_TRY(version.tags,
               Texts("SELECT key, value FROM model_version_tags WHERE name = ?1 AND version = ?2",
                     {model->title, version.number}));
    }
    return {};
  }

  std::unique_ptr<db::DatabaseFile> file_;
};

}  // namespace

bool IsMlflowDatabase(const std::string& path) {
  constexpr std::string_view kMagic = "SQLite format 3";
  const auto begin = exec::ReadFilePart(path, 0, kMagic.size());
  if (!begin || *begin != kMagic) return false;
  const auto file = db::OpenDatabaseFile(path);
  if (!file) return false;
  int tables = 0;
  const auto read = (*file)->Read([&](db::Reader& reader) {
    return reader.Query(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('experiments', 'runs', "
        "'alembic_version')",
        {}, [&](const db::Row&) -> Result<> {
          ++tables;
          return {};
        });
  });
  return read && tables == 3;
}

Result<std::unique_ptr<MlflowStore>> OpenMlflowDatabase(const std::string& path) {
  GYRE_TRY(auto file, db::OpenDatabaseFile(path));
  return std::unique_ptr<MlflowStore>(std::make_unique<MlflowDatabase>(std::move(file)));
}

}  // namespace gyre::cli::imports
