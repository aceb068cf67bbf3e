#include "ml/monitoring/comparisons.h"

#include <utility>

#include "ml/monitoring/compare_task.h"
#include "platform/table/formats.h"

namespace gyre::monitoring {
namespace {

constexpr std::string_view kKind = "monitoring.compare";

std::string NameOf(const ComparedTable& table) {
  return table.version ? table.version->reference() : table.name;
}

Json TableJson(const ComparedTable& table) {
  Json json = Json::Obj({{"name", NameOf(table)}});
  if (table.version) return std::move(json.Set("version", table.version->id));
  json.Set("format", table.format);
  if (table.upload)
    return std::move(
        json.Set("sha256", table.upload->digest).Set("bytes", table.upload->size_bytes));
  return std::move(json.Set("file", table.file));
}

}  // namespace

Comparisons::Comparisons(data::Datasets& datasets, blob::Store& blobs, runners::Jobs& jobs,
                         int threads)
    : datasets_(datasets), blobs_(blobs), jobs_(jobs), threads_(threads) {
  jobs_.Register({.name = std::string(kKind),
                  .execute = [this](runners::JobRun& run) { return Execute(run); },
                  .requeue_after_restart = true});
}

Result<> CheckComparison(const ComparisonRequest& request) {
  Json json = Json::Obj({{"method", request.method}});
  if (request.threshold) json.Set("threshold", *request.threshold);
  GYRE_DO(DriftOptionsOf(json));
  return {};
}

Result<runners::Job> Comparisons::Submit(const ComparisonRequest& request) {
  GYRE_DO(CheckComparison(request));
  Json columns = Json::Arr();
  for (const std::string& column : request.columns) columns.Push(column);
  Json input = Json::Obj({{"reference", TableJson(request.reference)},
                          {"current", TableJson(request.current)},
                          {"method", request.method},
                          {"columns", std::move(columns)}});
  if (request.threshold) input.Set("threshold", *request.threshold);
  return jobs_.Submit({.kind = std::string(kKind),
                       .project = request.project,
                       .title = fmt::format("compare {} with {}", NameOf(request.current),
                                            NameOf(request.reference)),
                       .created_by = request.created_by,
                       .input = std::move(input)});
}

Result<Json> Comparisons::SideOf(const Json& table) {
  Json side = Json::Obj({{"name", table["name"]}});
  if (table.Has("version")) {
    GYRE_TRY(const data::Version version, datasets_.GetVersionById(table["version"].AsString()));
    GYRE_TRY(const auto paths, datasets_.PartPaths(version));
    Json parts = Json::Arr();
    for (const std::string& path : paths) parts.Push(path);
    Json columns = table::SchemaToJson(version.schema);
    table::AddFormats(version.formats, &columns);
    return std::move(side.Set("parts", std::move(parts)).Set("columns", std::move(columns)));
  }
  side.Set("format", table["format"]);
  if (table.Has("file")) return std::move(side.Set("file", table["file"]));
  const auto path = blobs_.LocalPath(table["sha256"].AsString());
  if (!path && path.error().code() == Code::kNotFound) {
    return FailedPrecondition("GY4529", "{} waited for so long that it was removed",
                              table["name"].AsString())
        .Fix("gyre report with the same file again");
  }
  if (!path) return path.error();
  return std::move(side.Set("file", *path));
}

Result<Json> Comparisons::Execute(runners::JobRun& run) {
  const Json& input = run.job().input;
  const blob::Pin pins[] = {blobs_.PinObject(input["reference"]["sha256"].AsString()),
                            blobs_.PinObject(input["current"]["sha256"].AsString())};
  GYRE_TRY(Json reference, SideOf(input["reference"]));
  GYRE_TRY(Json current, SideOf(input["current"]));
  Json request = Json::Obj({{"reference", std::move(reference)},
                            {"current", std::move(current)},
                            {"method", input["method"]},
                            {"threshold", input["threshold"]},
                            {"columns", input["columns"]},
                            {"threads", threads_}});
  GYRE_TRY(const Json done, run.RunTask("monitoring.compare", request, {}));
  const Json& comparison = done["comparison"];
  GYRE_TRY(const blob::Object kept, blobs_.Put(comparison.Dump()));
  return Json::Obj({{"drifted", comparison["drifted"]},
                    {"drifted_columns", comparison["drifted_columns"]},
                    {"compared_columns", comparison["compared_columns"]},
                    {"notes", done["notes"]},
                    {"sha256", kept.digest},
                    {"bytes", kept.size_bytes}});
}

Result<Json> Comparisons::Find(std::string_view project, std::string_view job_id,
                               std::string_view program) {
  const auto job = jobs_.Get(job_id);
  if (!job && job.error().code() != Code::kNotFound) return job.error();
  if (!job || job->project != project || job->kind != kKind)
    return NotFound("GY4526", "no tables were compared by a job `{}`", job_id).Fix("gyre jobs");
  if (!program.empty() && job->created_by != program) {
    return Error(Code::kPermissionDenied, "GY4532", "the tables were compared by somebody else")
        .Why("a program reads its own comparisons only, so that its run tells what it read")
        .Fix("compare the same tables in the program");
  }
  if (job->state != "succeeded") {
    return FailedPrecondition("GY4527", "job {} is {}: it has no comparison", job->id, job->state)
        .Fix("gyre jobs show " + job->id);
  }
  const std::string& digest = job->result["sha256"].AsString();
  GYRE_TRY(const bool there, blobs_.Exists(digest));
  if (!there) {
    return NotFound("GY4528", "the comparison of job {} has been removed", job->id)
        .Why("a comparison is kept for a day; gyre gc removes it after that")
        .Fix("compare again: gyre report");
  }
  GYRE_TRY(const std::string text, blobs_.Get(digest));
  return Json::Parse(text);
}

}  // namespace gyre::monitoring
