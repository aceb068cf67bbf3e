#include "platform/telemetry/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/mutex.h"
#include "platform/telemetry/stale.h"

namespace gyre::telemetry {
namespace {

constexpr std::size_t kSeriesMax = 2'000;
constexpr std::array<double, 19> kLatencyBounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5,
                                                5,      10,      20,     30,    60};

std::atomic<int> next_shard{0};

struct Series {
  Labels labels;
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;
  std::function<double()> read;
};

struct Family {
  std::string_view type;
  std::string help;
  std::map<std::string, std::unique_ptr<Series>> series;  // by the written labels
};

void AppendEscaped(std::string_view text, bool quotes, std::string* out) {
  for (const char c : text) {
    if (c == '\\') {
      *out += "\\\\";
    } else if (c == '\n') {
      *out += "\\n";
    } else if (c == '"' && quotes) {
      *out += "\\\"";
    } else {
      *out += c;
    }
  }
}

std::string LabelText(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += name;
    text += "=\"";
    AppendEscaped(value, true, &text);
    text += '"';
  }
  return text;
}

void AppendNumber(double value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
  } else if (std::isinf(value)) {
    *out += value > 0 ? "+Inf" : "-Inf";
  } else if (value == std::trunc(value) && std::abs(value) < 1e15) {
    *out += std::to_string(static_cast<std::int64_t>(value));
  } else {
    AppendJsonNumber(value, out);
  }
}

void AppendSample(std::string_view name, std::string_view suffix, std::string_view labels,
                  double value, std::string* out) {
  *out += name;
  *out += suffix;
  if (!labels.empty()) {
    *out += '{';
    *out += labels;
    *out += '}';
  }
  *out += ' ';
  AppendNumber(value, out);
  *out += '\n';
}

void AppendHistogram(std::string_view name, const std::string& labels, const Histogram& histogram,
                     std::string* out) {
  const std::vector<std::int64_t> cumulative = histogram.cumulative();
  for (std::size_t i = 0; i < cumulative.size(); ++i) {
    std::string with_bound = labels.empty() ? "le=\"" : labels + ",le=\"";
    AppendNumber(i < histogram.bounds().size() ? histogram.bounds()[i] : HUGE_VAL, &with_bound);
    with_bound += '"';
    AppendSample(name, "_bucket", with_bound, static_cast<double>(cumulative[i]), out);
  }
  AppendSample(name, "_sum", labels, histogram.sum(), out);
  AppendSample(name, "_count", labels, static_cast<double>(cumulative.back()), out);
}

}  // namespace

int MetricShard() {
  thread_local const int shard = next_shard.fetch_add(1, std::memory_order_relaxed) % kMetricShards;
  return shard;
}

std::span<const double> LatencyBounds() { return kLatencyBounds; }

std::int64_t Counter::value() const {
  std::int64_t total = 0;
  for (const Shard& shard : shards_) total += shard.value.load(std::memory_order_relaxed);
  return total;
}

Histogram::Histogram(std::span<const double> bounds) : bounds_(bounds.begin(), bounds.end()) {
  GYRE_CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
  for (Shard& shard : shards_)
    shard.buckets = std::vector<std::atomic<std::int64_t>>(bounds_.size() + 1);
}

void Histogram::Observe(double value) {
  Shard& shard = shards_[static_cast<std::size_t>(MetricShard())];
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  shard.buckets[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  shard.sum.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::int64_t> Histogram::cumulative() const {
  std::vector<std::int64_t> totals(bounds_.size() + 1, 0);
  for (const Shard& shard : shards_) {
    for (std::size_t i = 0; i < totals.size(); ++i)
      totals[i] += shard.buckets[i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 1; i < totals.size(); ++i) totals[i] += totals[i - 1];
  return totals;
}

std::int64_t Histogram::count() const { return cumulative().back(); }

double Histogram::sum() const {
  double total = 0;
  for (const Shard& shard : shards_) total += shard.sum.load(std::memory_order_relaxed);
  return total;
}

struct Metrics::Impl {
  mutable Mutex mutex;
  std::map<std::string, Family, std::less<>> families GYRE_GUARDED_BY(mutex);

  Series& Find(std::string_view name, std::string_view type, std::string_view help,
               const Labels& labels) GYRE_REQUIRES(mutex) {
    auto found = families.find(name);
    if (found == families.end())
      found = families.emplace(std::string(name), Family{type, std::string(help), {}}).first;
    Family& family = found->second;
    GYRE_CHECK(family.type == type);
    std::string key = LabelText(labels);
    if (const auto series = family.series.find(key); series != family.series.end())
      return *series->second;
    Labels own = labels;
    if (family.series.size() >= kSeriesMax) {
      for (auto& [label, value] : own) value = "other";
      key = LabelText(own);
    }
    std::unique_ptr<Series>& series = family.series[key];
    if (!series) series = std::make_unique<Series>();
    series->labels = std::move(own);
    return *series;
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::GetCounter(std::string_view name, std::string_view help, const Labels& labels) {
  MutexLock lock(impl_->mutex);
  Series& series = impl_->Find(name, "counter", help, labels);
  if (!series.counter) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& Metrics::GetGauge(std::string_view name, std::string_view help, const Labels& labels) {
  MutexLock lock(impl_->mutex);
  Series& series = impl_->Find(name, "gauge", help, labels);
  if (!series.gauge) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Histogram& Metrics::GetHistogram(std::string_view name, std::string_view help, const Labels& labels,
                                 std::span<const double> bounds) {
  MutexLock lock(impl_->mutex);
  Series& series = impl_->Find(name, "histogram", help, labels);
  if (!series.histogram) series.histogram = std::make_unique<Histogram>(bounds);
  return *series.histogram;
}

void Metrics::GaugeFunction(std::string_view name, std::string_view help, const Labels& labels,
                            std::function<double()> read) {
  MutexLock lock(impl_->mutex);
  impl_->Find(name, "gauge", help, labels).read = std::move(read);
}

std::vector<FamilyReading> Metrics::Read() const {
  std::vector<FamilyReading> families;
  MutexLock lock(impl_->mutex);
  for (const auto& [name, family] : impl_->families) {
    FamilyReading& reading = families.emplace_back(name, family.help, family.type);
    for (const auto& [text, series] : family.series) {
      if (series->gauge && IsStale(series->gauge->value())) continue;
      FamilyReading::Series& one = reading.series.emplace_back(series->labels);
      if (series->counter) one.value = static_cast<double>(series->counter->value());
      if (series->gauge) one.value = series->gauge->value();
      if (series->read) one.value = series->read();
      if (!series->histogram) continue;
      one.bounds = series->histogram->bounds();
      one.cumulative = series->histogram->cumulative();
      one.sum = series->histogram->sum();
    }
  }
  return families;
}

std::string Metrics::ExposeText() const {
  std::string out;
  MutexLock lock(impl_->mutex);
  for (const auto& [name, family] : impl_->families) {
    out += "# HELP " + name + " ";
    AppendEscaped(family.help, false, &out);
    out += "\n# TYPE " + name + " " + std::string(family.type) + "\n";
    for (const auto& [labels, series] : family.series) {
      if (series->counter)
        AppendSample(name, "", labels, static_cast<double>(series->counter->value()), &out);
      if (series->gauge && !IsStale(series->gauge->value()))
        AppendSample(name, "", labels, series->gauge->value(), &out);
      if (series->read) AppendSample(name, "", labels, series->read(), &out);
      if (series->histogram) AppendHistogram(name, labels, *series->histogram, &out);
    }
  }
  return out;
}

}  // namespace gyre::telemetry
