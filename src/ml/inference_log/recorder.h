// The side of the log that answers requests: rows go from the parsed cells into a buffer of the
// thread's own, which the writer takes now and then. Nothing here waits: the buffer changes hands
// by one atomic exchange, and when it is full, rows are dropped and counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "platform/table/frame.h"
#include "platform/telemetry/metrics.h"

namespace gyre::inference_log {

// What a deployment answers with, and in which role: "champion", later others.
struct StreamSpec {
  std::string project, endpoint;
  std::string deployment_id;
  std::string model;  // "churn:v3"
  std::string model_version_id;
  std::string role = "champion";
  table::Schema inputs;
  std::string target;
  table::Type target_type = table::Type::kText;
  std::vector<std::string> classes;  // empty: a regression
};

// The column whose value labels may come by; changes hardly ever, is looked at by each request.
class KeyColumn {
 public:
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  std::string Get() const {
    const MutexLock lock(mutex_);
    return name_;
  }
  void Set(const std::string& name) {
    const MutexLock lock(mutex_);
    if (name == name_) return;
    name_ = name;
    generation_.fetch_add(1, std::memory_order_release);
  }

 private:
  std::atomic<std::uint64_t> generation_{0};
  mutable Mutex mutex_;
  std::string name_ GYRE_GUARDED_BY(mutex_);
};

// Of one endpoint, over all its deployments. Rows answered while it is on = rows taken + dropped +
// left_out.
struct EndpointCounters {
  std::atomic<std::uint64_t> sample_below{~std::uint64_t{0}};  // 0 = off
  std::atomic<std::int64_t> taken{0};                          // by recorders since start
  std::atomic<std::int64_t> left_out{0};                       // by sampling, since start
  std::atomic<std::int64_t> dropped{0};                        // since start
  std::atomic<bool> policy_read{false};                        // until then nothing is kept
  KeyColumn key_column;
  telemetry::Counter* stored_metric = nullptr;
  telemetry::Counter* dropped_metric = nullptr;

  void Drop(std::int64_t rows) {
    dropped.fetch_add(rows, std::memory_order_relaxed);
    if (dropped_metric != nullptr) dropped_metric->Add(rows);
  }
};

// Bytes that grow and are not cleared first.
class Buffer {
 public:
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  const char* data() const { return bytes_.get(); }
  char* data() { return bytes_.get(); }
  void Truncate(std::size_t size) { size_ = size; }
  char* Extend(std::size_t more) {
    if (size_ + more > capacity_) Grow(size_ + more);
    char* const at = bytes_.get() + size_;
    size_ += more;
    return at;
  }

 private:
  void Grow(std::size_t least);
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0, capacity_ = 0;
};

// Where a thread's buffer lies for the writer to take; `spare` is an empty one on its way back.
struct Lane {
  Lane() = default;
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  std::atomic<Buffer*> full{nullptr}, spare{nullptr};
};

class Lanes {
 public:
  explicit Lanes(std::size_t most) : bytes_max(most) {}
  std::shared_ptr<Lane> New();
  std::vector<std::shared_ptr<Lane>> All();  // and forgets those of threads that have ended
  const std::size_t bytes_max;               // of a lane

 private:
  Mutex mutex_;
  std::vector<std::shared_ptr<Lane>> lanes_ GYRE_GUARDED_BY(mutex_);
};

// One deployment's rows. Held by who answers with it.
struct Stream {
  std::uint64_t serial = 0;
  StreamSpec spec;
  std::shared_ptr<EndpointCounters> counters;
  std::shared_ptr<Lanes> lanes;
};

// No event is later than its arrival, but for clocks that disagree a little. One that claims to be
// counts at its arrival: a row of the year 2999 must not push all others into the past.
inline constexpr std::int64_t kClockSkewMax = 300'000'000;

// Ids of the answers of one thread go on by this step: a number between two ids tells how many
// answers lie between them. Odd, so that the sequence visits every value.
inline constexpr std::uint64_t kIdStep = 0x9e3779b97f4a7c15;

struct RequestFacts {
  std::int64_t received_us = 0;
  std::int64_t latency_us = 0;
  // Of each row; empty = none, one event time = of all rows.
  std::span<const std::int64_t> event_times_us = {};
  // A key may be empty: that row has none.
  std::span<const std::string_view> inference_ids = {}, keys = {};
};

// In the buffer: a head, its rows, what came with them. The writer reads it (decoder.h).
struct RequestHead {
  std::uint64_t stream = 0;
  std::uint64_t bytes = 0;  // with this head
  std::uint64_t id_high = 0, id_low = 0;
  std::int64_t received_us = 0, latency_us = 0;
  std::uint32_t rows = 0;
  std::uint32_t answered = 0;  // rows of the request, taken or not
  std::uint32_t event_times = 0, ids = 0, keys = 0;
  std::uint32_t unused = 0;
};

// One per thread, reused. Begin, a Row for each, then Commit; what is not committed is forgotten.
class Recorder {
 public:
  Recorder() = default;
  ~Recorder() { Discard(); }
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // `stream` may be null: nothing is recorded. It must live until Commit or Discard.
  void Begin(const Stream* stream, std::uint64_t id_high, std::uint64_t id_low);
  // For classes `label` and one probability each; for regression `prediction`.
  void Row(std::span<const table::Cell> cells, double prediction, std::uint32_t label,
           std::span<const double> probabilities) {
    if (stream_ != nullptr) Append(cells, prediction, label, probabilities);
  }
  void Commit(const RequestFacts& facts) {
    if (stream_ != nullptr) Publish(facts);
  }
  void Discard();

 private:
  void Append(std::span<const table::Cell> cells, double prediction, std::uint32_t label,
              std::span<const double> probabilities);
  void Publish(const RequestFacts& facts);
  void Release();

  const Stream* stream_ = nullptr;
  std::uint64_t sample_below_ = 0;
  std::size_t bytes_max_ = 0;
  std::shared_ptr<Lanes> lanes_;
  std::shared_ptr<Lane> lane_;
  Buffer* buffer_ = nullptr;
  std::size_t begin_ = 0;
  RequestHead head_;
  std::int64_t dropped_ = 0, left_out_ = 0;
};

// A spread of an id over all 64 bits, for sampling: the same row is in the sample or not.
std::uint64_t SampleKey(std::uint64_t id_low, std::uint32_t row);

}  // namespace gyre::inference_log
