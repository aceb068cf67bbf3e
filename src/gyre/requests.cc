#include "gyre/requests.h"

#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kRequestLog{"request"};

}  // namespace

void RequestObserver::OnFinished(const net::Finished& finished) {
  const std::string_view route = finished.route == nullptr ? "none" : finished.route->path;
  const std::string method(net::MethodName(finished.request.method()));
  metrics_
      .GetCounter("gyre_http_requests_total", "HTTP requests answered.",
                  {{"protocol", std::string(finished.protocol)}, {"method", method}, {"route", std::string(route)}, {"status", fmt::format("{}", finished.status)}})
      .Add();
  metrics_
      .GetHistogram("gyre_http_request_seconds", "Time from the request's header to the end of its answer.",
                    {{"protocol", std::string(finished.protocol)}, {"route", std::string(route)}}, telemetry::LatencyBounds())
      .Observe(static_cast<double>(finished.duration_us) / 1e6);
  if (!log_requests_) return;
  kRequestLog.Info("answered", {{"method", method}, {"path", finished.request.path()}, {"status", finished.status}, {"bytes", finished.response_bytes},
                                {"us", finished.duration_us}, {"peer", finished.request.peer().address}, {"who", finished.request.principal.name},
                                {"request_id", finished.request.id()}});
}

Result<> RunningRequests::Admit(net::Request& request, const net::Route& route) {
  GYRE_DO(gate_.Admit(request, route));
  // What cannot wait is over before anybody could ask.
  if (route.where == net::Where::kInline) return {};
  const MutexLock lock(mutex_);
  admitted_.insert(&request);
  return {};
}

bool RunningRequests::AdmitsWithoutWaiting(const net::Request& request, const net::Route& route) const {
  return gate_.AdmitsWithoutWaiting(request, route);
}

void RunningRequests::OnFinished(const net::Finished& finished) {
  observer_.OnFinished(finished);
  if (finished.route == nullptr || finished.route->where == net::Where::kInline) return;
  const MutexLock lock(mutex_);
  admitted_.erase(&finished.request);
}

int RunningRequests::count() const {
  const MutexLock lock(mutex_);
  return static_cast<int>(admitted_.size());
}

}  // namespace gyre
