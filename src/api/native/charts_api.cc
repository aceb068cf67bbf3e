#include "api/native/charts_api.h"

#include <cmath>
#include <limits>

#include "api/native/lists.h"
#include "api/native/route_table.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/tracking/charts.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {
namespace {

constexpr net::Field kPoints = {
    "points", Type::kWhole, "at most so many of a series, its extremes among them: 10 to 20000"};
constexpr net::Field kAxis = {"axis", Type::kText,
                              "step when it is not given; elapsed: since the run began",
                              "step|time|elapsed"};
constexpr net::Field kFrom = {"from", Type::kText,
                              "a step, a time, or seconds since the run began; itself included"};
constexpr net::Field kTo = {"to", Type::kText, "likewise"};
constexpr net::Route kRoutes[] = {
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/runs/{run}/metrics/{key*}",
     .handler = Bind<&ChartsApi::Metric>,
     .permission = Permission("run.read"),
     .summary = "The points of a metric by step; its name may hold slashes",
     .response_type = "MetricHistory",
     .query = {{"limit", Type::kWhole, "points: 1 to 1,000,000, else 10,000; thinned evenly"},
               kPoints,
               kAxis,
               kFrom,
               kTo}},
    {.method = Method::kGet,
     .path = "/api/v1/projects/{project}/charts",
     .handler = Bind<&ChartsApi::Charts>,
     .permission = Permission("run.read"),
     .summary = "Metrics of several runs as charts show them, column by column",
     .response_type = "ChartList",
     .query = {{"run", Type::kTexts, "runs, as for one run"},
               {"key", Type::kTexts, "metrics"},
               kPoints,
               kAxis,
               kFrom,
               kTo}},
};

// JSON has no numbers for them.
Json ValueJson(double value) {
  if (std::isnan(value)) return Json("NaN");
  if (std::isinf(value)) return Json(value > 0 ? "Infinity" : "-Infinity");
  return Json(value);
}

Json PointJson(const tracking::MetricPoint& p) {
  return Json::Obj({{"step", p.step}, {"value", p.value}, {"time", FormatTime(p.time_us)}});
}

tracking::Axis AxisOf(const net::Request& request) {
  const auto axis = request.Query("axis");
  if (axis == "time") return tracking::Axis::kTime;
  return axis == "elapsed" ? tracking::Axis::kElapsed : tracking::Axis::kStep;
}

Result<std::optional<std::int64_t>> BoundOf(const net::Request& request, const char* name,
                                            tracking::Axis axis) {
  const auto text = request.Query(name);
  if (!text || text->empty()) return std::nullopt;
  if (axis == tracking::Axis::kTime) {
    GYRE_TRY(const std::int64_t time_us, ReadTime(request, name));
    return time_us;
  }
  if (axis == tracking::Axis::kStep) {
    if (const auto step = ParseInt(*text)) return step;
    return InvalidArgument("GY3412", "`{}` is no step: {}", name, text->substr(0, 64));
  }
  const auto seconds = ParseDouble(*text);
  constexpr double kSecondsMax = 1e12;
  if (seconds && std::abs(*seconds) <= kSecondsMax)
    return std::llround(*seconds * kMicrosPerSecond);
  return InvalidArgument("GY3412", "`{}` is no number of seconds: {}", name, text->substr(0, 64));
}

Result<tracking::ChartQuery> QueryOf(const net::Request& request) {
  tracking::ChartQuery query{.project = request.Param("project"), .axis = AxisOf(request)};
  GYRE_TRY(const std::int64_t points,
           request.QueryInt("points", query.points, tracking::kChartPointsMin,
                            tracking::kChartPointsMax));
  query.points = static_cast<int>(points);
  GYRE_TRY(query.from, BoundOf(request, "from", query.axis));
  GYRE_TRY(query.to, BoundOf(request, "to", query.axis));
  return query;
}

Json ChartJson(const tracking::Chart& chart, tracking::Axis axis) {
  Json steps = Json::Arr(), values = Json::Arr(), along = Json::Arr();
  for (std::size_t i = 0; i < chart.shown.size(); ++i) {
    steps.Push(chart.shown.steps[i]);
    values.Push(ValueJson(chart.shown.values[i]));
    const std::int64_t time_us = chart.shown.times_us[i];
    if (axis == tracking::Axis::kTime) along.Push(time_us);
    if (axis == tracking::Axis::kElapsed)
      along.Push(static_cast<double>(time_us - chart.started_us) / kMicrosPerSecond);
  }
  Json json = Json::Obj({{"run", chart.run_id},
                         {"key", chart.key},
                         {"points", chart.points},
                         {"steps", std::move(steps)}});
  if (axis == tracking::Axis::kTime) json.Set("times_us", std::move(along));
  if (axis == tracking::Axis::kElapsed) json.Set("seconds", std::move(along));
  json.Set("values", std::move(values));
  return json;
}

}  // namespace

net::RouteTable ChartsApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> ChartsApi::Metric(net::Request& request) {
  GYRE_TRY(const std::int64_t limit, request.QueryInt("limit", 10'000, 1, 1'000'000));
  GYRE_TRY(const tracking::Run run,
           tracking_.GetRun(request.Param("project"), request.Param("run")));
  const std::string& key = request.Param("key");
  if (request.Query("points")) {
    GYRE_TRY(tracking::ChartQuery query, QueryOf(request));
    query.run_ids = {run.id};
    query.keys = {key};
    GYRE_TRY(const auto charts, charts_.Read(query));
    const tracking::Chart none{.run_id = run.id, .key = key, .shown = {}};
    return net::Response::JsonDoc(ChartJson(charts.empty() ? none : charts[0], query.axis));
  }
  for (const char* name : {"axis", "from", "to"}) {
    if (request.Query(name))
      return InvalidArgument("GY3412", "`{}` goes with `points`", name).Fix("points=1000");
  }
  GYRE_TRY(const auto points, tracking_.MetricHistory(run.id, key, static_cast<int>(limit)));
  return net::Response::JsonDoc(Json::Obj({{"key", key}, {"items", ItemsOf(points, PointJson)}}));
}

Result<net::Response> ChartsApi::Charts(net::Request& request) {
  GYRE_TRY(tracking::ChartQuery query, QueryOf(request));
  query.keys = request.QueryAll("key");
  for (const std::string& reference : request.QueryAll("run")) {
    GYRE_TRY(const tracking::Run run, tracking_.GetRun(query.project, reference));
    query.run_ids.push_back(run.id);
  }
  GYRE_TRY(const auto charts, charts_.Read(query));
  return net::Response::JsonDoc(
      Json::Obj({{"items", ItemsOf(charts, [&](const tracking::Chart& chart) {
                    return ChartJson(chart, query.axis);
                  })}}));
}

}  // namespace gyre::native
