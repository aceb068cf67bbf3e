#include "gyre/maintenance.h"

namespace gyre {
native::Maintenance HouseKeeping(db::Database& database, blob::Store& blobs, events::Events& events,
                                 const Clock& clock, std::int64_t events_kept_us) {
  native::Maintenance maintenance;
  maintenance.collect = [&, events_kept_us](std::int64_t grace_us) -> Result<Json> {
    GYRE_TRY(const blob::CollectResult collected,
             blob::Collect(database, blobs, grace_us, clock.NowMicros()));
    GYRE_TRY(const std::int64_t trimmed, events.Trim(clock.NowMicros() - events_kept_us));
    return Json::Obj({{"blobs_removed", collected.removed},
                      {"bytes_removed", collected.removed_bytes},
                      {"blobs_kept", collected.kept},
                      {"events_removed", trimmed}});
  };
  maintenance.check = [&](bool deep) -> Result<Json> {
    GYRE_TRY(std::vector<std::string> problems, database.IntegrityProblems());
    GYRE_TRY(const blob::CheckResult blobs_checked, blob::Check(database, blobs, deep));
    problems.insert(problems.end(), blobs_checked.problems.begin(), blobs_checked.problems.end());
    Json list = Json::Arr();
    for (const std::string& problem : problems) list.Push(problem);
    return Json::Obj({{"sound", problems.empty()},
                      {"blobs", blobs_checked.objects},
                      {"problems", std::move(list)}});
  };
  return maintenance;
}

}  // namespace gyre
