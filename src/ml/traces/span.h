// A span: one step of a trace, as OpenTelemetry has it. Pure data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace gyre::traces {

enum class SpanStatus : unsigned char { kUnset, kOk, kError };
std::string_view SpanStatusWord(SpanStatus status);  // "UNSET", "OK", "ERROR"

struct SpanEvent {
  std::string name;
  std::int64_t time_ns = 0;
  Json attributes = Json::Obj();
};

struct SpanLink {
  std::string trace, span;  // hexadecimal
  Json attributes = Json::Obj();
};

struct Span {
  std::string trace;        // 32 hexadecimal digits
  std::string id;           // 16 hexadecimal digits
  std::string parent = {};  // the same; empty = the root
  std::string name, type = {};
  std::int64_t kind = 0;  // OpenTelemetry's number
  SpanStatus status = SpanStatus::kUnset;
  std::string message = {};  // of its status
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;  // 0 = at work
  Json attributes = Json::Obj();
  std::vector<SpanEvent> events = {};
  std::vector<SpanLink> links = {};
};

}  // namespace gyre::traces
