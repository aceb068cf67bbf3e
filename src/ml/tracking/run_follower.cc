#include "ml/tracking/run_follower.h"

#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kLooksMax = 2'000, kRunsMax = 200;

// Whether it was in what is followed: of a run that is gone its experiment says whose it was.
Result<bool> HasLeft(db::Reader& reader, std::string_view project, const RunSubjects& subjects,
                     const RunNews::Change& change) {
  if (change.left == 0) return false;
  if (!subjects.all()) return subjects.experiments.contains(change.left);
  return reader.QueryOne("SELECT 1 FROM tracking_experiment WHERE number = ?1 AND project = ?2",
                         {change.left, project}, [](const db::Row&) {});
}

Result<> Take(db::Reader& reader, std::string_view project, const RunSubjects& subjects,
              const RunNews::Change& change, RunPatch* patch) {
  const bool named = subjects.runs.contains(change.run_id);
  const auto found = FindRun(reader, change.run_id);
  if (!found && found.error().code() != Code::kNotFound) return found.error();
  if (found && found->project != project) return {};
  if (found && (subjects.all() || named || subjects.experiments.contains(found->experiment)))
    return ReadRun(reader, change.run_id, &patch->runs.emplace_back());
  GYRE_TRY(const bool left, HasLeft(reader, project, subjects, change));
  if (left || (named && !found)) patch->gone.push_back(change.run_id);
  return {};
}

}  // namespace

Result<RunPatch> RunFollower::Look(std::string_view project, const RunSubjects& subjects,
                                   std::uint64_t seen) const {
  const RunNews::Changes news = stamps_.news().Since(seen, kLooksMax);
  RunPatch patch{.seen = seen, .lost = news.lost};
  if (news.lost) {
    patch.seen = news.newest;
    return patch;
  }
  if (news.changes.empty()) return patch;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    for (const RunNews::Change& change : news.changes) {
      GYRE_DO(Take(reader, project, subjects, change, &patch));
      patch.seen = change.number;
      if (patch.runs.size() == kRunsMax) return {};
    }
    return {};
  }));
  return patch;
}

}  // namespace gyre::tracking
