#include "ml/tracking/long_read.h"

#include "base/mutex.h"

namespace gyre::tracking {
namespace {

// Of the process: they share its threads.
struct Lane {
  Mutex mutex;
  CondVar left;
  int running GYRE_GUARDED_BY(mutex) = 0;
  int waiting GYRE_GUARDED_BY(mutex) = 0;
};
Lane& TheLane() {
  static Lane lane;
  return lane;
}

}  // namespace

LongRead::~LongRead() {
  if (!taken_) return;
  Lane& lane = TheLane();
  {
    const MutexLock held(lane.mutex);
    --lane.running;
  }
  lane.left.NotifyOne();
}

Result<> LongRead::Take() {
  constexpr std::int64_t kLookAgainUs = 50'000;  // whether somebody waits still
  Lane& lane = TheLane();
  const MutexLock held(lane.mutex);
  if (lane.running >= kLongReadsMax && lane.waiting >= kLongReadsWaitingMax) {
    return MakeError(Code::kResourceExhausted, "GY1418", "too many searches run at once")
        .Why(fmt::format("{} run and {} wait", kLongReadsMax, kLongReadsWaitingMax))
        .Fix("try again in a second");
  }
  ++lane.waiting;
  Result<> budget;
  while (lane.running >= kLongReadsMax && (budget = db::ReadBudget::Check()))
    lane.left.WaitMicros(lane.mutex, kLookAgainUs);
  --lane.waiting;
  GYRE_DO(std::move(budget));
  ++lane.running;
  taken_ = true;
  return {};
}

}  // namespace gyre::tracking
