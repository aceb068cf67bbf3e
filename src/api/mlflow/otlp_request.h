// What OpenTelemetry's exporters send (ExportTraceServiceRequest): as protobuf or as JSON, plain or
// compressed. Pure functions. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/traces/span.h"

namespace gyre::mlflow {

inline constexpr std::int64_t kOtlpBodyBytesMax = 32 << 20;
inline constexpr std::size_t kOtlpBytesMax = 64 << 20;  // unpacked
inline constexpr std::size_t kOtlpSpansMax = 10'000;    // in one request; resources and scopes, too
// Of all spans of a request together.
inline constexpr std::size_t kOtlpValuesMax = 500'000;        // attributes, events, links
inline constexpr std::size_t kOtlpJsonValuesMax = 2'000'000;  // as JSON writes them

// Spans of one resource: a program that measures itself.
struct OtlpSpans {
  Json resource = Json::Obj();  // its attributes
  std::vector<traces::Span> spans;
};

// Of Content-Encoding "", "gzip" or "deflate". Error: GY5100.
Result<std::string> Unpacked(std::string body, std::string_view encoding);

// Error: kInvalidArgument GY5100 what is no such request: ids have 16 and 8 bytes, text is UTF-8,
// and nothing is nested deeper than 30.
Result<std::vector<OtlpSpans>> ReadOtlpProtobuf(std::string_view body);
Result<std::vector<OtlpSpans>> ReadOtlpJson(std::string_view body);

}  // namespace gyre::mlflow
