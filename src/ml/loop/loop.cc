#include "ml/loop/loop.h"

namespace gyre::loop {
namespace {

Json GoalToJson(const GoalFacts& goal) {
  return Json::Obj({{"kpi", goal.kpi},
                    {"state", goal.state},
                    {"value", goal.value ? Json(*goal.value) : Json()},
                    {"reason", goal.reason},
                    {"since", goal.since_us == 0 ? Json() : Json(FormatTime(goal.since_us))}});
}

// The scales without their rows: a page about maturity asks for those.
Json MaturityBrief(const Maturity& maturity) {
  Json brief = Json::Arr();
  const Json whole = MaturityToJson(maturity);
  for (const Json& scale : whole["scales"].items())
    brief.Push(Json::Obj({{"scale", scale["scale"]},
                          {"level", scale["level"]},
                          {"of", scale["of"]},
                          {"next", scale["next"]}}));
  return brief;
}

}  // namespace

Json LoopToJson(const Facts& facts) {
  Json laps = Json::Arr(), goals = Json::Arr();
  for (const Lap& lap : LapsOf(facts)) laps.Push(LapToJson(lap));
  for (const GoalFacts& goal : facts.goals) goals.Push(GoalToJson(goal));
  return Json::Obj({{"project", facts.project},
                    {"statement", facts.statement},
                    {"model", facts.model},
                    {"at", FormatTime(facts.now_us)},
                    {"goals", std::move(goals)},
                    {"stages", StagesToJson(StagesOf(facts))},
                    {"laps", std::move(laps)},
                    {"laps_before", facts.versions_before},
                    {"running", RunningToJson(RunningOf(facts))},
                    {"maturity", MaturityBrief(MaturityOf(facts))}});
}

}  // namespace gyre::loop
