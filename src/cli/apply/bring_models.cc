#include "cli/apply/bring_models.h"

#include "base/text.h"
#include "cli/apply/actual.h"
#include "platform/config/yaml.h"

namespace gyre::cli::apply {
namespace {

// A gate of a new model can be set only when the model is there: its first version is judged by it
// afterwards, not before by another one.
bool GateComesLater(const Work& work, const std::string& model) {
  if (work.actual.Find("training", model) != nullptr) return false;
  return work.declaration.Find("gates", model) != nullptr ||
         work.declaration.Find("gates", model + "@champion") != nullptr;
}

Result<Json> RecipeOf(const Work& work, const std::string& name) {
  if (const Entry* const entry = work.declaration.Find("recipes", name))
    return entry->spec["recipe"];
  if (const Json* const there = work.actual.Find("recipes", name)) return (*there)["recipe"];
  return NotFound("GY4908", "there is no recipe `{}` in the file or on the server", name);
}

Result<Json> TrainRequest(const Work& work, const Change& change) {
  Json body = Json::Obj({{"model", change.name}});
  for (const auto& [key, value] : change.entry->spec.members()) {
    if (key == "retrain" || key == "recipe") continue;
    body.Set(key == "budget" ? "budget_seconds" : key, value);
  }
  if (const std::string& recipe = change.entry->spec["recipe"].AsString(); !recipe.empty()) {
    GYRE_TRY(const Json document, RecipeOf(work, recipe));
    body.Set("recipe", config::DumpYaml(document));
  }
  if (GateComesLater(work, change.name)) body.Set("gate", "none");
  return body;
}

Result<std::string> RecipeHash(Work& work, const std::string& yaml) {
  GYRE_TRY(const Json checked, work.session.Post(ProjectPath(work.project) + "/recipes/check",
                                                 Json::Obj({{"recipe", yaml}})));
  return checked["hash"].AsString();
}

Result<bool> AsksTheSame(Work& work, const Json& input, const Json& body) {
  for (const auto& [key, value] : body.members()) {
    const Json& there = input[key];
    if (key == "recipe") {
      if (!there.is_object()) return false;
      GYRE_TRY(const std::string wanted, RecipeHash(work, value.AsString()));
      GYRE_TRY(const std::string is, RecipeHash(work, config::DumpYaml(there)));
      if (wanted != is) return false;
    } else if (value.is_number() ? value.AsDouble() != there.AsDouble() : value != there) {
      return false;
    }
  }
  return true;
}

// The same training that an apply has begun which was cut off; null when there is none.
Result<Json> BegunBefore(Work& work, const Json& body) {
  for (const std::string_view state : {"running", "queued"}) {
    GYRE_TRY(const Json list,
             work.session.Get(fmt::format("/api/v1/jobs?project={}&state={}&limit=1000",
                                          PercentEncode(work.project), state)));
    for (const Json& item : list["items"].items()) {
      if (item["kind"].AsString() != "training.train") continue;
      GYRE_TRY(Json job, work.session.Get("/api/v1/jobs/" + item["id"].AsString()));
      GYRE_TRY(const bool same, AsksTheSame(work, job["input"], body));
      if (same) return job;
    }
  }
  return Json();
}

std::string ScoreText(const Json& result) {
  const Json& estimate = result["interval"]["estimate"];
  if (!estimate.is_number()) return result["best"].AsString();
  return fmt::format("{}, test {} {:.4g}", result["best"].AsString(), result["metric"].AsString(),
                     estimate.AsDouble());
}

// The verdict is on the terms of the policy that was just set.
Result<std::string> JudgeFirst(Work& work, const GateName& gate, const Json& model) {
  const std::string reference = fmt::format("{}:{}", gate.model, model["latest"].AsString());
  GYRE_TRY(const Json job,
           work.session.Post(ProjectPath(work.project) + "/evaluate",
                             Json::Obj({{"model", reference}, {"alias", gate.alias}})));
  GYRE_TRY(const Json done, work.session.WaitJob(job, work.out));
  if (!done["result"]["verdict"]["pass"].AsBool()) {
    work.gate_said_no = true;
    work.out.Warn(fmt::format("the gate of @{} says no to {}: gyre models card {}", gate.alias,
                              reference, reference));
    return fmt::format("set; {} is not promoted", reference);
  }
  const auto moved =
      work.session.Put(fmt::format("{}/aliases/{}", ThingPath(work.project, "models", gate.model),
                                   PercentEncode(gate.alias)),
                       Json::Obj({{"version", model["latest"]}, {"reason", "declared in a file"}}));
  if (moved) return fmt::format("set; {} is @{}", reference, gate.alias);
  if (moved.error().gy() != "GY3606") return moved.error();  // approvals are missing
  work.gate_said_no = true;
  work.out.Warn(moved.error().message());
  for (const std::string& fix : moved.error().fixes()) work.out.Note("  fix: " + fix);
  return fmt::format("set; {} waits for approval", reference);
}

}  // namespace

Result<std::string> BringTraining(Work& work, const Change& change) {
  GYRE_TRY(const Json body, TrainRequest(work, change));
  GYRE_TRY(Json job, BegunBefore(work, body));
  if (job.is_null()) {
    GYRE_TRY(job, work.session.Post(ProjectPath(work.project) + "/train", body));
  } else {
    work.out.Note("this training goes on already: waiting for it");
  }
  GYRE_TRY(const Json done, work.session.WaitJob(job, work.out));
  const Json& result = done["result"];
  const std::string& model = result["model"].AsString();
  for (const Json& finding : result["findings"].items()) {
    if (finding["left_out"].AsBool())
      work.out.Note(
          fmt::format("  {} {} (left out)", work.out.Mark("dot"), finding["text"].AsString()));
  }
  if (result["promoted"].AsBool())
    return fmt::format("{} is @champion: {}", model, ScoreText(result));
  if (MayPromote(body)) {
    work.gate_said_no = true;
    work.out.Warn(fmt::format("{} is not promoted: {}", model, result["reason"].AsString()));
  }
  return fmt::format("{} registered: {}", model, ScoreText(result));
}

Result<std::string> BringGate(Work& work, const Change& change) {
  const GateName gate = GateNameOf(change.name);
  const std::string path = GatePath(work.project, change.name);
  GYRE_TRY(const Json policy, work.session.Get(path));
  GYRE_TRY([[maybe_unused]] const Json set,
           work.session.Put(path, Merged(change.kind->members, policy, change.entry->spec)));
  const Entry* const training = work.declaration.Find("training", gate.model);
  if (training == nullptr || gate.alias != "champion" || !MayPromote(training->spec))
    return std::string("set");
  GYRE_TRY(const Json model, work.session.Get(ThingPath(work.project, "models", gate.model)));
  if (model["aliases"].Has(gate.alias)) return std::string("set");
  return JudgeFirst(work, gate, model);
}

}  // namespace gyre::cli::apply
