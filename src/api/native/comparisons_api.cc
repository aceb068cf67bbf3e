#include "api/native/comparisons_api.h"

#include "api/files/file_bodies.h"
#include "api/native/job_answer.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "ml/monitoring/comparisons.h"
#include "platform/blob/blob_store.h"

namespace gyre::native {
namespace {

using monitoring::ComparedTable;

constexpr std::int64_t kFileBytesMax = std::int64_t{64} << 30;

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/comparisons",
     .handler = Bind<&ComparisonsApi::Compare>,
     .permission = Permission("query"),
     .summary = "Start a job that compares two tables column by column; the body is the one that "
                "the query does not name",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .response_type = "Job",
     .audited = false,
     .query = {{"reference", Type::kText, "a dataset version: churn:v3"},
               {"current", Type::kText, "a dataset version"},
               {"reference_file", Type::kText, "a file of this machine, for commands on it only"},
               {"current_file", Type::kText, "likewise"},
               {"filename", Type::kText, "of the body, for messages"},
               {"format", Type::kText, "of files; else by their content",
                "csv|tsv|json|jsonl|ndjson|parquet"},
               {"method", Type::kText, "of drift; else the calibrated default"},
               {"threshold", Type::kNumber, "of the method; else its own"},
               {"column", Type::kTexts, "only these columns"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/comparisons/{job}",
     .handler = Bind<&ComparisonsApi::Get>,
     .permission = Permission("query"),
     .summary = "What such a job has found; kept for a day",
     .response_type = "Comparison",
     .query = {{"format", Type::kText, "json when it is not given", "json|html"}}},
};

}  // namespace

net::RouteTable ComparisonsApi::table() { return {"native", kRoutes, this}; }

Result<ComparedTable> ComparisonsApi::Named(const net::Request& request, std::string_view side) {
  const auto reference = request.Query(side);
  const auto file = request.Query(fmt::format("{}_file", side));
  ComparedTable table;
  if (file) {
    if (!own_files_) {
      return Error(Code::kPermissionDenied, "GY4530",
                   "a server opens no files that a request names")
          .Fix("send the file as the body of the request")
          .Fix("gyre add it, and name the dataset");
    }
    table.file = *file;
    table.name = file->substr(file->rfind('/') + 1);
    table.format = request.Query("format").value_or("");
  } else if (reference) {
    std::string dataset = *reference, version = "latest";
    if (const std::size_t colon = dataset.find(':'); colon != std::string::npos) {
      version = dataset.substr(colon + 1);
      dataset.resize(colon);
    }
    GYRE_TRY(table.version, reads_.Read(request, dataset, version));
  }
  return table;
}

Result<ComparedTable> ComparisonsApi::Sent(net::Request& request) {
  ComparedTable table;
  table.name = request.Query("filename").value_or("the file sent");
  table.format = request.Query("format").value_or("");
  GYRE_TRY(auto writer, blobs_.NewWriter());
  GYRE_DO(files::Receive(request, *writer));
  GYRE_TRY(table.upload, writer->Commit());
  return table;
}

Result<net::Response> ComparisonsApi::Compare(net::Request& request) {
  monitoring::ComparisonRequest comparison;
  comparison.project = request.Param("project");
  comparison.created_by = request.principal.name;
  comparison.method = request.Query("method").value_or("");
  comparison.columns = request.QueryAll("column");
  if (const auto threshold = request.Query("threshold"))
    comparison.threshold = ParseDouble(*threshold);
  GYRE_TRY(comparison.reference, Named(request, "reference"));
  GYRE_TRY(comparison.current, Named(request, "current"));
  const auto is_named = [](const ComparedTable& table) {
    return table.version.has_value() || !table.file.empty();
  };
  if (!is_named(comparison.reference) && !is_named(comparison.current)) {
    return InvalidArgument("GY4531", "the query names neither `reference` nor `current`")
        .Why("one body can be one of both tables")
        .Fix("?reference=churn:v3, with the current table as the body");
  }
  GYRE_DO(monitoring::CheckComparison(comparison));
  if (!is_named(comparison.reference)) {
    GYRE_TRY(comparison.reference, Sent(request));
  } else if (!is_named(comparison.current)) {
    GYRE_TRY(comparison.current, Sent(request));
  }
  GYRE_TRY(const runners::Job job, comparisons_.Submit(comparison));
  return Accepted(job);
}

Result<net::Response> ComparisonsApi::Get(net::Request& request) {
  const bool program = request.principal.kind == "program";
  GYRE_TRY(const Json comparison,
           comparisons_.Find(request.Param("project"), request.Param("job"),
                             program ? std::string_view(request.principal.name) : ""));
  if (request.Query("format") != "html") return net::Response::JsonDoc(comparison);
  return net::Response::Text(monitoring::ReportPage(comparison), 200, "text/html; charset=utf-8");
}

}  // namespace gyre::native
