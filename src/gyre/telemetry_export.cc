#include "gyre/telemetry_export.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "gyre/compose.h"
#include "ledger/secrets/secrets.h"
#include "ml/projects/projects.h"
#include "platform/config/environment.h"
#include "platform/config/secrets.h"
#include "platform/net/client.h"
#include "platform/net/egress.h"
#include "platform/telemetry/trace.h"

namespace gyre {
namespace {

constexpr std::int64_t kTimeoutMillis = 10'000;
constexpr std::size_t kAnswerBytesKept = 1024;

struct Receiver {
  std::string origin, path;
  std::vector<std::pair<std::string, std::string>> headers;  // values may be secret:NAME
};

bool IsCredential(std::string_view name, std::string_view value) {
  const std::string lower = ToLower(name);
  return lower == "authorization" || lower == "proxy-authorization" || lower == "cookie" ||
         config::LooksSecret(name, value);
}

Result<Receiver> ReceiverOf(const config::Settings& settings) {
  const std::string endpoint = settings.Text("otlp.endpoint");
  const std::size_t scheme = endpoint.find("://");
  if (!endpoint.starts_with("http://") && !endpoint.starts_with("https://"))
    return InvalidArgument("GY1081", "otlp.endpoint `{}` is no web address", endpoint)
        .Fix("http://127.0.0.1:4318, or http://127.0.0.1:9090/api/v1/otlp for Prometheus");
  Receiver receiver;
  const std::size_t slash = std::min(endpoint.find('/', scheme + 3), endpoint.size());
  receiver.origin = endpoint.substr(0, slash);
  receiver.path = endpoint.substr(slash);
  while (receiver.path.ends_with('/')) receiver.path.pop_back();
  const std::string headers = settings.Text("otlp.headers");
  for (const std::string_view pair : Split(headers, ',')) {
    if (Trim(pair).empty()) continue;
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos)
      return InvalidArgument("GY1081", "otlp.headers: `{}` has no value", Trim(pair))
          .Fix("authorization=secret:OTLP_TOKEN, x-scope=ml");
    const std::string name(Trim(pair.substr(0, equals))), value(Trim(pair.substr(equals + 1)));
    // Settings are shown, and go into backups.
    if (!value.starts_with("secret:") && IsCredential(name, value))
      return InvalidArgument("GY1081", "otlp.headers: the value of `{}` is a credential", name)
          .Why("settings are shown to others and stand in backups")
          .Fix(fmt::format("gyre secrets set OTLP_TOKEN, then {}=secret:OTLP_TOKEN", name));
    receiver.headers.emplace_back(name, value);
  }
  return receiver;
}

Result<> ReadSignals(const std::string& text, otlp::ExporterSettings* settings) {
  for (const std::string_view word : Split(text, ',')) {
    const std::string_view signal = Trim(word);
    if (signal == "metrics")
      settings->metrics = true;
    else if (signal == "logs")
      settings->logs = true;
    else if (signal == "traces")
      settings->traces = true;
    else
      return InvalidArgument("GY1081", "otlp.send: there is no `{}`", signal)
          .Fix("metrics,logs,traces");
  }
  return {};
}

// The same after a restart, so that series go on and alerts do not stand twice.
std::string InstanceId(const std::string& data_directory) {
  char host[256] = "";
  static_cast<void>(::gethostname(host, sizeof host - 1));
  return Sha256Hex(fmt::format("{} {}", host, config::AbsolutePath(data_directory))).substr(0, 32);
}

// The same request is in the sample or not, whoever asks.
bool InSample(std::string_view id, double sample) {
  std::uint32_t draw = 0;
  std::from_chars(id.data(), id.data() + 8, draw, 16);
  return draw < std::ldexp(sample, 32);
}

}  // namespace

Result<std::unique_ptr<otlp::Exporter>> OpenExporter(const config::Settings& settings,
                                                     telemetry::Metrics& metrics,
                                                     secrets::Secrets& secrets,
                                                     const net::EgressGuard& guard,
                                                     const std::string& data_directory) {
  if (settings.Text("otlp.endpoint").empty()) return std::unique_ptr<otlp::Exporter>();
  GYRE_TRY(Receiver receiver, ReceiverOf(settings));
  otlp::ExporterSettings how;
  GYRE_DO(ReadSignals(settings.Text("otlp.send"), &how));
  how.interval_us = static_cast<std::int64_t>(settings.Number("otlp.interval") * 1e6);
  how.sample = settings.Number("otlp.sample");
  how.resource.attributes = {{"service.name", std::string("gyre")},
                             {"service.version", std::string(Version())},
                             {"service.instance.id", InstanceId(data_directory)}};
  auto client = std::make_shared<net::Client>(
      net::ClientSettings{.url = receiver.origin, .connect_timeout_ms = 5'000, .guard = &guard});
  const auto send = [client, receiver = std::move(receiver), &secrets](
                        std::string_view path, std::string body) -> Result<int> {
    net::ClientRequest request{.method = "POST",
                               .path = receiver.path + std::string(path),
                               .headers = {{"Content-Type", "application/x-protobuf"}},
                               .body = std::move(body),
                               .body_bytes_kept = kAnswerBytesKept,
                               .timeout_ms = kTimeoutMillis};
    for (const auto& [name, value] : receiver.headers) {
      GYRE_TRY(std::string plain, secrets.Resolve(projects::kDefaultProject, value));
      request.headers.emplace_back(name, std::move(plain));
    }
    GYRE_TRY(const net::ClientResponse answer, client->Send(std::move(request)));
    return answer.status;
  };
  return std::make_unique<otlp::Exporter>(metrics, SystemClock(), std::move(how), send);
}

void RequestSpans::OnFinished(const net::Finished& finished) {
  if (exporter_ != nullptr && exporter_->settings().traces) Tell(finished);
  next_.OnFinished(finished);
}

void RequestSpans::Tell(const net::Finished& finished) const {
  const net::Request& request = finished.request;
  const telemetry::SpanContext own = telemetry::CurrentSpan();
  std::string parent = telemetry::CurrentParent();
  // The caller's word counts; what led to a job or a run is told with it.
  const bool told = parent.empty() ? telemetry::WorkHasBegun() ||
                                         InSample(own.trace_id, exporter_->settings().sample)
                                   : own.sampled;
  if (!told) return;
  const std::string_view method = net::MethodName(request.method());
  const std::string_view route = finished.route == nullptr ? "" : finished.route->path;
  const std::int64_t end_us = SystemClock().NowMicros();
  constexpr int kServersFault = 500;
  telemetry::Span span{
      .trace_id = own.trace_id,
      .span_id = own.span_id,
      .parent_id = std::move(parent),
      .name = route.empty() ? std::string(method) : fmt::format("{} {}", method, route),
      .kind = telemetry::SpanKind::kServer,
      .start_us = end_us - finished.duration_us,
      .end_us = end_us,
      .failed = finished.status >= kServersFault};
  span.attributes = {{"http.request.method", std::string(method)},
                     {"url.path", std::string(request.path())},
                     {"http.response.status_code", std::int64_t{finished.status}},
                     {"request_id", request.id()}};
  if (!route.empty()) span.attributes.emplace_back("http.route", std::string(route));
  if (!request.principal.name.empty())
    span.attributes.emplace_back("enduser.id", request.principal.name);
  if (span.failed) span.attributes.emplace_back("error.type", fmt::format("{}", finished.status));
  exporter_->Add(std::move(span));
}

}  // namespace gyre
