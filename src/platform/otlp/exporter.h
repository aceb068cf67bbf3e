// Sends metrics, logs and traces to an OpenTelemetry receiver, every so often, from a thread of its
// own. Queues are bounded: whoever logs or answers never waits. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"
#include "platform/exec/thread_pool.h"
#include "platform/otlp/encode.h"
#include "platform/telemetry/metrics.h"

namespace gyre::otlp {

struct ExporterSettings {
  bool metrics = false, logs = false, traces = false;
  std::int64_t interval_us = 15 * kMicrosPerSecond;
  double sample = 0.1;  // of the requests that bring no decision of their own
  std::size_t queue_max = 4096;
  Resource resource = {};
};

class Exporter {
 public:
  // What the receiver said of "/v1/metrics", "/v1/logs" or "/v1/traces": an HTTP status.
  using Send = std::function<Result<int>(std::string_view path, std::string body)>;
  Exporter(telemetry::Metrics& metrics, const Clock& clock, ExporterSettings settings, Send send);
  ~Exporter();  // sends once more
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  void Start();  // the log, and spans that end, are heard from now on
  void Stop();
  const ExporterSettings& settings() const { return settings_; }
  void Add(Span span);
  void Add(LogRecord record);
  // What the thread does: true when all of it was taken.
  bool SendAll();

 private:
  template <class Item>
  struct Queue {
    std::vector<Item> items;
    telemetry::Counter* dropped = nullptr;
  };
  template <class Item>
  void Push(Item item, Queue<Item>* queue) GYRE_EXCLUDES(mutex_);
  template <class Item>
  bool SendQueue(std::string_view path, Queue<Item>* queue,
                 std::string (*encode)(const Resource&, std::span<const Item>))
      GYRE_EXCLUDES(mutex_);
  enum class Taken : unsigned char { kYes, kLater, kNever };
  Taken Post(std::string_view path, std::string body);

  telemetry::Metrics& metrics_;
  const Clock& clock_;
  const ExporterSettings settings_;
  const Send send_;
  const std::int64_t started_us_;
  telemetry::Counter& failures_;
  Mutex mutex_;  // short
  Queue<Span> spans_ GYRE_GUARDED_BY(mutex_);
  Queue<LogRecord> logs_ GYRE_GUARDED_BY(mutex_);
  bool started_ = false;
  exec::Worker worker_;
};

}  // namespace gyre::otlp
