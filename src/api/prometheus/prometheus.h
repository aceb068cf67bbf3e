// GET /metrics in Prometheus' text format, and the observer that counts and logs every request.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <unordered_map>

#include "platform/net/http.h"
#include "platform/telemetry/metrics.h"

namespace gyre::prometheus {

class MetricsApi {
 public:
  explicit MetricsApi(const telemetry::Metrics& metrics) : metrics_(metrics) {}
  net::RouteTable table();
  Result<net::Response> Expose(net::Request& request);

 private:
  const telemetry::Metrics& metrics_;
};

// Counts requests per protocol, method, route and status, and their time. One access-log line each:
// method, path, status, bytes, time, who, request id; never a query, a header or a body. Inline
// routes (predictions, health) get a line only when they fail.
class RequestObserver final : public net::Observer {
 public:
  enum class AccessLog : unsigned char { kOff, kOn };
  RequestObserver(telemetry::Metrics& metrics, std::span<const net::RouteTable> tables,
                  AccessLog access_log);
  ~RequestObserver() override;
  void OnFinished(const net::Finished& finished) override;

 private:
  struct Series;
  Series& SeriesOf(const net::Route* route) const;

  telemetry::Metrics& metrics_;
  const AccessLog access_log_;
  std::unordered_map<const net::Route*, std::unique_ptr<Series>>
      series_;  // fixed after construction
  std::unique_ptr<Series> unmatched_;
};

}  // namespace gyre::prometheus
