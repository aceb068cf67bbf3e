// What one look at a monitor has to judge, batch by batch: windows that are new, and those that are
// judged again since labels or late rows have come. Bounded, so that a task ends within its time
// and memory; one that does not is followed by smaller ones. Pure. Private.
//
// What fits one batch is judged in the order of time, again before new. Where it does not, or did
// not the last time, new windows go first: they wait for nothing that happened long ago.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "ml/monitoring/monitors.h"

namespace gyre::monitoring {

// How much of a monitor one task takes; kept from look to look.
struct BatchSize {
  static constexpr std::int64_t kRowsMax = 1'000'000, kWindowsMax = 32;
  std::int64_t rows = kRowsMax, windows = kWindowsMax;
  std::int64_t failed_us = 0;  // how long the last one took that was too large
  bool whole() const { return windows == kWindowsMax; }
};

class Backlog {
 public:
  struct Batch {
    std::vector<JudgedWindow> again = {};
    bool fresh = false;  // windows that are new, too
    BatchSize size = {};
  };
  // `again`: oldest first. `size` outlives it.
  Backlog(std::vector<JudgedWindow> again, BatchSize* size)
      : again_(std::move(again)), size_(size) {}

  // Nothing: all is judged, or can not be.
  std::optional<Batch> Next() const;
  // `more`: there are further new windows.
  void Done(const Batch& batch, bool more, std::int64_t took_us);
  // Too large: the next one is half of it. A window that is too large by itself is left as it is,
  // and the others go on; any other error ends the look.
  void Failed(const Batch& batch, Error error, std::int64_t took_us);

  const std::vector<JudgedWindow>& again() const { return again_; }  // those that wait
  const std::optional<Error>& failure() const { return failure_; }   // why not all are judged

 private:
  void Halve(const Batch& batch, std::int64_t took_us);

  std::vector<JudgedWindow> again_;
  BatchSize* const size_;
  bool fresh_due_ = true;
  bool halved_ = false;
  int alone_ = 0;  // windows that were too large by themselves
  std::optional<Error> failure_;
};

}  // namespace gyre::monitoring
