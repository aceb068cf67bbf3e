#include "gyre/budget_keeper.h"

#include <string>
#include <utility>

namespace gyre {
namespace {

using usage::BudgetState;
using usage::Crossing;

notices::NewNotice NoticeOf(const Crossing& crossing) {
  const BudgetState& state = crossing.state;
  const usage::Budget& budget = state.budget;
  const bool spent = crossing.percent >= 100;
  notices::NewNotice notice;
  notice.project = budget.project.empty() ? "default" : budget.project;
  notice.kind = spent ? "budget.spent" : "budget.warned";
  notice.severity = spent ? notices::Severity::kCritical : notices::Severity::kWarning;
  notice.title = fmt::format("budget {}: {:.0f} % spent", budget.name, state.percent());
  notice.text = fmt::format(
      "{} of {} {} per {}.{}", usage::MoneyText(state.spent_nanos),
      usage::MoneyText(budget.limit_nanos), state.currency, budget.period,
      spent && budget.stops ? " New runs, jobs and pipelines are refused until the period ends or "
                              "the limit is raised: gyre budgets set."
                            : "");
  notice.dedupe_key = fmt::format("budget/{}/{}/{}/{}", budget.name, state.from_us,
                                  budget.limit_nanos, crossing.percent);
  notice.payload = Json::Obj({{"budget", budget.name},
                              {"percent", crossing.percent},
                              {"spent_nanos", state.spent_nanos},
                              {"limit_nanos", budget.limit_nanos},
                              {"currency", state.currency},
                              {"period", budget.period},
                              {"from", FormatTime(state.from_us)}});
  return notice;
}

Result<> SayOne(const BudgetRooms& rooms, const Crossing& crossing) {
  const notices::NewNotice notice = NoticeOf(crossing);
  const std::string kind = notice.kind, project = notice.project;
  const std::string payload = notice.payload.Dump();
  const notices::Draft draft = notices::Compose(notice);
  return rooms.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const bool fresh, usage::Budgets::Say(tx, crossing, rooms.clock.NowMicros()));
    if (!fresh) return {};
    GYRE_TRY([[maybe_unused]] const auto published, rooms.notices.Publish(tx, draft));
    return rooms.events.Publish(tx, {.kind = kind,
                                     .project = project,
                                     .subject = crossing.state.budget.name,
                                     .payload = payload});
  });
}

bool Covers(const usage::Budget& budget, std::string_view project, std::string_view user) {
  return (budget.project.empty() || budget.project == project) &&
         (budget.user.empty() || budget.user == user);
}

Result<> StopRunning(const BudgetRooms& rooms, const usage::Budget& budget) {
  const bool pipelines = budget.subject_kind.empty() || budget.subject_kind == "pipeline_run";
  const std::string reason = fmt::format("budget {} is spent", budget.name);
  if (pipelines) {
    GYRE_TRY(const auto runs, rooms.pipelines.ListRuns({.state = "running", .limit = 1000}));
    for (const pipelines::RunView& run : runs) {
      if (Covers(budget, run.project, usage::UserOf(run.created_by)) && !run.cancel_asked)
        GYRE_DO(rooms.pipelines.Cancel(run.id, reason));
    }
  }
  for (const char* const state : {"queued", "running"}) {
    GYRE_TRY(const auto jobs, rooms.jobs.List({.state = state, .limit = 1000}));
    for (const runners::Job& job : jobs) {
      const bool is_training = job.kind == "training.train";
      const bool of_kind =
          budget.subject_kind.empty() || budget.subject_kind == (is_training ? "run" : "job");
      // What nobody asked for is gyre's own housekeeping.
      if (of_kind && !job.created_by.empty() &&
          Covers(budget, job.project, usage::UserOf(job.created_by)))
        GYRE_DO(rooms.jobs.Cancel(job.id, "budget " + budget.name));
    }
  }
  return {};
}

}  // namespace

Result<> KeepBudgets(const BudgetRooms& rooms) {
  GYRE_TRY(const std::vector<Crossing> reached, rooms.budgets.Reached());
  for (const Crossing& crossing : reached) GYRE_DO(SayOne(rooms, crossing));
  GYRE_TRY(const std::vector<BudgetState> states, rooms.budgets.List(std::nullopt));
  for (const BudgetState& state : states) {
    if (state.budget.stops_running && state.spent()) GYRE_DO(StopRunning(rooms, state.budget));
  }
  return {};
}

}  // namespace gyre
