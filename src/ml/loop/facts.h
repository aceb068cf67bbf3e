// What the rooms know of one project, as far as the loop is told by it: plain data, so that what is
// said of it is a pure function (laps.h, stages.h, maturity.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gyre::loop {

// A goal, as it was measured last.
struct GoalFacts {
  std::string kpi = {}, state = {}, reason = {};  // state: met, missed, unknown
  std::optional<double> value = {};
  std::int64_t since_us = 0;
};

struct DatasetFacts {
  std::string name = {};
  std::int64_t version = 0, rows = 0, created_us = 0;
  std::int64_t rows_before = -1;  // of the version before; -1 = there is none
  int columns = 0, warnings = 0;
  int expectations = 0, failed = 0;  // of the check at import
  std::int64_t quarantined = 0;
  std::vector<std::int64_t> rows_of_versions = {};  // oldest first
};

// What an alias move, a gate, a deployment made of a version.
struct GateFacts {
  bool judged = false, passed = false;
  int rules = 0, rules_passed = 0;
  std::string why = {};  // the first rule that failed
  int approvals = 0, approvals_min = 0;
  bool rejected = false;  // by a person
  std::int64_t at_us = 0;
};

// One candidate: a version of the model, and what became of it.
struct VersionFacts {
  int version = 0;
  std::string name = {};  // "churn:v3"
  std::int64_t created_us = 0;
  std::string created_by = {};
  std::string dataset = {};  // "customers:v9"
  std::int64_t dataset_rows = 0;
  std::string recipe_hash = {}, task = {}, target = {}, learner = {};
  int inputs = 0;  // columns that it reads
  std::string metric = {};
  std::optional<double> value = {};
  std::string run_id = {};
  int candidates = 0;         // that were tried for it
  double wall_seconds = 0;    // of its training; 0 = unknown
  bool reproducible = false;  // dataset version, recipe, code or seed are known
  GateFacts gate = {};
  std::int64_t champion_us = 0;  // when it became @champion first; 0 = never
  std::int64_t deployed_us = 0;  // when it answered first; 0 = never
  std::int64_t replaced_us = 0;  // when it answered last; 0 = it does, or never did
  bool rolled_back = false;
  std::int64_t rolled_back_us = 0;
  bool answers = false;  // as the champion of an endpoint, now
  int alerts = 0;        // that began while it answered
  std::int64_t alert_us = 0;
  std::string alert = {};  // "data drift: tenure"
};

struct CanaryFacts {
  std::string model = {};  // empty = there is none
  double share = 0;
  std::string state = {}, reason = {};
  std::int64_t since_us = 0;
};

struct EndpointFacts {
  std::string name = {}, model = {}, follows = {}, basis = {}, problem = {};
  bool ready = false, parked = false;
  std::int64_t deployed_us = 0, requests = 0, failures = 0;
  CanaryFacts canary = {};
};

struct AlertFacts {
  std::string name = {}, what = {}, endpoint = {}, phase = {};
  std::int64_t since_us = 0;
  bool acked = false;
};

struct MonitorFacts {
  int monitors = 0;
  std::int64_t windows = 0, newest_us = 0;
  std::string problem = {};
  std::vector<AlertFacts> alerts = {};  // pending or firing, newest first
};

struct TriggerFacts {
  std::string name = {}, cause = {}, pipeline = {};
  bool enabled = false, retrains = false;
};

struct FiringFacts {
  std::string trigger = {}, cause = {}, state = {}, outcome = {}, text = {};
  std::int64_t at_us = 0;
};

struct WorkFacts {
  int running = 0;       // runs and pipeline runs of the project
  std::string now = {};  // what the newest of them does: "train churn"
  std::int64_t now_us = 0;
  bool has_runs = false;
  bool code_known = false;    // a run names its commit
  std::string code_run = {};  // which
};

struct Facts {
  std::string project = {}, statement = {}, target = {}, owner = {}, model = {};
  std::int64_t now_us = 0;
  std::int64_t problem_version = 0, problem_us = 0;
  std::vector<GoalFacts> goals = {};
  std::optional<DatasetFacts> dataset = {};
  std::vector<VersionFacts> versions = {};  // of the model, oldest first
  int versions_before = 0;                  // that are older than these
  std::vector<EndpointFacts> endpoints = {};
  MonitorFacts monitoring = {};
  std::vector<TriggerFacts> triggers = {};
  std::vector<FiringFacts> firings = {};  // newest first
  WorkFacts work = {};
};

}  // namespace gyre::loop
