#include "gyre/endpoint_meter.h"

#include "base/limits.h"
#include "platform/telemetry/log.h"

namespace gyre {
namespace {

constexpr telemetry::Logger kLog{"gyre"};
constexpr std::int64_t kEveryMicros = 60 * kMicrosPerSecond;

}  // namespace

EndpointMeter::EndpointMeter(serving::Serving& serving, usage::Usage& usage, const Clock& clock)
    : serving_(serving),
      usage_(usage),
      clock_(clock),
      worker_("meter", [this](const exec::StopFlag& stop) {
        while (!stop.WaitMicros(kEveryMicros)) Book();
        Book();
      }) {}

EndpointMeter::~EndpointMeter() = default;

void EndpointMeter::Book() {
  const auto endpoints = serving_.List("", static_cast<int>(kPageSizeMax), "");
  if (!endpoints) return;
  for (const serving::Endpoint& endpoint : *endpoints) {
    const std::int64_t requests = serving_.Counts(endpoint.name).requests;
    std::int64_t& booked = booked_[endpoint.name];
    if (requests <= booked) continue;
    usage::Quantities quantities;
    quantities.requests = requests - booked;
    const auto recorded = usage_.Record({.project = endpoint.project,
                                         .subject_kind = "endpoint",
                                         .subject_id = endpoint.name,
                                         .subject_label = endpoint.name,
                                         .at_us = clock_.NowMicros(),
                                         .quantities = quantities});
    if (recorded) {
      booked = requests;
    } else {
      kLog.Failed("requests not booked yet", recorded.error());
    }
  }
}

}  // namespace gyre
