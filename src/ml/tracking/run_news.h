// Which runs have changed lately, in the order of their last change: who follows runs asks what
// came since it last asked. Numbers go on over restarts (they begin with the time); who has been
// away for too long, or comes from another server, is told so. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"

namespace gyre::tracking {

class RunNews {
 public:
  static constexpr std::size_t kRunsMax = 16'384;

  RunNews();
  void Add(std::string_view run_id);
  // It is no longer in that experiment: moved, or removed.
  void Leave(std::string_view run_id, std::int64_t experiment);
  // More has changed than can be said.
  void Reset();

  struct Change {
    std::uint64_t number = 0;
    std::string run_id;
    std::int64_t left = 0;  // an experiment that it has left
  };
  struct Changes {
    std::vector<Change> changes;
    std::uint64_t newest = 0;
    bool lost = false;  // some are not known any more
  };
  std::uint64_t newest() const;
  // After that one, at most so many.
  Changes Since(std::uint64_t number, std::size_t most) const;

 private:
  struct Text {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void Put(std::string_view run_id, std::int64_t left) GYRE_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::uint64_t newest_ GYRE_GUARDED_BY(mutex_);
  std::uint64_t lost_ GYRE_GUARDED_BY(mutex_);  // who has not seen it lacks some
  std::map<std::uint64_t, Change> by_number_ GYRE_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::uint64_t, Text, std::equal_to<>> numbers_
      GYRE_GUARDED_BY(mutex_);
};

}  // namespace gyre::tracking
