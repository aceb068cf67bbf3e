// Who else hears what the log is told.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "platform/telemetry/log.h"
#include "platform/telemetry/trace.h"

namespace gyre::telemetry {

// Valid during the call.
struct LogEntry {
  LogLevel level;
  std::string_view module, event;
  std::span<const LogField> fields;
  std::string_view request_id;  // empty outside a request
  SpanContext span;             // in which the line was written
};
using LogTap = std::function<void(const LogEntry&)>;

// Called on the thread that logs, for what the levels let through: it must not wait, nor log. Empty
// = nobody.
void SetLogTap(LogTap tap);

}  // namespace gyre::telemetry
