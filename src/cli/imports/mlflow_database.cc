// MLflow's store in a database, as its migrations of 2.4 and later leave it: a SQLite file as it
// lies there, or a PostgreSQL server as of one moment.
#include <functional>
#include <limits>
#include <memory>

#include "base/text.h"
#include "cli/imports/mlflow_store.h"
#include "platform/db/database_file.h"
#include "platform/db/postgres_reader.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::int64_t kMicrosPerMilli = 1'000;

std::int64_t MicrosOf(std::int64_t millis) {
  return millis > 0 && millis < INT64_MAX / kMicrosPerMilli ? millis * kMicrosPerMilli : 0;
}

// What of it is not the same in all of them.
struct Dialect {
  std::string_view has_table;   // SELECT of something when there is a table ?1
  std::string_view as_written;  // order of the points of a run, to which more are only added
};
constexpr Dialect kSqlite = {"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1",
                             "rowid"};
constexpr Dialect kPostgres = {
    "SELECT 1 FROM information_schema.tables WHERE table_name = ?1 AND table_schema = "
    "ANY(current_schemas(false))",
    "timestamp, step, key, value"};

using ReadRows = std::function<Result<>(const std::function<Result<>(db::Reader&)>&)>;

Result<bool> HasTable(const ReadRows& read, const Dialect& dialect, std::string_view table) {
  bool has = false;
  GYRE_DO(read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(has, reader.QueryOne(dialect.has_table, {table}, [](const db::Row&) {}));
    return {};
  }));
  return has;
}

class MlflowDatabase : public MlflowStore {
 public:
  MlflowDatabase(ReadRows read, const Dialect& dialect)
      : read_(std::move(read)), dialect_(dialect) {}

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
    GYRE_DO(ReadModelLinks(id, &run));
    return stored;
  }

  Result<std::vector<std::string>> LoggedModelsOf(const StoredExperiment& experiment) override {
    std::vector<std::string> ids;
    GYRE_TRY(const bool there, Has("logged_models"));
    if (!there) return ids;
    GYRE_DO(
        Rows("SELECT model_id FROM logged_models WHERE experiment_id = ?1 ORDER BY "
             "creation_timestamp_ms, model_id",
             {experiment.number}, [&](const db::Row& row) { ids.push_back(row.Str(0)); }));
    return ids;
  }

  Result<StoredLoggedModel> ReadLoggedModel(const StoredExperiment& /*experiment*/,
                                            const std::string& id) override {
    StoredLoggedModel model;
    model.id = id;
    GYRE_DO(
        Rows("SELECT name, artifact_location, source_run_id, model_type, status, "
             "creation_timestamp_ms, lifecycle_stage FROM logged_models WHERE model_id = ?1",
             {id}, [&](const db::Row& row) {
               model.name = row.Str(0);
               model.artifact_root = row.Str(1);
               model.run_id = row.Str(2);
               model.model_type = row.Str(3);
               model.status = ModelStatusOf(row.Text(4));
               model.created_us = MicrosOf(row.Int(5));
               model.deleted = row.Text(6) == "deleted";
             }));
    GYRE_TRY(model.params, Texts("SELECT param_key, param_value FROM logged_model_params WHERE "
                                 "model_id = ?1",
                                 {id}));
    GYRE_TRY(model.tags,
             Texts("SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?1", {id}));
    GYRE_DO(
        Rows("SELECT metric_name, metric_value, metric_step, metric_timestamp_ms, run_id, "
             "dataset_name, dataset_digest FROM logged_model_metrics WHERE model_id = ?1 ORDER BY "
             "metric_timestamp_ms, metric_step, metric_name, run_id",
             {id}, [&](const db::Row& row) {
               const double value =
                   row.IsNull(1) ? std::numeric_limits<double>::quiet_NaN() : MetricOf(row.Real(1));
               model.metrics.push_back({row.Str(0), value, row.Int(2), row.Int(3) * kMicrosPerMilli,
                                        row.Str(4), row.Str(5), row.Str(6)});
             }));
    return model;
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
    return read_([&](db::Reader& reader) {
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

  Result<bool> Has(std::string_view table) { return HasTable(read_, dialect_, table); }

  Result<> ReadPoints(const std::string& id, RunSource* run) {
    MetricNames names;
    return Rows(
        fmt::format("SELECT key, value, is_nan, step, timestamp FROM metrics WHERE run_uuid = ?1 "
                    "ORDER BY {}",
                    dialect_.as_written),
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

  Result<> ReadModelLinks(const std::string& id, RunSource* run) {
    GYRE_TRY(const bool there, Has("logged_models"));
    if (!there) return {};
    return Rows(
        "SELECT destination_type, destination_id, step FROM inputs WHERE source_id = ?1 AND "
        "((source_type = 'RUN_OUTPUT' AND destination_type = 'MODEL_OUTPUT') OR (source_type = "
        "'RUN_INPUT' AND destination_type = 'MODEL_INPUT')) ORDER BY destination_id",
        {id}, [&](const db::Row& row) {
          if (row.Text(0) == "MODEL_OUTPUT") {
            run->made_models[row.Str(1)] = row.Int(2);
          } else {
            run->read_models.push_back(row.Str(1));
          }
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

  const ReadRows read_;
  const Dialect& dialect_;
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
  GYRE_TRY(auto opened, db::OpenDatabaseFile(path));
  const std::shared_ptr<db::DatabaseFile> file(std::move(opened));
  return std::unique_ptr<MlflowStore>(std::make_unique<MlflowDatabase>(
      [file](const auto& body) { return file->Read(body); }, kSqlite));
}

bool IsMlflowPostgres(const std::string& url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://") ||
         url.starts_with("postgresql+");
}

Result<std::unique_ptr<MlflowStore>> OpenMlflowPostgres(const std::string& url) {
  // The driver in Python is none of ours: "postgresql+psycopg2://".
  GYRE_TRY(auto opened, db::OpenPostgres("postgresql" + url.substr(url.find("://"))));
  const std::shared_ptr<db::PostgresReader> server(std::move(opened));
  ReadRows read = [server](const auto& body) { return server->Read(body); };
  GYRE_TRY(const bool there, HasTable(read, kPostgres, "alembic_version"));
  if (!there)
    return FailedPrecondition("GY4963", "the database has no tables of MLflow")
        .Fix("name the database that `mlflow server --backend-store-uri` names");
  return std::unique_ptr<MlflowStore>(std::make_unique<MlflowDatabase>(std::move(read), kPostgres));
}

}  // namespace gyre::cli::imports
