// Monitors: what watches the traffic of an endpoint, window by window, and raises alerts.
//
// A monitor is a resource that is reconciled: from time to time the log is asked what has come, a
// worker judges the windows that are complete, and one transaction per window keeps its document,
// moves its alerts, publishes events and advances the cursor. A crash in between repeats the same
// windows with the same ids. Each endpoint has a monitor of its own name unless somebody removed
// it; when an endpoint is removed, its monitors follow it into the trash. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/monitoring/alerts.h"
#include "ml/monitoring/signals.h"
#include "ml/monitoring/windows.h"
#include "platform/db/database.h"

namespace gyre::blob {
class Store;
}
namespace gyre::evaluation {
class Evaluations;
}
namespace gyre::events {
class Events;
}
namespace gyre::inference_log {
class InferenceLog;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::runners {
class Jobs;
}
namespace gyre::serving {
class Serving;
}
namespace gyre::telemetry {
class Metrics;
}

namespace gyre::monitoring {

db::ModuleSchema MonitoringSchema();

struct MonitorSpec {
  WindowSpec window = {.period_us = 3600 * kMicrosPerSecond, .rows_min = 500};
  AlertRule alert = {};
  DriftRules drift = {};
  bool against_previous = false;  // drift from the window before, not from the training data
  double coverage_min = 0.5;      // of labels, before performance is judged
  std::int64_t label_wait_us = 30 * kMicrosPerDay;  // then a window is final
  std::vector<std::string> ignore = {};             // columns
  std::vector<std::string> quiet = {};              // signals that raise no alert
  friend bool operator==(const MonitorSpec&, const MonitorSpec&) = default;
};
Json MonitorSpecToJson(const MonitorSpec& spec);
// The members of `change` in the place of those of `spec`. Errors: kInvalidArgument GY4501 names
// the member, GY4502, GY4503, those of ChangedRules.
Result<MonitorSpec> ChangedSpec(MonitorSpec spec, const Json& change);

// What came after a window was judged first.
struct Late {
  std::int64_t rows = 0, labels = 0;                    // it was judged again with them
  std::int64_t left_out_rows = 0, left_out_labels = 0;  // it was final by then
};
Json LateToJson(const Late& late);

struct Monitor {
  std::string id = {}, project = {}, name = {}, endpoint = {};
  MonitorSpec spec = {};
  bool enabled = true;
  std::int64_t windows = 0;     // judged
  std::int64_t newest_us = 0;   // end of the last of them
  int firing = 0, pending = 0;  // alerts
  Late late = {};               // of the windows that are kept
  std::string problem = {};     // why the last look failed, or what it could not read
  std::string created_by = {};
  std::int64_t created_us = 0, updated_us = 0;
};
Json MonitorToJson(const Monitor& monitor);

struct JudgedWindow {
  std::string id = {}, monitor_id = {};
  std::int64_t number = 0, begin_us = 0, end_us = 0;
  WindowState state = WindowState::kProvisional;
  std::int64_t rows = 0, labelled = 0;
  int revision = 1;
  Late late = {};
  Json document = {};
  std::int64_t computed_us = 0;
};
Json WindowToJson(const JudgedWindow& window);
Json WindowSummary(const JudgedWindow& window);  // without the columns that are as before

struct Alert {
  std::string id = {}, monitor_id = {}, project = {}, monitor = {}, endpoint = {}, signal = {};
  AlertState state = {};
  std::string what = {};
  std::vector<std::string> columns = {};
  std::string model = {}, model_version_id = {};
  std::string window_id = {};  // that it was seen in last
  std::int64_t window_number = 0;
  std::string incident_id = {};  // of the time it fires, or fired last; empty = never
  std::int64_t changes = 0;
  std::int64_t updated_us = 0;
  std::string name() const { return monitor + ":" + signal; }
};
Json AlertToJson(const Alert& alert);
// Whether the trouble is that version's own: seen on its rows and no others. `window`: that the
// alert was seen in last.
bool IsOfVersionAlone(const Alert& alert, const JudgedWindow& window,
                      std::string_view model_version_id);

struct AlertChange {
  std::int64_t number = 0;
  std::string window_id = {};
  Phase from = Phase::kOk, to = Phase::kOk;
  std::string reason = {}, mute = {};
  bool told = false;
  std::string changed_by = {};  // empty: by a window
  std::int64_t data_us = 0, changed_us = 0;
};
Json ChangeToJson(const AlertChange& change);

struct AlertQuery {
  std::optional<std::vector<std::string>> projects = {};  // only these; nothing = all
  std::string endpoint = {}, monitor = {};
  std::string phase = {};  // "firing"; empty = all but ok
  bool all = false;        // those that are ok too
  int limit = 100;
};

// Tells people that an alert began, goes on or ended: made before the transaction, called in it.
struct Notice {
  std::string project = {}, kind = {}, title = {}, text = {}, dedupe_key = {};
  bool urgent = false;
  Json payload = {};
};
using Notify = std::function<std::move_only_function<Result<>(db::Transaction&)>(Notice)>;

// What a monitor needs of others.
struct MonitoringRooms {
  db::Database& database;
  blob::Store& blobs;
  events::Events& events;
  projects::Projects& projects;
  registry::Registry& registry;
  evaluation::Evaluations& evaluations;
  serving::Serving& serving;
  inference_log::InferenceLog& log;
  runners::Jobs& jobs;
  telemetry::Metrics& metrics;
  const Clock& clock;
  Notify notify = {};  // empty: nobody is told
};

// What one of two versions that answer beside each other did.
struct SideSeen {
  std::int64_t rows = 0, labelled = 0;  // labelled: with a label that the model knows
  double value = 0;                     // of the metric; NaN where it is not measured
};
// The champion of an endpoint and a canary, over the same time.
struct Sides {
  SideSeen champion = {}, canary = {};
  std::string metric = {};
  double worse = 0;  // by how much the canary is worse, whatever the metric's direction, or NaN
  double error = 0;  // the standard error of that, or NaN
  std::string answers_method = {};  // of the answers' distributions; empty = too few rows
  double p_value = 0, effect = 0;   // of the calibrated comparison (ml/statistics/drift.h)
};
struct SidesRequest {
  std::string project = {}, endpoint = {};
  std::string canary = {};  // "churn:v4"
  // Of the rows' arrival: when each part began, the first the rows that count at all. Versions are
  // compared within a part, where each had the same share of the traffic throughout: one that
  // answered more when all were harder to answer is no worse for that.
  std::vector<std::int64_t> parts_us = {};
  std::function<bool()> cancelled = {};
};

class Monitors {
 public:
  virtual ~Monitors() = default;  // as Stop

  // Looks every so often, in a thread of its own.
  virtual void Start(std::int64_t every_us) = 0;
  virtual void Stop() = 0;

  struct NewMonitor {
    std::string project, name, endpoint, created_by;
    Json spec;  // of ChangedSpec; null = defaults
  };
  // Errors: GY1200 bad name, kAlreadyExists GY4507, kInvalidArgument GY4513 a method of a column
  // that the model does not read, those of Serving::Get.
  virtual Result<Monitor> Create(NewMonitor monitor) = 0;
  // `change`: of ChangedSpec, and "enabled". A window that changes begins anew after the last one
  // that was judged. Errors: kNotFound GY4508 with did you mean.
  virtual Result<Monitor> Edit(std::string_view project, std::string_view name,
                               const Json& change) = 0;
  // Alerts that fire are over: that is published and told.
  // Goes into the trash with its windows and alerts (trash_kind.h).
  virtual Result<> Remove(std::string_view project, std::string_view name, std::string_view by) = 0;
  virtual Result<Monitor> Get(std::string_view project, std::string_view name) = 0;
  virtual Result<std::vector<Monitor>> List(std::string_view project) = 0;  // by name

  // Judges what is complete now; the number of windows judged, also again. Errors: kUnavailable
  // GY4509 the log cannot be read now.
  virtual Result<std::int64_t> Run(std::string_view project, std::string_view name) = 0;
  // What the thread does: every monitor whose traffic has changed.
  virtual Result<> Tick() = 0;

  virtual Result<std::vector<JudgedWindow>> Windows(const Monitor& monitor, std::int64_t before,
                                                    int limit) = 0;  // newest first; 0 = the newest
  virtual Result<JudgedWindow> Window(std::string_view project, std::string_view id) = 0;
  // How its document was before late rows and labels came, oldest first.
  virtual Result<Json> Revisions(const JudgedWindow& window) = 0;
  // The newest signals of each monitor: {"monitor", "endpoint", "window", "signals": [...]}.
  virtual Result<Json> Signals(std::string_view project, std::string_view endpoint) = 0;

  // Rows with labels in the windows that begin then or later, as the monitor of the endpoint that
  // saw the most of them has judged them; nothing where none watches it.
  virtual Result<std::optional<std::int64_t>> LabelledSince(std::string_view project,
                                                            std::string_view endpoint,
                                                            std::int64_t since_us) = 0;

  virtual Result<std::vector<Alert>> Alerts(const AlertQuery& query) = 0;  // newest change first
  // By id, unique beginning of it, or "churn:drift". Error: kNotFound GY4510.
  virtual Result<Alert> GetAlert(std::string_view project, std::string_view text) = 0;
  // Reads the log in a worker, while the caller waits.
  virtual Result<Sides> Compare(const SidesRequest& request) = 0;

  virtual Result<std::vector<AlertChange>> History(const Alert& alert, int limit) = 0;
  virtual Result<Alert> Ack(std::string_view project, std::string_view alert,
                            std::string_view by) = 0;  // GY4504
  virtual Result<Alert> Snooze(std::string_view project, std::string_view alert,
                               std::int64_t seconds, std::string_view by) = 0;  // GY4511
};

Result<std::unique_ptr<Monitors>> OpenMonitors(MonitoringRooms rooms);

// Alert rules for Prometheus, over the gauges that monitors set.
std::string PrometheusRules();

}  // namespace gyre::monitoring
