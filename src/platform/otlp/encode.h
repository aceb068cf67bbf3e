// Requests of the OpenTelemetry protocol (OTLP 1.x) as protobuf. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/telemetry/log.h"
#include "platform/telemetry/metrics.h"
#include "platform/telemetry/trace.h"

namespace gyre::otlp {

using Value = telemetry::SpanValue;
using telemetry::Span;
using Attributes = std::vector<std::pair<std::string, Value>>;

// Who speaks: "service.name", "service.version", "service.instance.id".
struct Resource {
  Attributes attributes;
};

struct LogRecord {
  std::int64_t time_us = 0;
  telemetry::LogLevel level = telemetry::LogLevel::kInfo;
  std::string body = {};
  Attributes attributes = {};
  std::string trace_id = {}, span_id = {};  // hexadecimal, or empty
};

// Counters as cumulative sums since `start_us`, gauges, histograms.
std::string MetricsRequest(const Resource& resource,
                           std::span<const telemetry::FamilyReading> families,
                           std::int64_t start_us, std::int64_t now_us);
std::string LogsRequest(const Resource& resource, std::span<const LogRecord> records);
std::string TracesRequest(const Resource& resource, std::span<const Span> spans);

}  // namespace gyre::otlp
