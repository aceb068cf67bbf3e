#include "ml/automation/lookout.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "ml/automation/watched_folder.h"
#include "ml/pipelines/schedule.h"

namespace gyre::automation {
namespace {

constexpr std::int64_t kRestMicros = 2 * kMicrosPerSecond;  // without a change: the file is whole
constexpr std::size_t kFilesPerLook = 1000;

Occurrence SeenBy(const Trigger& trigger, std::string key, std::string text) {
  Occurrence seen{.cause = trigger.spec.on.cause,
                  .project = trigger.project,
                  .subject = trigger.spec.on.subject};
  seen.key = std::move(key);
  seen.text = std::move(text);
  return seen;
}

Result<Seen> LookAtFolder(const Lookout& lookout, std::int64_t now_us) {
  const Trigger& trigger = lookout.trigger;
  const Listening& on = trigger.spec.on;
  GYRE_TRY(const auto files, FilesAtRest(on.subject, on.pattern, lookout.last_us, now_us,
                                         kRestMicros, kFilesPerLook));
  Seen seen{.looked_us = files.empty() ? lookout.last_us : files.back().changed_us};
  for (const RestingFile& file : files) {
    seen.occurrences.push_back(
        SeenBy(trigger, fmt::format("{} {} {}", file.name, file.changed_us, file.bytes),
               fmt::format("file {} in {}", file.name, on.subject)));
    seen.occurrences.back().file = file.name;
  }
  return seen;
}

Seen LookAtClock(const Lookout& lookout, std::int64_t now_us) {
  const pipelines::DueTimes due =
      pipelines::DueBetween(*lookout.cadence, *lookout.zone, lookout.trigger.created_us,
                            lookout.last_us, now_us, lookout.trigger.spec.on.catch_up);
  Seen seen{.looked_us = std::max(lookout.last_us, now_us),  // a clock put back is waited for
            .next_us = due.next_us == 0 ? INT64_MAX : due.next_us};
  for (const std::int64_t due_us : due.due_us) {
    const std::string when = FormatTime(due_us);
    seen.occurrences.push_back(SeenBy(lookout.trigger, when, fmt::format("due at {}", when)));
  }
  const bool all = lookout.trigger.spec.on.catch_up == pipelines::CatchUp::kAll;
  if (all && due.missed > 0 && !seen.occurrences.empty())
    seen.occurrences.front().text += fmt::format("; {} missed before it are left out", due.missed);
  return seen;
}

}  // namespace

Result<Lookout> MakeLookout(const Trigger& trigger, std::int64_t last_us) {
  Lookout lookout{.trigger = trigger, .last_us = last_us};
  if (trigger.spec.on.cause == Cause::kFile) return lookout;
  GYRE_TRY(lookout.cadence, pipelines::Cadence::Parse(trigger.spec.on.at));
  GYRE_TRY(lookout.zone, pipelines::TimeZone::Load(trigger.spec.on.zone));
  return lookout;
}

Result<Seen> LookOut(const Lookout& lookout, std::int64_t now_us) {
  if (lookout.trigger.spec.on.cause == Cause::kFile) return LookAtFolder(lookout, now_us);
  return LookAtClock(lookout, now_us);
}

}  // namespace gyre::automation
