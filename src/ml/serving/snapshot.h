// What answers: a scorer with everything that can be computed before a request comes. Immutable.
// Private.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ml/serving/serving.h"
#include "ml/serving/variant_stats.h"

namespace gyre::serving {

struct Snapshot {
  SnapshotInfo info;
  SnapshotCounters counters = {};
  std::shared_ptr<VariantStats> stats;  // of the deployment; goes on over swaps
  std::uint64_t serial = 0;             // unique in this process
  std::map<std::string, std::uint32_t, std::less<>> columns;  // name -> index in input()
  std::vector<table::TextFormat> text_formats;                // by index in input()
  std::string head;                      // {"model":"churn:v1","inference_id":"
  std::vector<std::string> predictions;  // JSON of each class, typed as the target: "Yes", 3, true
  std::vector<std::string> keys;         // "Yes": as an object's key
  std::shared_ptr<const inference_log::Stream> stream;  // where answers are captured, or null
};

std::shared_ptr<const Snapshot> MakeSnapshot(
    SnapshotInfo info, SnapshotCounters counters,
    std::shared_ptr<VariantStats> stats = std::make_shared<VariantStats>(),
    std::shared_ptr<const inference_log::Stream> stream = nullptr);

std::int64_t ThreadCpuNanos();  // a system call

}  // namespace gyre::serving
