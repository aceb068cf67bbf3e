#include "ml/tracking/run_news.h"

#include "base/time.h"

namespace gyre::tracking {

RunNews::RunNews()
    : newest_(static_cast<std::uint64_t>(SystemClock().NowMicros())), lost_(newest_) {}

void RunNews::Put(std::string_view run_id, std::int64_t left) {
  ++newest_;
  const auto known = numbers_.find(run_id);
  if (known != numbers_.end()) {
    auto node = by_number_.extract(known->second);
    node.key() = node.mapped().number = newest_;
    if (left != 0) node.mapped().left = left;
    by_number_.insert(by_number_.end(), std::move(node));
    known->second = newest_;
    return;
  }
  numbers_.emplace(run_id, newest_);
  by_number_.emplace_hint(by_number_.end(), newest_, Change{newest_, std::string(run_id), left});
  if (by_number_.size() <= kRunsMax) return;
  const auto oldest = by_number_.begin();
  lost_ = oldest->first;
  numbers_.erase(oldest->second.run_id);
  by_number_.erase(oldest);
}

void RunNews::Add(std::string_view run_id) {
  const MutexLock held(mutex_);
  Put(run_id, 0);
}

void RunNews::Leave(std::string_view run_id, std::int64_t experiment) {
  const MutexLock held(mutex_);
  Put(run_id, experiment);
}

void RunNews::Reset() {
  const MutexLock held(mutex_);
  lost_ = ++newest_;
  by_number_.clear();
  numbers_.clear();
}

std::uint64_t RunNews::newest() const {
  const MutexLock held(mutex_);
  return newest_;
}

RunNews::Changes RunNews::Since(std::uint64_t number, std::size_t most) const {
  const MutexLock held(mutex_);
  Changes all{.newest = newest_, .lost = number < lost_ || number > newest_};
  if (all.lost) return all;
  for (auto at = by_number_.upper_bound(number); at != by_number_.end(); ++at) {
    if (all.changes.size() == most) break;
    all.changes.push_back(at->second);
  }
  return all;
}

}  // namespace gyre::tracking
