#include "api/native/jobs_api.h"

#include <limits>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "ml/runners/jobs.h"

namespace gyre::native {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/jobs",
     .handler = Bind<&JobsApi::List>,
     .permission = Permission("job.read"),
     .summary = "List jobs, newest first; an input of more than 2 KiB is null here",
     .response_type = "JobList",
     .per_project = true,
     .query = {kOfProject,
               {"state", Type::kText, "only jobs in this state",
                "queued|running|succeeded|failed|cancelled|interrupted"},
               kLimit,
               kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/jobs/{job}",
     .handler = Bind<&JobsApi::Get>,
     .permission = Permission("job.read"),
     .summary = "One job, by its id or the beginning of it",
     .response_type = "Job",
     .per_project = true},
    {.method = Method::kGet,
     .path = "/api/v1/jobs/{job}/log",
     .handler = Bind<&JobsApi::Log>,
     .permission = Permission("job.read"),
     .summary = "The log of a job as text, at most 1 MiB an answer",
     .per_project = true,
     .query = {kOffset}},
    {.method = Method::kGet,
     .path = "/api/v1/jobs/{job}/events",
     .handler = Bind<&JobsApi::Events>,
     .permission = Permission("job.read"),
     .summary = "Server-sent events: the job document at each change, until it ends",
     .per_project = true},
    {.method = Method::kPost,
     .path = "/api/v1/jobs/{job}/cancel",
     .handler = Bind<&JobsApi::Cancel>,
     .permission = Permission("job.write"),
     .summary = "Ask a job to stop; nothing happens when it has ended",
     .response_type = "Job",
     .per_project = true},
};

// A job of a project that the caller may not see is not there for him.
Result<runners::Job> JobOf(runners::Jobs& jobs, const net::Request& request) {
  const std::string& id = request.Param("job");
  GYRE_TRY(runners::Job job, jobs.Get(id));
  if (!request.principal.AllowsProject(job.project))
    return NotFound("GY3302", "there is no job `{}`", id).Fix("gyre jobs");
  return job;
}

}  // namespace

net::RouteTable JobsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> JobsApi::List(net::Request& request) {
  GYRE_TRY(const NamePage page, ReadNamePage(request));
  GYRE_TRY(const auto jobs, jobs_.List({.projects = VisibleProjects(request),
                                        .state = request.Query("state").value_or(""),
                                        .limit = page.limit,
                                        .after = page.after}));
  return PageOf(jobs, page.limit, runners::JobItem, &runners::Job::id);
}

Result<net::Response> JobsApi::Get(net::Request& request) {
  GYRE_TRY(const runners::Job job, JobOf(jobs_, request));
  return net::Response::JsonDoc(runners::JobToJson(job));
}

Result<net::Response> JobsApi::Log(net::Request& request) {
  GYRE_TRY(const std::int64_t offset,
           request.QueryInt("offset", 0, 0, std::numeric_limits<std::int64_t>::max()));
  GYRE_TRY(const runners::Job job, JobOf(jobs_, request));
  GYRE_TRY(std::string text, jobs_.ReadLog(job.id, offset));
  return net::Response::Text(std::move(text));
}

Result<net::Response> JobsApi::Events(net::Request& request) {
  GYRE_TRY(const runners::Job job, JobOf(jobs_, request));
  net::Response response;
  response.content_type = "text/event-stream";
  response.stream = [this, id = job.id, &request](net::BodyWriter& writer) -> Result<> {
    constexpr std::int64_t kLookMs = 500;               // at whether the client or the server goes
    constexpr int kLooksPerComment = 15'000 / kLookMs;  // which keeps proxies from closing
    std::string shown;
    for (int looks = 1; !request.client_gone(); ++looks) {
      Result<> written;
      GYRE_TRY(const runners::Job now, jobs_.Wait(id, kLookMs, [&](const runners::Job& changed) {
        std::string document = runners::JobToJson(changed).Dump();
        if (document == shown) return true;
        shown = std::move(document);
        written = writer.Write(net::SseEvent("job", shown));
        return written.has_value();
      }));
      GYRE_DO(std::move(written));
      if (now.ended_us != 0) return {};
      if (looks % kLooksPerComment == 0) GYRE_DO(writer.Write(": waiting\n\n"));
    }
    return {};
  };
  return response;
}

Result<net::Response> JobsApi::Cancel(net::Request& request) {
  GYRE_TRY(const runners::Job job, JobOf(jobs_, request));
  GYRE_DO(jobs_.Cancel(job.id, request.principal.name));
  GYRE_TRY(const runners::Job now, jobs_.Get(job.id));
  return net::Response::JsonDoc(runners::JobToJson(now));
}

}  // namespace gyre::native
