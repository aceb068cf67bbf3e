// What leaves for an OpenTelemetry receiver, and how: the settings otlp.*.
#pragma once

#include <memory>

#include "platform/config/settings.h"
#include "platform/net/http.h"
#include "platform/otlp/exporter.h"

namespace gyre::net {
class EgressGuard;
}
namespace gyre::secrets {
class Secrets;
}

namespace gyre {

// Null when no receiver is named. All must outlive it. Error: kInvalidArgument GY1081.
Result<std::unique_ptr<otlp::Exporter>> OpenExporter(const config::Settings& settings,
                                                     telemetry::Metrics& metrics,
                                                     secrets::Secrets& secrets,
                                                     const net::EgressGuard& guard,
                                                     const std::string& data_directory);

// A span for each request that is sampled; one that brings a `traceparent` goes on with its trace,
// and is sampled if that is.
class RequestSpans final : public net::Observer {
 public:
  RequestSpans(net::Observer& next, otlp::Exporter* exporter) : next_(next), exporter_(exporter) {}
  void OnFinished(const net::Finished& finished) override;

 private:
  void Tell(const net::Finished& finished) const;
  net::Observer& next_;
  otlp::Exporter* const exporter_;  // null: nobody wants to know
};

}  // namespace gyre
