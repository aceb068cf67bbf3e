#include "api/prometheus/prometheus.h"

#include <array>
#include <mutex>
#include <string>

#include "platform/telemetry/log.h"

namespace gyre::prometheus {
namespace {

constexpr net::Route kRoutes[] = {
    {.method = net::Method::kGet,
     .path = "/metrics",
     .handler = net::Bind<&MetricsApi::Expose>,
     .permission = net::Permission("metrics.read"),
     .summary = "Metrics in Prometheus' text format",
     .any_query = true},
};

constexpr int kStatusMin = 100;
constexpr int kStatusMax = 600;

}  // namespace

net::RouteTable MetricsApi::table() { return {"prometheus", kRoutes, this}; }

Result<net::Response> MetricsApi::Expose(net::Request& /*request*/) {
  return net::Response::Text(metrics_.ExposeText(), 200,
                             "text/plain; version=0.0.4; charset=utf-8");
}

struct RequestObserver::Series {
  telemetry::Labels labels;
  std::once_flag used;  // a route that nobody calls has no series
  telemetry::Histogram* seconds = nullptr;
  telemetry::Counter* bytes = nullptr;
  // One counter per status, looked up at its first occurrence; afterwards a request costs no lock.
  std::array<std::atomic<telemetry::Counter*>, kStatusMax - kStatusMin> by_status{};

  Series(std::string_view protocol, std::string_view method, std::string_view route)
      : labels{{"protocol", std::string(protocol)},
               {"method", std::string(method)},
               {"route", std::string(route)}} {}

  void Use(telemetry::Metrics& metrics) {
    std::call_once(used, [&] {
      seconds = &metrics.GetHistogram("gyre_http_request_seconds",
                                      "Time from a request's header to its answer.", labels,
                                      telemetry::LatencyBounds());
      bytes = &metrics.GetCounter("gyre_http_response_bytes_total", "Bytes of answers' bodies.",
                                  labels);
    });
  }

  telemetry::Counter& Status(telemetry::Metrics& metrics, int status) {
    auto& slot = by_status[static_cast<std::size_t>(
        status >= kStatusMin && status < kStatusMax ? status - kStatusMin : 500 - kStatusMin)];
    if (telemetry::Counter* counter = slot.load(std::memory_order_acquire)) return *counter;
    telemetry::Labels with_status = labels;
    with_status.emplace_back("status", std::to_string(status));
    telemetry::Counter& counter =
        metrics.GetCounter("gyre_http_requests_total", "Requests answered.", with_status);
    slot.store(&counter, std::memory_order_release);
    return counter;
  }
};

RequestObserver::RequestObserver(telemetry::Metrics& metrics,
                                 std::span<const net::RouteTable> tables, AccessLog access_log)
    : metrics_(metrics), access_log_(access_log), unmatched_(std::make_unique<Series>("", "", "")) {
  for (const net::RouteTable& table : tables) {
    for (const net::Route& route : table.routes) {
      series_.emplace(&route, std::make_unique<Series>(table.protocol,
                                                       net::MethodName(route.method), route.path));
    }
  }
}

RequestObserver::~RequestObserver() = default;

RequestObserver::Series& RequestObserver::SeriesOf(const net::Route* route) const {
  const auto found = series_.find(route);
  return found == series_.end() ? *unmatched_ : *found->second;
}

void RequestObserver::OnFinished(const net::Finished& finished) {
  Series& series = SeriesOf(finished.route);
  series.Use(metrics_);
  series.Status(metrics_, finished.status).Add();
  series.seconds->Observe(static_cast<double>(finished.duration_us) / 1e6);
  if (finished.response_bytes > 0) series.bytes->Add(finished.response_bytes);
  if (access_log_ == AccessLog::kOff) return;
  // Predictions, and what programs log to their runs: called by the thousand.
  const bool quiet = finished.route != nullptr &&
                     finished.route->where != net::Where::kBlocking && finished.status < 400;
  const telemetry::LogLevel level =
      quiet ? telemetry::LogLevel::kDebug : telemetry::LogLevel::kInfo;
  if (!telemetry::LogEnabled("request", level)) return;
  const net::Request& request = finished.request;
  telemetry::Log(level, "request", "answered",
                 {{"method", net::MethodName(request.method())},
                  {"path", request.path()},
                  {"status", finished.status},
                  {"bytes", finished.response_bytes},
                  {"us", finished.duration_us},
                  {"peer", request.peer().address},
                  {"who", request.principal.name},
                  {"request_id", request.id()}});
}

}  // namespace gyre::prometheus
