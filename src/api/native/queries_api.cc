#include "api/native/queries_api.h"

#include "api/files/file_bodies.h"
#include "api/native/job_answer.h"
#include "api/native/route_table.h"
#include "base/id.h"
#include "base/text.h"
#include "ml/data/queries.h"
#include "ml/projects/projects.h"
#include "platform/exec/files.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kRowsMax = 10'000;
constexpr std::int64_t kFileBytesMax = std::int64_t{1} << 30, kFileRowsMax = 50'000,
                       kFileAnswerBytes = 8 << 20;
constexpr std::size_t kSqlBytesMax = 64 << 10;  // it is kept with the job

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/query",
     .handler = Bind<&QueriesApi::Ask>,
     .permission = Permission("query"),
     .summary =
         "One SELECT over the project's datasets by name: a job, whose answer is waited for; "
         "whole numbers beyond 64 bits, NaN, Infinity and -Infinity come as text",
     .body = Body::kBuffer,
     .request_type = "QueryRequest",
     .response_type = "QueryResult",
     .audited = false,
     .query = {{"wait", Type::kBool, "false = 202 with the job at once"}},
     .members = {{"sql", Type::kText, "one SELECT; datasets are tables", "", net::kRequired},
                 {"limit", Type::kWhole,
                  "rows of the answer: 1 to 10,000, else 1000, and all of them with `format`"},
                 {"format", Type::kText,
                  "of the answer, a file; a QueryResult when it is not given",
                  "csv|jsonl|parquet"}}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/query/{job}",
     .handler = Bind<&QueriesApi::Answer>,
     .permission = Permission("query"),
     .summary = "The answer of such a job; kept for a day",
     .response_type = "QueryResult"},
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/query/file",
     .handler = Bind<&QueriesApi::AskFile>,
     .permission = Permission("query"),
     .summary = "One SELECT over the Parquet file that is sent, its table `file`; nothing of it is "
                "kept",
     .body = Body::kStream,
     .body_bytes_max = kFileBytesMax,
     .response_type = "QueryResult",
     .audited = false,
     .query = {{"sql", Type::kText, "one SELECT", "", net::kRequired},
               {"limit", Type::kWhole,
                "rows of the answer: 1 to 50,000, else 1000; fewer, and `truncated`, where they "
                "are larger than 8 MiB"}}},
};

// One of the few who may wait.
class Seat {
 public:
  Seat(std::atomic<int>& taken, int seats) : taken_(taken), free_(taken.fetch_add(1) < seats) {}
  ~Seat() { taken_.fetch_sub(1); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  bool free() const { return free_; }

 private:
  std::atomic<int>& taken_;
  const bool free_;
};

// Where the file lay meanwhile is nobody's business.
Error WithoutPath(const Error& error, const std::string& path) {
  const std::size_t at = error.message().find(path);
  if (at == std::string::npos) return error;
  std::string message = error.message();
  return Error(error.code(), error.gy(), message.erase(at, path.size()));
}

}  // namespace

net::RouteTable QueriesApi::table() { return {"native", kRoutes, this}; }

Result<runners::Job> QueriesApi::Submit(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  data::QueryRequest query;
  GYRE_TRY(query.sql, body.GetString("sql"));
  if (query.sql.size() > kSqlBytesMax)
    return InvalidArgument("GY2124", "the query is longer than {}", HumanBytes(kSqlBytesMax))
        .Fix("put long lists of values into a file, gyre add it, and join with it");
  query.format = body["format"].AsString();
  if (body.Has("limit")) {
    GYRE_TRY(query.rows_max, body.GetInt("limit"));
    if (query.rows_max < 1 || query.rows_max > kRowsMax)
      return InvalidArgument("GY2123", "`limit` must be between 1 and {}", GroupDigits(kRowsMax))
          .Where("limit")
          .Fix("gyre query SQL --out FILE    (all rows, as csv, jsonl or parquet)");
  } else if (!query.format.empty()) {
    query.rows_max = 0;
  }
  GYRE_TRY(const auto project, projects_.Get(request.Param("project")));
  query.project = project.name;
  query.created_by = request.principal.name;
  GYRE_DO(reads_.Follow(request, &query));
  return queries_.Submit(query);
}

Result<net::Response> QueriesApi::Ask(net::Request& request) {
  if (request.Query("wait") == "false") {
    GYRE_TRY(const runners::Job job, Submit(request));
    return Accepted(job);
  }
  const Seat seat(waiting_, waiting_max_);
  if (!seat.free()) {
    return MakeError(Code::kUnavailable, "GY2121", "{} queries are waited for already",
                     waiting_max_)
        .Fix("try again in a moment")
        .Fix("?wait=false, then look at the job");
  }
  GYRE_TRY(const runners::Job job, Submit(request));
  return WaitFor(job, request);
}

Result<net::Response> QueriesApi::WaitFor(const runners::Job& job, net::Request& request) {
  constexpr std::int64_t kLookMs = 250;  // at whether the client or the server goes
  runners::Job now = job;
  while (now.ended_us == 0) {
    if (request.client_gone())
      return Error(Code::kCancelled, "GY2122", "nobody waits for the query; it goes on as a job")
          .Where("job " + job.id);
    GYRE_TRY(now, jobs_.Wait(job.id, kLookMs, [](const runners::Job&) { return true; }));
  }
  if (now.state != "succeeded") return runners::ErrorOf(now);
  GYRE_TRY(net::Response answer, AnswerOf(now.project, now.id));
  return std::move(answer).With("Location", "/api/v1/jobs/" + now.id);
}

// What a program reads becomes an input of its run, so it gets the answers of its own questions.
Result<net::Response> QueriesApi::Answer(net::Request& request) {
  if (request.principal.kind == "program") {
    const auto job = jobs_.Get(request.Param("job"));
    if (job && job->project == request.Param("project") &&
        job->created_by != request.principal.name)
      return Error(Code::kPermissionDenied, "GY2125", "the query was asked by somebody else")
          .Why(
              "a program reads the answers of its own queries only, so that its run tells what it "
              "read")
          .Fix("ask the same query in the program");
  }
  return AnswerOf(request.Param("project"), request.Param("job"));
}

Result<net::Response> QueriesApi::AskFile(net::Request& request) {
  GYRE_TRY(const std::int64_t rows_max, request.QueryInt("limit", 1000, 1, kFileRowsMax));
  GYRE_TRY([[maybe_unused]] const auto project, projects_.Get(request.Param("project")));
  const std::string path = fmt::format("{}/query-{}", blobs_.scratch_directory(), NewId());
  GYRE_DO(exec::MakeDirectories(path));
  const files::ScratchFolder folder(path);
  files::FileSink sink(path + "/file.parquet");
  GYRE_DO(files::Receive(request, sink));
  GYRE_DO(sink.Flush());
  Json paths = Json::Arr();
  paths.Push(sink.path());
  Json tables = Json::Arr();
  tables.Push(Json::Obj({{"name", "file"}, {"paths", std::move(paths)}}));
  runners::JobRun::TaskOptions options;
  options.scratch_directory = path;
  options.cancelled = [&request] { return request.client_gone(); };
  const auto answer = jobs_.RunTaskNow("data.query",
                                       Json::Obj({{"tables", std::move(tables)},
                                                  {"sql", request.Query("sql").value_or("")},
                                                  {"rows_max", rows_max},
                                                  {"bytes_max", kFileAnswerBytes}}),
                                       options);
  if (!answer) return WithoutPath(answer.error(), path + "/");
  return net::Response::JsonDoc(*answer);
}

Result<net::Response> QueriesApi::AnswerOf(const std::string& project, const std::string& job) {
  GYRE_TRY(const data::Queries::Kept answer, queries_.Answer(project, job));
  const blob::Object& kept = answer.object;
  GYRE_DO(blobs_.CheckBlocks(kept.digest));
  GYRE_TRY(std::shared_ptr<blob::ReadStream> stream, blobs_.Open(kept.digest));
  net::Response response;
  if (!answer.format.empty())
    response.content_type =
        files::TableContentType(answer.format).value_or("application/octet-stream");
  response.content_length = kept.size_bytes;
  response.stream = files::StreamBlob(std::move(stream), 0, kept.size_bytes);
  return response;
}

}  // namespace gyre::native
