// What stands behind Automation: automation.cc keeps triggers and firings, reconciler.cc moves each
// firing on. Private.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "ml/automation/automation.h"
#include "ml/automation/lookout.h"
#include "platform/exec/thread_pool.h"

namespace gyre::automation {

// Firings of a trigger that are not at their end: more are not heard.
constexpr std::int64_t kUnderWayMax = 1'000;

// One drift is told by several monitors and signals: while a firing about the endpoint waits or
// runs, one answer is enough.
Result<> Hear(db::Transaction& tx, const Firing& firing);

Json Texts(const std::vector<std::string>& texts);
inline bool IsOfAnAlert(const Firing& firing) {
  const auto cause = ParseCause(firing.cause);
  return cause && SubjectKind(*cause) == "endpoint";
}

class AutomationService final : public Automation {
 public:
  AutomationService(db::Database& database, const Clock& clock, Below below, Settings settings)
      : database_(database), clock_(clock), below_(std::move(below)), settings_(settings) {}

  Result<> Start() override;
  void Stop() override { worker_ = exec::Worker(); }

  Result<std::string> PipelineOf(std::string_view project, const TriggerSpec& spec) override {
    return below_.check(project, spec);
  }
  Result<Trigger> Create(std::string_view project, TriggerSpec spec, std::string_view by) override;
  Result<Trigger> Replace(std::string_view project, TriggerSpec spec, std::string_view by) override;
  Result<> Remove(std::string_view project, std::string_view name) override;
  void TriggersChanged() override { lookouts_stale_ = true; }
  Result<Trigger> Get(std::string_view project, std::string_view name) override;
  Result<std::vector<Trigger>> List(std::string_view project) override;

  Result<int> Tell(const Occurrence& occurrence) override;
  Result<Firing> Fire(std::string_view project, std::string_view name, Occurrence occurrence,
                      std::string_view by) override;
  Result<Json> DryRun(std::string_view project, std::string_view name) override;
  Result<std::vector<Firing>> Firings(const FiringQuery& query) override;
  Result<Firing> GetFiring(std::string_view project, std::string_view id) override;
  Result<Firing> Approve(std::string_view project, std::string_view id, bool agreed,
                         std::string_view by, std::string_view comment) override;
  Result<std::int64_t> Forget(std::int64_t ended_before_us) override;
  Result<> Turn() override;

 private:
  Result<> CheckSubjects(std::string_view project, const TriggerSpec& spec);
  Result<> CheckIsThere(std::string_view project, std::string_view kind, std::string_view name);
  Firing NewFiring(const Trigger& trigger, const Occurrence& occurrence, std::string_view by) const;
  Result<std::optional<Below::Labels>> LabelsFor(const Trigger& trigger, const Firing& firing,
                                                 std::int64_t since_us);
  // What becomes of an incident that goes on although its firing has ended.
  struct Again {
    std::optional<Firing> next{};  // nothing: not now
    std::string why{};
  };
  using Alerts = std::vector<const StandingAlert*>;
  Result<Again> AskAgain(const Trigger& trigger, const Firing& answer, const Alerts& alerts);
  Result<> HearStanding() GYRE_REQUIRES(turn_mutex_);
  Result<> HearStandingOf(const Trigger& trigger, const std::vector<StandingAlert>& standing)
      GYRE_REQUIRES(turn_mutex_);
  Result<Json> CheckStanding(const Trigger& trigger, Json* action, Json* reason);
  Result<Decision> JudgeNow(const Trigger& trigger, const Firing& firing);
  Result<> Advance(Firing firing);
  Result<> CancelBeside(const Firing& firing, const Trigger& trigger);
  Result<> JudgeFiring(Firing firing, const Trigger& trigger);
  Result<> LaunchRun(Firing firing, const Trigger& trigger);
  Result<bool> WaitsForLabels(const Firing& firing, const Below::RunState& run);
  Result<> Follow(Firing firing);
  Result<> EndFiring(Firing firing, bool tells);
  Result<Json> ParamsOf(const Firing& firing, const Trigger& trigger);
  Result<> Save(const Firing& firing);
  Result<> SaveAndTell(const Firing& firing);
  Result<> LookFor(Lookout* lookout);
  Result<> LookAround() GYRE_REQUIRES(turn_mutex_);
  Result<> ReadLookouts() GYRE_REQUIRES(turn_mutex_);
  Result<> MindTheClock() GYRE_REQUIRES(turn_mutex_);
  Result<> AskForApproval(const Firing& firing, const Trigger& trigger);

  db::Database& database_;
  const Clock& clock_;
  const Below below_;
  const Settings settings_;
  Mutex turn_mutex_;                                       // one turn at a time
  std::int64_t look_us_ GYRE_GUARDED_BY(turn_mutex_) = 0;  // at folders, not before
  std::vector<Lookout> lookouts_ GYRE_GUARDED_BY(turn_mutex_);
  std::atomic<bool> lookouts_stale_{true};
  std::set<std::string> stood_ GYRE_GUARDED_BY(turn_mutex_);  // alerts that fired at the last look
  std::int64_t turned_us_ GYRE_GUARDED_BY(turn_mutex_) = 0;   // the last turn, by the clock
  exec::Worker worker_;
};

}  // namespace gyre::automation
