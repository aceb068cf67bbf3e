#include "ml/tracking/compactor.h"

#include <utility>

#include "ml/tracking/compaction.h"
#include "ml/tracking/metric_store.h"
#include "platform/telemetry/log.h"

namespace gyre::tracking {
namespace {

constexpr telemetry::Logger kLog{"ml/tracking"};
constexpr std::size_t kRunsWaitingMax = 10'000;
constexpr std::int64_t kLook = 0, kEnd = -1;  // runs have numbers from 1
constexpr std::int64_t kRetryMicros = 10'000'000;

}  // namespace

MetricCompactor::MetricCompactor(db::Database& database, MetricSettler& settler)
    : database_(database), settler_(settler) {}

MetricCompactor::~MetricCompactor() {
  const MutexLock held(mutex_);
  ended_ = true;
  changed_.NotifyAll();
}

// Most processes never write a point, and find none: they have no thread.
void MetricCompactor::Start() {
  if (!std::exchange(started_, true))
    thread_ = exec::Worker("tracking", [this](const exec::StopFlag& stop) { Run(stop); });
  changed_.NotifyAll();
}

Result<> MetricCompactor::Begin() {
  bool any = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(any, reader.QueryOne("SELECT 1 WHERE EXISTS (SELECT 1 FROM tracking_metric_tail) OR "
                                  "EXISTS (SELECT 1 FROM tracking_metric_recount)",
                                  {}, [](const db::Row&) {}));
    return {};
  }));
  if (any) AddAll();
  return {};
}

void MetricCompactor::AddAll() {
  const MutexLock held(mutex_);
  looks_ = true;
  after_ = 0;
  Start();
}

void MetricCompactor::Add(std::int64_t run) {
  const MutexLock held(mutex_);
  if (runs_.size() >= kRunsWaitingMax) {
    looks_ = true;
    after_ = 0;
    return;
  }
  if (waiting_.insert(run).second) runs_.push_back(run);
  Start();
}

std::int64_t MetricCompactor::Take() {
  const MutexLock held(mutex_);
  while (runs_.empty() && !looks_ && !ended_) changed_.Wait(mutex_);
  if (ended_) return kEnd;
  if (runs_.empty()) return kLook;
  const std::int64_t run = runs_.front();
  runs_.pop_front();
  waiting_.erase(run);
  return run;
}

Result<> MetricCompactor::RecountAll(const exec::StopFlag& stop) {
  std::vector<std::int64_t> runs;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(runs, RunsToRecount(reader));
    return {};
  }));
  for (const std::int64_t run : runs) {
    if (stop.stopped()) return {};
    if (damaged_.contains(run)) continue;
    const auto done = settler_.Recount(run);
    if (done) continue;
    if (done.error().code() != Code::kDataLoss) return done;
    damaged_.insert(run);
    Say(done);
  }
  return {};
}

Result<> MetricCompactor::Look(const exec::StopFlag& stop) {
  GYRE_DO(RecountAll(stop));
  std::int64_t after = 0;
  {
    const MutexLock held(mutex_);
    after = after_;
  }
  DueRuns due;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(due, ReadDueRuns(reader, after));
    return {};
  }));
  for (const std::int64_t run : due.runs) Add(run);
  const MutexLock held(mutex_);
  if (after_ != after) return {};  // somebody asked for all again
  after_ = due.last;
  looks_ = due.last != 0;
  return {};
}

Result<> MetricCompactor::Do(std::int64_t run, const exec::StopFlag& stop) {
  if (run == kLook) return Look(stop);
  if (damaged_.contains(run)) return {};
  const auto more = CompactPiece(database_, settler_, run);
  if (more && *more) Add(run);
  if (more) return {};
  // What is damaged stays so; a full disk does not.
  if (more.error().code() == Code::kDataLoss)
    damaged_.insert(run);
  else
    Add(run);
  return more.error();
}

void MetricCompactor::Say(const Result<>& done) {
  const std::string_view code = done ? std::string_view() : done.error().gy();
  if (code == failure_) return;
  if (done)
    kLog.Info("metric points are compacted again");
  else
    kLog.Failed("metric points cannot be compacted", done.error());
  failure_ = code;
}

void MetricCompactor::Run(const exec::StopFlag& stop) {
  for (std::int64_t run = Take(); run != kEnd; run = Take()) {
    const auto done = Do(run, stop);
    Say(done);
    if (!done && !damaged_.contains(run) && stop.WaitMicros(kRetryMicros)) return;
  }
}

}  // namespace gyre::tracking
