// The thread that moves points from the tails of runs into segments, a bounded piece at a time,
// first come, first served. What waits is known again after a restart: the tails say it. Private.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_set>

#include "base/error.h"
#include "base/mutex.h"
#include "ml/tracking/settler.h"
#include "platform/db/database.h"
#include "platform/exec/thread_pool.h"

namespace gyre::tracking {

class MetricCompactor {
 public:
  MetricCompactor(db::Database& database, MetricSettler& settler);
  ~MetricCompactor();
  // Takes up what a process that ended has left, if there is any.
  Result<> Begin();
  // Soon. When too many wait already, it is found in the database later.
  void Add(std::int64_t run);
  // All that is due is looked for.
  void AddAll();

 private:
  void Run(const exec::StopFlag& stop);
  // Waits. kLook = look for runs that are due, kEnd = end.
  std::int64_t Take();
  Result<> Do(std::int64_t run, const exec::StopFlag& stop);
  Result<> Look(const exec::StopFlag& stop);
  Result<> RecountAll(const exec::StopFlag& stop);
  void Start() GYRE_REQUIRES(mutex_);
  void Say(const Result<>& done);

  db::Database& database_;
  MetricSettler& settler_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::int64_t> runs_ GYRE_GUARDED_BY(mutex_);
  std::unordered_set<std::int64_t> waiting_ GYRE_GUARDED_BY(mutex_);  // those in runs_
  bool looks_ GYRE_GUARDED_BY(mutex_) = false;                        // for runs that are due, ...
  std::int64_t after_ GYRE_GUARDED_BY(mutex_) = 0;                    // ... behind this one
  bool ended_ GYRE_GUARDED_BY(mutex_) = false;
  bool started_ GYRE_GUARDED_BY(mutex_) = false;
  std::unordered_set<std::int64_t> damaged_;  // of the thread: tried once
  std::string failure_;                       // of the thread: the code of the one that goes on
  exec::Worker thread_;
};

}  // namespace gyre::tracking
