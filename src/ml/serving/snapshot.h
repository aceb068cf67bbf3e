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

namespace gyre::serving {

// Of the endpoint, not of the snapshot: they go on counting over swaps.
struct SnapshotCounters {
  telemetry::Counter* requests;
  telemetry::Counter* rows;
  telemetry::Counter* failed;
  telemetry::Counter* ignored;
  telemetry::Counter* bytes;
  telemetry::Counter* cpu_ns;
};

struct Snapshot {
  SnapshotInfo info;
  SnapshotCounters counters = {};
  std::uint64_t serial = 0;                                   // unique in this process
  std::map<std::string, std::uint32_t, std::less<>> columns;  // name -> index in input()
  std::vector<table::TextFormat> text_formats;                // by index in input()
  std::string head;                      // {"model":"churn:v1","inference_id":"
  std::vector<std::string> predictions;  // JSON of each class, typed as the target: "Yes", 3, true
  std::vector<std::string> keys;         // "Yes": as an object's key
  std::shared_ptr<const inference_log::Stream> stream;  // where answers are captured, or null
};

std::shared_ptr<const Snapshot> MakeSnapshot(
    SnapshotInfo info, SnapshotCounters counters,
    std::shared_ptr<const inference_log::Stream> stream = nullptr);

std::int64_t ThreadCpuNanos();  // a system call

// The table of what runs; replaced as a whole.
struct SnapshotTable {
  std::map<std::string, std::shared_ptr<const Snapshot>, std::less<>> by_name;
};

}  // namespace gyre::serving
