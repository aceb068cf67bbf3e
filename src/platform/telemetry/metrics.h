// Counters, gauges and histograms with labels, written in Prometheus' text format. One registry,
// made by the root and handed down.
//
// Looking a series up takes a lock: do it once and keep the reference, which lives as long as the
// registry. Adding to a counter or observing into a histogram is one or three relaxed additions on
// a cache line that few threads share. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gyre::telemetry {

using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr int kMetricShards = 8;
int MetricShard();  // of the calling thread

class Counter {
 public:
  void Add(std::int64_t amount = 1) {
    shards_[static_cast<std::size_t>(MetricShard())].value.fetch_add(amount,
                                                                     std::memory_order_relaxed);
  }
  std::int64_t value() const;

 private:
  struct alignas(64) Shard {
    std::atomic<std::int64_t> value{0};
  };
  std::array<Shard, kMetricShards> shards_;
};

class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::span<const double> bounds);
  void Observe(double value);
  std::int64_t count() const;
  double sum() const;
  const std::vector<double>& bounds() const { return bounds_; }
  std::vector<std::int64_t> cumulative() const;  // one per bound, and the last for +Inf

 private:
  struct Shard {
    std::vector<std::atomic<std::int64_t>> buckets;
    alignas(64) std::atomic<double> sum{0};
  };
  std::vector<double> bounds_;
  std::array<Shard, kMetricShards> shards_;
};

// Seconds, 100 us to 60 s: requests and jobs alike.
std::span<const double> LatencyBounds();

// What a family was at one moment.
struct FamilyReading {
  std::string name, help;
  std::string_view type;  // "counter", "gauge", "histogram"
  struct Series {
    Labels labels;
    double value = 0;
    std::vector<double> bounds;            // of a histogram
    std::vector<std::int64_t> cumulative;  // as Histogram's
    double sum = 0;
  };
  std::vector<Series> series;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The series of that name and labels, made at the first call. A name has one kind and one help
  // text (GYRE_CHECK on the kind). A family holds at most 2,000 series; beyond, all share one whose
  // label values are "other", so that memory is bounded.
  Counter& GetCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& GetGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& GetHistogram(std::string_view name, std::string_view help, const Labels& labels,
                          std::span<const double> bounds);
  // A gauge that is asked when somebody reads. `read` must be thread-safe and outlive the
  // registry's readers.
  void GaugeFunction(std::string_view name, std::string_view help, const Labels& labels,
                     std::function<double()> read);

  std::vector<FamilyReading> Read() const;
  std::string ExposeText() const;  // text/plain; version=0.0.4

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gyre::telemetry
