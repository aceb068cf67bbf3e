#include "ml/serving/predictions.h"

#include <utility>

#include "ml/serving/explain_file.h"
#include "ml/serving/score_file.h"
#include "ml/serving/serving.h"

namespace gyre::serving {
namespace {

constexpr std::string_view kScore = "predict.file", kExplain = "explain.file";

}  // namespace

Predictions::Predictions(registry::Registry& registry, blob::Store& blobs, runners::Jobs& jobs)
    : registry_(registry), blobs_(blobs), jobs_(jobs) {
  for (const auto& [kind, task] :
       {std::pair{kScore, "predictors.score_file"}, {kExplain, "predictors.explain_file"}}) {
    jobs_.Register({.name = std::string(kind),
                    .execute = [this, task](runners::JobRun& run) { return Execute(run, task); },
                    .requeue_after_restart = true});
  }
}

Result<runners::Job> Predictions::Submit(const registry::ModelVersion& version,
                                         PredictionRequest request, const blob::Object& upload) {
  std::string title = fmt::format("score {} with {}", request.filename, version.name());
  return SubmitKind(kScore, std::move(title), version, std::move(request), upload);
}

Result<runners::Job> Predictions::SubmitExplanation(const registry::ModelVersion& version,
                                                    PredictionRequest request,
                                                    const blob::Object& upload) {
  std::string title = fmt::format("explain {} for {}", version.name(), request.filename);
  return SubmitKind(kExplain, std::move(title), version, std::move(request), upload);
}

Result<runners::Job> Predictions::SubmitKind(std::string_view kind, std::string title,
                                             const registry::ModelVersion& version,
                                             PredictionRequest request,
                                             const blob::Object& upload) {
  GYRE_DO(registry::CheckHasPackage(version));
  runners::JobSpec spec;
  spec.kind = kind;
  spec.project = std::move(request.project);
  spec.title = std::move(title);
  spec.created_by = std::move(request.created_by);
  spec.input = Json::Obj({{"model", version.name()},
                          {"version_id", version.id},
                          {"name", request.filename},
                          {"format", request.format},
                          {"output_format", request.output_format},
                          {"bad_is_missing", request.bad_is_missing},
                          {"sha256", upload.digest},
                          {"bytes", upload.size_bytes}});
  return jobs_.Submit(std::move(spec));
}

Result<Json> Predictions::Execute(runners::JobRun& run, std::string task) {
  constexpr double kScored = 0.95;
  const Json& input = run.job().input;
  const blob::Pin pin = blobs_.PinObject(input["sha256"].AsString());
  GYRE_TRY(const registry::ModelVersion version,
           registry_.GetVersion(input["version_id"].AsString()));
  GYRE_TRY(const std::string package, registry::LocalPathOf(blobs_, version, version.package));
  const auto upload = blobs_.LocalPath(input["sha256"].AsString());
  if (!upload && upload.error().code() == Code::kNotFound) {
    return FailedPrecondition("GY3825", "{} waited for so long that it was removed",
                              input["name"].AsString())
        .Fix("the same command with the same file again");
  }
  if (!upload) return upload.error();
  runners::JobRun::TaskOptions options;
  options.progress_to = kScored;
  GYRE_TRY(const Json done, run.RunTask(task,
                                        Json::Obj({{"model", package},
                                                   {"input", *upload},
                                                   {"name", input["name"]},
                                                   {"format", input["format"]},
                                                   {"output_format", input["output_format"]},
                                                   {"bad_is_missing", input["bad_is_missing"]}}),
                                        options));
  Json result = Json::Obj({{"model", version.name()}});
  for (const std::string_view member :
       {"rows", "notes", "cells_nulled", "renamed", "scale", "outputs"}) {
    if (done.Has(member)) result.Set(std::string(member), done[member]);
  }
  if (!done.Has("output")) return result;
  run.Progress(kScored, "storing");
  GYRE_TRY(const blob::Object made, blobs_.PutFile(done["output"].AsString()));
  result.Set("format", input["output_format"]);
  result.Set("sha256", made.digest);
  result.Set("bytes", made.size_bytes);
  return result;
}

Result<ScoredFile> Predictions::Find(std::string_view project, std::string_view job_id) {
  const auto job = jobs_.Get(job_id);
  if (!job && job.error().code() != Code::kNotFound) return job.error();
  const bool makes = job && (job->kind == kScore ||
                             (job->kind == kExplain && job->input["output_format"] != "none"));
  if (!makes || job->project != project)
    return NotFound("GY3826", "no file was made by a job `{}`", job_id).Fix("gyre jobs");
  if (job->state != "succeeded") {
    return FailedPrecondition("GY3827", "job {} is {}: it has made no file", job->id, job->state)
        .Fix("gyre jobs show " + job->id);
  }
  ScoredFile file{{job->result["sha256"].AsString(), job->result["bytes"].AsInt()},
                  job->result["format"].AsString()};
  GYRE_TRY(const bool there, blobs_.Exists(file.object.digest));
  if (!there) {
    return NotFound("GY3828", "the file that job {} made has been removed", job->id)
        .Why("such a file is kept for a day; gyre gc removes it after that")
        .Fix("the same command again");
  }
  return file;
}

void AddTasks(runners::TaskRegistry& tasks) {
  tasks.Add("predictors.score_file", ScoreFile);
  tasks.Add("predictors.explain_file", ExplainFile);
}

}  // namespace gyre::serving
