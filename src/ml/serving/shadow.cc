#include "ml/serving/shadow.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/time.h"
#include "platform/telemetry/metrics.h"

namespace gyre::serving {

namespace {

constexpr std::size_t kWaitingMax = 1'024;
constexpr std::size_t kWaitingBytesMax = std::size_t{16} << 20;

class ShadowRows final : public RowSink {
 public:
  ShadowRows(const Snapshot& snapshot, inference_log::Recorder& recorder)
      : snapshot_(snapshot),
        recorder_(recorder),
        probabilities_(std::max<std::size_t>(1, snapshot.predictions.size())) {}
  void Row(std::span<const table::Cell> cells) override {
    const auto score = snapshot_.info.scorer->ScoreRow(cells, probabilities_, scratch_);
    recorder_.Row(cells, score.prediction, score.label, probabilities_);
    outputs.Add(score.label, probabilities_);
  }
  Outputs outputs;

 private:
  const Snapshot& snapshot_;
  inference_log::Recorder& recorder_;
  std::vector<double> probabilities_;
  predictors::Scorer::RowScratch scratch_;
};

void AddDifference(Comparison& to, double difference) {
  to.compared.Add();
  to.differences.Add(difference);
  to.difference_sum.fetch_add(difference, std::memory_order_relaxed);
}

void Compare(const Snapshot& by, const Outputs& answered, const Snapshot& shadow,
             const Outputs& mine, Comparison& to) {
  const auto& classes = by.info.scorer->classes();
  const auto& my_classes = shadow.info.scorer->classes();
  const std::size_t width = std::max<std::size_t>(1, classes.size());
  const bool comparable = classes == my_classes;
  for (std::size_t row = 0; row < std::min(answered.rows, mine.rows); ++row) {
    to.rows.Add();
    double difference = 0, size = 1;
    for (std::size_t k = 0; comparable && k < width; ++k) {
      const double a = answered.values[row * width + k], b = mine.values[row * width + k];
      difference = std::max(difference, std::fabs(a - b));
      if (classes.empty()) size = std::max({size, std::fabs(a), std::fabs(b)});
    }
    if (comparable) AddDifference(to, difference);
    const bool agreed = !classes.empty() && !my_classes.empty()
                            ? classes[answered.labels[row]] == my_classes[mine.labels[row]]
                            : comparable && difference <= 1e-9 * size;
    if (agreed) to.agreed.Add();
  }
}

}  // namespace

void Shadows::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    waiting_bytes_ = 0;
  }
  news_.NotifyAll();
  worker_ = exec::Worker();
}

void Shadows::Offer(const Route& route, const std::shared_ptr<const Snapshot>& answered,
                    std::string_view body, const Answer& answer, std::int64_t received_us) {
  Item item{.shadows = route.shadows,
            .body = std::string(body),
            .answered = answer.outputs(),
            .by = answered,
            .id_high = answer.id_high(),
            .id_low = answer.id_low(),
            .received_us = received_us};
  {
    const MutexLock lock(mutex_);
    if (!stopping_ && waiting_.size() < kWaitingMax && waiting_bytes_ < kWaitingBytesMax) {
      waiting_bytes_ += item.body.size();
      waiting_.push_back(std::move(item));
      if (!std::exchange(started_, true))
        worker_ = exec::Worker("shadow", [this](const exec::StopFlag& stop) { Run(stop); });
    } else {
      for (const auto& shadow : item.shadows) shadow->stats->dropped.Add();
      return;
    }
  }
  news_.NotifyOne();
}

void Shadows::Run(const exec::StopFlag& stop) {
  while (!stop.stopped()) {
    Item item;
    {
      const MutexLock lock(mutex_);
      busy_ = false;
      news_.NotifyAll();
      while (waiting_.empty() && !stopping_) news_.Wait(mutex_);
      if (stopping_) return;
      item = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= item.body.size();
      busy_ = true;
    }
    Score(item);
  }
}

void Shadows::Drain() {
  const MutexLock lock(mutex_);
  while (!waiting_.empty() || busy_) news_.WaitMicros(mutex_, kMicrosPerSecond / 10);
}

void Shadows::Score(const Item& item) {
  for (const auto& shadow : item.shadows) {
    const std::int64_t begin_us = SystemClock().MonotonicMicros();
    const std::int64_t begin_ns = ThreadCpuNanos();
    recorder_.Begin(shadow->stream.get(), item.id_high, item.id_low);
    ShadowRows rows(*shadow, recorder_);
    const auto facts = reader_.Read(item.body, *shadow, static_cast<std::size_t>(rows_max_), rows);
    shadow->counters.requests->Add();
    if (!facts) {
      recorder_.Discard();
      shadow->counters.failed->Add();
      continue;
    }
    const std::int64_t took_us = SystemClock().MonotonicMicros() - begin_us;
    recorder_.Commit({.received_us = item.received_us,
                      .latency_us = took_us,
                      .event_times_us = facts->event_times_us,
                      .inference_ids = facts->inference_ids,
                      .keys = facts->keys});
    shadow->counters.rows->Add(static_cast<std::int64_t>(facts->rows));
    shadow->stats->latency_us.Add(static_cast<double>(took_us));
    Compare(*item.by, item.answered, *shadow, rows.outputs,
            *shadow->stats->ComparisonWith(item.by->info.model));
    shadow->counters.cpu_ns->Add(ThreadCpuNanos() - begin_ns);
  }
}

}  // namespace gyre::serving
