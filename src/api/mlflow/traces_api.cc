#include "api/mlflow/traces_api.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/files/stored_file.h"
#include "api/mlflow/answer.h"
#include "api/mlflow/artifact_path.h"
#include "api/mlflow/artifact_target.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/named.h"
#include "api/mlflow/run_words.h"
#include "api/mlflow/trace_files.h"
#include "api/mlflow/traces_spans.h"
#include "api/mlflow/traces_words.h"
#include "base/id.h"
#include "ml/tracking/long_read.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr Permission kRead("run.read"), kWrite("run.write");
constexpr std::int64_t kResultsStandard = 100;
constexpr std::size_t kBatchMax = 500;
constexpr std::string_view kOurFiles = "mlflow-artifacts:/", kSpansFile = "traces.json",
                           kBytes = "application/octet-stream";

constexpr net::Field kKey = {"key", Type::kText, "of the tag", "", kRequired};
constexpr net::Field kValue = {"value", Type::kText, "of the tag"};
constexpr net::Field kFilter = {"filter", Type::kText, "status = 'OK' AND tags.team = 'blue'"};
constexpr net::Field kResults = {"max_results", Type::kWhole, "100 when not given, at most 500"};
constexpr net::Field kOrder = {"order_by", Type::kTexts, "timestamp DESC"};
constexpr net::Field kToken = {"page_token", Type::kText, "of the page before"};
constexpr net::Field kIds = {"trace_ids", Type::kTexts, "of the traces", "", kRequired};
constexpr net::Field kExperiment = {"experiment_id", Type::kText, "of the traces", "", kRequired};
constexpr net::Field kUntil = {"max_timestamp_millis", Type::kWhole, "those started until then"};
constexpr net::Field kCount = {"max_traces", Type::kWhole, "the oldest of them"};
constexpr net::Field kOldIds = {"request_ids", Type::kTexts, "these traces"};
constexpr net::Field kOldLabels = {"request_metadata", Type::kObjects, "{key, value}"};
constexpr net::Field kOldTags = {"tags", Type::kObjects, "{key, value}"};
constexpr net::Field kOldTime = {"timestamp_ms", Type::kWhole, "milliseconds since 1970"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/traces",
     .handler = Serve<&TracesApi::Start>,
     .permission = kWrite,
     .summary = "Tell what a trace is, at its end",
     .fields = {{"trace", Type::kObject, "{trace_info}", "", kRequired}},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/traces/get",
     .handler = Serve<&TracesApi::Get>,
     .permission = kRead,
     .summary = "A trace with its spans",
     .fields = {{"trace_id", Type::kText, "of the trace", "", kRequired},
                {"allow_partial", Type::kBool, "also before its spans are there"}},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/traces/batchGet",
     .handler = Serve<&TracesApi::BatchGet>,
     .permission = kRead,
     .summary = "Traces with their spans",
     .fields = {kIds},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/traces/batchGetInfos",
     .handler = Serve<&TracesApi::BatchGetInfos>,
     .permission = kRead,
     .summary = "Traces without their spans",
     .fields = {kIds},
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/traces/search",
     .handler = Serve<&TracesApi::Search>,
     .permission = kRead,
     .summary = "Find traces by a filter, in an order",
     .fields = {{"locations", Type::kObjects, "{mlflow_experiment: {experiment_id}}", "",
                 kRequired},
                kFilter,
                kResults,
                kOrder,
                kToken},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow/traces/delete-traces",
     .handler = Serve<&TracesApi::Delete>,
     .permission = kWrite,
     .summary = "Delete traces for ever",
     .fields = {kExperiment, kUntil, kCount, kOldIds},
     .doors = Doors::kApi3},
    {.method = Method::kPost,
     .path = "/mlflow/traces/calculate-filter-correlation",
     .handler = Serve<&TracesApi::Correlate>,
     .permission = kRead,
     .summary = "How often two filters hold for the same traces",
     .fields = {{"experiment_ids", Type::kTexts, "to look in", "", kRequired},
                {"filter_string1", Type::kText, "one", "", kRequired},
                {"filter_string2", Type::kText, "the other", "", kRequired},
                {"base_filter", Type::kText, "of all that are counted"}},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/traces/{trace_id}",
     .handler = Serve<&TracesApi::GetInfo>,
     .permission = kRead,
     .summary = "A trace without its spans",
     .doors = Doors::kApi3},
    {.method = Method::kPatch,
     .path = "/mlflow/traces/{trace_id}/tags",
     .handler = Serve<&TracesApi::SetTag>,
     .permission = kWrite,
     .summary = "Set a tag of a trace",
     .fields = {kKey, kValue},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kDelete,
     .path = "/mlflow/traces/{trace_id}/tags",
     .handler = Serve<&TracesApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Remove a tag of a trace",
     .fields = {kKey},
     .doors = Doors::kApi3,
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow/traces/link-to-run",
     .handler = Serve<&TracesApi::LinkToRun>,
     .permission = kWrite,
     .summary = "Say that traces belong to a run",
     .fields = {kIds, {"run_id", Type::kText, "of the run", "", kRequired}},
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow/traces/link-prompts",
     .handler = Serve<&TracesApi::LinkPrompts>,
     .permission = kWrite,
     .summary = "Say which versions of prompts a trace used",
     .fields = {{"trace_id", Type::kText, "of the trace", "", kRequired},
                {"prompt_versions", Type::kObjects, "{name, version}", "", kRequired}},
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/get-trace-artifact",
     .handler = Serve<&TracesApi::GetFile>,
     .permission = kRead,
     .summary = "The spans of a trace as a file",
     .fields = {{"request_id", Type::kText, "of the trace", "", kRequired},
                {"path", Type::kText, "of a file beside them"}},
     .doors = Doors::kAjax2},
    // --- of clients before 3.0 ---
    {.method = Method::kPost,
     .path = "/mlflow/traces",
     .handler = Serve<&TracesApi::StartV2>,
     .permission = kWrite,
     .summary = "Begin a trace",
     .fields = {{"experiment_id", Type::kText, "0 when not given"}, kOldTime, kOldLabels, kOldTags},
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/traces",
     .handler = Serve<&TracesApi::SearchV2>,
     .permission = kRead,
     .summary = "Find traces by a filter, in an order",
     .fields = {{"experiment_ids", Type::kTexts, "to look in", "", kRequired},
                kFilter,
                kResults,
                kOrder,
                kToken}},
    {.method = Method::kPatch,
     .path = "/mlflow/traces/{trace_id}",
     .handler = Serve<&TracesApi::EndV2>,
     .permission = kWrite,
     .summary = "End a trace",
     .fields = {kOldTime, {"status", Type::kText, "OK or ERROR"}, kOldLabels, kOldTags},
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/traces/{trace_id}/info",
     .handler = Serve<&TracesApi::GetInfoV2>,
     .permission = kRead,
     .summary = "A trace without its spans"},
    {.method = Method::kPost,
     .path = "/mlflow/traces/delete-traces",
     .handler = Serve<&TracesApi::Delete>,
     .permission = kWrite,
     .summary = "Delete traces for ever",
     .fields = {kExperiment, kUntil, kCount, kOldIds}},
    {.method = Method::kPatch,
     .path = "/mlflow/traces/{trace_id}/tags",
     .handler = Serve<&TracesApi::SetTag>,
     .permission = kWrite,
     .summary = "Set a tag of a trace",
     .fields = {kKey, kValue},
     .audited = false},
    {.method = Method::kDelete,
     .path = "/mlflow/traces/{trace_id}/tags",
     .handler = Serve<&TracesApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Remove a tag of a trace",
     .fields = {kKey},
     .audited = false},
};

net::Response JsonAnswer(std::string_view name, const Json& value) {
  return AnswerOf([&](AnswerWriter& out) { out.Raw(name, value.Dump()); });
}

Result<> CheckIds(const std::vector<std::string>& ids) {
  if (ids.size() <= kBatchMax) return {};
  return InvalidParameter(
      fmt::format("At most {} trace_ids may be given, not {}", kBatchMax, ids.size()));
}

Result<> CheckOwnTag(std::string_view key, std::string_view done) {
  if (!IsServersTag(key)) return {};
  return InvalidParameter(
      fmt::format("Tag '{}' is immutable and cannot be {} on a trace.", key, done));
}

// How much more often two things happen together than by chance, from -1 to 1 (normalised pointwise
// mutual information); NaN where that has no meaning.
double Association(const traces::Correlation& c, double smoothing) {
  const auto count = [&](std::int64_t n) { return static_cast<double>(n) + smoothing; };
  const double both = count(c.both), first = count(c.first - c.both),
               second = count(c.second - c.both), none = count(c.all - c.first - c.second + c.both);
  if (c.first == 0 || c.second == 0) return std::numeric_limits<double>::quiet_NaN();
  if (both <= 0) return -1;
  if (first + second + none <= 0) return 1;
  const double all = both + first + second + none;
  const double together =
      std::log(both) + std::log(all) - std::log(both + first) - std::log(both + second);
  return std::clamp(together / (std::log(all) - std::log(both)), -1.0, 1.0);
}

}  // namespace

net::RouteTable TracesApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<tracking::Experiment> TracesApi::ExperimentOf(const Call& call, const std::string& id) {
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  auto experiment = experiments_.Get(call.project, number);
  if (!experiment) return InExperimentWords(experiment.error(), id);
  return *std::move(experiment);
}

Result<std::vector<std::int64_t>> TracesApi::ExperimentsOf(const Call& call,
                                                           const std::vector<std::string>& ids) {
  constexpr std::size_t kExperimentsMax = 1'000;
  if (ids.size() > kExperimentsMax)
    return InvalidParameter(fmt::format("At most {} experiments may be given", kExperimentsMax));
  return mlflow::ExperimentsOf(experiments_, call, ids);
}

Result<traces::Trace> TracesApi::Read(const Call& call, const std::string& id) {
  auto trace = traces_.Get(call.project, id);
  if (!trace) return InTraceWords(trace.error(), id);
  return *std::move(trace);
}

Result<Json> TracesApi::WithSpans(const Call& call, const traces::Trace& trace) {
  GYRE_TRY(const auto spans, traces_.SpansOf(call.project, trace.id));
  Json::Array list;
  for (const traces::Span& span : spans) list.push_back(OtlpJson(span));
  return Json::Obj({{"trace_info", InfoOf(trace)}, {"spans", Json(std::move(list))}});
}

Result<traces::Trace> TracesApi::StartTrace(const Call& call, traces::Trace trace,
                                            const std::string& experiment_id) {
  GYRE_TRY(const tracking::Experiment experiment, ExperimentOf(call, experiment_id));
  if (experiment.deleted_us != 0)
    return InExperimentWords(Error(Code::kFailedPrecondition, "GY3423", ""), experiment_id);
  trace.project = call.project;
  trace.experiment = experiment.number;
  trace.tags[std::string(kArtifactLocationTag)] = TraceArtifactUri(experiment, trace.id);
  auto made = traces_.Start(trace);
  if (!made) return InTraceWords(made.error(), trace.id);
  return *std::move(made);
}

Result<net::Response> TracesApi::Start(Call& call) {
  GYRE_TRY(const Json given, TreeOf("trace", call.arguments.Value("trace")));
  const Json& info = given["trace_info"];
  if (!info.is_object()) return MissingValue("trace.trace_info");
  GYRE_TRY(traces::Trace trace, ReadTraceInfo(info));
  const std::string experiment_id = ExperimentOfInfo(info);
  if (experiment_id.empty())
    return MissingValue("trace.trace_info.trace_location.mlflow_experiment.experiment_id");
  GYRE_TRY(const traces::Trace made, StartTrace(call, std::move(trace), experiment_id));
  return JsonAnswer("trace", Json::Obj({{"trace_info", InfoOf(made)}}));
}

Result<net::Response> TracesApi::GetInfo(Call& call) {
  GYRE_TRY(const traces::Trace trace, Read(call, call.request.Param("trace_id")));
  return JsonAnswer("trace", Json::Obj({{"trace_info", InfoOf(trace)}}));
}

Result<net::Response> TracesApi::Get(Call& call) {
  const std::string id = call.arguments.Text("trace_id");
  GYRE_TRY(const traces::Trace trace, Read(call, id));
  if (!trace.has_spans && !call.arguments.Bool("allow_partial"))
    return Error(Code::kNotFound, "GY5105",
                 fmt::format("Trace with ID {} is not fully exported yet, please try again later.",
                             id.substr(0, 250)));
  GYRE_TRY(const Json answer, WithSpans(call, trace));
  return JsonAnswer("trace", answer);
}

Result<net::Response> TracesApi::BatchGet(Call& call) {
  const auto ids = call.arguments.Texts("trace_ids");
  GYRE_DO(CheckIds(ids));
  Json::Array list;
  for (const std::string& id : ids) {
    const auto trace = traces_.Get(call.project, id);
    if (!trace && trace.error().code() == Code::kNotFound) continue;
    if (!trace) return trace.error();
    if (!trace->has_spans) continue;
    GYRE_TRY(Json json, WithSpans(call, *trace));
    list.push_back(std::move(json));
  }
  return JsonAnswer("traces", Json(std::move(list)));
}

Result<net::Response> TracesApi::BatchGetInfos(Call& call) {
  const auto ids = call.arguments.Texts("trace_ids");
  GYRE_DO(CheckIds(ids));
  Json::Array list;
  for (const std::string& id : ids) {
    const auto trace = traces_.Get(call.project, id);
    if (!trace && trace.error().code() != Code::kNotFound) return trace.error();
    if (trace) list.push_back(InfoOf(*trace));
  }
  return JsonAnswer("trace_infos", Json(std::move(list)));
}

Result<traces::FoundTraces> TracesApi::Find(const Call& call,
                                            const std::vector<std::string>& experiments) {
  const Arguments& arguments = call.arguments;
  const std::int64_t results = arguments.Whole("max_results", kResultsStandard);
  if (results > traces::kSearchMax) return WrongType("max_results", arguments.Value("max_results"));
  if (results < 1)
    return InvalidParameter(fmt::format(
        "Invalid value {} for parameter 'max_results' supplied. It must be a positive integer",
        results));
  traces::TraceSearch search{.project = call.project, .experiments = {}};
  search.limit = static_cast<int>(results);
  GYRE_TRY(search.experiments, ExperimentsOf(call, experiments));
  GYRE_TRY(search.filter, tracking::ParseFilter(arguments.Text("filter"), tracking::kTraceFields));
  GYRE_TRY(search.order, tracking::ParseOrder(arguments.Texts("order_by"), tracking::kTraceFields));
  search.page_token = arguments.Text("page_token");
  return traces_.Search(search);
}

Result<net::Response> TracesApi::Search(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  std::vector<std::string> experiments;
  for (const JsonValue location : call.arguments.Objects("locations")) {
    const JsonValue id = location["mlflow_experiment"]["experiment_id"];
    if (id.there())
      experiments.push_back(id.is_text() ? std::string(id.text()) : std::to_string(id.whole()));
  }
  GYRE_TRY(const traces::FoundTraces found, Find(call, experiments));
  return AnswerOf([&](AnswerWriter& out) {
    if (!found.traces.empty()) {
      out.List("traces");
      for (const traces::Trace& trace : found.traces) out.Raw({}, InfoOf(trace).Dump());
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", found.next_page_token);
  });
}

Result<net::Response> TracesApi::Delete(Call& call) {
  const Arguments& arguments = call.arguments;
  traces::TraceDeletion which{.project = call.project};
  which.ids = arguments.Texts("request_ids");
  const bool by_time = arguments.Has("max_timestamp_millis"), counted = arguments.Has("max_traces");
  if (!by_time && which.ids.empty())
    return InvalidParameter("Either `max_timestamp_millis` or `trace_ids` must be specified.");
  if (by_time && !which.ids.empty())
    return InvalidParameter("Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
  if (counted && !which.ids.empty())
    return InvalidParameter("`max_traces` can't be specified if `trace_ids` is specified.");
  const std::int64_t count = arguments.Whole("max_traces");
  if (counted && count <= 0)
    return InvalidParameter(
        fmt::format("`max_traces` must be a positive integer, received {}.", count));
  if (counted) which.count_max = count;
  if (by_time) {
    GYRE_TRY(const std::int64_t until_us,
             MicrosOf("max_timestamp_millis", arguments.Whole("max_timestamp_millis")));
    which.until_us = until_us + (kMicrosPerMilli - 1);  // whatever lies in the millisecond
  }
  GYRE_TRY(const tracking::Experiment experiment,
           ExperimentOf(call, arguments.Text("experiment_id")));
  which.experiment = experiment.number;
  which.folder = [&](std::string_view id) { return TraceFolder(experiment, id); };
  GYRE_TRY(const std::int64_t deleted, traces_.Delete(which));
  return AnswerOf([&](AnswerWriter& out) { out.Whole("traces_deleted", deleted); });
}

Result<net::Response> TracesApi::SetTag(Call& call) {
  const std::string& id = call.request.Param("trace_id");
  GYRE_TRY(const auto tag, ReadTraceTag(call.arguments.Text("key"), call.arguments.Text("value")));
  GYRE_DO(CheckOwnTag(tag.first, "set"));
  if (const auto done = traces_.SetTag(call.project, id, tag.first, tag.second); !done)
    return InTraceWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> TracesApi::DeleteTag(Call& call) {
  const std::string& id = call.request.Param("trace_id");
  const std::string key = call.arguments.Text("key");
  GYRE_DO(CheckOwnTag(key, "deleted"));
  if (const auto done = traces_.DeleteTag(call.project, id, key); !done)
    return InTraceWords(done.error(), id, key);
  return EmptyAnswer();
}

Result<net::Response> TracesApi::LinkToRun(Call& call) {
  const std::string run_id = call.arguments.Text("run_id");
  const auto project = tracking_.ProjectOf(run_id);
  if (!project || !call.Owns(*project))
    return InRunWords(Error(Code::kNotFound, "GY3401", ""), run_id);
  const auto ids = call.arguments.Texts("trace_ids");
  if (ids.size() > static_cast<std::size_t>(traces::kLinksMax))
    return InvalidParameter(
        fmt::format("Cannot link more than {} traces to a run in a single request. Provided {} "
                    "traces.",
                    traces::kLinksMax, ids.size()));
  GYRE_DO(traces_.Link(call.project, ids, "run", run_id));
  return EmptyAnswer();
}

Result<net::Response> TracesApi::LinkPrompts(Call& call) {
  const std::string id = call.arguments.Text("trace_id");
  GYRE_TRY([[maybe_unused]] const traces::Trace there, Read(call, id));
  if (call.arguments.Value("prompt_versions").size() > static_cast<std::size_t>(traces::kLinksMax))
    return InvalidParameter("Too many prompt_versions");
  for (const JsonValue item : call.arguments.Objects("prompt_versions")) {
    const auto version = WholeOf(item["version"]);
    if (!item["name"].is_text() || !version)
      return InvalidParameter("A version of a prompt has a `name` and a whole number as `version`");
    GYRE_DO(CheckLength("name", item["name"].text(), 256));
    GYRE_DO(traces_.Link(call.project, std::span(&id, 1), "prompt",
                         fmt::format("{}/{}", item["name"].text(), *version)));
  }
  return EmptyAnswer();
}

Result<net::Response> TracesApi::Correlate(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  const auto filter = [&](std::string_view name) {
    return tracking::ParseFilter(call.arguments.Text(name), tracking::kTraceFields);
  };
  traces::TraceSearch search{.project = call.project, .experiments = {}};
  GYRE_TRY(search.experiments, ExperimentsOf(call, call.arguments.Texts("experiment_ids")));
  GYRE_TRY(search.filter, filter("base_filter"));
  GYRE_TRY(const tracking::Filter first, filter("filter_string1"));
  GYRE_TRY(const tracking::Filter second, filter("filter_string2"));
  GYRE_TRY(const traces::Correlation counts, traces_.Correlate(search, first, second));
  constexpr double kSmoothing = 0.5;  // Jeffreys' prior: few traces prove little
  return AnswerOf([&](AnswerWriter& out) {
    out.Number("npmi", Association(counts, 0))
        .Number("npmi_smoothed", Association(counts, kSmoothing))
        .Whole("filter1_count", counts.first)
        .Whole("filter2_count", counts.second)
        .Whole("joint_count", counts.both)
        .Whole("total_count", counts.all);
  });
}

Result<net::Response> TracesApi::Stored(const Call& call, const traces::Trace& trace,
                                        const std::string& path) {
  const auto nothing = [&] {
    return Error(Code::kNotFound, "GY5105",
                 fmt::format("Trace data not found for trace_id={}", trace.id));
  };
  const auto root = trace.tags.find(std::string(kArtifactLocationTag));
  if (root == trace.tags.end() || !root->second.starts_with(kOurFiles)) return nothing();
  GYRE_TRY(const std::string clean,
           CleanArtifactPath(root->second.substr(kOurFiles.size()) + "/" + path));
  const ArtifactTarget target = TargetOf(call.project, clean);
  const auto file = files_.Get(target.owner, target.path);
  if (!file && file.error().code() == Code::kNotFound) return nothing();
  if (!file) return file.error();
  GYRE_TRY(net::Response response,
           files::AnswerStored(call.request, blobs_,
                               {.object = file->object, .content_type = std::string(kBytes)}));
  files::SayItIsForeign(BaseName(path), &response);
  return response;
}

Result<net::Response> TracesApi::GetFile(Call& call) {
  const std::string id = call.arguments.Text("request_id");
  GYRE_TRY(const traces::Trace trace, Read(call, id));
  if (const std::string path = call.arguments.Text("path"); !path.empty()) {
    GYRE_TRY(const std::string clean, CleanArtifactPath(path));
    return Stored(call, trace, "attachments/" + clean);
  }
  if (!trace.has_spans) return Stored(call, trace, std::string(kSpansFile));
  GYRE_TRY(const auto spans, traces_.SpansOf(call.project, id));
  net::Response response;
  response.content_type = std::string(kBytes);
  files::SayItIsForeign(kSpansFile, &response);
  AnswerWriter out(&response.body);
  out.Object().List("spans");
  for (const traces::Span& span : spans) out.Raw({}, FileJson(span).Dump());
  out.End().End();
  return response;
}

// --- of clients before 3.0 -----------------------------------------------------------------------
Result<net::Response> TracesApi::StartV2(Call& call) {
  const Arguments& arguments = call.arguments;
  traces::Trace trace;
  trace.id = std::string(kTraceIdPrefix) + NewId();
  trace.state = traces::State::kAtWork;
  GYRE_TRY(trace.started_us, MicrosOf("timestamp_ms", arguments.Whole("timestamp_ms")));
  GYRE_TRY(trace.metadata,
           ReadPairs("request_metadata", arguments.Value("request_metadata"), false));
  GYRE_TRY(trace.tags, ReadPairs("tags", arguments.Value("tags"), true));
  GYRE_TRY(const traces::Trace made,
           StartTrace(call, std::move(trace), arguments.Text("experiment_id")));
  return JsonAnswer("trace_info", InfoOfV2(made));
}

Result<net::Response> TracesApi::EndV2(Call& call) {
  const Arguments& arguments = call.arguments;
  const std::string& id = call.request.Param("trace_id");
  traces::TraceEnd end;
  GYRE_TRY(end.ended_us, MicrosOf("timestamp_ms", arguments.Whole("timestamp_ms")));
  GYRE_TRY(end.state, ReadState(arguments.Text("status")));
  GYRE_TRY(end.metadata, ReadPairs("request_metadata", arguments.Value("request_metadata"), false));
  GYRE_TRY(end.tags, ReadPairs("tags", arguments.Value("tags"), true));
  const auto ended = traces_.End(call.project, id, end);
  if (!ended) return InTraceWords(ended.error(), id);
  return JsonAnswer("trace_info", InfoOfV2(*ended));
}

Result<net::Response> TracesApi::GetInfoV2(Call& call) {
  GYRE_TRY(const traces::Trace trace, Read(call, call.request.Param("trace_id")));
  return JsonAnswer("trace_info", InfoOfV2(trace));
}

Result<net::Response> TracesApi::SearchV2(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  GYRE_TRY(const traces::FoundTraces found, Find(call, call.arguments.Texts("experiment_ids")));
  return AnswerOf([&](AnswerWriter& out) {
    if (!found.traces.empty()) {
      out.List("traces");
      for (const traces::Trace& trace : found.traces) out.Raw({}, InfoOfV2(trace).Dump());
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", found.next_page_token);
  });
}

}  // namespace gyre::mlflow
