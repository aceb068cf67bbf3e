#include "api/native/events_api.h"

#include <limits>
#include <string>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "base/time.h"
#include "ledger/events/events.h"

namespace gyre::native {
namespace {

constexpr std::int64_t kStreamMicros =
    60 * kMicrosPerSecond;  // then the client comes again with Last-Event-ID
constexpr std::int64_t kLookMicros = kMicrosPerSecond / 2;  // at whether somebody goes
constexpr int kLooksPerHeartbeat = 20;

constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/events",
     .handler = Bind<&EventsApi::List>,
     .permission = Permission("event.read"),
     .summary = "What happened, newest first; or after a sequence number, oldest first",
     .response_type = "EventList",
     .per_project = true,
     .query = {kOfProject,
               {"kind", Type::kText, "only events of this kind"},
               {"after", Type::kWhole, "those after this sequence number, oldest first"},
               kLimit,
               kPageToken}},
    {.method = Method::kGet,
     .path = "/api/v1/events/stream",
     .handler = Bind<&EventsApi::Stream>,
     .permission = Permission("event.read"),
     .summary = "Events as they happen (server-sent events); goes on after Last-Event-ID",
     .per_project = true,
     .query = {kOfProject,
               {"kind", Type::kText, "only events of this kind"},
               {"after", Type::kWhole, "begin after this sequence number"}}},
    {.method = Method::kGet,
     .path = "/api/v1/events/parked",
     .handler = Bind<&EventsApi::ListParked>,
     .permission = Permission("event.read"),
     .summary = "Events that a subscriber could not handle",
     .response_type = "ParkedEventList"},
    {.method = Method::kPost,
     .path = "/api/v1/events/parked/{subscriber}/{sequence}/retry",
     .handler = Bind<&EventsApi::Retry>,
     .permission = Permission("access.admin"),
     .summary = "Give a parked event to its subscriber once more"},
};

Json EventToJson(const events::Event& event) {
  auto payload = Json::Parse(event.payload);
  return Json::Obj({{"sequence", event.sequence},
                    {"kind", event.kind},
                    {"project", event.project},
                    {"subject", event.subject},
                    {"payload", payload ? *std::move(payload) : Json(event.payload)},
                    {"created_at", FormatTime(event.created_us)}});
}

Json ParkedToJson(const events::Parked& parked) {
  Json document = EventToJson(parked.event);
  document.Set("subscriber", parked.subscriber)
      .Set("error", parked.error)
      .Set("attempts", parked.attempts)
      .Set("parked_at", FormatTime(parked.parked_us));
  return document;
}

// Nothing when neither is there: the caller did not say where to begin.
Result<std::optional<std::int64_t>> ReadAfter(const net::Request& request) {
  if (const auto last = request.Header("Last-Event-ID")) {
    const auto sequence = ParseInt(*last);
    if (sequence && *sequence >= 0) return sequence;
  }
  if (!request.Query("after")) return std::nullopt;
  GYRE_TRY(const std::int64_t after,
           request.QueryInt("after", 0, 0, std::numeric_limits<std::int64_t>::max()));
  return after;
}

// Writes events as they come until the time is over, or the client or the server goes.
Result<> Follow(events::Events& events, std::int64_t after, events::EventFilter filter,
                const net::Request& request, net::BodyWriter& body) {
  const std::int64_t end_us = SystemClock().MonotonicMicros() + kStreamMicros;
  int looks = 0;
  while (SystemClock().MonotonicMicros() < end_us && !request.client_gone()) {
    GYRE_TRY(const bool news, events.WaitForNews(after, kLookMicros));
    if (!news) {
      if (++looks % kLooksPerHeartbeat == 0) GYRE_DO(body.Write(": still here\n\n"));
      continue;
    }
    // Before the page: what comes between the two is not passed over.
    GYRE_TRY(const auto newest, events.List({.limit = 1}));
    filter.after = after;
    GYRE_TRY(const auto page, events.List(filter));
    for (const events::Event& event : page) {
      GYRE_DO(body.Write(
          net::SseEvent(event.kind, EventToJson(event).Dump(), fmt::format("{}", event.sequence))));
      after = event.sequence;
    }
    // The news was not for this filter: look only at what comes.
    if (page.empty() && !newest.empty()) after = newest.front().sequence;
  }
  return {};
}

}  // namespace

net::RouteTable EventsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> EventsApi::List(net::Request& request) {
  GYRE_TRY(const SequencePage page, ReadSequencePage(request));
  GYRE_TRY(const std::optional<std::int64_t> after, ReadAfter(request));
  events::EventFilter filter{.projects = VisibleProjects(request),
                             .kind = request.Query("kind").value_or(""),
                             .after = after,
                             .before = page.before,
                             .limit = page.limit};
  if (after && page.before != 0) {  // oldest first: the next page is after the token
    filter.after = page.before;
    filter.before = 0;
  }
  GYRE_TRY(const auto events, events_.List(filter));
  return PageOf(events, page.limit, EventToJson, &events::Event::sequence);
}

Result<net::Response> EventsApi::Stream(net::Request& request) {
  GYRE_TRY(std::optional<std::int64_t> after, ReadAfter(request));
  if (!after) {  // from now on
    GYRE_TRY(const auto newest, events_.List({.limit = 1}));
    after = newest.empty() ? 0 : newest.front().sequence;
  }
  events::EventFilter filter{.projects = VisibleProjects(request),
                             .kind = request.Query("kind").value_or("")};
  net::Response response;
  response.content_type = "text/event-stream";
  response.stream = [this, from = *after, filter = std::move(filter),
                     &request](net::BodyWriter& body) {
    return Follow(events_, from, filter, request, body);
  };
  return response;
}

Result<net::Response> EventsApi::ListParked(net::Request&) {
  GYRE_TRY(const auto parked, events_.ListParked());
  return WholeList(parked, ParkedToJson);
}

Result<net::Response> EventsApi::Retry(net::Request& request) {
  const auto sequence = ParseInt(request.Param("sequence"));
  if (!sequence)
    return InvalidArgument("GY4155", "`{}` is no sequence number", request.Param("sequence"));
  GYRE_DO(events_.Retry(request.Param("subscriber"), *sequence));
  return net::Response::Empty(202);
}

}  // namespace gyre::native
