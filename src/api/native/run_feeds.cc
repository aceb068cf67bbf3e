#include "api/native/run_feeds.h"

#include <algorithm>
#include <utility>

namespace gyre::native {

void RunFeeds::Put(const std::string& key, tracking::RunSubjects subjects) {
  auto kept = std::make_shared<const tracking::RunSubjects>(std::move(subjects));
  const MutexLock held(mutex_);
  feeds_[key] = {std::move(kept), ++uses_};
  if (feeds_.size() <= kFeedsMax) return;
  feeds_.erase(
      std::ranges::min_element(feeds_, {}, [](const auto& entry) { return entry.second.used; }));
}

RunFeeds::Subjects RunFeeds::Find(const std::string& key) {
  const MutexLock held(mutex_);
  const auto found = feeds_.find(key);
  if (found == feeds_.end()) return nullptr;
  found->second.used = ++uses_;
  return found->second.subjects;
}

}  // namespace gyre::native
