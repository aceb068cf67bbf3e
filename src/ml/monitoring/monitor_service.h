// The monitors of one data directory. Private.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "ml/inference_log/inference_log.h"
#include "ml/monitoring/backlog.h"
#include "ml/monitoring/judgement.h"
#include "ml/monitoring/monitor_store.h"
#include "ml/serving/serving.h"
#include "platform/exec/thread_pool.h"

namespace gyre::monitoring {

class MonitorService final : public Monitors {
 public:
  explicit MonitorService(MonitoringRooms rooms) : rooms_(std::move(rooms)) {}
  ~MonitorService() override { Stop(); }

  void Start(std::int64_t every_us) override;
  void Stop() override;
  Result<Monitor> Create(NewMonitor monitor) override;
  Result<Monitor> Edit(std::string_view project, std::string_view name,
                       const Json& change) override;
  Result<> Remove(std::string_view project, std::string_view name, std::string_view by) override;
  Result<Monitor> Get(std::string_view project, std::string_view name) override;
  Result<std::vector<Monitor>> List(std::string_view project) override;
  Result<std::int64_t> Run(std::string_view project, std::string_view name) override;
  Result<> Tick() override;
  Result<std::vector<JudgedWindow>> Windows(const Monitor& monitor, std::int64_t before,
                                            int limit) override;
  Result<JudgedWindow> Window(std::string_view project, std::string_view id) override;
  Result<Json> Revisions(const JudgedWindow& window) override;
  Result<Json> Signals(std::string_view project, std::string_view endpoint) override;
  Result<std::optional<std::int64_t>> LabelledSince(std::string_view project,
                                                    std::string_view endpoint,
                                                    std::int64_t since_us) override;
  Result<std::vector<Alert>> Alerts(const AlertQuery& query) override;
  Result<Alert> GetAlert(std::string_view project, std::string_view text) override;
  Result<Sides> Compare(const SidesRequest& request) override;  // sides.cc
  Result<std::vector<AlertChange>> History(const Alert& alert, int limit) override;
  Result<Alert> Ack(std::string_view project, std::string_view alert, std::string_view by) override;
  Result<Alert> Snooze(std::string_view project, std::string_view alert, std::int64_t seconds,
                       std::string_view by) override;

  Result<> RestoreGauges();

 private:
  // What there is to be judged.
  struct Look {
    std::int64_t watermark_us = 0;
    std::vector<JudgedWindow> again;
    std::vector<JudgedWindow> final;  // their late rows and labels are counted
    std::string looked;
    bool changed = false;
    bool behind = false;  // several windows are judged at once
  };
  // What a window's commit writes: made before the transaction.
  struct Commit {
    MonitorRow row;
    JudgedWindow window;
    bool revised = false;  // another document stood there
    std::string document;
    std::vector<AlertMove> moves;
  };

  Result<MonitorRow> Find(std::string_view project, std::string_view name);
  Result<MonitorRow> Known(std::string_view project, std::string_view name);  // makes none
  Result<> EnsureDefaults(std::string_view project);
  Result<> FollowIntoTrash(const std::vector<Monitor>& gone);
  Result<std::int64_t> FirstCursor(const serving::Endpoint& endpoint);
  Result<std::vector<MonitorRow>> Rows(std::string_view project);
  // The number of windows judged. What goes wrong is said in the monitor's problem.
  Result<std::int64_t> Evaluate(MonitorRow row, bool by_hand) GYRE_REQUIRES(evaluating_);
  Result<> JudgeAll(MonitorRow* row, bool by_hand, std::int64_t* judged) GYRE_REQUIRES(evaluating_);
  Result<bool> KeepAll(MonitorRow* row, Look* look, const Json& answer, bool further,
                       std::int64_t* judged) GYRE_REQUIRES(evaluating_);
  Result<Json> RunBatch(const MonitorRow& row, const Look& look, const Backlog& backlog,
                        const Backlog::Batch& batch, Json traffic, Json* unread)
      GYRE_REQUIRES(evaluating_);
  Result<> Advance(const MonitorRow& row);
  Result<> CheckColumns(const serving::Endpoint& endpoint, const DriftRules& rules);
  Result<> GoBackWithTheClock(MonitorRow* row);
  Result<Look> LookAt(const MonitorRow& row, bool by_hand);
  Result<Json> TaskInput(const MonitorRow& row, const Look& look, const Backlog& backlog,
                         const Backlog::Batch& batch) GYRE_REQUIRES(evaluating_);
  Result<Json> Promises(const MonitorRow& row, Json* unread) GYRE_REQUIRES(evaluating_);
  Result<Json> LabelHistory(const Monitor& monitor, const std::vector<JudgedWindow>& waiting);
  Result<Json> Traffic(const Monitor& monitor, const serving::EndpointCounts& now)
      GYRE_REQUIRES(evaluating_);
  Result<> KeepLeftOut(const Look& look, const Json& counted);
  Result<bool> Keep(MonitorRow* row, const Look& look, const Json& document);
  Result<> Write(const Commit& commit);
  using Effect = std::move_only_function<Result<>(db::Transaction&)>;
  // Tells what several windows judged at once have left to be told.
  Result<> TellOwed(const Monitor& monitor);
  // Publishes and tells that alerts which fire are over, since nobody watches any more.
  Result<Effect> EndFiring(const Monitor& monitor, std::string_view reason);
  void SetGauges(const Commit& commit);
  void SetDriftGauges(const Monitor& monitor, const Json& columns);
  void ClearGauges(const Monitor& monitor);
  Result<Alert> Change(std::string_view project, std::string_view text, std::string_view by,
                       const std::function<Result<std::string>(AlertState*)>& change);

  const MonitoringRooms rooms_;
  std::atomic<bool> stopping_ = false;
  Mutex evaluating_;  // one evaluation at a time; may take long
  Mutex writing_;     // of alerts and monitors; short
  Mutex gauges_;
  // By monitor, the columns and methods whose drift /metrics shows.
  std::map<std::string, std::set<std::pair<std::string, std::string>>> drift_shown_
      GYRE_GUARDED_BY(gauges_);
  // By monitor: what its endpoint had counted at its last window.
  std::map<std::string, serving::EndpointCounts> counted_ GYRE_GUARDED_BY(evaluating_);
  // By monitor: what one task can judge in its time.
  std::map<std::string, BatchSize> sizes_ GYRE_GUARDED_BY(evaluating_);
  // By model version: what its columns added on the rows held out; computed once.
  std::map<std::string, Json> attributions_ GYRE_GUARDED_BY(evaluating_);
  // By monitor: when it may be looked at again, so that a storm of small batches costs a share of
  // the time, not all of it.
  std::map<std::string, std::int64_t> rested_us_ GYRE_GUARDED_BY(evaluating_);
  exec::Worker worker_;
};

}  // namespace gyre::monitoring
