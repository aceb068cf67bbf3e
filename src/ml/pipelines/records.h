// What is durable of a run. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace gyre::pipelines {

enum class State : unsigned char { kWaiting, kRunning, kSucceeded, kFailed, kSkipped, kCancelled };
std::string_view StateName(State state);
State StateFromName(std::string_view name);
inline bool HasEnded(State state) { return state >= State::kSucceeded; }

struct RunRecord {
  std::string id, project, pipeline;
  std::int64_t version = 0;  // 0 = from a file that was not added
  State state = State::kRunning;
  std::string reason, error;  // error: its code, "GY4617"
  Json params, outputs;
  std::string triggered_by, created_by;
  std::int64_t created_us = 0, ended_us = 0;
  double cpu_seconds = 0;
  bool cancel_asked = false;
  int retries = 0;    // how often somebody had it go on from what failed
  std::string trace;  // the span that it began in
};

// One task of a step: the step itself, or one item of its loop.
struct TaskRecord {
  int step = 0;            // index in the plan
  std::int64_t item = -1;  // -1 = no loop
  Json value;              // of the item
  State state = State::kWaiting;
  std::string reason, error;
  int attempts = 0;           // begun so far
  int tries = 0;              // of them, those that count: not lost, since the last retry by hand
  int losses = 0;             // in a row
  std::int64_t ready_us = 0;  // not before; a pause between attempts
  Json outputs;
  std::string cache_key, cached_from;  // run that made what was taken
  std::int64_t started_us = 0, ended_us = 0;
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
};

// Written before anything is begun; its nonce is what a result must show to be taken.
struct AttemptRecord {
  int step = 0;
  std::int64_t item = -1;
  int number = 1;
  std::string nonce;
  State state = State::kRunning;
  std::string reason;
  std::string reference;  // what it began: a job, another run
  int exit_code = 0;
  std::int64_t started_us = 0, ended_us = 0;
  double cpu_seconds = 0;
  std::int64_t memory_bytes_peak = 0;
};

}  // namespace gyre::pipelines
