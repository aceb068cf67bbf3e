// A database, a blob store, a registry and serving over them, in a folder of their own. Tests and
// benchmarks only.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/id.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ml/serving/serving.h"
#include "ml/serving/testing/package.h"

namespace gyre::serving {

class TestHouse {
 public:
  TestHouse() : directory_(std::filesystem::temp_directory_path() / ("serving-" + NewId())) {
    std::filesystem::create_directories(directory_);
    database = *db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    blobs = *blob::OpenLocalStore((directory_ / "blobs").string());
    const db::ModuleSchema schemas[] = {blob::BlobSchema(),         events::EventsSchema(),
                                        lineage::LineageSchema(),   trash::TrashSchema(),
                                        registry::RegistrySchema(), ServingSchema()};
    GYRE_CHECK(database->Migrate(schemas).has_value());
    events = events::OpenEvents(*database, SystemClock());
    registry.emplace(*database, SystemClock());
    Restart({});
  }
  ~TestHouse() {
    Close();
    std::filesystem::remove_all(directory_);
  }
  // A new Serving over the same database, as after a restart.
  void Restart(ServingSettings settings) {
    serving.reset();
    metrics = std::make_unique<telemetry::Metrics>();
    serving =
        *OpenServing(*database, *blobs, *registry, *events, *metrics, SystemClock(), settings);
    GYRE_CHECK(serving->Start().has_value());
  }
  // Registers a version of `model`; `shift` tells the versions apart.
  registry::ModelVersion Register(const std::string& model, double shift,
                                  const std::string& project = "default") {
    return RegisterPackage(model, TestPackage(shift), project);
  }
  registry::ModelVersion RegisterPackage(const std::string& model,
                                         const predictors::ModelPackage& package,
                                         const std::string& project = "default") {
    registry::NewVersion version;
    version.project = project;
    version.model = model;
    version.package = *blobs->Put(package.Save());
    version.run_id = NewId();
    version.task = predictors::TaskName(package.task);
    version.target = package.target;
    version.learner = package.learner;
    Json inputs = Json::Arr();
    if (const auto fitted = recipes::Fitted::Load(package.recipe)) {
      for (const table::Field& field : fitted->input())
        inputs.Push(Json::Obj({{"name", field.name}, {"type", table::TypeName(field.type)}}));
    }
    version.signature = Json::Obj({{"inputs", std::move(inputs)}});
    version.created_by = "ann";
    auto registered = registry->Register(version);
    GYRE_CHECK(registered.has_value());
    return *registered;
  }
  void Promote(const std::string& model, int version, const std::string& project = "default") {
    const auto moved = registry->MoveAlias({.project = project,
                                            .model = model,
                                            .alias = "champion",
                                            .version = version,
                                            .reason = "test",
                                            .moved_by = "ann",
                                            .override_gate = true});
    GYRE_CHECK(moved.has_value());
  }
  Result<Endpoint> Deploy(const std::string& reference, const std::string& endpoint = "",
                          const std::string& project = "default") {
    return serving->Deploy({.project = project,
                            .reference = reference,
                            .endpoint = endpoint,
                            .reason = "",
                            .deployed_by = "ann"});
  }
  // Lets go of the folder, so that another process may open it.
  void Close() {
    if (serving) serving->Stop();
    events.reset();
    serving.reset();
    registry.reset();
    database.reset();
  }
  const std::filesystem::path& directory() const { return directory_; }

  std::unique_ptr<db::Database> database;
  std::unique_ptr<blob::Store> blobs;
  std::unique_ptr<events::Events> events;
  std::optional<registry::Registry> registry;
  std::unique_ptr<telemetry::Metrics> metrics;
  std::unique_ptr<Serving> serving;

 private:
  std::filesystem::path directory_;
};

}  // namespace gyre::serving
