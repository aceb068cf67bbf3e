#include "ml/training/commit.h"

#include <algorithm>
#include <utility>

#include "ml/evaluation/evaluate.h"
#include "ml/predictors/scorer.h"
#include "ml/training/code_versions.h"

namespace gyre::training {

namespace {

constexpr std::string_view kChampion = "champion";

std::map<std::string, std::string> TextMembers(const Json& object) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : object.members())
    texts[key] = value.is_string() ? value.AsString() : value.Dump();
  return texts;
}

std::vector<tracking::MetricPoint> Points(const Json& metrics) {
  std::vector<tracking::MetricPoint> points;
  for (const auto& [key, value] : metrics.members()) {
    if (value.is_number()) points.push_back({key, value.AsDouble()});
  }
  return points;
}

}  // namespace

Result<Commit> Commit::Begin(const TrainingRooms& rooms, runners::JobRun& run) {
  Commit commit(rooms, run);
  const runners::Job& job = run.job();
  GYRE_TRY(commit.data_, rooms.datasets.GetVersionById(job.input["dataset_version"].AsString()));
  commit.model_ = job.input["model"].AsString();
  GYRE_TRY(commit.champion_, ChampionFor(rooms.registry, job.project, job.input));
  tracking::NewRun parent;
  parent.project = job.project;
  parent.experiment = job.input["experiment"].AsString();
  parent.kind = "training";
  parent.job = job.id;
  parent.created_by = job.created_by;
  parent.seed = static_cast<std::uint64_t>(job.input["seed"].AsInt());
  parent.source = Json::Obj({{"command", "train"}, {"input", job.input}});
  parent.inputs = Json::Arr({Json::Obj({{"kind", "dataset_version"},
                                        {"id", commit.data_.id},
                                        {"name", commit.data_.reference()},
                                        {"digest", commit.data_.content_hash}})});
  parent.environment = CodeVersions();
  for (const char* key : {"target", "metric", "budget_seconds", "trials", "time_column",
                          "group_column", "gate", "against"}) {
    const Json& value = job.input[key];
    const std::string text = value.is_string() ? value.AsString() : value.Dump();
    if (!text.empty()) parent.params[key] = text;
  }
  // As the hash of the recipe is made: the artifact is found by it.
  if (const Json& recipe = job.input["recipe"]; !recipe.is_null()) {
    GYRE_TRY(commit.recipe_, rooms.blobs.Put(recipe.DumpCanonical()));
  }
  GYRE_TRY(commit.parent_, rooms.tracking.CreateRun(std::move(parent)));
  return commit;
}

Result<std::optional<registry::ModelVersion>> ChampionFor(registry::Registry& registry,
                                                          std::string_view project,
                                                          const Json& input) {
  const std::string& against = input["against"].AsString();
  if (against.empty()) {
    GYRE_TRY(auto holder, registry.FindAlias(project, input["model"].AsString(), kChampion));
    // What others logged does not run here: there is nothing to compare with.
    if (holder && !holder->has_package()) holder.reset();
    return holder;
  }
  GYRE_TRY(registry::ModelVersion version, registry.Resolve(project, against));
  GYRE_DO(registry::CheckHasPackage(version));
  return std::optional(std::move(version));
}

std::string PositiveOfChampion(const registry::ModelVersion& champion, const std::string& target) {
  return champion.target == target ? registry::PositiveClass(champion) : std::string();
}

Result<> AddChampion(const registry::ModelVersion& champion, blob::Store& blobs, Json* input) {
  GYRE_TRY(const std::string path, registry::LocalPathOf(blobs, champion, champion.package));
  input->Set("champion_package", path);
  input->Set("champion_name", champion.name());
  input->Set("champion_positive", PositiveOfChampion(champion, (*input)["target"].AsString()));
  return {};
}

Result<registry::GateNumbers> NumbersOf(const Json& judged,
                                        const std::optional<registry::ModelVersion>& champion,
                                        const registry::AliasPolicy& policy) {
  GYRE_TRY(registry::GateNumbers numbers, registry::GateNumbers::FromJson(judged["gate_numbers"]));
  GYRE_TRY(const predictors::Task task,
           predictors::ParseTask(judged["evaluation"]["task"].AsString()));
  numbers.primary = evaluation::GateMetric(policy, task);
  if (champion) numbers.champion = champion->name();
  return numbers;
}

Result<Json> Commit::FitInput() const {
  Json input = run_.job().input;
  GYRE_TRY(const std::vector<std::string> paths, rooms_.datasets.PartPaths(data_));
  Json parts = Json::Arr();
  for (const std::string& path : paths) parts.Push(path);
  input.Set("parts", std::move(parts));
  input.Set("formats", table::FormatsToJson(data_.formats));
  if (champion_) {
    GYRE_DO(AddChampion(*champion_, rooms_.blobs, &input));
    if (rooms_.evaluations != nullptr) {
      GYRE_TRY(Json lessons, rooms_.evaluations->LessonsOf(*champion_));
      input.Set("champion_lessons", std::move(lessons));
    }
  }
  return input;
}

Result<> Commit::AddCandidate(const Json& candidate) {
  tracking::NewRun from;
  from.project = parent_.project;
  from.experiment = parent_.experiment;
  from.name = candidate["name"].AsString();
  from.kind = "candidate";
  from.job = parent_.job;
  from.parent = parent_.id;
  from.created_by = parent_.created_by;
  from.seed = parent_.seed;
  from.source = Json::Obj({{"learner", candidate["learner"]}});
  from.inputs = parent_.inputs;
  from.environment = parent_.environment;
  from.params = TextMembers(candidate["params"]);
  from.params["learner"] = candidate["learner"].AsString();
  if (recipe_) from.params["recipe"] = recipe_->digest;
  from.tags["state"] = candidate["state"].AsString();
  from.started_us = rooms_.clock.NowMicros() -
                    static_cast<std::int64_t>(candidate["effort"]["wall_seconds"].AsDouble() * 1e6);
  GYRE_TRY(const tracking::Run run, rooms_.tracking.CreateRun(std::move(from)));
  candidate_runs_[run.name] = run.id;
  tracking::Batch batch;
  batch.metrics = Points(candidate["metrics"]);
  for (const Json& point : candidate["curve"].items()) {
    const Json::Array& pair = point.items();
    if (pair.size() == 2)
      batch.metrics.push_back(
          {candidate["curve_key"].AsString(), pair[1].AsDouble(), pair[0].AsInt(), 0});
  }
  GYRE_DO(rooms_.tracking.LogBatch(run.id, batch));
  if (recipe_) {
    GYRE_DO(rooms_.tracking.AddArtifacts(run.id, {{"recipe.json", *recipe_, "application/json"}}));
  }
  tracking::RunEnd end;
  end.resources = candidate["effort"];
  return rooms_.tracking.EndRun(run.id, end);
}

// A finalist that was no candidate by itself (the bag of several) gets a run of its own.
Result<std::string> Commit::RunOf(const Json& entry) {
  const std::string& name = entry["name"].AsString();
  if (!candidate_runs_.contains(name)) {
    GYRE_DO(AddCandidate(Json::Obj({{"name", name},
                                    {"learner", entry["learner"]},
                                    {"state", "finished"},
                                    {"params", entry["params"]},
                                    {"metrics", Json::Obj()},
                                    {"effort", entry["effort"]}})));
  }
  return candidate_runs_[name];
}

// Known only when the target has been read.
Result<> Commit::LogPositive(const Json& fit, const std::string& run) {
  if (!fit["positive"].is_string()) return {};
  tracking::Batch batch;
  batch.params["positive"] = fit["positive"].AsString();
  return rooms_.tracking.LogBatch(run, batch);
}

Result<> Commit::LogFinalists(const Json& fit) {
  const std::string metric = fit["metric"].AsString();
  for (const Json& entry : fit["leaderboard"].items()) {
    GYRE_TRY(const std::string id, RunOf(entry));
    GYRE_DO(LogPositive(fit, id));
    tracking::Batch batch;
    batch.tags["finalist"] = fmt::format("{}", entry["rank"].AsInt());
    for (const char* part : {"valid", "test"}) {
      if (entry[part].is_number())
        batch.metrics.push_back({fmt::format("{}_{}", part, metric), entry[part].AsDouble(), 1, 0});
    }
    if (entry["rank"].AsInt() == 1) {
      best_run_ = id;
      for (const auto& [key, value] : fit["test_metrics"].members()) {
        if (value.is_number()) batch.metrics.push_back({"test_" + key, value.AsDouble(), 1, 0});
      }
    }
    GYRE_DO(rooms_.tracking.LogBatch(id, batch));
  }
  return {};
}

// A file of the worker becomes a blob.
Result<blob::Object> Commit::Keep(const std::string& name) {
  GYRE_TRY(const blob::Object object, rooms_.blobs.PutFile(run_.scratch_directory() + "/" + name));
  kept_[name] = object;
  return object;
}

Result<registry::ModelVersion> Commit::Register(const Json& fit) {
  GYRE_TRY(const blob::Object package, Keep(fit["package"].AsString()));
  GYRE_TRY(const blob::Object holdout, Keep(fit["holdout"].AsString()));
  GYRE_TRY(const blob::Object reference, Keep(fit["reference"].AsString()));
  GYRE_TRY(const blob::Object baseline, Keep(fit["baseline_package"].AsString()));
  GYRE_TRY(const blob::Object leaderboard, rooms_.blobs.Put(fit["leaderboard"].DumpPretty()));
  GYRE_TRY(const blob::Object evaluation, rooms_.blobs.Put(fit["judged"].DumpPretty()));
  GYRE_DO(rooms_.tracking.AddArtifacts(
      best_run_, {{"model/package.json", package, ""},
                  {"model/baseline.json", baseline, ""},
                  {"evaluation.json", evaluation, ""},
                  {"holdout.parquet", holdout, "application/vnd.apache.parquet"}}));
  GYRE_DO(rooms_.tracking.AddArtifacts(parent_.id, {{"leaderboard.json", leaderboard, ""}}));
  registry::NewVersion version;
  const Json& judged = fit["judged"];
  if (rooms_.evaluations != nullptr && judged.Has("evaluation")) {
    Json document =
        Json::Obj({{"evaluation", judged["evaluation"]}, {"numbers", judged["gate_numbers"]}});
    if (judged.Has("comparison")) document.Set("comparison", judged["comparison"]);
    GYRE_TRY(const auto stored,
             rooms_.evaluations->Record(
                 {.project = parent_.project,
                  .model_version_id = {},
                  .other_version_id = judged.Has("comparison") ? champion_->id : std::string(),
                  .dataset_version_id = data_.id,
                  .rows = "held out",
                  .document = std::move(document),
                  .created_by = parent_.created_by}));
    version.evaluation_id = stored.id;
  }
  version.project = parent_.project;
  version.model = model_;
  version.package = package;
  version.run_id = best_run_;
  version.datasets = {{data_.id, "train"}};
  version.recipe_hash = fit["recipe_hash"].AsString();
  version.task = fit["task"].AsString();
  version.target = fit["target"].AsString();
  version.learner = fit["learner"].AsString();
  version.metrics = fit["test_metrics"];
  version.signature = fit["signature"];
  version.attachments = {{"holdout", holdout},
                         {"evaluation", evaluation},
                         {"leaderboard", leaderboard},
                         {"reference", reference}};
  version.created_by = parent_.created_by;
  GYRE_TRY(registry::ModelVersion made, rooms_.registry.Register(std::move(version)));
  GYRE_DO(rooms_.tracking.AddOutput(best_run_, {"model_version", made.id, made.name()}));
  GYRE_DO(rooms_.tracking.AddOutput(parent_.id, {"model_version", made.id, made.name()}));
  return made;
}

// The model's own rules, else the default ones; KPIs of the project bind only when that was asked
// for, and are shown always.
Result<std::vector<registry::Rule>> Commit::RulesFor(const registry::GateNumbers& numbers,
                                                     Outcome* outcome) {
  const registry::AliasPolicy& policy = outcome->policy;
  std::vector<registry::Rule> rules = registry::DefaultRules(champion_.has_value());
  if (!policy.rules.is_null()) {
    GYRE_TRY(rules, registry::ParseRules(policy.rules));
  }
  GYRE_TRY(const projects::Project project, rooms_.projects.Get(parent_.project));
  if (!project.problem) return rules;
  // Goals of the project are goals for the models of its target.
  if (const std::string& target = project.problem->target;
      !target.empty() && target != run_.job().input["target"].AsString()) {
    if (!project.problem->kpis.empty()) outcome->kpis_of = target;
    return rules;
  }
  const bool binding = run_.job().input["gate"].AsString() == "kpi";
  for (const statistics::Kpi& kpi : project.problem->kpis) {
    // A fact that nobody has reported yet is no reason to say no, unless KPIs bind.
    if (kpi.metric == nullptr && !binding) continue;
    // What happens to answers says nothing of a model that has given none.
    if (kpi.expression != nullptr) continue;
    GYRE_TRY(const auto parsed,
             registry::ParseRules(Json::Arr({Json::Obj({{"kpi", kpi.ToString()}})})));
    const registry::Verdict alone = registry::Judge(parsed, numbers);
    outcome->kpis.Push(
        Json::Obj({{"kpi", kpi.ToString()},
                   {"pass", alone.pass},
                   {"text", alone.reasons.empty() ? std::string() : alone.reasons[0].text},
                   {"binding", binding}}));
    if (binding) rules.insert(rules.end(), parsed.begin(), parsed.end());
  }
  return rules;
}

// Compared with what answers, which is not what the alias names, say after a rollback.
Result<> Commit::SayAgainst(registry::Verdict* verdict) const {
  if (run_.job().input["against"].AsString().empty() || !champion_) return {};
  GYRE_TRY(const auto holder, rooms_.registry.FindAlias(parent_.project, model_, kChampion));
  if (holder && holder->id == champion_->id) return {};
  verdict->reasons.push_back({true, "compared with what answers",
                              fmt::format("{} answers, @champion is {}", champion_->name(),
                                          holder ? holder->name() : std::string("nobody"))});
  return {};
}

Result<Commit::Outcome> Commit::Promote(const Json& fit, const registry::ModelVersion& version) {
  Outcome outcome;
  if (run_.job().input["gate"].AsString() == "none") {
    outcome.reason = "no gate was asked for (--gate none)";
    return outcome;
  }
  const Json& judged = fit["judged"];
  if (!judged.Has("gate_numbers")) {
    outcome.reason = "it could not be evaluated: " + judged["not_evaluated"].AsString();
    return outcome;
  }
  GYRE_TRY(outcome.policy, rooms_.registry.PolicyOf(parent_.project, model_, kChampion));
  GYRE_TRY(const registry::GateNumbers numbers, NumbersOf(judged, champion_, outcome.policy));
  GYRE_TRY(const auto rules, RulesFor(numbers, &outcome));
  outcome.judged = true;
  outcome.verdict = registry::Judge(rules, numbers);
  if (champion_ && judged.Has("not_compared")) {
    outcome.verdict.pass = false;
    outcome.verdict.reasons.push_back(
        {false, "comparable with the champion",
         fmt::format("{}: {}", champion_->name(), judged["not_compared"].AsString())});
  }
  GYRE_DO(SayAgainst(&outcome.verdict));
  if (!outcome.policy.dataset.empty()) {
    outcome.reason = fmt::format("the gate judges on {}: gyre evaluate {}", outcome.policy.dataset,
                                 version.name());
    return outcome;
  }
  GYRE_TRY([[maybe_unused]] const auto recorded,
           rooms_.registry.RecordVerdict({.version_id = version.id,
                                          .alias = std::string(kChampion),
                                          .champion_id = champion_ ? champion_->id : std::string(),
                                          .evaluation_id = version.evaluation_id,
                                          .created_by = parent_.created_by,
                                          .policy = outcome.policy,
                                          .verdict = outcome.verdict}));
  outcome.recorded = true;
  if (!outcome.verdict.pass) {
    for (const registry::Reason& reason : outcome.verdict.reasons) {
      if (!reason.pass)
        outcome.reason +=
            fmt::format("{}{}: {}", outcome.reason.empty() ? "" : "; ", reason.rule, reason.text);
    }
    return outcome;
  }
  if (run_.job().input["gate"].AsString() == "judge") {
    outcome.reason = "@champion was to stay (--gate judge)";
    return outcome;
  }
  const auto moved = rooms_.registry.MoveAlias({.project = parent_.project,
                                                .model = model_,
                                                .alias = std::string(kChampion),
                                                .version = version.version,
                                                .reason = "training passed the gate",
                                                .moved_by = parent_.created_by});
  outcome.promoted = moved.has_value();
  if (!moved) outcome.reason = moved.error().message();
  return outcome;
}

Json Commit::ResultOf(const Json& fit, const registry::ModelVersion& version,
                      const Outcome& outcome) const {
  Json deploy = Json::Arr();
  if (outcome.promoted) {
    deploy.Push(fmt::format("gyre deploy {}@champion", model_));
  } else {
    const bool passed = outcome.recorded && outcome.verdict.pass;
    deploy.Push(
        passed ? fmt::format("gyre models promote {}", version.name())
               : fmt::format("gyre models promote {} --override --reason \"...\"", version.name()));
    deploy.Push(fmt::format("gyre deploy {}", version.name()));
  }
  Json result = Json::Obj({{"model", version.name()},
                           {"model_name", model_},
                           {"version", version.version},
                           {"version_id", version.id},
                           {"dataset", data_.reference()},
                           {"run", best_run_},
                           {"training_run", parent_.id},
                           {"promoted", outcome.promoted},
                           {"reason", outcome.reason},
                           {"gate", run_.job().input["gate"]},
                           {"verdict", outcome.judged ? outcome.verdict.ToJson() : Json()},
                           {"kpis", outcome.kpis},
                           {"kpis_of", outcome.kpis_of},
                           {"previous_champion", champion_ ? Json(champion_->name()) : Json()},
                           {"next", std::move(deploy)}});
  for (const char* key :
       {"task", "metric", "better", "target", "positive", "positive_reason", "reason", "split",
        "findings", "leaderboard", "candidates", "best", "learner", "valid_metrics", "test_metrics",
        "package_sha256", "wall_seconds"}) {
    if (!result.Has(key)) result.Set(key, fit[key]);
  }
  result.Set("task_reason", fit["reason"]);
  const std::string metric = fit["metric"].AsString();
  result.Set("interval", fit["judged"]["evaluation"]["metrics"][metric]);
  Json warnings = fit["notes"];
  for (const Json& warning : fit["judged"]["evaluation"]["warnings"].items())
    warnings.Push(warning);
  result.Set("warnings", std::move(warnings));
  result.Set("over_baseline", fit["judged"]["evaluation"]["over_baseline"]["metrics"][metric]);
  return result;
}

Result<Json> Commit::Finish(const Json& fit) {
  GYRE_DO(LogPositive(fit, parent_.id));
  GYRE_DO(LogFinalists(fit));
  GYRE_TRY(const registry::ModelVersion version, Register(fit));
  GYRE_TRY(const Outcome outcome, Promote(fit, version));
  Json result = ResultOf(fit, version, outcome);
  tracking::RunEnd end;
  end.resources = Used(fit["wall_seconds"].AsDouble());
  GYRE_DO(rooms_.tracking.EndRun(parent_.id, end));
  return result;
}

// What the whole job took. Its own copy of itself was made when it began.
Json Commit::Used(double wall_seconds) const {
  const auto job = rooms_.jobs.Get(run_.job().id);
  if (!job) return Json::Obj({{"wall_seconds", wall_seconds}});
  return Json::Obj({{"wall_seconds", wall_seconds},
                    {"cpu_seconds", job->cpu_seconds},
                    {"memory_bytes_peak", job->memory_bytes_peak}});
}

void Commit::Fail(const Error& error, bool cancelled) {
  tracking::RunEnd end;
  end.status = cancelled ? tracking::RunStatus::kKilled : tracking::RunStatus::kFailed;
  end.error = fmt::format("{}: {}", error.gy(), error.message());
  end.resources = Used(static_cast<double>(rooms_.clock.NowMicros() - parent_.started_us) * 1e-6);
  (void)rooms_.tracking.EndRun(parent_.id, end);  // the job's own error is the one to tell
}

}  // namespace gyre::training
