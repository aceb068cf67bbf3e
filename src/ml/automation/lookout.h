// What nobody tells a trigger of: files that have come, times that are due. Private.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ml/automation/automation.h"
#include "ml/pipelines/schedule.h"

namespace gyre::automation {

// A trigger that looks out by itself, with what its looks need.
struct Lookout {
  Trigger trigger;
  std::optional<pipelines::Cadence> cadence{};  // of a schedule
  std::optional<pipelines::TimeZone> zone{};
  std::int64_t last_us = 0;  // of the last look that saw something
  std::int64_t next_us = 0;  // nothing is to be seen before
};
struct Seen {
  std::vector<Occurrence> occurrences{};
  std::int64_t looked_us = 0;  // where the next look goes on
  std::int64_t next_us = 0;
};
inline bool LooksOut(const TriggerSpec& spec) {
  return spec.enabled && (spec.on.cause == Cause::kFile || spec.on.cause == Cause::kSchedule);
}
// Errors: those of the cadence and the zone.
Result<Lookout> MakeLookout(const Trigger& trigger, std::int64_t last_us);
// Since the last look, or since the trigger is there. What passed while nobody looked: each file,
// and the last of the due times, since a model needs no second retraining for yesterday. Errors:
// those of the folder.
Result<Seen> LookOut(const Lookout& lookout, std::int64_t now_us);

}  // namespace gyre::automation
