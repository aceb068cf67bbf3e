#include "gyre/requests.h"

#include <unistd.h>

#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kRequestLog{"request"};

}  // namespace

LocalOwnerGate::LocalOwnerGate() : uid_(::getuid()) {}

Result<> LocalOwnerGate::Admit(net::Request& request, const net::Route& route) {
  if (request.peer().uid == uid_) {
    request.principal = {"local-owner", "local-owner", "owner", ""};
    return {};
  }
  if (route.permission.name == net::kPublic.name) return {};
  return Error(Code::kUnauthenticated, "GY1701", "nobody is logged in").Fix("gyre login");
}

bool LocalOwnerGate::AdmitsWithoutWaiting(const net::Request& /*request*/, const net::Route& /*route*/) const { return true; }

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

}  // namespace gyre
