#include "platform/otlp/exporter.h"

#include <algorithm>
#include <iterator>

#include "platform/telemetry/log.h"
#include "platform/telemetry/log_tap.h"
#include "platform/telemetry/trace.h"

namespace gyre::otlp {
namespace {

constexpr std::string_view kModule = "otlp";
constexpr telemetry::Logger kLog{kModule};
constexpr std::size_t kBatchMax = 1000;
constexpr std::int64_t kPauseMax = 300 * kMicrosPerSecond;

telemetry::Counter& Dropped(telemetry::Metrics& metrics, const std::string& signal) {
  return metrics.GetCounter("gyre_otlp_dropped_total",
                            "What could not be sent to the OpenTelemetry receiver, by signal",
                            {{"signal", signal}});
}

Value ValueOf(const telemetry::LogField::Value& value) {
  return std::visit(
      [](const auto& v) -> Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string_view>)
          return std::string(v);
        else
          return v;
      },
      value);
}

LogRecord RecordOf(const telemetry::LogEntry& entry, std::int64_t now_us) {
  LogRecord record{.time_us = now_us, .level = entry.level, .body = std::string(entry.event)};
  record.attributes.emplace_back("module", std::string(entry.module));
  for (const telemetry::LogField& field : entry.fields)
    record.attributes.emplace_back(std::string(field.name), ValueOf(field.value));
  record.trace_id = entry.span.trace_id;
  record.span_id = entry.span.span_id;
  return record;
}

}  // namespace

Exporter::Exporter(telemetry::Metrics& metrics, const Clock& clock, ExporterSettings settings,
                   Send send)
    : metrics_(metrics),
      clock_(clock),
      settings_(std::move(settings)),
      send_(std::move(send)),
      started_us_(clock.NowMicros()),
      failures_(metrics.GetCounter("gyre_otlp_failures_total",
                                   "Attempts that the OpenTelemetry receiver did not take")) {
  const MutexLock lock(mutex_);
  spans_.dropped = &Dropped(metrics, "traces");
  logs_.dropped = &Dropped(metrics, "logs");
}

Exporter::~Exporter() { Stop(); }

void Exporter::Start() {
  started_ = true;
  if (settings_.logs) {
    telemetry::SetLogTap([this](const telemetry::LogEntry& entry) {
      if (entry.module != kModule) Add(RecordOf(entry, clock_.NowMicros()));
    });
  }
  if (settings_.traces) telemetry::SetSpanTap([this](Span span) { Add(std::move(span)); });
  worker_ = exec::Worker("otlp", [this](const exec::StopFlag& stop) {
    std::int64_t pause_us = settings_.interval_us;
    while (!stop.WaitMicros(pause_us))
      pause_us = SendAll() ? settings_.interval_us : std::min(pause_us * 2, kPauseMax);
  });
}

void Exporter::Stop() {
  if (!started_) return;
  started_ = false;
  telemetry::SetLogTap({});
  telemetry::SetSpanTap({});
  worker_ = exec::Worker();
  SendAll();
}

template <class Item>
void Exporter::Push(Item item, Queue<Item>* queue) {
  const MutexLock lock(mutex_);
  if (queue->items.size() < settings_.queue_max)
    queue->items.push_back(std::move(item));
  else
    queue->dropped->Add();
}

void Exporter::Add(Span span) { Push(std::move(span), &spans_); }
void Exporter::Add(LogRecord record) { Push(std::move(record), &logs_); }

Exporter::Taken Exporter::Post(std::string_view path, std::string body) {
  const auto status = send_(path, std::move(body));
  if (status && *status >= 200 && *status < 300) return Taken::kYes;
  failures_.Add();
  if (status)
    kLog.Warn("not taken", {{"path", path}, {"status", *status}});
  else
    kLog.Warn("not sent", {{"path", path}, {"message", status.error().message()}});
  // As the protocol says: these may be tried again, all others never.
  const bool later =
      !status || *status == 429 || *status == 502 || *status == 503 || *status == 504;
  return later ? Taken::kLater : Taken::kNever;
}

template <class Item>
bool Exporter::SendQueue(std::string_view path, Queue<Item>* queue,
                         std::string (*encode)(const Resource&, std::span<const Item>)) {
  for (;;) {
    std::vector<Item> batch;
    {
      const MutexLock lock(mutex_);
      const auto count = static_cast<std::ptrdiff_t>(std::min(kBatchMax, queue->items.size()));
      std::move(queue->items.begin(), queue->items.begin() + count, std::back_inserter(batch));
      queue->items.erase(queue->items.begin(), queue->items.begin() + count);
    }
    if (batch.empty()) return true;
    const Taken taken = Post(path, encode(settings_.resource, batch));
    if (taken == Taken::kYes) continue;
    const MutexLock lock(mutex_);
    if (taken == Taken::kNever) {
      queue->dropped->Add(std::ssize(batch));
      continue;
    }
    // Back to where it was, as far as there is room now; the newest have to go.
    batch.insert(batch.end(), std::make_move_iterator(queue->items.begin()),
                 std::make_move_iterator(queue->items.end()));
    if (batch.size() > settings_.queue_max) {
      queue->dropped->Add(std::ssize(batch) - static_cast<std::int64_t>(settings_.queue_max));
      batch.resize(settings_.queue_max);
    }
    queue->items = std::move(batch);
    return false;
  }
}

bool Exporter::SendAll() {
  bool all = true;
  if (settings_.metrics) {
    const auto families = metrics_.Read();
    // Sums are those since the start: what is lost now is in the next ones.
    all = Post("/v1/metrics", MetricsRequest(settings_.resource, families, started_us_,
                                             clock_.NowMicros())) != Taken::kLater;
  }
  if (settings_.logs && all) all = SendQueue<LogRecord>("/v1/logs", &logs_, LogsRequest);
  if (settings_.traces && all) all = SendQueue<Span>("/v1/traces", &spans_, TracesRequest);
  return all;
}

}  // namespace gyre::otlp
