#include "platform/telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cstring>
#include <map>
#include <memory>

#include "base/json.h"
#include "base/mutex.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/telemetry/log_tap.h"
#include "platform/telemetry/trace.h"

namespace gyre::telemetry {
namespace {

constexpr std::size_t kRemembered = 512;  // events whose rate is watched

thread_local std::string_view current_request_id;

// The one process-wide thing of the house: a log line must be possible from anywhere, also before
// and after everything else.
struct LogState {
  Mutex mutex;
  std::shared_ptr<spdlog::logger> sink GYRE_GUARDED_BY(mutex);
  std::map<std::string, LogLevel, std::less<>> levels GYRE_GUARDED_BY(mutex);
  struct Rate {
    std::int64_t second = 0;
    int seen = 0;
  };
  std::map<std::string, Rate, std::less<>> rates GYRE_GUARDED_BY(mutex);
  std::atomic<LogLevel> level{LogLevel::kInfo};
  std::atomic<LogLevel> lowest{
      LogLevel::kInfo};  // of the default and all modules: most calls end here
  std::atomic<LogFormat> format{LogFormat::kText};
  std::atomic<int> same_event_per_second_max{50};
  std::shared_ptr<const LogTap> tap GYRE_GUARDED_BY(mutex);
  std::atomic<bool> tapped{false};
};

LogState& State() {
  static auto* state =
      std::make_unique<LogState>().release();  // never destroyed: other statics may still log
  return *state;
}

std::shared_ptr<spdlog::logger> Wrap(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("gyre", std::move(sink));
  logger->set_level(spdlog::level::trace);
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc));
  logger->flush_on(spdlog::level::warn);
  logger->set_error_handler(
      [](const std::string&) {});  // a full disk must not end in a loop of complaints
  return logger;
}

std::shared_ptr<spdlog::logger> Sink() {
  LogState& state = State();
  MutexLock lock(state.mutex);
  if (!state.sink) state.sink = Wrap(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return state.sink;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

void AppendValue(const LogField::Value& value, std::string* out, bool json) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    *out += std::to_string(*i);
  } else if (const auto* d = std::get_if<double>(&value)) {
    AppendJsonNumber(*d, out);
  } else if (const auto* b = std::get_if<bool>(&value)) {
    *out += *b ? "true" : "false";
  } else {
    const auto text = std::get<std::string_view>(value);
    const bool plain =
        !json && !text.empty() && text.find_first_of(" \"\\=\t\r\n") == std::string_view::npos &&
        IsValidUtf8(text) &&
        std::string_view::npos == text.find_first_of(std::string_view("\0\x1b\x7f", 3));
    if (plain) {
      *out += text;
    } else {
      AppendJsonString(text, out);  // quotes also keep control characters off the terminal
    }
  }
}

void AppendMember(std::string_view name, const LogField::Value& value, bool json,
                  std::string* out) {
  if (json) {
    *out += ',';
    AppendJsonString(name, out);
    *out += ':';
  } else {
    *out += ' ';
    *out += name;
    *out += '=';
  }
  AppendValue(value, out, json);
}

std::string Line(LogLevel level, std::string_view module, std::string_view event, LogFields fields,
                 int suppressed) {
  const bool json = State().format.load(std::memory_order_relaxed) == LogFormat::kJson;
  const std::string time = FormatTime(SystemClock().NowMicros());
  std::string line;
  if (json) {
    line = "{\"time\":\"" + time + "\",\"level\":\"" + std::string(LogLevelName(level)) +
           "\",\"module\":";
    AppendJsonString(module, &line);
    line += ",\"event\":";
    AppendJsonString(event, &line);
  } else {
    line = fmt::format("{} {:<5} {}: {}", time, LogLevelName(level), module, event);
  }
  for (const LogField& field : fields) AppendMember(field.name, field.value, json, &line);
  if (!current_request_id.empty()) AppendMember("request_id", current_request_id, json, &line);
  if (const SpanContext span = json ? CurrentSpan() : SpanContext(); !span.trace_id.empty()) {
    AppendMember("trace_id", std::string_view(span.trace_id), json, &line);
    AppendMember("span_id", std::string_view(span.span_id), json, &line);
  }
  if (suppressed > 0) AppendMember("suppressed", std::int64_t{suppressed}, json, &line);
  if (json) line += '}';
  return line;
}

// False when this event has been said often enough this second; else *suppressed says how many were
// swallowed before.
bool RateAllows(std::string_view module, std::string_view event, int* suppressed) {
  LogState& state = State();
  const int most = state.same_event_per_second_max.load(std::memory_order_relaxed);
  if (most <= 0) return true;
  const std::int64_t second = SystemClock().MonotonicMicros() / kMicrosPerSecond;
  MutexLock lock(state.mutex);
  if (state.rates.size() > kRemembered) state.rates.clear();
  LogState::Rate& rate = state.rates[std::string(module) + '\0' + std::string(event)];
  if (rate.second != second) {
    *suppressed = rate.seen > most ? rate.seen - most : 0;
    rate = {second, 0};
  }
  return ++rate.seen <= most;
}

}  // namespace

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      break;
  }
  return "off";
}

Result<LogLevel> ParseLogLevel(std::string_view name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError, LogLevel::kOff}) {
    if (EqualsIgnoreCase(name, LogLevelName(level))) return level;
  }
  return InvalidArgument("GY1060", "`{}` is no log level", name)
      .Fix("debug, info, warn, error or off");
}

Result<> ConfigureLog(const LogSettings& settings) {
  std::shared_ptr<spdlog::logger> sink;
  try {
    if (settings.file.empty()) {
      sink = Wrap(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    } else {
      sink = Wrap(std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
          settings.file, static_cast<std::size_t>(settings.file_bytes_max),
          static_cast<std::size_t>(settings.files_max)));
    }
  } catch (const std::exception& error) {
    return FailedPrecondition("GY1061", "cannot write the log file {}", settings.file)
        .Why(error.what());
  }
  LogState& state = State();
  MutexLock lock(state.mutex);
  state.sink = std::move(sink);
  state.levels.clear();
  state.level = settings.level;
  state.lowest = settings.level;
  state.format = settings.format;
  state.same_event_per_second_max = settings.same_event_per_second_max;
  return {};
}

void SetLogLevel(std::string_view module, LogLevel level) {
  LogState& state = State();
  MutexLock lock(state.mutex);
  if (module.empty()) {
    state.level = level;
  } else {
    state.levels.insert_or_assign(std::string(module), level);
  }
  LogLevel lowest = state.level;
  for (const auto& [name, own] : state.levels) lowest = std::min(lowest, own);
  state.lowest = lowest;
}

void SetLogTap(LogTap tap) {
  LogState& state = State();
  MutexLock lock(state.mutex);
  state.tapped = static_cast<bool>(tap);
  state.tap = tap ? std::make_shared<const LogTap>(std::move(tap)) : nullptr;
}

namespace {

void Tap(LogLevel level, std::string_view module, std::string_view event, LogFields fields) {
  LogState& state = State();
  if (!state.tapped.load(std::memory_order_relaxed)) return;
  std::shared_ptr<const LogTap> tap;
  {
    MutexLock lock(state.mutex);
    tap = state.tap;
  }
  if (tap)
    (*tap)(
        {level, module, event, {fields.begin(), fields.size()}, current_request_id, CurrentSpan()});
}

}  // namespace

void FlushLog() { Sink()->flush(); }

bool LogEnabled(std::string_view module, LogLevel level) {
  LogState& state = State();
  if (level < state.lowest.load(std::memory_order_relaxed)) return false;
  MutexLock lock(state.mutex);
  for (std::string_view name = module; !name.empty() && !state.levels.empty();) {
    if (const auto found = state.levels.find(name); found != state.levels.end())
      return level >= found->second;
    const auto slash = name.rfind('/');
    name = slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
  }
  return level >= state.level.load(std::memory_order_relaxed);
}

void Log(LogLevel level, std::string_view module, std::string_view event, LogFields fields) {
  if (!LogEnabled(module, level)) return;
  int suppressed = 0;
  if (level >= LogLevel::kWarn && !RateAllows(module, event, &suppressed)) return;
  Tap(level, module, event, fields);
  try {
    Sink()->log(SpdlogLevel(level),
                spdlog::string_view_t(Line(level, module, event, fields, suppressed)));
  } catch (const std::exception&) {
    return;  // a log that cannot be written must not stop the work it tells about
  }
}

void Logger::Failed(std::string_view event, const gyre::Error& error) const {
  Log(LogLevel::kError, module_, event,
      {{"code", error.gy()},
       {"kind", CodeName(error.code())},
       {"message", error.message()},
       {"why", error.why()}});
}

LogRequestScope::LogRequestScope(std::string_view request_id) : previous_(current_request_id) {
  current_request_id = request_id;
}
LogRequestScope::~LogRequestScope() { current_request_id = previous_; }
std::string_view CurrentRequestId() { return current_request_id; }

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) {
  explicit_bzero(other.value_.data(), other.value_.size());
  other.value_.clear();
}
Secret& Secret::operator=(Secret other) noexcept {
  value_.swap(other.value_);
  return *this;
}
Secret::~Secret() { explicit_bzero(value_.data(), value_.size()); }

}  // namespace gyre::telemetry
