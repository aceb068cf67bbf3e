#include "ml/loop/stages.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace gyre::loop {
namespace {

const VersionFacts* Newest(const Facts& facts) {
  return facts.versions.empty() ? nullptr : &facts.versions.back();
}

Stage GoalStage(const Facts& facts) {
  Stage stage;
  stage.at_us = facts.problem_us;
  const std::string set = fmt::format("gyre projects edit {} --kpi 'auc >= 0.84'", facts.project);
  if (facts.goals.empty()) {
    stage.figure = facts.statement.empty() ? "No goal yet" : "No number to meet yet";
    stage.fact = facts.statement.empty() ? "What is to be solved, and when does it count as solved?"
                                         : facts.statement;
    stage.next = {"Set a goal", set, "goal"};
    return stage;
  }
  const auto worst = std::ranges::max_element(facts.goals, {}, [](const GoalFacts& goal) {
    return goal.state == "missed" ? 2 : goal.state == "unknown" ? 1 : 0;
  });
  const auto met = std::ranges::count(facts.goals, "met", &GoalFacts::state);
  stage.state = worst->state == "missed"    ? State::kBad
                : worst->state == "unknown" ? State::kWarn
                                            : State::kOk;
  stage.figure = worst->value ? fmt::format("{:.4g}, goal {}", *worst->value, worst->kpi)
                              : fmt::format("goal {}", worst->kpi);
  stage.fact = fmt::format("{} of {} goals met", met, facts.goals.size());
  if (!worst->reason.empty()) stage.fact += "; " + worst->reason;
  stage.at_us = std::max(stage.at_us, worst->since_us);
  stage.next = {worst->state == "met" ? "Look at the goals" : "See why", "gyre kpi", "goal"};
  return stage;
}

Stage DataStage(const Facts& facts) {
  Stage stage;
  if (!facts.dataset) {
    stage.figure = "No data yet";
    stage.fact = "A file becomes a versioned dataset";
    stage.next = {"Add a file", "gyre add FILE", "datasets"};
    return stage;
  }
  const DatasetFacts& data = *facts.dataset;
  stage.at_us = data.created_us;
  stage.figure = fmt::format("{}:v{}, {} rows", data.name, data.version, GroupDigits(data.rows));
  stage.state = data.failed > 0 ? State::kBad : data.warnings > 0 ? State::kWarn : State::kOk;
  stage.fact = data.rows_before < 0
                   ? fmt::format("{} columns", data.columns)
                   : fmt::format("{}{} rows", data.rows >= data.rows_before ? "+" : "−",
                                 GroupDigits(std::abs(data.rows - data.rows_before)));
  if (data.expectations > 0)
    stage.fact += fmt::format("; {} of {} expectations hold", data.expectations - data.failed,
                              data.expectations);
  if (data.quarantined > 0)
    stage.fact += fmt::format("; {} rows set aside", GroupDigits(data.quarantined));
  for (const std::int64_t rows : data.rows_of_versions)
    stage.trend.push_back(static_cast<double>(rows));
  stage.next = {data.warnings > 0 ? fmt::format("Look at {} warning{}", data.warnings,
                                                data.warnings == 1 ? "" : "s")
                                  : "Look at the columns",
                fmt::format("gyre datasets profile {}", data.name), "datasets/" + data.name};
  return stage;
}

// Name of the newest version from which on something has been the same until now.
template <class Same>
const VersionFacts* UnchangedSince(const Facts& facts, const Same& same) {
  const VersionFacts* since = Newest(facts);
  for (auto it = facts.versions.rbegin(); it != facts.versions.rend() && same(*it, *since); ++it)
    since = &*it;
  return since;
}

Stage PreparationStage(const Facts& facts) {
  Stage stage;
  const VersionFacts* const newest = Newest(facts);
  if (newest == nullptr || newest->recipe_hash.empty()) {
    stage.figure = newest == nullptr ? "No recipe yet" : "Not known";
    stage.fact = newest == nullptr ? "Training suggests one; it can be written down and changed"
                                   : fmt::format("{} was made elsewhere", newest->name);
    stage.next = {"Suggest one", "gyre recipes suggest DATASET", "recipes"};
    return stage;
  }
  const VersionFacts* const since = UnchangedSince(
      facts, [](const auto& a, const auto& b) { return a.recipe_hash == b.recipe_hash; });
  stage.state = State::kOk;
  stage.at_us = since->created_us;
  stage.figure = fmt::format("recipe {}", newest->recipe_hash.substr(0, 8));
  stage.fact = since == newest ? fmt::format("new with {}", newest->name)
                               : fmt::format("unchanged since {}", since->name);
  stage.next = {"Look at the steps", fmt::format("gyre recipes show {}", newest->name), "recipes"};
  return stage;
}

Stage FeaturesStage(const Facts& facts) {
  Stage stage;
  const VersionFacts* const newest = Newest(facts);
  if (newest == nullptr || newest->inputs == 0) {
    stage.figure = "No inputs yet";
    stage.fact = "A model says which columns it reads";
    stage.next = {"Train a model", "gyre train DATASET --target COLUMN", "runs"};
    return stage;
  }
  const VersionFacts* const since =
      UnchangedSince(facts, [](const auto& a, const auto& b) { return a.inputs == b.inputs; });
  stage.state = State::kOk;
  stage.at_us = since->created_us;
  stage.figure = fmt::format("{} columns read", newest->inputs);
  stage.fact = fmt::format("by {}, the same at training and at serving", newest->name);
  stage.next = {"See what matters", fmt::format("gyre explain {}", newest->name), "models"};
  return stage;
}

Stage DevelopmentStage(const Facts& facts) {
  Stage stage;
  const VersionFacts* const newest = Newest(facts);
  if (facts.work.running > 0) {
    stage.state = State::kRunning;
    stage.figure = facts.work.now;
    stage.fact = fmt::format("{} under way", facts.work.running);
    stage.at_us = facts.work.now_us;
    stage.next = {"Watch it", "gyre runs", "runs"};
    return stage;
  }
  if (newest == nullptr) {
    stage.figure = facts.work.has_runs ? "Runs, and no model" : "No runs yet";
    stage.fact = "No model has been registered";
    stage.next = {"Train a model", "gyre train DATASET --target COLUMN", "runs"};
    return stage;
  }
  stage.state = State::kOk;
  stage.at_us = newest->created_us;
  stage.figure =
      newest->value ? fmt::format("{} {:.4g}", newest->metric, *newest->value) : newest->name;
  stage.fact = newest->candidates > 0
                   ? fmt::format("best of {} for {}", newest->candidates, newest->name)
                   : fmt::format("{} by {}", newest->name, newest->created_by);
  if (newest->wall_seconds > 0) stage.fact += fmt::format(", {:.1f} s", newest->wall_seconds);
  for (const VersionFacts& version : facts.versions)
    if (version.value && version.metric == newest->metric) stage.trend.push_back(*version.value);
  stage.next = {"Compare the runs", "gyre runs", "runs"};
  return stage;
}

Stage EvaluationStage(const Facts& facts) {
  Stage stage;
  const VersionFacts* const newest = Newest(facts);
  if (newest == nullptr) {
    stage.figure = "Nothing to judge yet";
    stage.fact = "A gate compares each candidate with what is in production";
    stage.next = {"Train a model", "gyre train DATASET --target COLUMN", "runs"};
    return stage;
  }
  const GateFacts& gate = newest->gate;
  stage.at_us = gate.at_us;
  stage.next = {"See the verdict", fmt::format("gyre models show {}", newest->name), "models"};
  if (!gate.judged) {
    stage.figure = fmt::format("{} is not judged", newest->name);
    stage.fact = "no gate has compared it";
    stage.next = {"Judge it", fmt::format("gyre evaluate {} --against @champion", newest->name),
                  "models"};
    return stage;
  }
  stage.figure = fmt::format("{} of {} rules passed", gate.rules_passed, gate.rules);
  stage.fact = gate.why.empty() ? newest->name : fmt::format("{}: {}", newest->name, gate.why);
  stage.state = gate.passed ? State::kOk : State::kWarn;
  if (gate.rejected) {
    stage.state = State::kWarn;
    stage.fact = fmt::format("{} was rejected by a person", newest->name);
  } else if (gate.passed && gate.approvals < gate.approvals_min) {
    stage.state = State::kWarn;
    stage.fact = fmt::format("{} of {} approvals", gate.approvals, gate.approvals_min);
    stage.next = {"Approve it", fmt::format("gyre models approve {}", newest->name), "models"};
  }
  return stage;
}

Stage DeploymentStage(const Facts& facts) {
  Stage stage;
  if (facts.endpoints.empty()) {
    const VersionFacts* const newest = Newest(facts);
    stage.figure = "Nothing answers yet";
    stage.fact = newest == nullptr ? "A model answers over HTTP once it is deployed"
                                   : fmt::format("{} is ready to be deployed", newest->name);
    stage.next = {
        "Deploy",
        fmt::format("gyre deploy {}", newest == nullptr ? "MODEL@champion" : newest->name),
        "endpoints"};
    return stage;
  }
  const auto trouble = std::ranges::find_if(
      facts.endpoints, [](const EndpointFacts& endpoint) { return !endpoint.problem.empty(); });
  const auto canary = std::ranges::find_if(facts.endpoints, [](const EndpointFacts& endpoint) {
    return !endpoint.canary.model.empty();
  });
  const EndpointFacts& shown = trouble != facts.endpoints.end()  ? *trouble
                               : canary != facts.endpoints.end() ? *canary
                                                                 : facts.endpoints.front();
  stage.at_us = shown.deployed_us;
  stage.next = {"Look at the endpoint", fmt::format("gyre endpoints show {}", shown.name),
                "endpoints/" + shown.name};
  if (trouble != facts.endpoints.end()) {
    stage.state = State::kBad;
    stage.figure = fmt::format("{} does not answer", shown.name);
    stage.fact = shown.problem;
    return stage;
  }
  if (canary != facts.endpoints.end()) {
    stage.state = State::kRunning;
    stage.at_us = std::max(stage.at_us, shown.canary.since_us);
    stage.figure =
        fmt::format("Canary {} at {:.3g} %", shown.canary.model, shown.canary.share * 100);
    stage.fact = shown.canary.reason.empty()
                     ? fmt::format("beside {} on {}", shown.model, shown.name)
                     : shown.canary.reason;
    stage.next.label = "Watch the canary";
    return stage;
  }
  stage.state = State::kOk;
  stage.figure = fmt::format("{} answers", shown.model);
  stage.fact = facts.endpoints.size() == 1
                   ? fmt::format("on {}", shown.name)
                   : fmt::format("on {} and {} more", shown.name, facts.endpoints.size() - 1);
  if (shown.parked) stage.fact += ", parked until the next request";
  if (!shown.follows.empty()) stage.fact += fmt::format(", follows {}", shown.follows);
  if (shown.requests > 0)
    stage.fact += fmt::format("; {} requests since the server began", GroupDigits(shown.requests));
  return stage;
}

Stage MonitoringStage(const Facts& facts) {
  Stage stage;
  const MonitorFacts& monitoring = facts.monitoring;
  stage.at_us = monitoring.newest_us;
  if (monitoring.monitors == 0) {
    stage.figure = "Nothing is watched yet";
    stage.fact = "Each endpoint gets a monitor of its own";
    stage.next = {"Deploy a model", "gyre deploy MODEL@champion", "endpoints"};
    return stage;
  }
  const auto firing = std::ranges::find(monitoring.alerts, "firing", &AlertFacts::phase);
  if (firing != monitoring.alerts.end()) {
    stage.state = firing->acked ? State::kWarn : State::kBad;
    stage.figure = firing->what;
    stage.fact = fmt::format("{}, on {}", firing->name, firing->endpoint);
    stage.at_us = firing->since_us;
    stage.next = {"Open the alert", fmt::format("gyre alerts show {}", firing->name),
                  "monitoring/" + firing->name};
    return stage;
  }
  stage.next = {"Look at the windows", "gyre monitors", "monitoring"};
  if (!monitoring.problem.empty()) {
    stage.state = State::kWarn;
    stage.figure = "A monitor cannot look";
    stage.fact = monitoring.problem;
    return stage;
  }
  stage.state = monitoring.windows == 0 ? State::kIdle : State::kOk;
  stage.figure = monitoring.windows == 0
                     ? "Waits for traffic"
                     : fmt::format("{} windows judged", GroupDigits(monitoring.windows));
  stage.fact = monitoring.alerts.empty() ? "nothing fires"
                                         : fmt::format("{} pending", monitoring.alerts.size());
  return stage;
}

}  // namespace

std::string_view StateName(State state) {
  constexpr std::string_view kNames[] = {"ok", "warn", "bad", "running", "idle"};
  return kNames[static_cast<std::size_t>(state)];
}

Json ActToJson(const Act& act) {
  return Json::Obj({{"label", act.label}, {"command", act.command}, {"page", act.page}});
}

Stages StagesOf(const Facts& facts) {
  return {GoalStage(facts),       DataStage(facts),        PreparationStage(facts),
          FeaturesStage(facts),   DevelopmentStage(facts), EvaluationStage(facts),
          DeploymentStage(facts), MonitoringStage(facts)};
}

Json StagesToJson(const Stages& stages) {
  Json items = Json::Arr();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    Json trend = Json::Arr();
    for (const double value : stage.trend) trend.Push(value);
    items.Push(Json::Obj({{"stage", kStages[i]},
                          {"number", i + 1},
                          {"state", StateName(stage.state)},
                          {"at", stage.at_us == 0 ? Json() : Json(FormatTime(stage.at_us))},
                          {"figure", stage.figure},
                          {"fact", stage.fact},
                          {"next", ActToJson(stage.next)},
                          {"trend", std::move(trend)}}));
  }
  return items;
}

}  // namespace gyre::loop
