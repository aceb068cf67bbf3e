#include "ml/loop/maturity.h"

#include <fmt/format.h>

#include <algorithm>

namespace gyre::loop {
namespace {

// One thing that a scale asks for: whether it is so, what shows it, and what is missing otherwise.
struct Shown {
  bool met = false;
  std::string evidence = {};
  std::string page = {};
  Act act = {};
};
using Look = Shown (*)(const Facts&);

const VersionFacts* Newest(const Facts& facts) {
  return facts.versions.empty() ? nullptr : &facts.versions.back();
}
std::string ModelName(const Facts& facts) { return facts.model.empty() ? "MODEL" : facts.model; }
std::string EndpointName(const Facts& facts) {
  return facts.endpoints.empty() ? "ENDPOINT" : facts.endpoints.front().name;
}

Shown Recorded(const Facts& facts) {
  const VersionFacts* const newest = Newest(facts);
  if (newest != nullptr && !newest->run_id.empty())
    return {.met = true,
            .evidence = fmt::format("{} with its run and {}", newest->name,
                                    newest->dataset.empty() ? "its code" : newest->dataset),
            .page = "runs/" + newest->run_id};
  return {.evidence = "no model with its run and data",
          .act = {"Train a model", "gyre train DATASET --target COLUMN", "runs"}};
}

Shown DataValidated(const Facts& facts) {
  if (facts.dataset && facts.dataset->expectations > 0)
    return {.met = true,
            .evidence = fmt::format("{} expectations of {}", facts.dataset->expectations,
                                    facts.dataset->name),
            .page = "datasets/" + facts.dataset->name};
  const std::string name = facts.dataset ? facts.dataset->name : "DATASET";
  return {.evidence = "nothing is expected of the data",
          .act = {"Say what is expected", fmt::format("gyre datasets expectations {}", name),
                  "datasets/" + name}};
}

Shown ModelsValidated(const Facts& facts) {
  for (auto it = facts.versions.rbegin(); it != facts.versions.rend(); ++it)
    if (it->gate.judged)
      return {.met = true,
              .evidence = fmt::format("{}: {} of {} rules passed", it->name, it->gate.rules_passed,
                                      it->gate.rules),
              .page = "models"};
  return {.evidence = "no candidate was judged",
          .act = {"Judge one", fmt::format("gyre evaluate {} --gate", ModelName(facts)), "models"}};
}

const TriggerFacts* FindTrigger(const Facts& facts, std::initializer_list<std::string_view> causes,
                                bool retrains) {
  for (const TriggerFacts& trigger : facts.triggers) {
    if (!trigger.enabled || (retrains && !trigger.retrains)) continue;
    if (causes.size() == 0 || std::ranges::find(causes, trigger.cause) != causes.end())
      return &trigger;
  }
  return nullptr;
}

Shown ByTrigger(const TriggerFacts* trigger, std::string missing, Act act) {
  if (trigger == nullptr) return {.evidence = std::move(missing), .act = std::move(act)};
  return {.met = true,
          .evidence =
              fmt::format("{}: on {} runs {}", trigger->name, trigger->cause, trigger->pipeline),
          .page = "triggers"};
}

Act AddTrigger(const Facts& facts, std::string label) {
  const std::string endpoint = EndpointName(facts);
  return {std::move(label), fmt::format("gyre triggers add {} --on drift --run retrain", endpoint),
          "triggers"};
}

Shown Retrains(const Facts& facts) {
  return ByTrigger(FindTrigger(facts, {}, true), "no trigger retrains",
                   AddTrigger(facts, "Retrain by a trigger"));
}

Shown HasRetrained(const Facts& facts) {
  for (const FiringFacts& firing : facts.firings)
    if (firing.state == "succeeded")
      return {.met = true,
              .evidence = fmt::format("{}: {}", firing.trigger, firing.text),
              .page = "triggers"};
  return {.evidence = "no triggered run has ended well",
          .act = facts.triggers.empty()
                     ? AddTrigger(facts, "Retrain by a trigger")
                     : Act{"Fire it once",
                           fmt::format("gyre triggers fire {}", facts.triggers.front().name),
                           "triggers"}};
}

Shown CodeKnown(const Facts& facts) {
  if (facts.work.code_known)
    return {.met = true,
            .evidence = fmt::format("run {} names its commit", facts.work.code_run),
            .page = "runs/" + facts.work.code_run};
  return {.evidence = "no run names its commit",
          .act = {"Run a script from its repository", "gyre run train.py", "runs"}};
}

Shown PushRuns(const Facts& facts) {
  return ByTrigger(
      FindTrigger(facts, {"push"}, false), "no push starts a pipeline",
      {"Wire the repository", "gyre triggers add ci --on push --run PIPELINE", "triggers"});
}

Shown ReleasedByItself(const Facts& facts) {
  for (const EndpointFacts& endpoint : facts.endpoints)
    if (!endpoint.follows.empty())
      return {.met = true,
              .evidence = fmt::format("{} follows {}", endpoint.name, endpoint.follows),
              .page = "endpoints/" + endpoint.name};
  return {.evidence = facts.endpoints.empty() ? "nothing is deployed" : "every endpoint is pinned",
          .act = {"Follow the champion", fmt::format("gyre deploy {}@champion", ModelName(facts)),
                  "endpoints"}};
}

Shown Repeatable(const Facts& facts) {
  if (!facts.endpoints.empty())
    return {.met = true,
            .evidence = fmt::format("{}: each deployment is kept and can be taken back",
                                    facts.endpoints.front().name),
            .page = "endpoints/" + facts.endpoints.front().name};
  return {.evidence = "nothing is deployed",
          .act = {"Deploy", fmt::format("gyre deploy {}@champion", ModelName(facts)), "endpoints"}};
}

Shown Reproducible(const Facts& facts) {
  for (auto it = facts.versions.rbegin(); it != facts.versions.rend(); ++it)
    if (it->reproducible)
      return {.met = true,
              .evidence = fmt::format("{}: data, recipe and seed are kept", it->name),
              .page = "models"};
  return {.evidence = "no model can be made again from what is kept",
          .act = {"Train a model", "gyre train DATASET --target COLUMN", "runs"}};
}

Shown Managed(const Facts& facts) {
  const std::size_t count = facts.versions.size() + static_cast<std::size_t>(facts.versions_before);
  if (count > 0)
    return {
        .met = true,
        .evidence = fmt::format("{} version{} of {}", count, count == 1 ? "" : "s", facts.model),
        .page = "models"};
  return {.evidence = "no model is registered",
          .act = {"Train a model", "gyre train DATASET --target COLUMN", "runs"}};
}

Shown Traceable(const Facts& facts) {
  for (const VersionFacts& version : facts.versions)
    if (version.answers && !version.dataset.empty())
      return {
          .met = true,
          .evidence = fmt::format("{} answers, and was made of {}", version.name, version.dataset),
          .page = "lineage"};
  return {.evidence = "what answers does not lead back to its data",
          .act = {"Deploy a model that was trained here",
                  fmt::format("gyre deploy {}@champion", ModelName(facts)), "endpoints"}};
}

Shown Watched(const Facts& facts) {
  if (facts.monitoring.windows > 0)
    return {.met = true,
            .evidence = fmt::format("{} windows judged", facts.monitoring.windows),
            .page = "monitoring"};
  return {.evidence = "no window of traffic was judged yet",
          .act = {"Send it traffic", fmt::format("gyre monitors run {}", EndpointName(facts)),
                  "monitoring"}};
}

Shown ProductionRetrains(const Facts& facts) {
  return ByTrigger(FindTrigger(facts, {"drift", "performance", "kpi"}, true),
                   "no signal of production retrains", AddTrigger(facts, "Retrain on drift"));
}

Shown TookOver(const Facts& facts) {
  for (const FiringFacts& firing : facts.firings)
    if (firing.outcome == "promoted")
      return {.met = true,
              .evidence = fmt::format("{}: {}", firing.trigger, firing.text),
              .page = "triggers"};
  return {.evidence = "no retrained model has taken over by itself",
          .act = AddTrigger(facts, "Let it take over")};
}

struct Asked {
  Scale scale;
  int level;
  std::string_view claim;
  Look look;
};
constexpr Asked kAsked[] = {
    {Scale::kGoogle, 1, "Runs, data and models are recorded", Recorded},
    {Scale::kGoogle, 1, "Data is validated", DataValidated},
    {Scale::kGoogle, 1, "Models are validated before they answer", ModelsValidated},
    {Scale::kGoogle, 1, "A trigger retrains", Retrains},
    {Scale::kGoogle, 1, "It has retrained", HasRetrained},
    {Scale::kGoogle, 2, "Code is under version control", CodeKnown},
    {Scale::kGoogle, 2, "A push runs the pipeline", PushRuns},
    {Scale::kGoogle, 2, "What passes is released by itself", ReleasedByItself},
    {Scale::kAzure, 1, "Code is under version control", CodeKnown},
    {Scale::kAzure, 1, "Releases are kept and can be taken back", Repeatable},
    {Scale::kAzure, 2, "Training can be repeated", Reproducible},
    {Scale::kAzure, 2, "Models are managed in one place", Managed},
    {Scale::kAzure, 3, "What passes is released by itself", ReleasedByItself},
    {Scale::kAzure, 3, "Candidates are compared with production", ModelsValidated},
    {Scale::kAzure, 3, "What answers leads back to its data", Traceable},
    {Scale::kAzure, 4, "Production is watched", Watched},
    {Scale::kAzure, 4, "Production's signals retrain", ProductionRetrains},
    {Scale::kAzure, 4, "A retrained model took over by itself", TookOver},
};

int LevelOf(const Maturity& maturity, Scale scale, int top) {
  const MaturityRow* const missing = maturity.Missing(scale);
  return missing == nullptr ? top : missing->level - 1;
}

Json ScaleToJson(const Maturity& maturity, Scale scale, int level, int top) {
  const MaturityRow* const missing = maturity.Missing(scale);
  Json rows = Json::Arr();
  for (const MaturityRow& row : maturity.rows) {
    if (row.scale != scale) continue;
    rows.Push(Json::Obj({{"level", row.level},
                         {"claim", row.claim},
                         {"met", row.met},
                         {"evidence", row.evidence},
                         {"page", row.evidence_page.empty() ? Json() : Json(row.evidence_page)},
                         {"act", row.met ? Json() : ActToJson(row.act)}}));
  }
  Json next;
  if (missing != nullptr)
    next = Json::Obj({{"claim", missing->claim},
                      {"missing", missing->evidence},
                      {"act", ActToJson(missing->act)}});
  return Json::Obj({{"scale", ScaleName(scale)},
                    {"level", level},
                    {"of", top},
                    {"next", std::move(next)},
                    {"rows", std::move(rows)}});
}

}  // namespace

std::string_view ScaleName(Scale scale) { return scale == Scale::kGoogle ? "google" : "azure"; }

const MaturityRow* Maturity::Missing(Scale scale) const {
  const auto row = std::ranges::find_if(
      rows, [&](const MaturityRow& one) { return one.scale == scale && !one.met; });
  return row == rows.end() ? nullptr : &*row;
}

Maturity MaturityOf(const Facts& facts) {
  Maturity maturity;
  for (const Asked& asked : kAsked) {
    Shown shown = asked.look(facts);
    maturity.rows.push_back({.scale = asked.scale,
                             .level = asked.level,
                             .claim = std::string(asked.claim),
                             .met = shown.met,
                             .evidence = std::move(shown.evidence),
                             .evidence_page = std::move(shown.page),
                             .act = std::move(shown.act)});
  }
  maturity.google = LevelOf(maturity, Scale::kGoogle, kGoogleLevels);
  maturity.azure = LevelOf(maturity, Scale::kAzure, kAzureLevels);
  return maturity;
}

Json MaturityToJson(const Maturity& maturity) {
  return Json::Obj(
      {{"scales",
        Json::Arr({ScaleToJson(maturity, Scale::kGoogle, maturity.google, kGoogleLevels),
                   ScaleToJson(maturity, Scale::kAzure, maturity.azure, kAzureLevels)})}});
}

}  // namespace gyre::loop
