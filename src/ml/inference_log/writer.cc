#include "ml/inference_log/writer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "base/id.h"
#include "platform/blob/discard.h"
#include "platform/telemetry/log.h"

namespace gyre::inference_log {
namespace {

constexpr telemetry::Logger kLog{"ml/inference_log"};
constexpr std::int64_t kRestMicros = 200'000, kBusyMicros = 20'000;
constexpr std::size_t kBusyBytes = 256 << 10;  // taken in one round: come back soon
constexpr std::size_t kSpareBytes = 1 << 20;   // a buffer that grew beyond it goes
constexpr std::int64_t kExpireEveryMicros = 600 * kMicrosPerSecond;
constexpr std::int64_t kMergeEveryMicros = 10 * kMicrosPerSecond;
constexpr std::int64_t kClockJumpMicros = 3600 * kMicrosPerSecond;
constexpr int kExpiredAtOnce = 500;
constexpr int kRoundsKept = 1000;
// A request is answered within this time after it came: older rows have reached their buffer.
constexpr std::int64_t kAnswerMicros = 2 * kMicrosPerSecond;

std::uint64_t Threshold(const Policy& policy) {
  if (!policy.on) return 0;
  if (policy.sample >= 1) return ~std::uint64_t{0};
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ldexp(policy.sample, 64)));
}

void Apply(const Policy& policy, EndpointCounters& counters) {
  counters.sample_below.store(Threshold(policy));
  counters.key_column.Set(policy.key_column);
  counters.policy_read.store(true, std::memory_order_release);
}

std::uint64_t NextSerial() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1);
}

EndpointName NameOf(const StreamSpec& spec) { return {spec.project, spec.endpoint}; }

}  // namespace

Writer::Writer(db::Database& database, blob::Store& blobs, telemetry::Metrics& metrics,
               const Clock& clock, const LogSettings& settings, std::string hash_key)
    : database_(database),
      blobs_(blobs),
      metrics_(metrics),
      clock_(clock),
      settings_(settings),
      hash_key_(std::move(hash_key)),
      lanes_(std::make_shared<Lanes>(static_cast<std::size_t>(settings.buffer_bytes_max))) {}

Writer::EndpointState& Writer::StateOf(const EndpointName& name) {
  const auto found = endpoints_.find(name);
  if (found != endpoints_.end()) return found->second;
  EndpointState& state = endpoints_[name];
  const telemetry::Labels labels = {{"endpoint", name.endpoint}};
  state.counters->stored_metric = &metrics_.GetCounter(
      "gyre_capture_rows_total", "Answered rows that were captured, by endpoint", labels);
  state.counters->dropped_metric =
      &metrics_.GetCounter("gyre_capture_dropped_rows_total",
                           "Answered rows that could not be captured, by endpoint", labels);
  return state;
}

Result<std::shared_ptr<const Policy>> Writer::PolicyOf(const EndpointName& name) {
  {
    const MutexLock lock(mutex_);
    if (const auto& known = StateOf(name).policy) return known;
  }
  std::string text;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool there,
             ReadPolicy(reader, name.project, name.endpoint, &text));
    return {};
  }));
  Policy policy;
  if (!text.empty()) {
    GYRE_TRY(const Json json, Json::Parse(text));
    GYRE_TRY(policy, ChangedPolicy({}, json));
  }
  const MutexLock lock(mutex_);
  EndpointState& state = StateOf(name);
  if (!state.policy) state.policy = std::make_shared<const Policy>(std::move(policy));
  Apply(*state.policy, *state.counters);
  return state.policy;
}

void Writer::SetPolicy(const EndpointName& name, std::shared_ptr<const Policy> policy) {
  const MutexLock lock(mutex_);
  EndpointState& state = StateOf(name);
  state.policy = std::move(policy);
  Apply(*state.policy, *state.counters);
}

std::shared_ptr<const Stream> Writer::Open(StreamSpec spec) {
  const EndpointName name = NameOf(spec);
  if (const auto policy = PolicyOf(name); !policy)
    kLog.Failed("policy not read yet; nothing is captured", policy.error());
  auto stream = std::make_shared<Stream>();
  stream->serial = NextSerial();
  stream->spec = std::move(spec);
  stream->lanes = lanes_;
  const MutexLock lock(mutex_);
  EndpointState& state = StateOf(name);
  stream->counters = state.counters;
  // What labels are judged by is said by the champion; a shadow answers nobody.
  if (!state.newest || stream->spec.role == StreamSpec().role) state.newest = stream->spec;
  streams_.emplace(stream->serial, OpenStream{stream});
  return stream;
}

std::optional<StreamSpec> Writer::Newest(const EndpointName& name) {
  const MutexLock lock(mutex_);
  const auto found = endpoints_.find(name);
  if (found == endpoints_.end()) return std::nullopt;
  return found->second.newest;
}

LiveFacts Writer::Live(const EndpointName& name) {
  const MutexLock lock(mutex_);
  const auto found = endpoints_.find(name);
  if (found == endpoints_.end()) return {.complete_through_us = complete_through_us_};
  const EndpointState& state = found->second;
  const EndpointCounters& counters = *state.counters;
  return {.pending = counters.taken.load() - state.stored,
          .dropped = counters.dropped.load() - state.dropped_saved,
          .left_out = counters.left_out.load() - state.left_out_saved,
          .complete_through_us = complete_through_us_};
}

std::shared_ptr<const Stream> Writer::StreamOf(std::uint64_t serial) {
  const MutexLock lock(mutex_);
  const auto found = streams_.find(serial);
  return found == streams_.end() ? nullptr : found->second.stream;
}

Result<SegmentBuilder*> Writer::BuilderOf(std::uint64_t serial) {
  if (latest_ != nullptr && latest_->stream().serial == serial && !Full(*latest_)) return latest_;
  const auto found = builders_.find(serial);
  if (found != builders_.end()) {
    SegmentBuilder& builder = *found->second;
    if (Full(builder)) GYRE_DO(Seal(builder));
    std::shared_ptr<const Policy> policy;
    {
      const MutexLock lock(mutex_);
      policy = StateOf(NameOf(builder.stream().spec)).policy;
    }
    if (builder.policy() == policy) return latest_ = &builder;
    GYRE_DO(Seal(builder));
    latest_ = nullptr;
    builders_.erase(found);
  }
  const auto stream = StreamOf(serial);
  GYRE_CHECK(stream != nullptr);  // a stream is forgotten after its last row
  GYRE_TRY(const auto policy, PolicyOf(NameOf(stream->spec)));
  auto& builder = builders_[serial];
  builder = std::make_unique<SegmentBuilder>(stream, policy, hash_key_, clock_.MonotonicMicros());
  return latest_ = builder.get();
}

// What is in hand into builders. After an error it goes on where it stopped.
Result<> Writer::Digest() {
  if (!in_hand_) return {};
  Buffer& buffer = *in_hand_->buffer;
  while (in_hand_->offset < buffer.size()) {
    RequestHead head;
    std::memcpy(&head, buffer.data() + in_hand_->offset, sizeof head);
    GYRE_TRY(SegmentBuilder* const builder, BuilderOf(head.stream));
    builder->Add({buffer.data() + in_hand_->offset, head.bytes});
    in_hand_->offset += head.bytes;
  }
  swept_bytes_ += buffer.size();
  if (buffer.capacity() <= kSpareBytes) {
    buffer.Truncate(0);
    delete in_hand_->lane->spare.exchange(in_hand_->buffer.release());
  }
  in_hand_.reset();
  return {};
}

Result<> Writer::Sweep() {
  swept_bytes_ = 0;
  latest_ = nullptr;  // the policy may be another one by now
  GYRE_DO(Digest());
  for (const std::shared_ptr<Lane>& lane : lanes_->All()) {
    Buffer* const taken = lane->full.exchange(nullptr, std::memory_order_acquire);
    if (taken == nullptr) continue;
    in_hand_.emplace(InHand{std::unique_ptr<Buffer>(taken), 0, lane});
    GYRE_DO(Digest());
  }
  return {};
}

Result<> Writer::StorePending() {
  if (!pending_) return {};
  const Sealed& sealed = *pending_;
  GYRE_TRY(const blob::Object object, blobs_.Put(sealed.bytes));
  SegmentRow row = sealed.row;
  row.object = object;
  row.sealed_us = clock_.NowMicros();
  const std::string facts = StreamFacts(sealed.spec).Dump();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(InsertStream(tx, sealed.spec, facts, row.sealed_us));
    if (sealed.ahead > 0) GYRE_DO(AddToCount(tx, row.project, row.endpoint, "ahead", sealed.ahead));
    return InsertSegment(tx, row);
  }));
  const MutexLock lock(mutex_);
  EndpointState& state = StateOf(NameOf(sealed.spec));
  state.stored += row.rows;
  state.counters->stored_metric->Add(row.rows);
  spare_ = std::move(pending_->bytes);
  pending_.reset();
  return {};
}

// The builder is empty afterwards, also when what it held could not be written yet.
Result<> Writer::Seal(SegmentBuilder& builder) {
  GYRE_DO(StorePending());
  if (builder.rows() == 0) return {};
  const StreamSpec& spec = builder.stream().spec;
  pending_.emplace(Sealed{{.id = NewId(),
                           .stream_id = StreamId(spec),
                           .project = spec.project,
                           .endpoint = spec.endpoint,
                           .rows = builder.rows(),
                           .event_min_us = builder.event_min_us(),
                           .event_max_us = builder.event_max_us(),
                           .received_max_us = builder.received_max_us()},
                          spec,
                          std::move(spare_),
                          builder.ahead()});
  builder.Finish(&pending_->bytes);
  builder.Clear(clock_.MonotonicMicros());
  return StorePending();
}

Result<> Writer::SaveCounts() {
  struct Change {
    EndpointName name;
    std::int64_t dropped, left_out;
  };
  std::vector<Change> changes;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, state] : endpoints_) {
      const std::int64_t dropped = state.counters->dropped.load() - state.dropped_saved;
      const std::int64_t left_out = state.counters->left_out.load() - state.left_out_saved;
      if (dropped != 0 || left_out != 0) changes.push_back({name, dropped, left_out});
    }
  }
  if (changes.empty()) return {};
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const Change& change : changes) {
      GYRE_DO(AddToCount(tx, change.name.project, change.name.endpoint, "dropped", change.dropped));
      GYRE_DO(
          AddToCount(tx, change.name.project, change.name.endpoint, "left_out", change.left_out));
    }
    return {};
  }));
  const MutexLock lock(mutex_);
  for (const Change& change : changes) {
    EndpointState& state = StateOf(change.name);
    state.dropped_saved += change.dropped;
    state.left_out_saved += change.left_out;
  }
  return {};
}

// Columns that are hashed or dropped must not reach the disk because one read failed: until it is
// known what is kept, rows are dropped and counted.
void Writer::ReadMissingPolicies() {
  std::vector<EndpointName> missing;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, state] : endpoints_) {
      if (!state.policy && state.newest) missing.push_back(name);
    }
  }
  for (const EndpointName& name : missing) {
    if (PolicyOf(name)) kLog.Info("policy read", {{"endpoint", name.endpoint}});
  }
}

// A stream that only we hold gets no more rows. Those it got may be in a buffer that a request of
// another stream holds just now, so it is kept for many rounds more.
void Writer::ForgetStreams() {
  const MutexLock lock(mutex_);
  for (auto at = streams_.begin(); at != streams_.end();) {
    OpenStream& open = at->second;
    const bool alone = open.stream.use_count() == 1 && !builders_.contains(at->first);
    open.rounds_alone = alone ? open.rounds_alone + 1 : 0;
    at = open.rounds_alone > kRoundsKept ? streams_.erase(at) : std::next(at);
  }
}

Result<> Writer::Round(bool seal_all) {
  const std::int64_t begin_us = clock_.NowMicros();
  ReadMissingPolicies();
  GYRE_DO(StorePending());
  GYRE_DO(Sweep());
  const std::int64_t now_us = clock_.MonotonicMicros();
  for (auto at = builders_.begin(); at != builders_.end();) {
    SegmentBuilder& builder = *at->second;
    const bool due = seal_all || now_us - builder.began_us() >= settings_.seal_us;
    if (due) GYRE_DO(Seal(builder));
    // One that is busy fills before its time is over, and keeps its memory.
    at = due ? builders_.erase(at) : std::next(at);
  }
  latest_ = nullptr;
  if (builders_.empty()) spare_ = std::string();
  GYRE_DO(SaveCounts());
  ForgetStreams();
  std::int64_t complete_us = begin_us - kAnswerMicros;
  for (const auto& [serial, builder] : builders_) {
    if (builder->rows() > 0) complete_us = std::min(complete_us, builder->received_min_us());
  }
  const MutexLock lock(mutex_);
  complete_through_us_ = complete_us;  // also when the clock was set back: so are the rows
  return {};
}

Result<> Writer::Flush() {
  const MutexLock lock(work_mutex_);
  return Round(true);
}

void Writer::ExpireOld() {
  std::vector<EndpointName> names;
  const auto read = database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(names, EndpointsWithRows(reader, ""));
    return {};
  });
  for (const EndpointName& name : read ? names : std::vector<EndpointName>()) {
    const auto policy = PolicyOf(name);
    if (!policy) continue;
    const std::int64_t before_us = clock_.NowMicros() - (*policy)->retention_us;
    std::int64_t gone = kExpiredAtOnce;
    while (gone >= kExpiredAtOnce) {
      const auto done = database_.Write([&](db::Transaction& tx) -> Result<> {
        GYRE_TRY(gone, Expire(tx, name, before_us, kExpiredAtOnce));
        return {};
      });
      if (!done) return kLog.Failed("old captures not removed", done.error());
    }
  }
}

void Writer::KeepHouse() {
  const std::int64_t now_us = clock_.MonotonicMicros();
  if (now_us - merged_us_ >= kMergeEveryMicros) {
    merged_us_ = now_us;
    if (const auto removed = blob::RemoveDiscarded(database_, blobs_); !removed)
      kLog.Failed("what was forgotten is not removed yet", removed.error());
    if (const auto merged = MergeSmall(database_, blobs_, clock_, settings_, &stepped_over_);
        !merged)
      kLog.Failed("small segments not merged", merged.error());
  }
  if (expired_us_ != 0 && now_us - expired_us_ < kExpireEveryMicros) return;
  expired_us_ = now_us;
  // A clock that was set forward makes everything look old.
  const std::int64_t drift_us = clock_.NowMicros() - now_us - clock_offset_us_;
  if (drift_us > kClockJumpMicros)
    return kLog.Warn("old captures are not removed: the clock was set forward",
                     {{"seconds", drift_us / kMicrosPerSecond}});
  ExpireOld();
}

void Writer::Start() {
  clock_offset_us_ = clock_.NowMicros() - clock_.MonotonicMicros();
  worker_ = exec::Worker("capture", [this](const exec::StopFlag& stop) {
    std::int64_t rest_us = kRestMicros;
    while (!stop.WaitMicros(rest_us)) {
      {
        const MutexLock lock(work_mutex_);
        const auto done = Round(false);
        if (!done && !troubled_) kLog.Failed("captures not written yet", done.error());
        troubled_ = !done;
        rest_us = done && swept_bytes_ >= kBusyBytes ? kBusyMicros : kRestMicros;
      }
      KeepHouse();
    }
  });
}

// What is left when nothing could be written: counted, so that the sum is right in the log.
void Writer::GiveUp() {
  const MutexLock lock(mutex_);
  for (auto& [name, state] : endpoints_) {
    const std::int64_t left = state.counters->taken.load() - state.stored;
    if (left == 0) continue;
    state.counters->Drop(left);
    state.stored += left;
    kLog.Warn("captured rows lost at the end",
              {{"project", name.project}, {"endpoint", name.endpoint}, {"rows", left}});
  }
}

void Writer::Stop() {
  worker_ = exec::Worker();
  const MutexLock lock(work_mutex_);
  const auto done = Round(true);
  if (done) return;
  kLog.Failed("captures not written", done.error());
  GiveUp();
  pending_.reset();
  in_hand_.reset();
  latest_ = nullptr;
  builders_.clear();
  if (const auto saved = SaveCounts(); !saved) kLog.Failed("drops not booked", saved.error());
}

}  // namespace gyre::inference_log
