#include "api/native/run_events_api.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "api/native/run_feeds.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/access/access.h"
#include "ml/tracking/run_follower.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

// Then the client comes again with Last-Event-ID.
constexpr std::int64_t kStreamMicros = 60 * kMicrosPerSecond;
// At most four patches a second: what happened in between is one.
constexpr std::int64_t kPatchMicros = kMicrosPerSecond / 4;
constexpr std::int64_t kAdmissionMicros = kMicrosPerSecond;
constexpr std::int64_t kHeartbeatMicros = 10 * kMicrosPerSecond;
constexpr std::size_t kSubjectsMax = 1'000;

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/run-events",
     .handler = Bind<&RunEventsApi::Stream>,
     .permission = Permission("run.read"),
     .summary = "What happens to runs (server-sent events); goes on after Last-Event-ID",
     .query = {{"run", Type::kTexts, "follow this run"},
               {"experiment", Type::kTexts, "follow the runs of this experiment"},
               {"stream", Type::kText, "a name of the client's for what this stream follows"},
               {"after", Type::kWhole, "begin after the event of this id"}}},
    {.method = Method::kPut,
     .path = "/api/v1/projects/{project}/run-events/{stream}",
     .handler = Bind<&RunEventsApi::Follow>,
     .permission = Permission("run.read"),
     .summary = "Change what a stream of run events follows, while it goes on",
     .body = Body::kBuffer,
     .audited = false,
     .members = {{"runs", Type::kTexts, "ids; with no runs and no experiments, all of the project"},
                 {"experiments", Type::kTexts, "numbers, titles or names"}}},
};

// What a table or chart of runs shows.
Json PatchJson(const tracking::Run& run) {
  constexpr std::string_view kMembers[] = {"id",         "name",       "kind",       "experiment",
                                           "status",     "parent",     "created_by", "error",
                                           "created_at", "started_at", "ended_at",   "deleted_at",
                                           "params",     "tags",       "metrics"};
  const Json whole = tracking::RunToJson(run);
  Json patch = Json::Obj();
  for (const std::string_view name : kMembers) patch.Set(name, whole[name]);
  Json steps = Json::Obj();
  for (const auto& [key, metric] : run.metrics) steps.Set(key, metric.step);
  patch.Set("steps", std::move(steps));
  return patch;
}

Result<> CheckStream(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  constexpr std::size_t kNameMax = 64;
  if (!name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, fits)) return {};
  return InvalidArgument("GY3412", "`{}` cannot name a stream", name.substr(0, kNameMax))
      .Fix("1 to 64 letters, digits, - and _, such as a random id of the tab");
}

std::string FeedKey(const net::Request& request, const std::string& stream) {
  return fmt::format("{}\n{}\n{}", request.principal.id, request.Param("project"), stream);
}

// The newest when the client does not say where to begin.
Result<std::uint64_t> BeginOf(const net::Request& request, const tracking::RunFollower& follower) {
  if (const auto last = request.Header("Last-Event-ID")) {
    if (const auto number = ParseInt(*last); number && *number >= 0)
      return static_cast<std::uint64_t>(*number);
  }
  if (!request.Query("after")) return follower.newest();
  GYRE_TRY(const std::int64_t after, request.QueryInt("after", 0, 0, INT64_MAX));
  return static_cast<std::uint64_t>(after);
}

}  // namespace

RunEventsApi::RunEventsApi(access::Access& access, tracking::Experiments& experiments,
                           tracking::Tracking& tracking, const tracking::RunFollower& follower)
    : access_(access),
      experiments_(experiments),
      tracking_(tracking),
      follower_(follower),
      feeds_(std::make_unique<RunFeeds>()) {}
RunEventsApi::~RunEventsApi() = default;

net::RouteTable RunEventsApi::table() { return {"native", kRoutes, this}; }

// Writes until the time is over, the client or the server goes, or the client may no longer.
class RunEventsApi::Writer {
 public:
  Writer(RunEventsApi& api, net::Request& request, tracking::RunSubjects subjects,
         std::string feed_key, std::uint64_t seen)
      : api_(api),
        request_(request),
        project_(request.Param("project")),
        subjects_(std::make_shared<const tracking::RunSubjects>(std::move(subjects))),
        feed_key_(std::move(feed_key)),
        seen_(seen) {}

  Result<> Write(net::BodyWriter& body) {
    const std::int64_t end_us = Now() + kStreamMicros;
    admitted_us_ = written_us_ = Now();
    GYRE_DO(Send(body, "here", Json::Obj()));
    while (Now() < end_us && !request_.client_gone()) {
      if (!IsAdmitted()) return Send(body, "ended", Json::Obj({{"why", "permission"}}));
      GYRE_DO(WriteNews(body));
      std::this_thread::sleep_for(std::chrono::microseconds(kPatchMicros));
    }
    return {};
  }

 private:
  static std::int64_t Now() { return SystemClock().MonotonicMicros(); }

  bool IsAdmitted() {
    if (Now() < admitted_us_ + kAdmissionMicros) return true;
    admitted_us_ = Now();
    return api_.access_.Admit(request_, *request_.route).has_value();
  }

  Result<> WriteNews(net::BodyWriter& body) {
    if (!feed_key_.empty()) {
      if (auto changed = api_.feeds_->Find(feed_key_)) subjects_ = std::move(changed);
    }
    GYRE_TRY(const tracking::RunPatch patch, api_.follower_.Look(project_, *subjects_, seen_));
    seen_ = patch.seen;
    if (patch.lost) return Send(body, "reset", Json::Obj());
    if (patch.runs.empty() && patch.gone.empty()) {
      if (Now() < written_us_ + kHeartbeatMicros) return {};
      return Send(body, "here", Json::Obj());
    }
    Json data = Json::Obj({{"runs", ItemsOf(patch.runs, PatchJson)}});
    Json gone = Json::Arr();
    for (const std::string& id : patch.gone) gone.Push(id);
    data.Set("gone", std::move(gone));
    return Send(body, "runs", data);
  }

  Result<> Send(net::BodyWriter& body, std::string_view event, const Json& data) {
    written_us_ = Now();
    return body.Write(net::SseEvent(event, data.Dump(), fmt::format("{}", seen_)));
  }

  RunEventsApi& api_;
  net::Request& request_;
  const std::string project_;
  RunFeeds::Subjects subjects_;
  const std::string feed_key_;
  std::uint64_t seen_;
  std::int64_t admitted_us_ = 0, written_us_ = 0;
};

Result<tracking::RunSubjects> RunEventsApi::SubjectsOf(
    const std::string& project, const std::vector<std::string>& runs,
    const std::vector<std::string>& experiments) {
  if (runs.size() + experiments.size() > kSubjectsMax)
    return InvalidArgument("GY3412", "a stream follows at most {} runs and experiments",
                           kSubjectsMax)
        .Fix("follow their experiment, or everything");
  tracking::RunSubjects subjects;
  for (const std::string& reference : runs) {
    GYRE_TRY(const tracking::Run run, tracking_.GetRun(project, reference));
    subjects.runs.insert(run.id);
  }
  for (const std::string& reference : experiments) {
    GYRE_TRY(const tracking::Experiment experiment, experiments_.Resolve(project, reference));
    subjects.experiments.insert(experiment.number);
  }
  return subjects;
}

Result<net::Response> RunEventsApi::Stream(net::Request& request) {
  std::string feed_key;
  if (const auto stream = request.Query("stream")) {
    GYRE_DO(CheckStream(*stream));
    feed_key = FeedKey(request, *stream);
  }
  GYRE_TRY(tracking::RunSubjects subjects,
           SubjectsOf(request.Param("project"), request.QueryAll("run"),
                      request.QueryAll("experiment")));
  GYRE_TRY(const std::uint64_t seen, BeginOf(request, follower_));
  net::Response response;
  response.content_type = "text/event-stream";
  response.stream = [this, &request, seen, subjects = std::move(subjects),
                     feed_key = std::move(feed_key)](net::BodyWriter& body) mutable {
    return Writer(*this, request, std::move(subjects), std::move(feed_key), seen).Write(body);
  };
  return response;
}

Result<net::Response> RunEventsApi::Follow(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_DO(CheckStream(request.Param("stream")));
  const auto texts = [&](std::string_view member) {
    std::vector<std::string> all;
    for (const Json& item : body[member].items())
      all.push_back(item.is_string() ? item.AsString() : item.Dump());
    return all;
  };
  GYRE_TRY(tracking::RunSubjects subjects,
           SubjectsOf(request.Param("project"), texts("runs"), texts("experiments")));
  feeds_->Put(FeedKey(request, request.Param("stream")), std::move(subjects));
  return net::Response::Empty();
}

}  // namespace gyre::native
