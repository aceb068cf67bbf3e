// The goals of projects, measured again and again: each KPI of a problem statement is met, missed,
// or unknown with the reason. A change is an event and a notice; every value that differs is kept.
// Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "ml/monitoring/kpi_values.h"
#include "ml/monitoring/monitors.h"
#include "ml/statistics/kpi.h"
#include "platform/exec/thread_pool.h"

namespace gyre::monitoring {

struct KpiReading {
  std::string kpi = {};    // "auc >= 0.84"
  std::string state = {};  // met, missed, unknown
  std::optional<double> value = {};
  std::string reason = {};  // of unknown
  std::int64_t at_us = 0;
};
struct KpiState {
  KpiReading now = {};
  std::string told = {};
  std::int64_t since_us = 0;  // the state is this
  // The oldest value of the last week; that many microseconds lie between.
  std::optional<double> before = {};
  std::int64_t before_us = 0;
};
Json KpiStateToJson(const KpiState& state);
Json KpiReadingToJson(const KpiReading& reading);

struct KpiRooms {
  db::Database& database;
  events::Events& events;
  projects::Projects& projects;
  telemetry::Metrics& metrics;
  const Clock& clock;
  Notify notify = {};  // empty: nobody is told
};

class KpiWatch {
 public:
  KpiWatch(KpiRooms rooms, std::unique_ptr<KpiValues> values, std::int64_t keep_us)
      : rooms_(std::move(rooms)), values_(std::move(values)), keep_us_(keep_us) {}
  ~KpiWatch() { Stop(); }

  void Start(std::int64_t every_us);
  void Stop();
  Result<> Tick();  // every project
  // Events kpi.breached and kpi.met, in the order of the problem. Error: kNotFound GY3902.
  Result<std::vector<KpiState>> Measure(std::string_view project);
  // As they were measured last.
  Result<std::vector<KpiState>> List(std::string_view project);
  // `text`: a KPI, its place from 1, or a part that only one has. Error: kNotFound GY4514.
  Result<KpiState> Find(std::string_view project, std::string_view text);
  Result<std::vector<KpiReading>> History(std::string_view project, std::string_view kpi,
                                          int limit);  // newest first

 private:
  Result<> Store(const projects::Project& asked, std::vector<KpiState>* states)
      GYRE_REQUIRES(measuring_);
  void SetGauges(std::string_view project, const std::vector<KpiState>& states);

  const KpiRooms rooms_;
  const std::unique_ptr<KpiValues> values_;  // asked one at a time
  const std::int64_t keep_us_;
  Mutex measuring_;
  exec::Worker worker_;
};

}  // namespace gyre::monitoring
