#include "ml/data/queries.h"

#include <utility>

#include "ml/data/reference.h"

namespace gyre::data {
namespace {

constexpr int kVersionsMax = 1000;
constexpr double kSlots = 0.5;  // mostly short, and somebody waits

}  // namespace

// Not again after a restart: nobody waits for it any more.
Queries::Queries(Datasets& datasets, blob::Store& blobs, runners::Jobs& jobs,
                 std::int64_t timeout_ms)
    : datasets_(datasets), blobs_(blobs), jobs_(jobs), timeout_ms_(timeout_ms) {
  jobs_.Register({.name = std::string(kQueryJob),
                  .execute = [this](runners::JobRun& run) { return Execute(run); }});
}

Result<runners::Job> Queries::Submit(const QueryRequest& request) {
  GYRE_TRY(Json tables, TablesOf(request));
  return jobs_.Submit({.kind = std::string(kQueryJob),
                       .project = request.project,
                       .title = "query: " + ShortTitle(request.sql),
                       .created_by = request.created_by,
                       .input = Json::Obj({{"sql", request.sql},
                                           {"limit", request.rows_max},
                                           {"format", request.format},
                                           {"tables", std::move(tables)}}),
                       .cpu_slots = kSlots});
}

// [{"name", "version"}] of what the query may name.
Result<Json> Queries::TablesOf(const QueryRequest& request) {
  Json tables = Json::Arr();
  GYRE_TRY(const auto names, datasets_.Names(request.project));
  for (const std::string& name : names) {
    if (MentionsName(request.sql, name)) GYRE_DO(AddTables(name, request, &tables));
  }
  return tables;
}

Result<> Queries::AddTables(const std::string& dataset, const QueryRequest& request, Json* tables) {
  const auto pin = request.pinned.find(dataset);
  GYRE_TRY(const auto versions, datasets_.ListVersions(request.project, dataset, 0, kVersionsMax));
  for (const Version& version : versions) {
    const bool bare = pin == request.pinned.end() ? version.number == versions.front().number
                                                  : version.id == pin->second;
    const bool named = MentionsName(request.sql, version.reference());
    if (!bare && !named) continue;
    if (bare) tables->Push(Json::Obj({{"name", dataset}, {"version", version.id}}));
    if (named) tables->Push(Json::Obj({{"name", version.reference()}, {"version", version.id}}));
    const bool alone = bare && MentionsNameAlone(request.sql, dataset);
    if (request.on_read && (named || alone)) GYRE_DO(request.on_read(version, alone));
  }
  return {};
}

Result<Json> Queries::Execute(runners::JobRun& run) {
  GYRE_TRY(const Json answer, Ask(run));
  const bool is_file = answer["file"].is_string();
  const std::int64_t rows =
      is_file ? answer["rows"].AsInt() : static_cast<std::int64_t>(answer["rows"].size());
  GYRE_TRY(const blob::Object kept,
           is_file ? blobs_.PutFile(run.scratch_directory() + "/" + answer["file"].AsString())
                   : blobs_.Put(answer.Dump()));
  run.Log(fmt::format("{} rows, {} bytes", rows, kept.size_bytes));
  return Json::Obj({{"rows", rows},
                    {"truncated", answer["truncated"]},
                    {"format", run.job().input["format"]},
                    {"sha256", kept.digest},
                    {"bytes", kept.size_bytes}});
}

Result<Json> Queries::Ask(runners::JobRun& run) {
  constexpr std::int64_t kGraceMillis = 5'000;  // to say itself that the time is over
  const Json& input = run.job().input;
  Json tables = Json::Arr();
  for (const Json& table : input["tables"].items()) {
    GYRE_TRY(const Version version, datasets_.GetVersionById(table["version"].AsString()));
    GYRE_TRY(const auto part_paths, datasets_.PartPaths(version));
    Json paths = Json::Arr();
    for (const std::string& path : part_paths) paths.Push(path);
    tables.Push(Json::Obj({{"name", table["name"]}, {"paths", std::move(paths)}}));
    run.Log(fmt::format("{} is {}", table["name"].AsString(), version.reference()));
  }
  run.Progress(-1, "");  // nobody knows how far it is
  runners::JobRun::TaskOptions options;
  options.timeout_ms = timeout_ms_ + kGraceMillis;
  auto answer = run.RunTask("data.query",
                            Json::Obj({{"tables", std::move(tables)},
                                       {"sql", input["sql"]},
                                       {"rows_max", input["limit"]},
                                       {"format", input["format"]},
                                       {"timeout_ms", timeout_ms_}}),
                            options);
  if (answer || answer.error().gy() != "GY2017") return answer;
  GYRE_TRY(const auto names, datasets_.Names(run.job().project));
  return names.empty() ? answer : NoSuchTable(answer.error(), names);
}

Result<Queries::Kept> Queries::Answer(std::string_view project, std::string_view job_id) {
  const auto job = jobs_.Get(job_id);
  if (!job && job.error().code() != Code::kNotFound) return job.error();
  if (!job || job->project != project || job->kind != kQueryJob)
    return NotFound("GY2118", "no query was asked by a job `{}`", job_id).Fix("gyre jobs");
  if (job->state != "succeeded") {
    return FailedPrecondition("GY2119", "job {} is {}: it has no answer", job->id, job->state)
        .Fix("gyre jobs show " + job->id);
  }
  blob::Object kept{job->result["sha256"].AsString(), job->result["bytes"].AsInt()};
  GYRE_TRY(const bool there, blobs_.Exists(kept.digest));
  if (!there) {
    return NotFound("GY2120", "the answer of job {} has been removed", job->id)
        .Why("an answer is kept for a day; gyre gc removes it after that")
        .Fix("ask again: gyre query");
  }
  return Kept{std::move(kept), job->result["format"].AsString()};
}

}  // namespace gyre::data
