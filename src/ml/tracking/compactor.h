// Moves points from the tail of a run into segments of one key each, on a thread of its own, a
// bounded piece at a time. What dies on the way is in the tail still. Private.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/mutex.h"
#include "ml/tracking/names.h"
#include "platform/db/database.h"
#include "platform/exec/thread_pool.h"

namespace gyre::tracking {

// So many batches of a run may wait before it is compacted.
inline constexpr std::int64_t kBatchesWaitingMax = 64;

class MetricCompactor {
 public:
  MetricCompactor(db::Database& database, NameBook& names);
  ~MetricCompactor();
  // Soon; forgotten when too many wait already: the next batch or the end of the run says it again.
  void Add(std::string_view run_id);

 private:
  void Run();
  bool Take(std::string* run_id);  // waits; false at the end

  db::Database& database_;
  NameBook& names_;
  Mutex mutex_;
  CondVar changed_;
  std::set<std::string, std::less<>> runs_ GYRE_GUARDED_BY(mutex_);
  bool ended_ GYRE_GUARDED_BY(mutex_) = false;
  bool started_ GYRE_GUARDED_BY(mutex_) = false;
  exec::Worker thread_;
};

// Puts the latest values of what was logged where searches find them: of those runs, or of all.
Result<> SettleRuns(db::Database& database, NameBook& names, std::span<const std::int64_t> runs);
Result<> SettleAll(db::Database& database, NameBook& names);

// One piece of one run, which is settled first; false when nothing is left of its tail.
Result<bool> CompactPiece(db::Database& database, NameBook& names, std::string_view run_id);

}  // namespace gyre::tracking
