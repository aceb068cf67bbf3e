// What nobody tells a trigger of: files that have come, times that are due. Private.
#pragma once

#include <cstdint>
#include <vector>

#include "ml/automation/automation.h"

namespace gyre::automation {

struct Seen {
  std::vector<Occurrence> occurrences;
  std::int64_t looked_us = 0;  // where the next look goes on
};
inline bool LooksOut(const TriggerSpec& spec) {
  return spec.enabled && (spec.on.cause == Cause::kFile || spec.on.cause == Cause::kSchedule);
}
// Since the last look, or since the trigger is there. What passed while nobody looked: each file,
// and the last of the due times, since a model needs no second retraining for yesterday. Errors:
// those of the folder.
Result<Seen> LookOut(const Trigger& trigger, std::int64_t last_us, std::int64_t now_us);

}  // namespace gyre::automation
