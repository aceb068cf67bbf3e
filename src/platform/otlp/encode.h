// Requests of the OpenTelemetry protocol (OTLP 1.x) as protobuf. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "platform/telemetry/log.h"
#include "platform/telemetry/metrics.h"

namespace gyre::otlp {

using Value = std::variant<std::int64_t, double, bool, std::string>;
using Attributes = std::vector<std::pair<std::string, Value>>;

// Who speaks: "service.name", "service.version", "service.instance.id".
struct Resource {
  Attributes attributes;
};

struct LogRecord {
  std::int64_t time_us = 0;
  telemetry::LogLevel level = telemetry::LogLevel::kInfo;
  std::string body;
  Attributes attributes;
  std::string trace_id, span_id;  // hexadecimal, or empty
};

enum class SpanKind : unsigned char { kInternal = 1, kServer = 2, kClient = 3 };
struct Span {
  std::string trace_id, span_id, parent_id;  // hexadecimal: 32, 16, 16 or none
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  std::int64_t start_us = 0, end_us = 0;
  Attributes attributes;
  bool failed = false;
};

// Counters as cumulative sums since `start_us`, gauges, histograms.
std::string MetricsRequest(const Resource& resource,
                           std::span<const telemetry::FamilyReading> families,
                           std::int64_t start_us, std::int64_t now_us);
std::string LogsRequest(const Resource& resource, std::span<const LogRecord> records);
std::string TracesRequest(const Resource& resource, std::span<const Span> spans);

// Of the header `traceparent`: "00-<32 hex>-<16 hex>-01". Nothing when it is not one.
struct TraceParent {
  std::string trace_id, span_id;
  bool sampled = false;
};
bool ParseTraceParent(std::string_view text, TraceParent* parent);

}  // namespace gyre::otlp
