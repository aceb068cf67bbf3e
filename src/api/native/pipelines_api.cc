#include "api/native/pipelines_api.h"

#include <limits>

#include "api/native/drawn_graph.h"
#include "api/native/expected.h"
#include "api/native/in_use.h"
#include "api/native/lists.h"
#include "api/native/removals.h"
#include "api/native/route_table.h"
#include "api/native/step_rights.h"
#include "ledger/access/access.h"
#include "ml/automation/automation.h"
#include "ml/pipelines/approvals.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kSourceBytesMax = 6 << 20;  // of JSON around at most 4 MiB of YAML
constexpr std::int64_t kLogBytesMax = 1 << 20;
constexpr int kTasksShown = 1000;

constexpr net::Field kSource{"source", Type::kText, "YAML"};
constexpr net::Field kSourceName{"source_name", Type::kText, "of the file, for messages"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/pipelines",
     .handler = Bind<&PipelinesApi::Add>,
     .permission = Permission("pipeline.write"),
     .summary = "Add a version of a pipeline or a component; the same bytes are the same version",
     .body = Body::kBuffer,
     .body_bytes_max = kSourceBytesMax,
     .request_type = "NewPipeline",
     .response_type = "PipelineVersion",
     .members = {{"source", Type::kText, "YAML", "", net::kRequired}, kSourceName}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/pipelines",
     .handler = Bind<&PipelinesApi::List>,
     .permission = Permission("pipeline.read"),
     .summary = "The newest version of each pipeline and component, by name",
     .response_type = "PipelineList",
     .query = {kLimit, kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/pipelines/{pipeline}",
     .handler = Bind<&PipelinesApi::Get>,
     .permission = Permission("pipeline.read"),
     .summary = "One version, NAME or NAME:v2: its source, its checked graph, all versions",
     .response_type = "Pipeline",
     .query = {kLayout}},
    {.method = Method::kDelete,
     .path = "/api/v1/projects/{project}/pipelines/{pipeline}",
     .handler = Bind<&PipelinesApi::Remove>,
     .permission = Permission("pipeline.write"),
     .summary = "Remove a pipeline, or one version of it, into the trash; its runs stay",
     .response_type = "TrashItem",
     .query = {kForce, kDryRun}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/pipelines/{pipeline}/expected",
     .handler = Bind<&PipelinesApi::Expected>,
     .permission = Permission("usage.read"),
     .summary = "What a run of it will use and cost, by its runs so far",
     .response_type = "Expected"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/pipelines/check",
     .handler = Bind<&PipelinesApi::Check>,
     .permission = Permission("pipeline.read"),
     .summary = "The checked graph of a pipeline that is not added",
     .body = Body::kBuffer,
     .body_bytes_max = kSourceBytesMax,
     .request_type = "NewPipeline",
     .response_type = "Pipeline",
     .audited = false,
     .query = {kLayout},
     .members = {{"source", Type::kText, "YAML", "", net::kRequired}, kSourceName}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/pipeline_runs",
     .handler = Bind<&PipelinesApi::Run>,
     .permission = Permission("pipeline.run"),
     .summary = "Run a pipeline, or the YAML of one. What its steps do needs its own permission; "
                "programs need pipeline.program",
     .body = Body::kBuffer,
     .body_bytes_max = kSourceBytesMax,
     .request_type = "NewPipelineRun",
     .response_type = "PipelineRun",
     .members = {{"pipeline", Type::kText, "NAME or NAME:v2"},
                 kSource,
                 kSourceName,
                 {"params", Type::kObject, "values by name"},
                 {"param_texts", Type::kTexts, "name=value, read by the parameter's type"},
                 {"no_cache", Type::kBool, "takes nothing from the cache"},
                 {"key", Type::kText, "two requests with one key are one run"}}},
    {.method = Method::kGet,
     .path = "/api/v1/pipeline_runs",
     .handler = Bind<&PipelinesApi::ListRuns>,
     .permission = Permission("pipeline.read"),
     .summary = "List runs of pipelines, newest first",
     .response_type = "PipelineRunList",
     .per_project = true,
     .query = {kOfProject,
               {"pipeline", Type::kText, "only of this one"},
               {"state", Type::kText, "only in this state", "running|succeeded|failed|cancelled"},
               kLimit,
               kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/pipeline_runs/{run}",
     .handler = Bind<&PipelinesApi::GetRun>,
     .permission = Permission("pipeline.read"),
     .summary = "One run with its steps and up to 1,000 tasks: state, reason, times, CPU, attempts",
     .response_type = "PipelineRunDetails",
     .per_project = true,
     .query = {{"tasks", Type::kWhole, "at most so many: 0 to 1000"},
               {"wait_ms", Type::kWhole, "answer when it has ended, or after this time"},
               kLayout}},
    {.method = Method::kDelete,
     .path = "/api/v1/pipeline_runs/{run}",
     .handler = Bind<&PipelinesApi::RemoveRun>,
     .permission = Permission("pipeline.run"),
     .summary = "Remove a run that has ended, with what its steps made, into the trash",
     .response_type = "TrashItem",
     .per_project = true,
     .query = {kForce, kDryRun}},
    {.method = Method::kGet,
     .path = "/api/v1/pipeline_runs/{run}/comparison",
     .handler = Bind<&PipelinesApi::Compare>,
     .permission = Permission("pipeline.read"),
     .summary = "The items of a loop side by side: value, state, times, outputs; and which outputs "
                "differ",
     .response_type = "PipelineComparison",
     .per_project = true,
     .query = {{"step", Type::kText, "the loop", "", net::kRequired},
               {"by", Type::kText, "sort by this output, or by seconds or cpu_seconds"},
               {"ascending", Type::kBool, "the smallest first, instead of the largest"},
               kLimit}},
    {.method = Method::kGet,
     .path = "/api/v1/pipeline_runs/{run}/events",
     .handler = Bind<&PipelinesApi::Events>,
     .permission = Permission("pipeline.read"),
     .summary = "Server-sent events: the run with its steps at each change, until it ends",
     .per_project = true},
    {.method = Method::kGet,
     .path = "/api/v1/pipeline_runs/{run}/log",
     .handler = Bind<&PipelinesApi::Log>,
     .permission = Permission("pipeline.read"),
     .summary = "What a task has printed, as text, at most 1 MiB an answer; format=json says "
                "where to go on and whether more may come",
     .response_type = "PipelineLogPart",
     .per_project = true,
     .query = {{"step", Type::kText, "train, or train[3] of a loop", "", net::kRequired},
               {"attempt", Type::kWhole, "the last when it is not given"},
               {"format", Type::kText, "text when it is not given", "text|json"},
               kOffset}},
    {.method = Method::kPost,
     .path = "/api/v1/pipeline_runs/{run}/cancel",
     .handler = Bind<&PipelinesApi::Cancel>,
     .permission = Permission("pipeline.run"),
     .summary = "Stop a run: what runs is ended, exit handlers run; nothing happens when it has "
                "ended",
     .response_type = "PipelineRun",
     .per_project = true},
    {.method = Method::kPost,
     .path = "/api/v1/pipeline_runs/{run}/retry",
     .handler = Bind<&PipelinesApi::Retry>,
     .permission = Permission("pipeline.run"),
     .summary = "Go on with a run that has ended: from what did not succeed, or from a step",
     .body = Body::kBuffer,
     .request_type = "RetryPipelineRun",
     .response_type = "PipelineRun",
     .per_project = true,
     .members = {{"from", Type::kText, "a step; it and all that needs it run again"}}},
    {.method = Method::kPost,
     .path = "/api/v1/pipeline_runs/{run}/approvals",
     .handler = Bind<&PipelinesApi::Approve>,
     .permission = Permission("model.approve"),
     .summary = "Agree that a run goes on behind a step of kind `approve`, or say no",
     .body = Body::kBuffer,
     .request_type = "PipelineApproval",
     .response_type = "Approval",
     .per_project = true,
     .members = {{"step", Type::kText, "ask, or ask[3] of a loop", "", net::kRequired},
                 {"approved", Type::kBool, "false = no"},
                 {"reason", Type::kText, "kept with the run"}}},
};

Result<std::string> TextMember(const Json& body, std::string_view name) {
  if (!body[name].is_null() && !body[name].is_string())
    return InvalidArgument("GY4730", "`{}` must be text", name);
  return body[name].AsString();
}

}  // namespace

namespace {

Result<> AddLayout(const net::Request& request, const Json& steps, std::string_view name_key,
                   Json* document) {
  if (!WantsLayout(request)) return {};
  GYRE_TRY(Json layout, LayoutOfSteps(steps, name_key));
  document->Set("layout", std::move(layout));
  return {};
}

}  // namespace

net::RouteTable PipelinesApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> PipelinesApi::Add(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string source, TextMember(body, "source"));
  GYRE_TRY(const auto version,
           pipelines_.Add(request.Param("project"), source,
                          body["source_name"].StringOr("pipeline.yaml"), request.principal.name));
  return net::Response::JsonDoc(pipelines::VersionToJson(version), 201);
}

Result<net::Response> PipelinesApi::List(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto found, pipelines_.List(request.Param("project"), page.after, page.limit));
  return PageOf(found, page.limit, pipelines::VersionToJson, &pipelines::PipelineVersion::name);
}

Result<net::Response> PipelinesApi::Get(net::Request& request) {
  GYRE_TRY(Json document, pipelines_.Graph(request.Param("project"), request.Param("pipeline")));
  GYRE_TRY(const auto versions,
           pipelines_.Versions(request.Param("project"), document["name"].AsString()));
  document.Set("versions", ItemsOf(versions, pipelines::VersionToJson));
  GYRE_DO(AddLayout(request, document["spec"]["steps"], "name", &document));
  return net::Response::JsonDoc(document);
}

Result<net::Response> PipelinesApi::Check(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string source, TextMember(body, "source"));
  GYRE_TRY(Json document, pipelines_.Check(request.Param("project"), source,
                                           body["source_name"].StringOr("pipeline.yaml")));
  GYRE_DO(AddLayout(request, document["spec"]["steps"], "name", &document));
  return net::Response::JsonDoc(document);
}

Result<net::Response> PipelinesApi::Remove(net::Request& request) {
  const std::string &project = request.Param("project"), &name = request.Param("pipeline");
  GYRE_TRY(const pipelines::PipelineVersion found, pipelines_.Resolve(project, name));
  const bool whole = name.find(':') == std::string::npos;
  const IsAbout runs = [&](const automation::TriggerSpec& spec) {
    return spec.pipeline == found.reference() ||
           (whole && spec.pipeline.starts_with(found.name + ":"));
  };
  return native::Remove(
      trash_, request,
      {.noun = "pipeline",
       .name = name,
       .check = [&] { return CheckNoTrigger(automation_, project, "pipeline", name, runs); },
       .needed_by = [&] { return NeededByTriggers(automation_, project, runs); }});
}

Result<net::Response> PipelinesApi::Expected(net::Request& request) {
  GYRE_TRY(const Json expected, ExpectedOfPipeline(pipelines_, usage_, request.Param("project"),
                                                   request.Param("pipeline")));
  return net::Response::JsonDoc(expected);
}

// Who runs steps does what they do: the gate is asked for each permission as if it were the
// route's.
Result<net::Response> PipelinesApi::Run(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  pipelines::RunRequest run;
  run.project = request.Param("project");
  GYRE_TRY(run.pipeline, TextMember(body, "pipeline"));
  GYRE_TRY(run.source, TextMember(body, "source"));
  GYRE_TRY(run.source_name, TextMember(body, "source_name"));
  GYRE_TRY(run.key, TextMember(body, "key"));
  if (run.pipeline.empty() == run.source.empty())
    return InvalidArgument("GY4730", "name a `pipeline`, or give the `source` of one");
  if (!body["params"].is_null() && !body["params"].is_object())
    return InvalidArgument("GY4730", "`params` must hold values by name");
  run.params = body["params"];
  for (const Json& text : body["param_texts"].items()) run.param_texts.push_back(text.AsString());
  run.no_cache = body["no_cache"].AsBool();
  run.created_by = request.principal.name;
  if (!run.key.empty()) run.key = fmt::format("{}/{}", run.project, run.key);
  run.admit = [&](const auto& permissions) { return AdmitSteps(access_, request, permissions); };
  GYRE_TRY(const pipelines::RunView begun, pipelines_.Run(std::move(run)));
  return net::Response::JsonDoc(pipelines::RunToJson(begun), 202);
}

Result<net::Response> PipelinesApi::ListRuns(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto runs, pipelines_.ListRuns({.projects = VisibleProjects(request),
                                                 .pipeline = request.Query("pipeline").value_or(""),
                                                 .state = request.Query("state").value_or(""),
                                                 .limit = page.limit,
                                                 .after = page.after}));
  return PageOf(runs, page.limit, pipelines::RunToJson, &pipelines::RunView::id);
}

// A run of a project that the caller may not see is not there for him.
Result<pipelines::RunView> PipelinesApi::RunOf(const net::Request& request) {
  const std::string& id = request.Param("run");
  GYRE_TRY(pipelines::RunView run, pipelines_.Get(id));
  if (!request.principal.AllowsProject(run.project))
    return NotFound("GY4712", "there is no pipeline run `{}`", id).Fix("gyre pipelines runs");
  return run;
}

Result<net::Response> PipelinesApi::GetRun(net::Request& request) {
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  GYRE_TRY(const std::int64_t tasks, request.QueryInt("tasks", kTasksShown, 0, kTasksShown));
  GYRE_TRY(const std::int64_t wait_ms, request.QueryInt("wait_ms", 0, 0, 10'000));
  if (wait_ms > 0) {
    GYRE_TRY([[maybe_unused]] const auto waited, pipelines_.Wait(run.id, wait_ms));
  }
  GYRE_TRY(Json document, pipelines_.Describe(run.id, static_cast<int>(tasks)));
  GYRE_TRY(const auto approvals, approvals_.OfRun(run.id));
  document.Set("approvals", ItemsOf(approvals, pipelines::ApprovalToJson));
  GYRE_DO(AddLayout(request, document["steps"], "step", &document));
  return net::Response::JsonDoc(document);
}

Result<net::Response> PipelinesApi::Compare(net::Request& request) {
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", kTasksShown, 1, kTasksShown));
  GYRE_TRY(const Json document,
           pipelines_.Compare(run.id, {.step = request.Query("step").value_or(""),
                                       .by = request.Query("by").value_or(""),
                                       .ascending = request.Query("ascending") == "true",
                                       .limit = static_cast<int>(limit)}));
  return net::Response::JsonDoc(document);
}

Result<net::Response> PipelinesApi::Events(net::Request& request) {
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  net::Response response;
  response.content_type = "text/event-stream";
  response.stream = [this, id = run.id, &request](net::BodyWriter& writer) -> Result<> {
    constexpr std::int64_t kLookMs = 250;
    constexpr int kLooksPerComment = 15'000 / kLookMs;  // which keeps proxies from closing
    std::string shown;
    for (int looks = 1; !request.client_gone(); ++looks) {
      GYRE_TRY(const pipelines::RunView now, pipelines_.Wait(id, kLookMs));
      GYRE_TRY(const Json document, pipelines_.Describe(id, 0));
      std::string text = document.Dump();
      if (text != shown) {
        shown = std::move(text);
        GYRE_DO(writer.Write(net::SseEvent("run", shown)));
      }
      if (now.ended_us != 0) return {};
      if (looks % kLooksPerComment == 0) GYRE_DO(writer.Write(": waiting\n\n"));
    }
    return {};
  };
  return response;
}

Result<net::Response> PipelinesApi::Log(net::Request& request) {
  GYRE_TRY(const std::int64_t offset,
           request.QueryInt("offset", 0, 0, std::numeric_limits<std::int64_t>::max()));
  GYRE_TRY(const std::int64_t attempt, request.QueryInt("attempt", 0, 0, 1'000'000));
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  GYRE_TRY(pipelines::LogPart part,
           pipelines_.ReadLog(run.id, request.Query("step").value_or(""), static_cast<int>(attempt),
                              offset, kLogBytesMax));
  if (request.Query("format").value_or("text") == "text")
    return net::Response::Text(std::move(part.text));
  return net::Response::JsonDoc(Json::Obj(
      {{"text", std::move(part.text)}, {"next_offset", part.next_offset}, {"ended", part.ended}}));
}

Result<net::Response> PipelinesApi::RemoveRun(net::Request& request) {
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  return native::Remove(trash_, request,
                        {.noun = "pipeline-run", .name = run.id, .project = run.project});
}

Result<net::Response> PipelinesApi::Cancel(net::Request& request) {
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  GYRE_DO(pipelines_.Cancel(run.id, fmt::format("cancelled by {}", request.principal.name)));
  GYRE_TRY(const pipelines::RunView now, pipelines_.Get(run.id));
  return net::Response::JsonDoc(pipelines::RunToJson(now));
}

Result<net::Response> PipelinesApi::Retry(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string from, TextMember(body, "from"));
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  GYRE_TRY(const auto permissions, pipelines_.PermissionsOfRun(run.id));
  GYRE_DO(AdmitSteps(access_, request, permissions));
  GYRE_TRY(const pipelines::RunView now, pipelines_.Retry(run.id, from));
  return net::Response::JsonDoc(pipelines::RunToJson(now));
}

Result<net::Response> PipelinesApi::Approve(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string step, TextMember(body, "step"));
  GYRE_TRY(const std::string reason, TextMember(body, "reason"));
  GYRE_TRY(const pipelines::RunView run, RunOf(request));
  GYRE_TRY(const auto approval, approvals_.Decide(run.id, {.task = step,
                                                           .agreed = body["approved"].AsBool(true),
                                                           .by = request.principal.name,
                                                           .reason = reason}));
  return net::Response::JsonDoc(pipelines::ApprovalToJson(approval));
}

}  // namespace gyre::native
