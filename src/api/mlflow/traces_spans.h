// Spans as they leave: as protobuf's JSON of OpenTelemetry, and as the lines of a client's file of
// spans. Pure functions. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "ml/traces/span.h"

namespace gyre::mlflow {

inline constexpr std::string_view kTraceIdPrefix = "tr-";

Json OtlpJson(const traces::Span& span);
Json FileJson(const traces::Span& span);

}  // namespace gyre::mlflow
