// What a trigger says: what it listens for, what it starts, and what must be true before it may.
// Plain data, read from and written as JSON. Pure.
//
//   {"name": "churn-drift", "on": {"kind": "drift", "endpoint": "churn"},
//    "run": {"pipeline": "retrain", "params": {"budget": "60s"}},
//    "guards": {"cooldown_s": 21600, "runs_per_day_max": 4}, "approval": "approver"}
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/pipelines/schedule.h"

namespace gyre::automation {

enum class Cause : unsigned char {
  kDrift,        // an alert of a drift signal fires; subject: the endpoint
  kPerformance,  // an alert of a performance signal fires; subject: the endpoint
  kKpi,          // an alert of a KPI of the problem statement fires; subject: the endpoint
  kQuality,      // an alert of a data quality signal fires; subject: the endpoint
  kSchedule,     // a cron line or an interval is due
  kDataset,      // a new version of a dataset; subject: the dataset
  kFile,         // a file has come to rest in a watched folder; subject: the folder
  kPush,         // a git hook reports a push; subject: the repository's name
  kRegistry,     // an alias has moved or a version was registered; subject: the model
  kWebhook,      // a call of the trigger's own URL
  kHand,         // gyre triggers fire
};
std::string_view CauseName(Cause cause);    // "drift"
std::string_view SubjectKind(Cause cause);  // "endpoint", "dataset", "folder"; empty = it has none
std::optional<Cause> ParseCause(std::string_view name);
std::vector<std::string> CauseNames();

struct QuietHours {
  int from_minute = 0, to_minute = 0;  // of the day in `zone`; from > to spans midnight
  std::string zone = "UTC";
  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};

// What must hold before a run is started. Zero means no limit, except where it is said.
struct Guards {
  std::int64_t cooldown_s = 6 * 3600;  // since the last run of this trigger began
  std::int64_t runs_per_day_max = 4;   // in the last 24 hours
  double cpu_seconds_per_month = 0;    // of all its runs in the last 30 days
  bool one_at_a_time = true;           // not while a run of the same lock goes on
  bool quality_first = true;           // not while an alert says that its input is broken
  std::int64_t failures_max = 3;       // one after another; then a person is asked
  // How long a retraining that an alert asks for waits for rows with labels since the trouble
  // began.
  std::int64_t labels_wait_s = std::int64_t{7} * 86'400;
  std::optional<QuietHours> quiet_hours{};  // what comes then waits until they are over
  friend bool operator==(const Guards&, const Guards&) = default;
};

struct Listening {
  Cause cause = Cause::kHand;
  std::string subject{};     // see Cause; empty = any of the project
  std::string columns{};     // drift: only alerts that name one of these, comma separated
  std::string at{};          // schedule: "0 3 * * *" or "every 6h"
  std::string zone = "UTC";  // of the schedule
  // schedule: times that passed while nobody looked, and those that come while a run goes on
  pipelines::CatchUp catch_up = pipelines::CatchUp::kLast;
  pipelines::Overlap overlap = pipelines::Overlap::kQueue;
  std::string pattern{};  // file: "*.csv"
  std::string branch{};   // push: only this branch
  std::string alias{};    // registry: only moves of this alias; empty = new versions too
  friend bool operator==(const Listening&, const Listening&) = default;
};

struct TriggerSpec {
  std::string name{};
  Listening on{};
  // A pipeline of the project, or the preset "retrain". Stored with its version ("retrain:v1"): who
  // made the trigger was allowed to run that one, and not what others make of it later.
  std::string pipeline{};
  Json params{};  // of the pipeline; an object or null
  Guards guards{};
  std::string approval{};  // "approver": one must agree before the run starts; empty = nobody
  bool enabled = true;
  friend bool operator==(const TriggerSpec&, const TriggerSpec&) = default;
};

// Errors: kInvalidArgument GY4801 names the member that is unknown, missing or of the wrong type.
Result<TriggerSpec> TriggerSpecFromJson(const Json& json);
Json TriggerSpecToJson(const TriggerSpec& spec);

// The endpoint that its runs are about: their parameter of that name, else what it listens to;
// empty = none.
std::string EndpointOf(const TriggerSpec& spec);

// What has happened, as a trigger sees it.
// The parameter that gets the path of the file that a trigger heard of, where a pipeline has it.
inline constexpr std::string_view kFileParam = "file";

struct Occurrence {
  Cause cause = Cause::kHand;
  std::string project{}, subject{};
  std::string key{};  // the same occurrence has the same key: "event 812", "2026-11-21T03:00Z"
  std::vector<std::string> columns{};  // that drifted
  std::string branch{}, alias{}, file{};
  std::string source_id{};  // of lineage: the alert, dataset version, alias move
  std::string text{};       // "alert: tenure and charges drifted (window 12)"
  std::int64_t at_us = 0;
  std::int64_t since_us = 0;  // of an alert: where the trouble began, by the time of the data
};
// Does the trigger listen for that?
bool Listens(const TriggerSpec& spec, const Occurrence& occurrence);

}  // namespace gyre::automation
