// The rooms of an open house, from the ground up: what exists, floor by floor, and which file opens
// it. Destruction goes from the top down. Private to compose*.cc.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/mlflow/run_page.h"
#include "api/native/system_api.h"
#include "api/prometheus/prometheus.h"
#include "base/mutex.h"
#include "base/time.h"
#include "gyre/compose.h"
#include "gyre/egress_meter.h"
#include "gyre/endpoint_meter.h"
#include "gyre/housekeeper.h"
#include "gyre/lasting_failure.h"
#include "gyre/program_door.h"
#include "gyre/requests.h"
#include "gyre/telemetry_export.h"
#include "ledger/access/access.h"
#include "ledger/audit/anchors.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/notices/notices.h"
#include "ledger/secrets/secrets.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/automation/automation.h"
#include "ml/automation/release.h"
#include "ml/data/datasets.h"
#include "ml/data/queries.h"
#include "ml/eval_sets/eval_sets.h"
#include "ml/eval_sets/scorers.h"
#include "ml/evaluation/evaluations.h"
#include "ml/inference_log/inference_log.h"
#include "ml/monitoring/comparisons.h"
#include "ml/monitoring/kpi_watch.h"
#include "ml/monitoring/monitors.h"
#include "ml/pipelines/approvals.h"
#include "ml/pipelines/pipelines.h"
#include "ml/projects/declarations.h"
#include "ml/projects/projects.h"
#include "ml/registry/catalog.h"
#include "ml/registry/logged_gate.h"
#include "ml/registry/model_search.h"
#include "ml/registry/registry.h"
#include "ml/runners/jobs.h"
#include "ml/serving/predictions.h"
#include "ml/serving/serving.h"
#include "ml/traces/traces.h"
#include "ml/tracking/charts.h"
#include "ml/tracking/deleted.h"
#include "ml/tracking/files.h"
#include "ml/tracking/logged_models.h"
#include "ml/tracking/run_follower.h"
#include "ml/tracking/run_search.h"
#include "ml/tracking/run_transfer.h"
#include "ml/tracking/tracking.h"
#include "ml/training/inspection.h"
#include "ml/training/training.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"
#include "platform/exec/thread_pool.h"
#include "platform/net/egress.h"
#include "platform/net/server.h"
#include "platform/telemetry/metrics.h"

namespace gyre {

struct House::Rooms {
  Rooms() = default;
  ~Rooms() { Drain(); }  // also when they could not all be opened
  Rooms(const Rooms&) = delete;
  Rooms& operator=(const Rooms&) = delete;

  HouseOptions options;
  config::Settings settings;
  Mutex settings_mutex;
  Json shown_settings GYRE_GUARDED_BY(settings_mutex);  // as they are in effect
  std::optional<config::DirectoryLock> lock;
  config::OwnerInfo info;
  std::int64_t Micros(std::string_view setting) const;  // of a setting in seconds
  std::int64_t Millis(std::string_view setting) const;

  // --- compose_platform.cc: the machine ----------------------------------------------------------
  telemetry::Metrics metrics;
  std::unique_ptr<db::Database> database;
  std::unique_ptr<blob::Store> blobs;
  std::atomic<bool> damaged = false;  // the database, as was found while the server worked
  std::unique_ptr<exec::Worker> page_check;

  Result<> OpenLog() const;
  Result<> OpenPlatform();
  Result<> CheckDatabase();
  Result<> Migrate();

  // --- compose_ledger.cc: who, what, from what, at what cost -------------------------------------
  std::unique_ptr<access::Access> access;
  std::unique_ptr<audit::Audit> audit;
  std::unique_ptr<audit::Anchors> anchors;
  std::unique_ptr<events::Events> events;
  std::unique_ptr<lineage::Lineage> lineage;
  std::unique_ptr<trash::Trash> trash;
  std::unique_ptr<secrets::Secrets> secrets;
  std::unique_ptr<usage::Usage> usage;
  std::unique_ptr<usage::Budgets> budgets;
  net::EgressGuard egress;
  std::unique_ptr<notices::Notices> notices;
  std::unique_ptr<otlp::Exporter> exporter;  // null: nobody receives

  Result<> OpenLedger();

  // --- compose_ml.cc: the loop -------------------------------------------------------------------
  std::unique_ptr<runners::Jobs> jobs;
  std::unique_ptr<pipelines::Approvals> approvals;
  std::unique_ptr<pipelines::Pipelines> pipelines;
  std::unique_ptr<projects::Projects> projects;
  std::unique_ptr<projects::Declarations> declarations;
  std::unique_ptr<data::Datasets> datasets;
  std::unique_ptr<data::Queries> queries;
  tracking::RunStamps run_stamps;
  std::unique_ptr<tracking::Experiments> experiments;
  std::unique_ptr<tracking::Tracking> tracking;
  std::unique_ptr<tracking::LoggedModels> logged_models;
  std::unique_ptr<tracking::RunSearcher> run_searcher;
  std::unique_ptr<tracking::RunTransfer> run_transfer;
  std::unique_ptr<tracking::Charts> charts;
  std::unique_ptr<tracking::RunFollower> run_follower;
  std::unique_ptr<mlflow::RunPages> run_pages;
  std::unique_ptr<traces::Traces> traces;
  std::unique_ptr<eval_sets::EvalSets> eval_sets;
  std::unique_ptr<eval_sets::Scorers> scorers;
  std::unique_ptr<tracking::Files> files;
  std::unique_ptr<tracking::Deleted> deleted;
  std::unique_ptr<registry::Registry> registry;
  std::unique_ptr<registry::Catalog> catalog;
  std::unique_ptr<registry::ModelSearcher> model_searcher;
  std::unique_ptr<registry::LoggedGate> logged_gate;
  std::unique_ptr<evaluation::Evaluations> evaluations;
  std::unique_ptr<training::Training> training;
  std::unique_ptr<training::Inspections> inspections;
  std::unique_ptr<inference_log::InferenceLog> inference_log;
  std::unique_ptr<serving::Serving> serving;
  std::unique_ptr<serving::Predictions> predictions;
  std::unique_ptr<monitoring::Comparisons> comparisons;
  std::unique_ptr<monitoring::Monitors> monitors;
  std::unique_ptr<monitoring::KpiWatch> kpis;
  std::unique_ptr<automation::Releases> releases;
  std::unique_ptr<automation::Automation> automation;

  Result<> OpenMl();
  Result<> OpenJobs();
  Result<> OpenData();
  Result<> OpenModels();
  Result<> OpenServing();
  Result<> OpenFeedback();
  void OpenTrash();
  void HoldProjects();
  inference_log::LogSettings CaptureSettings() const;
  Result<evaluation::DatasetRows> RowsOf(const Result<data::Version>& version);

  // --- compose.cc: everything is in its place, then it moves -------------------------------------
  std::unique_ptr<EndpointMeter> meter;
  std::unique_ptr<Housekeeper> housekeeper;  // of a server

  Result<> Start();
  void StartMeter();
  void KeepBooks();
  bool Busy() const;
  void Drain();

  // --- compose_apis.cc: what may be asked --------------------------------------------------------
  std::vector<std::shared_ptr<void>> apis;  // what the tables' handlers are called on
  std::vector<net::RouteTable> tables;

  void OpenApis();
  void OpenLedgerApis();
  void OpenMlApis();
  void OpenRunApis();
  void OpenServingApis();
  void OpenMlflowApis();
  void OpenWebui();
  void OpenMaintenance();
  native::SystemInfo SystemFacts();
  template <class Api, class... Arguments>
  std::shared_ptr<Api> AddApi(Arguments&&... arguments);

  // --- compose_listen.cc: the door ---------------------------------------------------------------
  std::unique_ptr<prometheus::RequestObserver> observer;
  std::unique_ptr<EgressMeter> egress_meter;
  LastingFailure booking_storage{"what is stored is not booked yet"};
  LastingFailure keeping_budgets{"budgets not looked at"};
  std::unique_ptr<RequestSpans> spans;
  std::unique_ptr<RunningRequests> running;
  std::unique_ptr<net::Server> server;
  std::unique_ptr<ProgramsOnly> programs_only;
  std::unique_ptr<ProgramDoor> program_door;

  Result<> Listen();
  void OpenProgramDoor();
  Result<std::string> BasePath() const;
  net::ServerSettings NetSettings() const;
  Result<> StartServer(net::ServerSettings net_settings);
};

}  // namespace gyre
