// The goals of projects, measured again and again: each KPI of a problem statement is met, missed,
// or unknown with the reason. A change is an event and a notice; every value that differs is kept.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/mutex.h"
#include "ml/monitoring/monitors.h"
#include "ml/statistics/kpi.h"
#include "platform/exec/thread_pool.h"

namespace gyre::projects {
struct Project;
}

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

class KpiWatch {
 public:
  // Money that a project spent: "total", "serving", "work"; or why that is not known.
  using Cost = std::function<statistics::KpiValue(std::string_view project, std::string_view what,
                                                  std::int64_t from_us, std::int64_t to_us)>;
  KpiWatch(MonitoringRooms rooms, Cost cost, std::int64_t keep_us)
      : rooms_(std::move(rooms)), cost_(std::move(cost)), keep_us_(keep_us) {}
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
  using FactsKey = std::tuple<std::string, std::string, std::int64_t>;  // project, endpoint, window
  struct Facts {
    std::string seen;  // of the log when they were read
    std::int64_t at_us = 0;
    Json json;
  };
  struct Asked {
    const projects::Project& project;
    std::int64_t now_us;
  };
  statistics::KpiValue ValueOf(const Asked& asked, const statistics::Kpi& kpi)
      GYRE_REQUIRES(measuring_);
  statistics::KpiValue Read(const Asked& asked, const statistics::KpiName& name)
      GYRE_REQUIRES(measuring_);
  statistics::KpiValue MetricOf(const Asked& asked, const statistics::KpiName& name);
  statistics::KpiValue LiveOf(const Asked& asked, const statistics::KpiName& name)
      GYRE_REQUIRES(measuring_);
  statistics::KpiValue CountOf(const Asked& asked, const statistics::KpiName& name)
      GYRE_REQUIRES(measuring_);
  Result<std::vector<std::string>> Endpoints(const Asked& asked, const statistics::KpiName& name,
                                             bool one);
  Result<Json> FactsOf(const Asked& asked, const std::string& endpoint, std::int64_t window_us)
      GYRE_REQUIRES(measuring_);
  Result<> Store(const Asked& asked, std::vector<KpiState>* states);
  Result<std::string> EndpointOf(const Asked& asked, const statistics::Kpi& kpi);
  void SetGauges(std::string_view project, const std::vector<KpiState>& states);

  const MonitoringRooms rooms_;
  const Cost cost_;
  const std::int64_t keep_us_;
  Mutex measuring_;
  std::map<FactsKey, Facts> facts_ GYRE_GUARDED_BY(measuring_);
  exec::Worker worker_;
};

}  // namespace gyre::monitoring
