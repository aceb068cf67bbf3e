#include "ml/training/training.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "ml/recipes/recipe.h"
#include "ml/training/commit.h"
#include "ml/training/fit_task.h"
#include "ml/training/inspect_model_task.h"
#include "ml/training/model_file_task.h"

namespace gyre::training {

namespace {

constexpr std::array kMembers = {"dataset",    "target",      "model",          "experiment",
                                 "metric",     "task",        "budget_seconds", "trials",
                                 "seed",       "time_column", "group_column",   "keep_leaks",
                                 "test_share", "gate",        "recipe",         "positive",
                                 "split",      "against",     "test_last"};
constexpr std::array kGates = {"default", "kpi", "judge", "none"};

Error BadMember(std::string_view key, std::string_view rule) {
  return InvalidArgument("GY3501", "`{}` must be {}", key, rule);
}

// What people call the kinds that columns decide.
Error BadSplit(std::string_view split) {
  Error error = BadMember("split", "auto or random");
  if (split == "time")
    return std::move(error).Fix("--time-column COLUMN    (the newest rows test)");
  if (split == "group")
    return std::move(error).Fix("--group-column COLUMN    (rows of one group stay together)");
  return std::move(error).Fix("--split random    (by chance; the classes keep their shares)");
}

Result<> ReadText(const Json& json, std::string_view key, std::string* out) {
  const Json* value = json.Find(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) return BadMember(key, "text");
  *out = value->AsString();
  return {};
}

Result<> ReadNumber(const Json& json, std::string_view key, double* out) {
  const Json* value = json.Find(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_number()) return BadMember(key, "a number");
  *out = value->AsDouble();
  return {};
}

Result<> ReadWhole(const Json& json, std::string_view key, std::int64_t* out) {
  const Json* value = json.Find(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_int()) return BadMember(key, "a whole number");
  *out = value->AsInt();
  return {};
}

Json RequestJson(const TrainRequest& r) {
  return Json::Obj({{"dataset", r.dataset},
                    {"target", r.target},
                    {"model", r.model},
                    {"experiment", r.experiment},
                    {"metric", r.metric},
                    {"task", r.task},
                    {"positive", r.positive},
                    {"budget_seconds", r.budget_seconds ? Json(*r.budget_seconds) : Json()},
                    {"trials", r.trials},
                    {"seed", r.seed},
                    {"split", r.split},
                    {"time_column", r.time_column},
                    {"group_column", r.group_column},
                    {"keep_leaks", r.keep_leaks},
                    {"test_share", r.test_share},
                    {"test_last", r.test_last},
                    {"gate", r.gate},
                    {"against", r.against},
                    {"recipe", r.recipe}});
}

}  // namespace

Result<TrainRequest> TrainRequestFromJson(const Json& json) {
  for (const auto& [key, value] : json.members()) {
    if (std::ranges::find(kMembers, key) == kMembers.end()) {
      Error error = InvalidArgument("GY3501", "a training has no member `{}`", key);
      const std::vector<std::string> names(kMembers.begin(), kMembers.end());
      if (const auto match = ClosestMatch(key, names))
        return std::move(error).Fix(fmt::format("did you mean `{}`?", *match));
      return error;
    }
  }
  TrainRequest r;
  std::int64_t trials = 0;
  for (const auto& [key, out] : {std::pair{"dataset", &r.dataset},
                                 {"target", &r.target},
                                 {"model", &r.model},
                                 {"experiment", &r.experiment},
                                 {"metric", &r.metric},
                                 {"task", &r.task},
                                 {"positive", &r.positive},
                                 {"split", &r.split},
                                 {"time_column", &r.time_column},
                                 {"group_column", &r.group_column},
                                 {"gate", &r.gate},
                                 {"against", &r.against}}) {
    GYRE_DO(ReadText(json, key, out));
  }
  if (json.Has("budget_seconds") && !json["budget_seconds"].is_null()) {
    r.budget_seconds.emplace();
    GYRE_DO(ReadNumber(json, "budget_seconds", &*r.budget_seconds));
  }
  GYRE_DO(ReadNumber(json, "test_share", &r.test_share));
  GYRE_DO(ReadWhole(json, "trials", &trials));
  GYRE_DO(ReadWhole(json, "seed", &r.seed));
  GYRE_DO(ReadWhole(json, "test_last", &r.test_last));
  if (const Json& keep = json["keep_leaks"]; keep.is_bool()) {
    r.keep_leaks = keep.AsBool();
  } else if (!keep.is_null()) {
    return BadMember("keep_leaks", "true or false");
  }
  if (json.Has("trials") && (trials < 1 || trials > 10'000))
    return BadMember("trials", "1 to 10,000");
  r.trials = static_cast<int>(trials);
  if (r.split != "auto" && r.split != "random") return BadSplit(r.split);
  if (std::ranges::find(kGates, r.gate) == kGates.end())
    return BadMember("gate", "default, kpi, judge or none");
  if (!r.against.empty() && r.gate != "judge")
    return BadMember("gate", "judge where `against` names another than @champion");
  if (const Json* recipe = json.Find("recipe"); recipe != nullptr && !recipe->is_null()) {
    GYRE_TRY(const recipes::Spec spec, recipes::Spec::FromTextOrObject(*recipe));
    r.recipe = spec.ToJson();
  }
  if (r.dataset.empty())
    return InvalidArgument("GY3501", "`dataset` is missing")
        .Fix("name a dataset: \"dataset\": \"customers\"");
  return r;
}

void Training::AddJobs() {
  rooms_.jobs.Register({.name = "training.train",
                        .execute = [this](runners::JobRun& run) { return Execute(run); },
                        .is_long = true});
}

Result<Json> Training::InputOf(TrainRequest& request, const data::Version& version) {
  if (request.target.empty()) request.target = request.recipe["input"]["label"].AsString();
  if (request.target.empty()) {
    GYRE_TRY(const projects::Project project, rooms_.projects.Get(request.project));
    if (project.problem) request.target = project.problem->target;
    if (request.target.empty()) {
      return InvalidArgument("GY3501", "nobody has said which column to predict")
          .Fix(fmt::format("gyre train {} --target COLUMN", request.dataset))
          .Fix(fmt::format("gyre init {} --target COLUMN       (once, for the project)",
                           request.project));
    }
  }
  if (request.model.empty()) request.model = version.dataset;
  if (request.experiment.empty()) request.experiment = request.model;
  GYRE_DO(CheckName("model", request.model));
  GYRE_DO(CheckName("experiment", request.experiment));
  if (!request.budget_seconds && request.trials == 0)
    request.budget_seconds = settings_.budget_seconds;
  Json input = RequestJson(request);
  input.Set("dataset_version", version.id);
  input.Set("threads", settings_.threads);
  // Refuses a bad budget, task or column before anything waits in the queue.
  GYRE_TRY(const FitRequest probe, ParseFitRequest(input));
  GYRE_DO(CheckColumns(probe, version.schema));
  return input;
}

Result<Json> Training::Plan(TrainRequest request, std::function<bool()> cancelled) {
  GYRE_TRY(const data::Version version, rooms_.datasets.Resolve(request.project, request.dataset));
  GYRE_TRY(Json input, InputOf(request, version));
  GYRE_TRY(const std::vector<std::string> paths, rooms_.datasets.PartPaths(version));
  Json parts = Json::Arr();
  for (const std::string& path : paths) parts.Push(path);
  input.Set("parts", std::move(parts));
  GYRE_TRY(const auto champion, ChampionFor(rooms_.registry, request.project, input));
  if (champion) input.Set("champion_positive", PositiveOfChampion(*champion, request.target));
  runners::JobRun::TaskOptions options;
  options.memory_bytes_max = settings_.memory_bytes;
  options.cancelled = std::move(cancelled);
  GYRE_TRY(Json plan, rooms_.jobs.RunTaskNow("training.plan", input, options));
  plan.Set("dataset", version.reference()).Set("model", request.model);
  plan.Set("champion", champion ? Json(champion->name()) : Json());
  plan.Set("gate", request.gate).Set("experiment", request.experiment);
  GYRE_TRY(const FitRequest asked, ParseFitRequest(input));
  plan.Set("budget_seconds", asked.budget_seconds > 0 ? Json(asked.budget_seconds) : Json());
  plan.Set("trials", request.trials > 0 ? Json(request.trials) : Json());
  return plan;
}

Result<runners::Job> Training::Train(TrainRequest request) {
  GYRE_TRY(const data::Version version, rooms_.datasets.Resolve(request.project, request.dataset));
  GYRE_TRY(Json input, InputOf(request, version));
  runners::JobSpec spec;
  spec.kind = "training.train";
  spec.project = request.project;
  spec.title = fmt::format("train {} on {}", request.model, version.reference());
  spec.created_by = request.created_by;
  spec.input = std::move(input);
  spec.cpu_slots = settings_.threads;
  spec.memory_bytes = settings_.memory_bytes;
  return rooms_.jobs.Submit(std::move(spec));
}

Result<Json> Training::Execute(runners::JobRun& run) {
  GYRE_TRY(Commit commit, Commit::Begin(rooms_, run));
  const auto input = commit.FitInput();
  if (!input) {
    commit.Fail(input.error(), run.cancelled());
    return input;
  }
  runners::JobRun::TaskOptions options;
  options.memory_bytes_max = settings_.memory_bytes;
  options.on_event = [&](std::string_view kind, const Json& data) -> Result<> {
    return kind == "candidate" ? commit.AddCandidate(data) : Result<>();
  };
  auto answer = run.RunTask("training.fit", *input, options);
  if (!answer) {
    commit.Fail(answer.error(), run.cancelled());
    return answer;
  }
  auto result = commit.Finish(*answer);
  if (!result) commit.Fail(result.error(), run.cancelled());
  return result;
}

void AddTasks(runners::TaskRegistry& tasks) {
  tasks.Add("training.fit", FitTask);
  tasks.Add("training.plan", PlanTask);
  tasks.Add("training.model_file", ModelFileTask);
  tasks.Add("training.inspect_model", InspectModelTask);
}

}  // namespace gyre::training
