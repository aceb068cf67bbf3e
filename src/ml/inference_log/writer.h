// Takes the rows that recorders left in their buffers, and makes segments of them: a thread of its
// own. What cannot be written (a full disk) is held and tried again; meanwhile the buffers fill and
// recorders drop, so that memory is bounded and every row is stored or counted. Private.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"
#include "ml/inference_log/inference_log.h"
#include "ml/inference_log/merge.h"
#include "ml/inference_log/segment_builder.h"
#include "ml/inference_log/store.h"
#include "platform/exec/thread_pool.h"

namespace gyre::inference_log {

// What is known of an endpoint beyond the database.
struct LiveFacts {
  std::int64_t pending = 0;                // rows taken, not stored yet
  std::int64_t dropped = 0, left_out = 0;  // not in the database yet
  std::int64_t complete_through_us = 0;
};

class Writer {
 public:
  Writer(db::Database& database, blob::Store& blobs, telemetry::Metrics& metrics,
         const Clock& clock, const LogSettings& settings, std::string hash_key);

  std::shared_ptr<const Stream> Open(StreamSpec spec);
  void Start();
  void Stop();       // writes what there is; what cannot be written then is dropped and counted
  Result<> Flush();  // seals all that was answered until now
  LiveFacts Live(const EndpointName& name);
  Result<std::shared_ptr<const Policy>> PolicyOf(const EndpointName& name);
  void SetPolicy(const EndpointName& name, std::shared_ptr<const Policy> policy);
  // Of the deployment that was opened last.
  std::optional<StreamSpec> Newest(const EndpointName& name);
  const std::string& hash_key() const { return hash_key_; }

 private:
  struct EndpointState {
    std::shared_ptr<EndpointCounters> counters = std::make_shared<EndpointCounters>();
    std::shared_ptr<const Policy> policy;
    std::optional<StreamSpec> newest;
    std::int64_t stored = 0;  // rows since start, also those given up
    std::int64_t dropped_saved = 0, left_out_saved = 0;
  };
  struct OpenStream {
    std::shared_ptr<const Stream> stream;
    int rounds_alone = 0;  // that went through since nobody else holds it
  };
  struct Sealed {
    SegmentRow row;
    StreamSpec spec;
    std::string bytes;
    std::int64_t ahead = 0;
  };
  struct InHand {
    std::unique_ptr<Buffer> buffer;
    std::size_t offset = 0;
    std::shared_ptr<Lane> lane;
  };

  EndpointState& StateOf(const EndpointName& name) GYRE_REQUIRES(mutex_);
  std::shared_ptr<const Stream> StreamOf(std::uint64_t serial);
  Result<> Round(bool seal_all) GYRE_REQUIRES(work_mutex_);
  Result<> Sweep() GYRE_REQUIRES(work_mutex_);
  Result<> Digest() GYRE_REQUIRES(work_mutex_);
  Result<SegmentBuilder*> BuilderOf(std::uint64_t serial) GYRE_REQUIRES(work_mutex_);
  Result<> Seal(SegmentBuilder& builder) GYRE_REQUIRES(work_mutex_);
  bool Full(const SegmentBuilder& builder) const {
    return builder.rows() >= settings_.segment_rows_max ||
           builder.bytes() >= settings_.segment_bytes_max;
  }
  Result<> StorePending() GYRE_REQUIRES(work_mutex_);
  Result<> SaveCounts() GYRE_REQUIRES(work_mutex_);
  void GiveUp() GYRE_REQUIRES(work_mutex_);
  void ReadMissingPolicies();
  void ForgetStreams() GYRE_REQUIRES(work_mutex_);
  void ExpireOld();
  void KeepHouse();

  db::Database& database_;
  blob::Store& blobs_;
  telemetry::Metrics& metrics_;
  const Clock& clock_;
  const LogSettings settings_;
  const std::string hash_key_;
  const std::shared_ptr<Lanes> lanes_;

  Mutex mutex_;  // short; a deployment's first row waits for it, a request never does
  std::map<std::uint64_t, OpenStream> streams_ GYRE_GUARDED_BY(mutex_);
  std::map<EndpointName, EndpointState> endpoints_ GYRE_GUARDED_BY(mutex_);
  std::int64_t complete_through_us_ GYRE_GUARDED_BY(mutex_) = 0;

  Mutex work_mutex_;  // one round at a time
  std::optional<InHand> in_hand_ GYRE_GUARDED_BY(work_mutex_);
  std::optional<Sealed> pending_ GYRE_GUARDED_BY(work_mutex_);
  std::map<std::uint64_t, std::unique_ptr<SegmentBuilder>> builders_ GYRE_GUARDED_BY(work_mutex_);
  // Of the last request, while nothing else can have changed.
  SegmentBuilder* latest_ GYRE_GUARDED_BY(work_mutex_) = nullptr;
  std::string spare_ GYRE_GUARDED_BY(work_mutex_);  // memory for the next file
  std::size_t swept_bytes_ GYRE_GUARDED_BY(work_mutex_) = 0;
  bool troubled_ GYRE_GUARDED_BY(work_mutex_) = false;  // the last round failed, and was logged
  // Of the writer's thread.
  std::int64_t expired_us_ = 0, merged_us_ = 0, clock_offset_us_ = 0;
  SteppedOver stepped_over_;

  exec::Worker worker_;  // last: stops before the rest goes
};

}  // namespace gyre::inference_log
