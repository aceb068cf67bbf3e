#include "ml/serving/predictions.h"

#include <utility>

namespace gyre::serving {
namespace {

constexpr std::string_view kKind = "predict.file";

}  // namespace

Predictions::Predictions(registry::Registry& registry, blob::Store& blobs, runners::Jobs& jobs)
    : registry_(registry), blobs_(blobs), jobs_(jobs) {
  jobs_.Register({.name = std::string(kKind),
                  .execute = [this](runners::JobRun& run) { return Execute(run); },
                  .requeue_after_restart = true});
}

Result<runners::Job> Predictions::Submit(const registry::ModelVersion& version,
                                         PredictionRequest request, const blob::Object& upload) {
  runners::JobSpec spec;
  spec.kind = kKind;
  spec.project = std::move(request.project);
  spec.title = fmt::format("score {} with {}", request.filename, version.name());
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

Result<Json> Predictions::Execute(runners::JobRun& run) {
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
        .Fix("gyre predict with the same file again");
  }
  if (!upload) return upload.error();
  runners::JobRun::TaskOptions options;
  options.progress_to = kScored;
  GYRE_TRY(const Json done, run.RunTask("predictors.score_file",
                                        Json::Obj({{"model", package},
                                                   {"input", *upload},
                                                   {"name", input["name"]},
                                                   {"format", input["format"]},
                                                   {"output_format", input["output_format"]},
                                                   {"bad_is_missing", input["bad_is_missing"]}}),
                                        options));
  run.Progress(kScored, "storing");
  GYRE_TRY(const blob::Object scored, blobs_.PutFile(done["output"].AsString()));
  return Json::Obj({{"model", version.name()},
                    {"rows", done["rows"]},
                    {"notes", done["notes"]},
                    {"cells_nulled", done["cells_nulled"]},
                    {"renamed", done["renamed"]},
                    {"format", input["output_format"]},
                    {"sha256", scored.digest},
                    {"bytes", scored.size_bytes}});
}

Result<ScoredFile> Predictions::Find(std::string_view project, std::string_view job_id) {
  const auto job = jobs_.Get(job_id);
  if (!job && job.error().code() != Code::kNotFound) return job.error();
  if (!job || job->project != project || job->kind != kKind)
    return NotFound("GY3826", "no file was scored by a job `{}`", job_id).Fix("gyre jobs");
  if (job->state != "succeeded") {
    return FailedPrecondition("GY3827", "job {} is {}: it has made no file", job->id, job->state)
        .Fix("gyre jobs show " + job->id);
  }
  ScoredFile file{{job->result["sha256"].AsString(), job->result["bytes"].AsInt()},
                  job->result["format"].AsString()};
  GYRE_TRY(const bool there, blobs_.Exists(file.object.digest));
  if (!there) {
    return NotFound("GY3828", "the file that job {} made has been removed", job->id)
        .Why("a scored file is kept for a day; gyre gc removes it after that")
        .Fix("gyre predict again");
  }
  return file;
}

}  // namespace gyre::serving
