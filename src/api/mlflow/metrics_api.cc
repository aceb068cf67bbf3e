#include "api/mlflow/metrics_api.h"

#include <algorithm>
#include <utility>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/run_words.h"
#include "api/mlflow/sampled_rows.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;
using tracking::Series;
using tracking::SeriesOrder;

constexpr std::int64_t kRunsMax = 100, kPointsPerRunMax = 2'500, kBulkPointsMax = 25'000;
constexpr std::size_t kReservedMax = std::size_t{8} << 20;
constexpr net::Field kKey = {"metric_key", Type::kText, "name of the metric", "", kRequired};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kGet,
     .path = "/mlflow/metrics/get-history",
     .handler = Serve<&MetricsApi::History>,
     .permission = Permission("run.read"),
     .summary = "The points of a metric, by time",
     .fields = {{"run_id", Type::kText, "of the run", "", kRequired},
                kKey,
                {"max_results", Type::kWhole, "all when it is not given"},
                {"page_token", Type::kText, "of the page before"}}},
    {.method = Method::kGet,
     .path = "/mlflow/metrics/get-history-bulk",
     .handler = Serve<&MetricsApi::Bulk>,
     .permission = Permission("run.read"),
     .summary = "The points of a metric of several runs",
     .fields = {{"run_id", Type::kTexts, "up to 100, each of its own"},
                {"metric_key", Type::kText, "name of the metric"},
                {"max_results", Type::kWhole, "up to 25,000"}},
     .doors = Doors::kAjax2},
    {.method = Method::kGet,
     .path = "/mlflow/metrics/get-history-bulk-interval",
     .handler = Serve<&MetricsApi::BulkInterval>,
     .permission = Permission("run.read"),
     .summary = "Points of a metric of several runs, chosen evenly",
     .fields = {{"run_ids", Type::kTexts, "up to 100", "", kRequired},
                kKey,
                {"start_step", Type::kWhole, "with end_step"},
                {"end_step", Type::kWhole, "with start_step"},
                {"max_results", Type::kWhole, "of each run: 1 to 2,500"}}},
};

// Points of one metric of one run: by the ten thousand, so what all of them have is written once.
class PointWriter {
 public:
  PointWriter(std::string_view key, std::string_view run_id) {
    AnswerWriter(&text_).Object().Text("key", key);
    key_bytes_ = text_.size();
    if (!run_id.empty()) AnswerWriter(&end_).Text("run_id", run_id);
    end_ += '}';
  }
  void Write(const Series& series, std::size_t at, AnswerWriter* out) {
    text_.resize(key_bytes_);
    AnswerWriter(&text_)
        .Number("value", Clamped(series.values[at]))
        .Whole("timestamp", series.times_us[at] / kMicrosPerMilli)
        .Whole("step", series.steps[at]);
    if (end_.size() > 1) text_ += ',';
    text_ += end_;
    out->Raw({}, text_);
  }

 private:
  std::string text_, end_;
  std::size_t key_bytes_ = 0;
};

// The points of a series between two steps, which is settled by step.
struct Slice {
  std::size_t begin = 0, end = 0;
};
Slice Between(const Series& series, std::int64_t first, std::int64_t last) {
  const auto lower = std::ranges::lower_bound(series.steps, first);
  const auto upper = std::ranges::upper_bound(series.steps, last);
  return {static_cast<std::size_t>(lower - series.steps.begin()),
          static_cast<std::size_t>(std::max(lower, upper) - series.steps.begin())};
}

Result<std::size_t> OffsetOf(std::string_view token) {
  if (token.empty()) return std::size_t{0};
  const auto offset = ParseInt(token);
  if (offset && *offset > 0) return static_cast<std::size_t>(*offset);
  return InvalidParameter(fmt::format("Invalid page token: '{}'", token.substr(0, 100)));
}

}  // namespace

net::RouteTable MetricsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<Series> MetricsApi::SeriesOf(const Call& call, const std::string& run_id,
                                    const std::string& key, SeriesOrder order) {
  const auto project = tracking_.ProjectOf(run_id);
  if (!project && project.error().gy() == "GY3401") return Series();
  GYRE_TRY(const std::string owner, project);
  if (!call.Owns(owner)) return Series();
  return tracking_.ReadSeries(run_id, key, order);
}

Result<net::Response> MetricsApi::History(Call& call) {
  const std::string key = call.arguments.Text("metric_key");
  const bool is_paged = call.arguments.Has("max_results");
  const std::int64_t results = call.arguments.Whole("max_results");
  if (is_paged && results <= 0)
    return InvalidParameter(fmt::format(
        "Invalid value {} for parameter 'max_results' supplied. It must be a positive integer.",
        results));
  GYRE_TRY(const std::size_t begin, OffsetOf(call.arguments.Text("page_token")));
  GYRE_TRY(const Series series,
           SeriesOf(call, call.arguments.Text("run_id"), key, SeriesOrder::kByTime));
  const std::size_t end =
      is_paged && begin < series.size()
          ? begin + std::min(series.size() - begin, static_cast<std::size_t>(results))
          : series.size();
  return AnswerOf([&](AnswerWriter& out) {
    if (begin < end) {
      out.List("metrics");
      PointWriter point(key, {});
      for (std::size_t i = begin; i < end; ++i) point.Write(series, i, &out);
      out.End();
    }
    if (end < series.size()) out.Text("next_page_token", fmt::format("{}", end));
  });
}

Result<net::Response> MetricsApi::Bulk(Call& call) {
  std::vector<std::string> run_ids = call.arguments.Texts("run_id");
  if (run_ids.empty())
    return InvalidParameter("GetMetricHistoryBulk request must specify at least one run_id.");
  if (run_ids.size() > kRunsMax)
    return InvalidParameter(
        fmt::format("GetMetricHistoryBulk request cannot specify more than {} run_ids. Received {} "
                    "run_ids.",
                    kRunsMax, run_ids.size()));
  const auto key = call.arguments.TextIfAny("metric_key");
  if (!key) return InvalidParameter("GetMetricHistoryBulk request must specify a metric_key.");
  const std::int64_t most = std::clamp<std::int64_t>(
      call.arguments.Whole("max_results", kBulkPointsMax), 0, kBulkPointsMax);
  std::ranges::sort(run_ids);
  net::Response response;
  AnswerWriter out(&response.body);
  out.Object().List("metrics");
  std::int64_t written = 0;
  for (const std::string& run_id : run_ids) {
    GYRE_TRY(const Series series, SeriesOf(call, run_id, *key, SeriesOrder::kByTime));
    PointWriter point(*key, run_id);
    for (std::size_t i = 0; i < series.size() && written < most; ++i, ++written)
      point.Write(series, i, &out);
  }
  out.End().End();
  return response;
}

Result<net::Response> MetricsApi::BulkInterval(Call& call) {
  const Arguments& arguments = call.arguments;
  const std::vector<std::string> run_ids = arguments.Texts("run_ids");
  const std::string key = arguments.Text("metric_key");
  if (run_ids.size() > kRunsMax)
    return InvalidParameter(
        fmt::format("GetMetricHistoryBulkInterval request must specify at most {} run_ids. "
                    "Received {} run_ids.{}",
                    kRunsMax, run_ids.size(), kSeeDocs));
  const std::int64_t results = arguments.Whole("max_results", kPointsPerRunMax);
  if (results < 1 || results > kPointsPerRunMax)
    return InvalidParameter(
        fmt::format("max_results must be between 1 and {}.{}", kPointsPerRunMax, kSeeDocs));
  if (arguments.Has("start_step") != arguments.Has("end_step"))
    return InvalidParameter(
        "If either start step or end step are specified, both must be specified.");
  const bool has_range = arguments.Has("start_step");
  const std::int64_t first = arguments.Whole("start_step"), last = arguments.Whole("end_step");
  if (has_range && first > last)
    return InvalidParameter(
        fmt::format("end_step must be greater than start_step. Found start_step={} and "
                    "end_step={}.",
                    first, last));
  net::Response response;
  AnswerWriter out(&response.body);
  out.Object();
  bool begun = false;
  for (const std::string& run_id : run_ids) {
    GYRE_TRY(const Series series, SeriesOf(call, run_id, key, SeriesOrder::kByStep));
    const Slice slice = has_range ? Between(series, first, last) : Slice{0, series.size()};
    PointWriter point(key, run_id);
    for (const std::size_t row :
         SampledRows(slice.end - slice.begin, static_cast<std::size_t>(results))) {
      if (!std::exchange(begun, true)) out.List("metrics");
      point.Write(series, slice.begin + row, &out);
    }
    // The other runs mostly have as many: the text grows once, not by doubling.
    if (begun && run_id == run_ids.front())
      response.body.reserve(std::min(kReservedMax, response.body.size() * (run_ids.size() + 1)));
  }
  if (begun) out.End();
  out.End();
  return response;
}

}  // namespace gyre::mlflow
