// A log over a database and a blob store in a folder of its own. Tests only.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ml/inference_log/inference_log.h"

namespace gyre::inference_log {

class LogHouse {
 public:
  explicit LogHouse(LogSettings settings = {}) : settings_(std::move(settings)) {
    directory_ = std::filesystem::temp_directory_path() / ("log-" + NewId());
    std::filesystem::create_directories(directory_);
    settings_.key_path = (directory_ / "capture.key").string();
    database = *db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    blobs = *blob::OpenLocalStore((directory_ / "blobs").string());
    const db::ModuleSchema schemas[] = {blob::BlobSchema(),       events::EventsSchema(),
                                        lineage::LineageSchema(), runners::RunnersSchema(),
                                        data::DataSchema(),       InferenceLogSchema()};
    GYRE_CHECK(database->Migrate(schemas).has_value());
    events = events::OpenEvents(*database, SystemClock());
    Reopen();
  }
  ~LogHouse() {
    log.reset();
    datasets.reset();
    jobs.reset();
    events.reset();
    database.reset();
    std::filesystem::remove_all(directory_);
  }
  // As after a restart.
  void Reopen() {
    log.reset();
    datasets.reset();
    jobs.reset();
    metrics = std::make_unique<telemetry::Metrics>();
    runners::JobSettings job_settings;
    job_settings.log_directory = (directory_ / "logs").string();
    jobs = *runners::OpenJobs(*database, *blobs, SystemClock(), job_settings);
    datasets = *data::OpenDatasets(*database, *blobs, *jobs, *events, SystemClock());
    log =
        *OpenInferenceLog(*database, *blobs, *jobs, *datasets, *metrics, SystemClock(), settings_);
  }
  StreamSpec Spec() const {
    return {.project = "p",
            .endpoint = "churn",
            .deployment_id = "d1",
            .model = "churn:v1",
            .model_version_id = "m1",
            .inputs = {{"age", table::Type::kInt},
                       {"amount", table::Type::kDouble},
                       {"country", table::Type::kText}},
            .target = "Churn",
            .target_type = table::Type::kText,
            .classes = {"No", "Yes"}};
  }
  // One request of so many rows; row i of it has age i.
  static void Answer(Recorder& recorder, const Stream& stream, std::uint64_t id, std::int64_t rows,
                     RequestFacts facts = {}) {
    recorder.Begin(&stream, 0xabc, id);
    for (std::int64_t i = 0; i < rows; ++i) {
      table::Cell cells[3] = {table::Cell::Null(table::Type::kInt),
                              table::Cell::Null(table::Type::kDouble),
                              table::Cell::Null(table::Type::kText)};
      cells[0].valid = true;
      cells[0].i = i;
      cells[1].valid = i % 2 == 0;
      cells[1].d = cells[1].valid ? 0.5 * static_cast<double>(i) : 0;
      cells[2].valid = true;
      cells[2].text = i % 3 == 0 ? "Österreich" : "NL";
      const double probabilities[] = {0.25, 0.75};
      recorder.Row(cells, 0, 1, probabilities);
    }
    if (facts.received_us == 0) facts.received_us = SystemClock().NowMicros();
    recorder.Commit(facts);
  }
  Joined Read(std::int64_t from_us = INT64_MIN, std::int64_t to_us = INT64_MAX) {
    const auto plan = log->Plan("p", "churn", from_us, to_us);
    GYRE_CHECK(plan.has_value());
    auto joined = ReadJoined(plan->request);
    GYRE_CHECK(joined.has_value());
    return *std::move(joined);
  }
  const std::filesystem::path& directory() const { return directory_; }
  const LogSettings& settings() const { return settings_; }

  std::unique_ptr<db::Database> database;
  std::unique_ptr<blob::Store> blobs;
  std::unique_ptr<events::Events> events;
  std::unique_ptr<telemetry::Metrics> metrics;
  std::unique_ptr<runners::Jobs> jobs;
  std::unique_ptr<data::Datasets> datasets;
  std::unique_ptr<InferenceLog> log;

 private:
  LogSettings settings_;
  std::filesystem::path directory_;
};

}  // namespace gyre::inference_log
