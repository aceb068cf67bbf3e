// The SQL of this module. Private.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/automation/automation.h"

namespace gyre::automation {

Result<> InsertTrigger(db::Transaction& tx, const Trigger& trigger, std::string_view spec);
Result<> UpdateTrigger(db::Transaction& tx, const Trigger& trigger, std::string_view spec);
// Into the trash, with its firings. Errors: kFailedPrecondition GY4816 while a run of it goes on.
Result<> RemoveTrigger(db::Transaction& tx, const Trigger& trigger, std::string_view by,
                       std::int64_t now_us);
Result<std::optional<Trigger>> FindTrigger(db::Reader& reader, std::string_view project,
                                           std::string_view name);
Result<std::vector<Trigger>> ListTriggers(db::Reader& reader,
                                          std::string_view project);  // "" = all

// What somebody agreed to, or is asked to, is what the trigger said then: firings that have not
// started are judged and asked for anew.
Result<> AskAnew(db::Transaction& tx, std::string_view trigger_id);

// False when the trigger has heard of that occurrence before.
Result<bool> InsertFiring(db::Transaction& tx, const Firing& firing);
// The same, for an occurrence that a firing under way answers.
Result<bool> JoinFiring(db::Transaction& tx, const Firing& occurrence, std::string_view firing_id);
// The oldest of the trigger about that subject that waits or runs.
Result<std::optional<Firing>> FindUnderWay(db::Reader& reader, const Firing& firing);
// What joined a firing that has ended without an answer joins the one that goes on, or (`starts`)
// begins one of its own, which `begin` makes ready. How many.
Result<int> PassOn(db::Transaction& tx, const Firing& ended, bool starts,
                   const std::function<void(Firing*)>& begin);
Result<std::vector<Joined>> JoinedTo(db::Reader& reader, std::string_view firing_id);
// In the lineage: that caused the run.
Result<> LinkCause(db::Transaction& tx, std::string_view project, const Joined& cause,
                   std::string_view run_id, std::int64_t now_us);
// State, guard, reason, checks, run, approval, outcome, cost and times.
Result<> UpdateFiring(db::Transaction& tx, const Firing& firing, std::string_view checks);
Result<std::optional<Firing>> FindFiring(db::Reader& reader, std::string_view id_or_beginning);
// Some of those that ended before that time: how many.
Result<std::int64_t> ForgetFirings(db::Transaction& tx, std::int64_t ended_before_us, int limit);
// Of an occurrence that the trigger has heard of.
Result<std::optional<Firing>> FindFiringOf(db::Reader& reader, std::string_view trigger_id,
                                           std::string_view key);
Result<std::vector<Firing>> ListFirings(db::Reader& reader, const FiringQuery& query);
// After the clock was set back: what seemed to lie ahead is now, so that nothing waits for it.
Result<> ForgetTheFuture(db::Transaction& tx, std::int64_t now_us, std::int64_t approval_us_max);
// Those that are not at their end and due: one of each trigger, then the next of each.
Result<std::vector<Firing>> DueFirings(db::Reader& reader, std::int64_t now_us, int limit);
// Those of the trigger that are not at their end.
Result<std::int64_t> CountUnderWay(db::Reader& reader, std::string_view trigger_id);
// The newest firing of the trigger that an alert of that endpoint began.
Result<std::optional<Firing>> FindAnswer(db::Reader& reader, std::string_view trigger_id,
                                         std::string_view subject);
// Of a firing of the trigger; empty = none goes on.
Result<std::string> RunOf(db::Reader& reader, std::string_view trigger_id);

// What guards ask of the past of one trigger.
struct History {
  std::vector<std::int64_t> starts_us;
  double cpu_seconds = 0;
  int failures_in_a_row = 0;
};
Result<History> HistoryOf(db::Reader& reader, std::string_view trigger_id, std::int64_t since_us);

constexpr std::string_view kStartsNow = "that starts now";  // in place of a run's id
constexpr std::string_view kCancelled = "cancelled";        // guard of a firing whose run was
constexpr std::string_view kPromoted = "promoted";          // an outcome
constexpr std::string_view kRefused = "refused";  // whose run can learn nothing of the rows

// When a schedule was looked at last; nothing when never.
Result<std::optional<std::int64_t>> LookedAt(db::Reader& reader, std::string_view trigger_id);
Result<> SetLookedAt(db::Transaction& tx, std::string_view trigger_id, std::int64_t looked_us);
// The run of another firing of the same trigger, or about the same subject of the project; empty =
// none goes on.
Result<std::string> RunningBeside(db::Reader& reader, const Firing& firing);

}  // namespace gyre::automation
