// The log: one line per event, text or JSON, on stderr or in a rotated file. An event is a constant
// phrase; what varies goes into fields. Never log a request body or a secret. Thread-safe.
//
//   constexpr telemetry::Logger kLog{"ml/serving"};
//   kLog.Info("endpoint swapped", {{"endpoint", name}, {"version", 3}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"

namespace gyre::telemetry {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarn, kError, kOff };
std::string_view LogLevelName(LogLevel level);  // "debug"
// Error: kInvalidArgument GY1060.
Result<LogLevel> ParseLogLevel(std::string_view name);

enum class LogFormat : unsigned char { kText, kJson };

struct LogSettings {
  LogFormat format = LogFormat::kText;
  LogLevel level = LogLevel::kInfo;
  std::string file = {};                   // empty = stderr
  std::int64_t file_bytes_max = 64 << 20;  // then rotated: gyre.log, gyre.1.log, gyre.2.log
  int files_max = 5;                       // rotated files kept
  int same_event_per_second_max =
      50;  // of warnings and errors; the rest is counted and said; 0 = no limit
};

// Before it the log goes to stderr as text. Error: kFailedPrecondition GY1061 when the file cannot
// be written.
Result<> ConfigureLog(const LogSettings& settings);
// Level of one module and of what stands below it ("ml" sets "ml/serving" too); an empty module
// sets the default.
void SetLogLevel(std::string_view module, LogLevel level);
void FlushLog();

// A value of the log. There is no conversion from Secret, so a secret does not compile into a log
// line.
struct LogField {
  using Value = std::variant<std::int64_t, double, bool, std::string_view>;
  std::string_view name;
  Value value;
  LogField(std::string_view n, int v) : name(n), value(std::int64_t{v}) {}
  LogField(std::string_view n, std::int64_t v) : name(n), value(v) {}
  LogField(std::string_view n, std::size_t v) : name(n), value(static_cast<std::int64_t>(v)) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
};
using LogFields = std::initializer_list<LogField>;

bool LogEnabled(std::string_view module, LogLevel level);
void Log(LogLevel level, std::string_view module, std::string_view event, LogFields fields);

class Logger {
 public:
  constexpr explicit Logger(std::string_view module) : module_(module) {}
  void Debug(std::string_view event, LogFields fields = {}) const {
    Log(LogLevel::kDebug, module_, event, fields);
  }
  void Info(std::string_view event, LogFields fields = {}) const {
    Log(LogLevel::kInfo, module_, event, fields);
  }
  void Warn(std::string_view event, LogFields fields = {}) const {
    Log(LogLevel::kWarn, module_, event, fields);
  }
  void Error(std::string_view event, LogFields fields = {}) const {
    Log(LogLevel::kError, module_, event, fields);
  }
  // The same with an error's code and message as fields.
  void Failed(std::string_view event, const gyre::Error& error) const;

 private:
  std::string_view module_;
};

// While it lives, every line of this thread carries the request id.
class LogRequestScope {
 public:
  explicit LogRequestScope(std::string_view request_id);
  ~LogRequestScope();
  LogRequestScope(const LogRequestScope&) = delete;
  LogRequestScope& operator=(const LogRequestScope&) = delete;

 private:
  std::string_view previous_;
};
std::string_view CurrentRequestId();  // empty outside a scope

// A value that must not be shown: no formatter, no stream, no comparison; wiped when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret other) noexcept;
  ~Secret();
  const std::string& Reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

}  // namespace gyre::telemetry
