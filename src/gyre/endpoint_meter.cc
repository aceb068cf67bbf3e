#include "gyre/endpoint_meter.h"

#include "base/limits.h"

namespace gyre {
namespace {

constexpr std::int64_t kEveryMicros = 10 * kMicrosPerSecond;
constexpr int kTurnsOfEndpoints = 6;  // a minute
constexpr double kBytesPerMib = 1 << 20;

}  // namespace

EndpointMeter::EndpointMeter(serving::Serving& serving, usage::Usage& usage, const Clock& clock,
                             std::function<void()> also)
    : serving_(serving),
      usage_(usage),
      clock_(clock),
      also_(std::move(also)),
      booked_us_(clock.MonotonicMicros()),
      worker_("meter", [this](const exec::StopFlag& stop) {
        for (int turn = 1; !stop.WaitMicros(kEveryMicros); ++turn) {
          if (turn % kTurnsOfEndpoints == 0) BookEndpoints();
          also_();
        }
        BookEndpoints();
        also_();
      }) {}

EndpointMeter::~EndpointMeter() = default;

void EndpointMeter::BookEndpoints() {
  BookMemory();
  // The champion under the endpoint's name, each variant beside it under its own: what a canary or
  // a shadow costs is seen apart, also when it is gone by now.
  for (const serving::CountedVariant& one : serving_.Counted()) {
    const bool champion = one.variant == serving::kChampion;
    BookOne(one, champion ? one.endpoint : one.endpoint + "/" + one.variant);
  }
}

// Of all that an endpoint has loaded.
void EndpointMeter::BookMemory() {
  const std::int64_t now_us = clock_.MonotonicMicros();
  const std::int64_t held_ms = (now_us - booked_us_) / 1000;
  booked_us_ = now_us;
  std::string after;
  while (true) {
    const auto endpoints = serving_.List("", static_cast<int>(kPageSizeMax), after);
    if (!endpoints) return;
    for (const serving::Endpoint& endpoint : *endpoints) {
      deployed_by_[endpoint.name] = endpoint.deployment.deployed_by;
      booked_[endpoint.name].memory_mib_ms +=
          static_cast<double>(endpoint.memory_bytes) / kBytesPerMib * static_cast<double>(held_ms);
    }
    if (endpoints->size() < static_cast<std::size_t>(kPageSizeMax)) return;
    after = endpoints->back().name;
  }
}

// What was used since it was last booked. Memory that could not be booked is booked the next time.
void EndpointMeter::BookOne(const serving::CountedVariant& one, const std::string& subject) {
  const serving::EndpointCounts now = serving_.Counts(one.endpoint, one.variant);
  Booked& booked = booked_[subject];
  usage::Quantities quantities;
  quantities.requests = now.requests - booked.counts.requests;
  quantities.bytes = now.bytes - booked.counts.bytes;
  quantities.cpu_us = (now.cpu_ns - booked.counts.cpu_ns) / 1000;
  quantities.memory_mib_ms = static_cast<std::int64_t>(booked.memory_mib_ms);
  if (quantities == usage::Quantities{}) return;
  const auto recorded = usage_.Record({.project = one.project,
                                       .subject_kind = "endpoint",
                                       .subject_id = subject,
                                       .subject_label = subject,
                                       .at_us = clock_.NowMicros(),
                                       .quantities = quantities,
                                       .user = usage::UserOf(deployed_by_[one.endpoint])});
  booking_.Look(recorded);
  if (!recorded) return;
  booked.counts = now;
  booked.memory_mib_ms -= static_cast<double>(quantities.memory_mib_ms);
}

}  // namespace gyre
