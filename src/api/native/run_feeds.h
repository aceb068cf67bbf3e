// What each stream of run events follows: kept beside the streams, so that a client changes it
// while its stream goes on, and finds it again when it comes back. Thread-safe. Private.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/mutex.h"
#include "ml/tracking/run_follower.h"

namespace gyre::native {

class RunFeeds {
 public:
  static constexpr std::size_t kFeedsMax = 1'000;
  using Subjects = std::shared_ptr<const tracking::RunSubjects>;

  // `key`: whose it is and what it is called. Sets what it follows.
  void Put(const std::string& key, tracking::RunSubjects subjects);
  // What it follows by now; null when nobody has said.
  Subjects Find(const std::string& key);

 private:
  struct Feed {
    Subjects subjects;
    std::uint64_t used = 0;
  };
  Mutex mutex_;
  std::uint64_t uses_ GYRE_GUARDED_BY(mutex_) = 0;
  std::map<std::string, Feed> feeds_ GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::native
