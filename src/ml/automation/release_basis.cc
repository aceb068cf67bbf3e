#include "ml/automation/release_basis.h"

#include <algorithm>
#include <cmath>

namespace gyre::automation {
namespace {

Json SideToJson(const CountedSide& side) {
  return Json::Obj({{"deployment", side.deployment},
                    {"requests", side.facts.requests},
                    {"failed", side.facts.failed},
                    {"rows", side.facts.rows},
                    {"latency_us", side.latency_us.ToJson()}});
}

CountedSide SideFromJson(const Json& json) {
  return {.deployment = json["deployment"].AsString(),
          .facts = {.requests = json["requests"].AsInt(),
                    .failed = json["failed"].AsInt(),
                    .rows = json["rows"].AsInt()},
          .latency_us = statistics::LogCounts::FromJson(json["latency_us"])};
}

Json EvidenceToJson(double evidence) { return std::isfinite(evidence) ? Json(evidence) : Json(); }

double EvidenceFromJson(const Json& json) {
  return json.is_number() ? json.AsDouble() : Carried().errors;
}

}  // namespace

Json ReleaseBasis::ToJson() const {
  Json times = Json::Arr();
  for (const std::int64_t time : steps_us) times.Push(time);
  return Json::Obj(
      {{"champion_model", champion_model},
       {"process", process},
       {"champion", SideToJson(champion)},
       {"canary", SideToJson(canary)},
       {"carried", Json::Obj({{"champion", SideToJson({"", carried.champion, carried_champion_us})},
                              {"canary", SideToJson({"", carried.canary, carried_canary_us})},
                              {"errors", EvidenceToJson(carried.errors)},
                              {"latency", EvidenceToJson(carried.latency)}})},
       {"steps_us", std::move(times)},
       {"given", step_given},
       {"looks", looks}});
}

ReleaseBasis ReleaseBasis::FromJson(const Json& json) {
  ReleaseBasis basis;
  basis.champion_model = json["champion_model"].AsString();
  basis.process = json["process"].AsString();
  basis.champion = SideFromJson(json["champion"]);
  basis.canary = SideFromJson(json["canary"]);
  const Json& carried = json["carried"];
  const CountedSide champion = SideFromJson(carried["champion"]),
                    canary = SideFromJson(carried["canary"]);
  basis.carried = {.champion = champion.facts,
                   .canary = canary.facts,
                   .errors = EvidenceFromJson(carried["errors"]),
                   .latency = EvidenceFromJson(carried["latency"])};
  basis.carried_champion_us = champion.latency_us;
  basis.carried_canary_us = canary.latency_us;
  for (const Json& time : json["steps_us"].items()) basis.steps_us.push_back(time.AsInt());
  basis.step_given = static_cast<int>(json["given"].AsInt(-1));
  basis.looks = static_cast<int>(json["looks"].AsInt());
  return basis;
}

void TakeOff(const CountedSide& began, CountedSide* now) {
  if (began.deployment != now->deployment) return;
  const auto since = [](std::int64_t more, std::int64_t less) {
    return std::max<std::int64_t>(0, more - less);
  };
  now->latency_us = now->latency_us.Since(began.latency_us);
  now->facts.requests = since(now->facts.requests, began.facts.requests);
  now->facts.failed = since(now->facts.failed, began.facts.failed);
  now->facts.rows = since(now->facts.rows, began.facts.rows);
}

}  // namespace gyre::automation
