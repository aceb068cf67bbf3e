#include "api/native/runs_api.h"

#include <limits>

#include "api/files/file_bodies.h"
#include "api/files/stored_file.h"
#include "api/native/brought.h"
#include "api/native/in_use.h"
#include "api/native/lists.h"
#include "api/native/program_reads.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "api/native/text_members.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/access/access.h"
#include "ml/projects/projects.h"
#include "ml/runners/jobs.h"
#include "ml/tracking/tracking.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kArtifactBytesMax = std::int64_t{1} << 40;
constexpr std::int64_t kProgramTokenMicros = 7 * kMicrosPerDay;
constexpr std::string_view kOutputLog = "output.log";

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs/{run}",
     .handler = Bind<&RunsApi::Get>,
     .permission = Permission("run.read"),
     .summary = "One run, by id, beginning of an id, name, or - for the newest",
     .response_type = "Run"},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/runs/{run}",
     .handler = Bind<&RunsApi::Remove>,
     .permission = Permission("run.write"),
     .summary = "Remove a run with its metrics and artifacts, into the trash",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs/{run}/artifacts",
     .handler = Bind<&RunsApi::Artifacts>,
     .permission = Permission("run.read"),
     .summary = "List the artifacts of a run",
     .response_type = "ArtifactList",
     .query = {{"prefix", Type::kText, "only paths that begin so"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs/{run}/artifacts/{path*}",
     .handler = Bind<&RunsApi::GetArtifact>,
     .permission = Permission("run.read"),
     .summary = "The bytes of an artifact"},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/runs/{run}/artifacts/{path*}",
     .handler = Bind<&RunsApi::PutArtifact>,
     .permission = Permission("run.write"),
     .summary = "Store an artifact",
     .body = Body::kStream,
     .body_bytes_max = kArtifactBytesMax,
     .response_type = "Artifact"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/{run}/artifacts/{path*}",
     .handler = Bind<&RunsApi::PutArtifact>,
     .permission = Permission("run.write"),
     .summary = "Store an artifact (the same as PUT)",
     .body = Body::kStream,
     .body_bytes_max = kArtifactBytesMax,
     .response_type = "Artifact"},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs/{run}/log",
     .handler = Bind<&RunsApi::Log>,
     .permission = Permission("run.read"),
     .summary = "What the program printed, or the log of the job",
     .query = {kOffset}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/programs",
     .handler = Bind<&RunsApi::StartProgram>,
     .permission = Permission("run.write"),
     .summary =
         "Begin the run of a program; answers the run and a token that can write to it alone",
     .body = Body::kBuffer,
     .body_bytes_max = kJsonBodyBytesMax,
     .request_type = "NewProgram",
     .response_type = "Program",
     .members = {{"source", Type::kObject, "command: its words; where it came from", "",
                  net::kRequired},
                 {"experiment", Type::kText, "programs when it is not given"},
                 {"name", Type::kText, "of the run"},
                 {"code", Type::kObject, "state of the code: commit, changes"},
                 {"environment", Type::kObject, "variables and machine"},
                 {"params", Type::kObject, "text, number or true/false by name"},
                 {"tags", Type::kObject, "text by name"},
                 {"process", Type::kWhole, "of this machine, which waits for the program"},
                 {"rerun_of", Type::kText, "the run that this one repeats"},
                 {"pin_data", Type::kBool, "read the versions that that run read"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs",
     .handler = Bind<&RunsApi::Bring>,
     .permission = Permission("run.write"),
     .summary = "Begin a run that was made elsewhere, or answer the one of this key",
     .body = Body::kBuffer,
     .body_bytes_max = kJsonBodyBytesMax,
     .request_type = "BroughtRun",
     .response_type = "Run",
     .members = {{"key", Type::kText, "tells this run of its source from others", "",
                  net::kRequired},
                 {"experiment", Type::kText, "imported when it is not given"},
                 {"name", Type::kText, "of the run"},
                 {"id", Type::kText, "that it had: 32 digits of 0-9a-f; kept"},
                 {"experiment_number", Type::kWhole, "instead of `experiment`"},
                 {"user", Type::kText, "whose it was"},
                 {"created_at", Type::kTime, "when it began"},
                 {"source", Type::kObject, "where it came from"},
                 {"params", Type::kObject, "text, number or true/false by name"},
                 {"tags", Type::kObject, "text by name"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/{run}/batch",
     .handler = Bind<&RunsApi::AddBatch>,
     .permission = Permission("run.write"),
     .summary = "Add params, tags and metric points in one transaction",
     .body = Body::kBuffer,
     .body_bytes_max = kJsonBodyBytesMax,
     .request_type = "RunBatch",
     .audited = false,
     .members = {{"params", Type::kObject, "text, number or true/false by name"},
                 {"tags", Type::kObject, "text by name"},
                 {"metrics", Type::kObjects, "points: {key, value, step, time_us}"},
                 {"slice", Type::kObject,
                  "of a run that was made elsewhere, {from, to}: the places of these points in its "
                  "source; refused unless the run holds those before"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/runs/{run}/end",
     .handler = Bind<&RunsApi::End>,
     .permission = Permission("run.write"),
     .summary = "End a run: status, error, resources",
     .body = Body::kBuffer,
     .request_type = "RunEnd",
     .response_type = "Run",
     .members = {{"status", Type::kText, "finished when it is not given", "finished|failed|killed"},
                 {"error", Type::kText, "why it failed"},
                 {"resources", Type::kObject, "what it used"},
                 {"ended_at", Type::kTime, "of a run that was made elsewhere"}}},
};

Json ArtifactJson(const tracking::Artifact& a) {
  return Json::Obj({{"path", a.path},
                    {"digest", a.object.digest},
                    {"size_bytes", a.object.size_bytes},
                    {"media_type", a.media_type}});
}

Json OutputJson(const tracking::Output& output) {
  return Json::Obj({{"kind", output.kind}, {"id", output.id}, {"name", output.name}});
}

Result<std::int64_t> TimeOf(const Json& body, std::string_view key) {
  const auto time_us = ParseTime(body[key].AsString());
  if (time_us) return *time_us;
  return InvalidArgument("GY3412", "`{}` is no time: '{}'", key, body[key].AsString().substr(0, 64))
      .Fix("write for example 2026-11-21T08:00:00Z");
}

}  // namespace

net::RouteTable RunsApi::table() { return {"native", kRoutes, this}; }

Result<tracking::Run> RunsApi::RunOf(const net::Request& request) {
  return tracking_.GetRun(request.Param("project"), request.Param("run"));
}

Result<net::Response> RunsApi::Get(net::Request& request) {
  GYRE_TRY(const tracking::Run run, RunOf(request));
  Json answer = tracking::RunToJson(run);
  GYRE_TRY(const auto outputs, tracking_.ListOutputs(run.id));
  answer.Set("outputs", ItemsOf(outputs, OutputJson));
  return net::Response::JsonDoc(answer);
}

Result<net::Response> RunsApi::Remove(net::Request& request) {
  GYRE_TRY(const tracking::Run run, RunOf(request));
  return native::Remove(trash_, request, {.noun = "run", .name = run.id, .check = [&] {
                                            return CheckMadeNothing(run);
                                          }});
}

Result<> RunsApi::CheckMadeNothing(const tracking::Run& run) {
  GYRE_TRY(const auto models, ModelsOf(registry_, tracking_, run));
  if (!models.empty()) {
    return FailedPrecondition("GY3413", "run {} has made {}", run.id.substr(0, 8), Named(models))
        .Why("its parameters, metrics and log say how the model came about, and would be lost")
        .Fix(fmt::format("gyre models rm {}    (first, when the model is not needed)", models[0]))
        .Fix(fmt::format("gyre runs rm {} --force    (the model stays, its record goes)",
                         run.id.substr(0, 8)));
  }
  return {};
}

Result<net::Response> RunsApi::Artifacts(net::Request& request) {
  GYRE_TRY(const tracking::Run run, RunOf(request));
  GYRE_TRY(const auto artifacts,
           tracking_.ListArtifacts(run.id, request.Query("prefix").value_or("")));
  return WholeList(artifacts, ArtifactJson);
}

Result<net::Response> RunsApi::GetArtifact(net::Request& request) {
  GYRE_TRY(const tracking::Run run, RunOf(request));
  GYRE_TRY(const tracking::Artifact artifact, tracking_.GetArtifact(run.id, request.Param("path")));
  GYRE_TRY(net::Response response,
           files::AnswerStored(request, blobs_,
                               {.object = artifact.object, .content_type = artifact.media_type}));
  files::SayItIsForeign(artifact.path.substr(artifact.path.rfind('/') + 1), &response);
  return response;
}

Result<net::Response> RunsApi::PutArtifact(net::Request& request) {
  GYRE_TRY(const tracking::Run run, RunOf(request));
  GYRE_TRY(auto writer, blobs_.NewWriter());
  GYRE_DO(files::Receive(request, *writer));
  GYRE_TRY(const blob::Object object, writer->Commit());
  const std::string& path = request.Param("path");
  GYRE_DO(tracking_.AddArtifacts(run.id, {{path, object, ""}}));
  GYRE_TRY(const tracking::Artifact stored, tracking_.GetArtifact(run.id, path));
  return net::Response::JsonDoc(ArtifactJson(stored), 201);
}

Result<net::Response> RunsApi::Log(net::Request& request) {
  GYRE_TRY(const std::int64_t offset,
           request.QueryInt("offset", 0, 0, std::numeric_limits<std::int64_t>::max()));
  GYRE_TRY(const tracking::Run run, RunOf(request));
  if (const auto log = tracking_.GetArtifact(run.id, kOutputLog)) {
    GYRE_TRY(const auto stream, blobs_.Open(log->object.digest));
    const std::int64_t left = stream->size_bytes() - offset;
    if (left <= 0) return net::Response::Text("");
    GYRE_TRY(std::string text, stream->Read(offset, std::min(left, kMiB)));
    return net::Response::Text(std::move(text));
  }
  if (run.job.empty()) return net::Response::Text("");
  GYRE_TRY(std::string text, jobs_.ReadLog(run.job, offset));
  return net::Response::Text(std::move(text));
}

Result<tracking::NewRun> RunsApi::ProgramOf(const net::Request& request, const Json& body) {
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  tracking::NewRun from;
  from.project = project.name;
  from.experiment = body["experiment"].StringOr("programs");
  from.name = body["name"].AsString();
  from.kind = "program";
  from.created_by = request.principal.name;
  from.source = body["source"];
  from.code = body["code"];
  from.environment = body["environment"];
  GYRE_TRY(from.params, TextsOf(body, "params"));
  GYRE_TRY(from.tags, TextsOf(body, "tags"));
  if (!from.source["command"].is_array() || from.source["command"].size() == 0) {
    return InvalidArgument("GY3412", "`source.command` must be the words of the command");
  }
  if (const std::string& again = body["rerun_of"].AsString(); !again.empty()) {
    GYRE_TRY(const tracking::Run before, tracking_.GetRun(project.name, again));
    from.parent = before.id;
    if (body["pin_data"].AsBool()) {
      GYRE_TRY(Json pinned, VersionsToPin(before, datasets_));
      from.source.Set("pinned", std::move(pinned));
    }
  }
  return from;
}

Result<net::Response> RunsApi::StartProgram(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(tracking::NewRun from, ProgramOf(request, body));
  GYRE_TRY(const tracking::Run run, tracking_.CreateRun(std::move(from)));
  Json answer =
      Json::Obj({{"run", tracking::RunToJson(run)}, {"several_users", access_.several_users()}});
  // A caller who is nobody's user (the owner of this machine) gives a token of the owner.
  GYRE_TRY(const std::string token,
           access_.IssueProgramToken(run.project, run.id, request.principal, kProgramTokenMicros));
  answer.Set("token", token);
  // Only who comes by the socket is certainly of this machine.
  const bool here = request.peer().address == "unix";
  answer.Set("url", address_.open(run.id, here ? static_cast<int>(body["process"].AsInt()) : 0));
  return net::Response::JsonDoc(answer, 201).With("Cache-Control", "no-store");
}

Result<net::Response> RunsApi::Bring(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const projects::Project project, projects_.Get(request.Param("project")));
  tracking::NewRun from;
  from.project = project.name;
  from.kind = tracking::kImportedKind;
  from.import_key = body["key"].AsString();
  if (from.import_key.empty())
    return InvalidArgument("GY3412", "`key` must tell this run of its source from others");
  from.experiment = body["experiment"].StringOr("imported");
  if (body.Has("experiment_number")) from.experiment_number = body["experiment_number"].AsInt();
  from.name = body["name"].AsString();
  from.id = body["id"].AsString();
  if (!from.id.empty() && !LooksLikeId(from.id))
    return InvalidArgument("GY3412", "`{}` is no id of a run", from.id.substr(0, 64));
  from.user_name = body["user"].AsString();
  from.created_by = request.principal.name;
  from.source = body["source"];
  if (body.Has("created_at")) {
    GYRE_TRY(from.created_us, TimeOf(body, "created_at"));
  }
  from.started_us = from.created_us;
  GYRE_TRY(from.params, TextsOf(body, "params"));
  GYRE_TRY(from.tags, TextsOf(body, "tags"));
  GYRE_TRY(const tracking::Run run, tracking_.CreateRun(std::move(from)));
  return net::Response::JsonDoc(tracking::RunToJson(run), 201);
}

Result<net::Response> RunsApi::AddBatch(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const tracking::Run run, RunOf(request));
  tracking::Batch batch;
  GYRE_TRY(batch.params, TextsOf(body, "params"));
  GYRE_TRY(batch.tags, TextsOf(body, "tags"));
  for (const Json& point : body["metrics"].items()) {
    GYRE_TRY(const std::string key, point.GetString("key"));
    GYRE_TRY(const double value, BroughtValue(point["value"]));
    batch.metrics.push_back(
        {key, value, point["step"].AsInt(0), point["time_us"].AsInt(tracking::kNow)});
  }
  if (const Json& slice = body["slice"]; slice.is_object())
    batch.slice = tracking::ImportSlice{slice["from"].AsInt(), slice["to"].AsInt()};
  GYRE_DO(tracking_.LogBatch(run.id, batch));
  return net::Response::Empty();
}

Result<net::Response> RunsApi::End(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const tracking::Run run, RunOf(request));
  const auto status = tracking::ParseRunStatus(body["status"].StringOr("finished"));
  if (!status) {
    return InvalidArgument("GY3412", "`{}` is not the status of a run", body["status"].AsString())
        .Fix("finished, failed or killed");
  }
  tracking::RunEnd end{*status, body["error"].AsString(), body["resources"], 0};
  if (body.Has("ended_at")) {
    if (run.kind != tracking::kImportedKind)
      return InvalidArgument("GY3412", "`ended_at` is for runs that were made elsewhere");
    GYRE_TRY(end.ended_us, TimeOf(body, "ended_at"));
  }
  GYRE_DO(tracking_.EndRun(run.id, end));
  GYRE_DO(access_.RevokeProgramTokens(run.id));
  address_.close(run.id);
  GYRE_TRY(const tracking::Run ended, tracking_.GetRun(run.project, run.id));
  return net::Response::JsonDoc(tracking::RunToJson(ended));
}

}  // namespace gyre::native
