#include "ml/loop/laps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/time.h"

namespace gyre::loop {
namespace {

// Rows that came or went, from which the data of a lap counts as new.
constexpr double kNewDataShare = 0.2;
// Of the most candidates that any lap tried, and of the longest time that one answered.
constexpr double kMostShare = 0.5;

Arc GoalArc(const Facts& facts, const VersionFacts& now, const VersionFacts* before) {
  if (facts.problem_version == 0) return {};
  const bool stated = facts.problem_us <= now.created_us;
  const bool anew = stated && (before == nullptr || facts.problem_us > before->created_us);
  return {.effort = anew ? Effort::kSome : Effort::kReused,
          .text = anew ? "stated" : "unchanged",
          .at_us = anew ? facts.problem_us : 0};
}

Arc DataArc(const VersionFacts& now, const VersionFacts* before) {
  if (now.dataset.empty()) return {};
  Arc arc{.effort = Effort::kMost,
          .text = fmt::format("{}, {} rows", now.dataset, now.dataset_rows)};
  if (before == nullptr || before->dataset.empty()) return arc;
  if (before->dataset == now.dataset) {
    arc.effort = Effort::kReused;
    return arc;
  }
  const auto rows = static_cast<double>(std::max<std::int64_t>(before->dataset_rows, 1));
  const double changed = std::abs(static_cast<double>(now.dataset_rows - before->dataset_rows));
  arc.effort = changed / rows >= kNewDataShare ? Effort::kMost : Effort::kSome;
  return arc;
}

Arc PreparationArc(const VersionFacts& now, const VersionFacts* before) {
  if (now.recipe_hash.empty()) return {};
  const std::string text = fmt::format("recipe {}", now.recipe_hash.substr(0, 8));
  if (before == nullptr || before->recipe_hash.empty())
    return {.effort = Effort::kMost, .text = text};
  const bool same = before->recipe_hash == now.recipe_hash;
  return {.effort = same ? Effort::kReused : Effort::kSome, .text = text};
}

Arc FeaturesArc(const VersionFacts& now, const VersionFacts* before) {
  if (now.inputs == 0) return {};
  const bool same = before != nullptr && before->inputs == now.inputs;
  return {.effort = same ? Effort::kReused : Effort::kSome,
          .text = fmt::format("{} columns read", now.inputs)};
}

Arc DevelopmentArc(const VersionFacts& now, int candidates_most) {
  Arc arc{.effort = Effort::kReused, .text = "brought here", .at_us = now.created_us};
  if (now.candidates == 0 && now.run_id.empty()) return arc;
  arc.text = now.value ? fmt::format("{} {:.4g} of {} candidates", now.metric, *now.value,
                                     std::max(now.candidates, 1))
                       : fmt::format("{} candidates", std::max(now.candidates, 1));
  arc.effort = now.candidates >= kMostShare * candidates_most ? Effort::kMost : Effort::kSome;
  return arc;
}

Arc EvaluationArc(const VersionFacts& now) {
  const GateFacts& gate = now.gate;
  if (gate.rejected)
    return {.effort = Effort::kSome,
            .mark = "rejected",
            .text = "rejected by a person",
            .at_us = gate.at_us};
  if (!gate.judged) return {};
  Arc arc{.effort = Effort::kSome,
          .text = fmt::format("{} of {} rules passed", gate.rules_passed, gate.rules),
          .at_us = gate.at_us};
  if (!gate.passed && now.champion_us == 0) {
    arc.mark = "rejected";
    if (!gate.why.empty()) arc.text += ": " + gate.why;
  }
  return arc;
}

Arc DeploymentArc(const VersionFacts& now) {
  if (now.deployed_us == 0) return {};
  Arc arc{.effort = Effort::kSome, .text = "answered", .at_us = now.deployed_us};
  if (now.answers) arc.text = "answers";
  if (now.rolled_back)
    arc = {.effort = Effort::kSome,
           .mark = "rolled back",
           .text = "rolled back",
           .at_us = now.rolled_back_us};
  return arc;
}

std::int64_t AnsweredFor(const VersionFacts& now, std::int64_t now_us) {
  if (now.deployed_us == 0) return 0;
  return (now.replaced_us == 0 ? now_us : now.replaced_us) - now.deployed_us;
}

Arc MonitoringArc(const Facts& facts, const VersionFacts& now, std::int64_t longest_us) {
  if (now.deployed_us == 0 || facts.monitoring.monitors == 0) return {};
  const std::int64_t for_us = AnsweredFor(now, facts.now_us);
  const bool long_time =
      static_cast<double>(for_us) >= kMostShare * static_cast<double>(longest_us);
  Arc arc{.effort = long_time ? Effort::kMost : Effort::kSome, .text = "watched"};
  if (now.alerts > 0) {
    arc.mark = "alert";
    arc.text = now.alert;
    arc.at_us = now.alert_us;
  }
  return arc;
}

}  // namespace

std::string_view EffortName(Effort effort) {
  constexpr std::string_view kNames[] = {"none", "reused", "some", "most"};
  return kNames[static_cast<std::size_t>(effort)];
}

std::vector<Lap> LapsOf(const Facts& facts) {
  int candidates_most = 1;
  std::int64_t longest_us = 1;
  for (const VersionFacts& version : facts.versions) {
    candidates_most = std::max(candidates_most, version.candidates);
    longest_us = std::max(longest_us, AnsweredFor(version, facts.now_us));
  }
  std::vector<Lap> laps;
  const VersionFacts* before = nullptr;
  for (const VersionFacts& now : facts.versions) {
    Lap lap{.version = now.version,
            .name = now.name,
            .begun_us = now.created_us,
            .answers = now.answers};
    lap.arcs = {GoalArc(facts, now, before),
                DataArc(now, before),
                PreparationArc(now, before),
                FeaturesArc(now, before),
                DevelopmentArc(now, candidates_most),
                EvaluationArc(now),
                DeploymentArc(now),
                MonitoringArc(facts, now, longest_us)};
    laps.push_back(std::move(lap));
    before = &now;
  }
  return laps;
}

Running RunningOf(const Facts& facts) {
  for (const EndpointFacts& endpoint : facts.endpoints) {
    if (endpoint.canary.model.empty()) continue;
    for (const VersionFacts& version : facts.versions)
      if (version.name == endpoint.canary.model)
        return {.stage = kDeployment,
                .version = version.version,
                .text = fmt::format("canary at {:.3g} %", endpoint.canary.share * 100),
                .since_us = endpoint.canary.since_us};
  }
  if (facts.work.running > 0)
    return {.stage = kDevelopment, .text = facts.work.now, .since_us = facts.work.now_us};
  return {};
}

Json LapToJson(const Lap& lap) {
  Json arcs = Json::Arr();
  for (std::size_t i = 0; i < lap.arcs.size(); ++i) {
    const Arc& arc = lap.arcs[i];
    Json item = Json::Obj({{"stage", kStages[i]}, {"effort", EffortName(arc.effort)}});
    if (!arc.mark.empty()) item.Set("mark", arc.mark);
    if (!arc.text.empty()) item.Set("text", arc.text);
    if (arc.at_us != 0) item.Set("at", FormatTime(arc.at_us));
    arcs.Push(std::move(item));
  }
  return Json::Obj({{"version", lap.version},
                    {"name", lap.name},
                    {"begun", FormatTime(lap.begun_us)},
                    {"answers", lap.answers},
                    {"arcs", std::move(arcs)}});
}

Json RunningToJson(const Running& running) {
  if (running.stage < 0) return {};
  return Json::Obj(
      {{"stage", kStages[static_cast<std::size_t>(running.stage)]},
       {"version", running.version == 0 ? Json() : Json(running.version)},
       {"text", running.text},
       {"since", running.since_us == 0 ? Json() : Json(FormatTime(running.since_us))}});
}

}  // namespace gyre::loop
