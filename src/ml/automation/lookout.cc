#include "ml/automation/lookout.h"

#include <algorithm>
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

Result<Seen> LookAtFolder(const Trigger& trigger, std::int64_t last_us, std::int64_t now_us) {
  const Listening& on = trigger.spec.on;
  GYRE_TRY(const auto files,
           FilesAtRest(on.subject, on.pattern, last_us, now_us, kRestMicros, kFilesPerLook));
  Seen seen{.looked_us = files.empty() ? last_us : files.back().changed_us};
  for (const RestingFile& file : files) {
    seen.occurrences.push_back(
        SeenBy(trigger, fmt::format("{} {} {}", file.name, file.changed_us, file.bytes),
               fmt::format("file {} in {}", file.name, on.subject)));
    seen.occurrences.back().file = file.name;
  }
  return seen;
}

Result<Seen> LookAtClock(const Trigger& trigger, std::int64_t last_us, std::int64_t now_us) {
  GYRE_TRY(const auto cadence, pipelines::Cadence::Parse(trigger.spec.on.at));
  GYRE_TRY(const auto zone, pipelines::TimeZone::Load(trigger.spec.on.zone));
  const pipelines::DueTimes due = pipelines::DueBetween(cadence, zone, trigger.created_us, last_us,
                                                        now_us, pipelines::CatchUp::kLast);
  Seen seen{.looked_us = std::max(last_us, now_us)};  // a clock that was put back is waited for
  for (const std::int64_t due_us : due.due_us) {
    const std::string when = FormatTime(due_us);
    seen.occurrences.push_back(SeenBy(trigger, when, fmt::format("due at {}", when)));
  }
  return seen;
}

}  // namespace

Result<Seen> LookOut(const Trigger& trigger, std::int64_t last_us, std::int64_t now_us) {
  return trigger.spec.on.cause == Cause::kFile ? LookAtFolder(trigger, last_us, now_us)
                                               : LookAtClock(trigger, last_us, now_us);
}

}  // namespace gyre::automation
