#include "api/native/captures_api.h"

#include "api/files/file_bodies.h"
#include "api/native/job_answer.h"
#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/inference_log/inference_log.h"
#include "ml/serving/serving.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{64} << 30;
constexpr std::int64_t kDocumentBytesMax = 2 * kMiB;  // it is held as a whole, unlike lines
constexpr std::size_t kLineBytesMax = 64 << 10;

constexpr net::Field kFrom{"from", Type::kTime, "rows whose event is not before it"};
constexpr net::Field kTo{"to", Type::kTime, "rows whose event is before it"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/captures",
     .handler = Bind<&CapturesApi::List>,
     .permission = Permission("endpoint.read"),
     .summary = "What was captured, by endpoint",
     .response_type = "CaptureList",
     .query = {{"labels", Type::kBool,
                "count the labelled answers of each, too, from the files; null above 5,000,000 "
                "rows, which the route of the endpoint counts"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/captures",
     .handler = Bind<&CapturesApi::Get>,
     .permission = Permission("endpoint.read"),
     .summary = "How much of an endpoint's answers was captured, labelled and dropped",
     .response_type = "Capture",
     .query = {{"labels", Type::kBool,
                "count labelled, late and unknown ones too, from the files"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/captures/rows",
     .handler = Bind<&CapturesApi::Rows>,
     .permission = Permission("dataset.read"),
     .summary = "Captured rows with their labels, the newest first",
     .response_type = "Rows",
     .query = {{"limit", Type::kWhole, "1 to 1000, else 100"}, kFrom, kTo}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/captures/export",
     .handler = Bind<&CapturesApi::Export>,
     .permission = Permission("dataset.read"),
     .summary = "Captured rows with their labels as a file",
     .query = {{"format", Type::kText, "csv when it is not given", "csv|jsonl|parquet"},
               kFrom,
               kTo}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/captures/policy",
     .handler = Bind<&CapturesApi::GetPolicy>,
     .permission = Permission("endpoint.read"),
     .summary = "What is captured and for how long",
     .response_type = "CapturePolicy"},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/captures/policy",
     .handler = Bind<&CapturesApi::SetPolicy>,
     .permission = Permission("endpoint.deploy"),
     .summary = "Change what is captured from now on",
     .body = Body::kBuffer,
     .request_type = "CapturePolicyChange",
     .response_type = "CapturePolicy",
     .members = {{"on", Type::kBool, "whether anything is"},
                 {"sample", Type::kNumber, "share of the rows: above 0, at most 1"},
                 {"columns", Type::kObject, "{column: keep, hash or drop}; others stay"},
                 {"key_column", Type::kText, "labels may come by its value; empty = by id only"},
                 {"retention_days", Type::kNumber, "rows and labels go after so many days"},
                 {"lateness_days", Type::kNumber, "labels count as late after so many days"}}},
    // The body, not the path, says whose: paths stand in logs and in the audit log.
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/captures/forget",
     .handler = Bind<&CapturesApi::Forget>,
     .permission = Permission("access.admin"),
     .summary = "Remove one person's captured rows and labels, at once and for good",
     .body = Body::kBuffer,
     .response_type = "Forgotten",
     .members = {{"key", Type::kText, "of the rows: a value of the key column"},
                 {"id", Type::kText, "or the inference id of one answer"},
                 {"endpoint", Type::kText, "only of this one; else of all of the project"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/captures/dataset",
     .handler = Bind<&CapturesApi::MakeDataset>,
     .permission = Permission("dataset.write"),
     .summary = "Start a job that makes a dataset version of inputs and labels",
     .body = Body::kBuffer,
     .request_type = "CaptureDataset",
     .response_type = "Job",
     .members = {{"dataset", Type::kText, "its name", "", net::kRequired},
                 {"from", Type::kTime, "rows whose event is not before it"},
                 {"to", Type::kTime, "rows whose event is before it"},
                 {"labelled", Type::kBool, "only rows that have a label"},
                 {"new_classes", Type::kBool, "rows whose label is no class of the model, too"}}},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/feedback",
     .handler = Bind<&CapturesApi::Feedback>,
     .permission = Permission("predict"),
     .summary = "Labels of answers: {\"rows\": [...]}, or a row a line as application/x-ndjson",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .response_type = "FeedbackTaken",
     .audited = false},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/endpoints/{endpoint}/feedback/file",
     .handler = Bind<&CapturesApi::FeedbackFile>,
     .permission = Permission("predict"),
     .summary = "Start a job that takes the labels of a file",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .response_type = "Job",
     .audited = false,
     .query = {{"filename", Type::kText, "for messages"},
               {"format", Type::kText, "of the file; else by its content",
                "csv|tsv|json|jsonl|ndjson|parquet"}}},
};

struct Range {
  std::int64_t from_us = INT64_MIN, to_us = INT64_MAX;
};
Result<Range> ReadRange(const net::Request& request) {
  Range range;
  GYRE_TRY(const std::int64_t from_us, ReadTime(request, "from"));
  GYRE_TRY(const std::int64_t to_us, ReadTime(request, "to"));
  if (request.Query("from")) range.from_us = from_us;
  if (request.Query("to")) range.to_us = to_us;
  return range;
}

// The same in a document.
Result<std::int64_t> TimeOf(const Json& body, std::string_view member, std::int64_t fallback) {
  if (!body.Has(member)) return fallback;
  const auto time_us = ParseTime(body[member].AsString());
  if (time_us) return *time_us;
  return InvalidArgument("GY4152", "`{}` is no time", member)
      .Why("times look like 2026-11-21 or 2026-11-21T08:30:00Z")
      .Where(std::string(member));
}

Result<> TakeDocument(net::Request& request, inference_log::Feedback& feedback) {
  std::string text;
  for (;;) {
    GYRE_TRY(const std::string piece, request.body_reader().Next());
    if (piece.empty()) break;
    text += piece;
    if (static_cast<std::int64_t>(text.size()) > kDocumentBytesMax) {
      return InvalidArgument("GY4615", "the document is larger than {}",
                             HumanBytes(kDocumentBytesMax))
          .Fix("send a row a line, as application/x-ndjson: that may be as long as you like");
    }
  }
  GYRE_TRY(const Json body, Json::Parse(text));
  if (!body["rows"].is_array() || body.size() != 1) {
    return InvalidArgument("GY4616", "the body is no {{\"rows\": [...]}}")
        .Fix(R"({"rows": [{"inference_id": "...", "label": "Yes"}]})")
        .Fix("or a row a line, as application/x-ndjson");
  }
  std::size_t place = 0;
  for (const Json& row : body["rows"].items())
    GYRE_DO(feedback.Add(row, fmt::format("rows[{}]", place++)));
  return {};
}

Result<> TakeLine(std::string_view line, std::int64_t number, inference_log::Feedback& feedback) {
  if (Trim(line).empty()) return {};
  const std::string place = fmt::format("line {}", number);
  const auto row = Json::Parse(line);
  if (!row) return Error(row.error()).Context(place);
  return feedback.Add(*row, place);
}

Result<> TakeLines(net::Request& request, inference_log::Feedback& feedback) {
  std::string rest;
  std::int64_t number = 0;
  for (;;) {
    GYRE_TRY(const std::string piece, request.body_reader().Next());
    if (piece.empty()) return TakeLine(rest, ++number, feedback);
    rest += piece;
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos;
         end = rest.find('\n', begin)) {
      GYRE_DO(TakeLine(std::string_view(rest).substr(begin, end - begin), ++number, feedback));
      begin = end + 1;
    }
    rest.erase(0, begin);
    if (rest.size() > kLineBytesMax)
      return InvalidArgument("GY4615", "line {} is longer than {}", number + 1,
                             HumanBytes(kLineBytesMax));
  }
}

}  // namespace

net::RouteTable CapturesApi::table() { return {"native", kRoutes, this}; }

// An endpoint that answers, or one that has answered.
Result<> CapturesApi::CheckKnown(const net::Request& request) {
  const std::string& project = request.Param("project");
  const std::string& endpoint = request.Param("endpoint");
  const auto known = serving_.Get(project, endpoint);
  if (known) return {};
  if (known.error().code() != Code::kNotFound) return known.error();
  GYRE_TRY(const auto captured, log_.List(project));
  for (const inference_log::CaptureStatus& status : captured) {
    if (status.endpoint == endpoint) return {};
  }
  return known.error();
}

Result<net::Response> CapturesApi::List(net::Request& request) {
  GYRE_TRY(const auto list, log_.List(request.Param("project")));
  if (request.Query("labels") != "true") return WholeList(list, inference_log::CaptureStatusToJson);
  Json items = Json::Arr();
  for (const inference_log::CaptureStatus& status : list) {
    GYRE_TRY(Json labelled, LabelledOf(status));
    // To count them seals what was waiting.
    GYRE_TRY(const auto now, log_.Status(status.project, status.endpoint));
    items.Push(inference_log::CaptureStatusToJson(now).Set("labelled", std::move(labelled)));
  }
  return net::Response::JsonDoc(Json::Obj({{"items", std::move(items)}}));
}

// Each answer once, however often its label came. Who lists endpoints does not wait for millions.
Result<Json> CapturesApi::LabelledOf(const inference_log::CaptureStatus& status) {
  constexpr std::int64_t kRowsMax = 5'000'000;
  if (status.labels == 0) return Json(0);
  if (status.captured > kRowsMax || status.labels > kRowsMax) return Json();
  GYRE_TRY(const Json counts, log_.Count(status.project, status.endpoint));
  return counts["labelled"];
}

Result<net::Response> CapturesApi::Get(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  const std::string& project = request.Param("project");
  const std::string& endpoint = request.Param("endpoint");
  Json counts;
  if (request.Query("labels") == "true") {
    GYRE_TRY(counts, log_.Count(project, endpoint));
  }
  GYRE_TRY(const auto status, log_.Status(project, endpoint));
  Json json = inference_log::CaptureStatusToJson(status);
  if (counts.is_object()) json.Set("counts", std::move(counts));
  return net::Response::JsonDoc(json);
}

Result<net::Response> CapturesApi::Rows(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  GYRE_TRY(const int limit, ReadLimit(request));
  GYRE_TRY(const Range range, ReadRange(request));
  GYRE_TRY(const Json rows, log_.Rows(request.Param("project"), request.Param("endpoint"),
                                      range.from_us, range.to_us, limit));
  return net::Response::JsonDoc(rows);
}

Result<net::Response> CapturesApi::Export(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  const std::string format = request.Query("format").value_or("csv");
  GYRE_TRY(const Range range, ReadRange(request));
  GYRE_TRY(std::string path, log_.Export(request.Param("project"), request.Param("endpoint"),
                                         range.from_us, range.to_us, format));
  auto folder = std::make_shared<files::ScratchFolder>(path.substr(0, path.rfind('/')));
  net::Response response;
  response.content_type = files::TableContentType(format).value_or("application/octet-stream");
  response.headers = {{"Content-Disposition", fmt::format("attachment; filename=\"{}-captures.{}\"",
                                                          request.Param("endpoint"), format)}};
  response.stream = files::StreamFile(std::move(folder), std::move(path));
  return response;
}

Result<net::Response> CapturesApi::PolicyDoc(const net::Request& request,
                                             const inference_log::Policy& policy) {
  GYRE_TRY(const auto names,
           log_.WithheldInputs(request.Param("project"), request.Param("endpoint")));
  Json withheld = Json::Arr();
  for (const std::string& name : names) withheld.Push(name);
  return net::Response::JsonDoc(
      inference_log::PolicyToJson(policy).Set("withheld_inputs", std::move(withheld)));
}

Result<net::Response> CapturesApi::GetPolicy(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  GYRE_TRY(const auto policy, log_.GetPolicy(request.Param("project"), request.Param("endpoint")));
  return PolicyDoc(request, policy);
}

Result<net::Response> CapturesApi::SetPolicy(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const auto policy, log_.SetPolicy(request.Param("project"), request.Param("endpoint"),
                                             body, request.principal.name));
  return PolicyDoc(request, policy);
}

Result<net::Response> CapturesApi::MakeDataset(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const std::string dataset, body.GetString("dataset"));
  GYRE_DO(CheckName("dataset", dataset));
  GYRE_TRY(const std::int64_t from_us, TimeOf(body, "from", INT64_MIN));
  GYRE_TRY(const std::int64_t to_us, TimeOf(body, "to", INT64_MAX));
  GYRE_TRY(const runners::Job job, log_.MakeDataset({.project = request.Param("project"),
                                                     .endpoint = request.Param("endpoint"),
                                                     .dataset = dataset,
                                                     .from_us = from_us,
                                                     .to_us = to_us,
                                                     .labelled_only = body["labelled"].AsBool(),
                                                     .new_classes = body["new_classes"].AsBool(),
                                                     .by = request.principal.name}));
  return Accepted(job);
}

Result<net::Response> CapturesApi::Feedback(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  GYRE_TRY(const auto feedback,
           log_.NewFeedback(request.Param("project"), request.Param("endpoint")));
  const std::string_view type = request.Header("content-type").value_or("");
  const bool lines = type.starts_with("application/x-ndjson") ||
                     type.starts_with("application/jsonl") ||
                     type.starts_with("application/x-jsonlines");
  GYRE_DO(lines ? TakeLines(request, *feedback) : TakeDocument(request, *feedback));
  GYRE_TRY(const Json done, feedback->Commit());
  return net::Response::JsonDoc(done);
}

Result<net::Response> CapturesApi::FeedbackFile(net::Request& request) {
  GYRE_DO(CheckKnown(request));
  GYRE_TRY(auto writer, blobs_.NewWriter());
  GYRE_DO(files::Receive(request, *writer));
  GYRE_TRY(const blob::Object upload, writer->Commit());
  GYRE_TRY(const runners::Job job,
           log_.ImportLabels(request.Param("project"), request.Param("endpoint"),
                             request.Query("filename").value_or("labels"),
                             request.Query("format").value_or(""), request.principal.name, upload));
  return Accepted(job);
}

Result<net::Response> CapturesApi::Forget(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const inference_log::Forgotten forgotten,
           log_.Forget({.project = request.Param("project"),
                        .endpoint = body["endpoint"].AsString(),
                        .key = body["key"].AsString(),
                        .id = body["id"].AsString(),
                        .by = request.principal.name}));
  return net::Response::JsonDoc(inference_log::ForgottenToJson(forgotten));
}

}  // namespace gyre::native
