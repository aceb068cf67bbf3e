#include "ledger/usage/budgets.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"
#include "ledger/usage/prices.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kMicrosPerDay = 24 * kMicrosPerHour;
constexpr std::array<std::string_view, 5> kPeriods = {"day", "week", "month", "year", "total"};
constexpr std::string_view kColumns =
    "SELECT name, project, user_name, subject_kind, limit_nanos, period, warn_percent, stops, "
    "stops_running, created_by, created_us FROM usage_budget ";

Budget MakeBudget(const db::Row& row) {
  return {.name = row.Str(0),
          .project = row.Str(1),
          .user = row.Str(2),
          .subject_kind = row.Str(3),
          .limit_nanos = row.Int(4),
          .period = row.Str(5),
          .warn_percent = row.Int(6),
          .stops = row.Bool(7),
          .stops_running = row.Bool(8),
          .created_by = row.Str(9),
          .created_us = row.Int(10)};
}

ReportFilter FilterOf(const Budget& budget) {
  ReportFilter filter;
  if (!budget.project.empty()) filter.projects = {budget.project};
  filter.subject_kind = budget.subject_kind;
  filter.user = budget.user;
  return filter;
}

Result<std::int64_t> CostBetween(db::Reader& reader, const Budget& budget, std::int64_t from_us,
                                 std::int64_t to_us) {
  ReportFilter filter = FilterOf(budget);
  filter.from_us = from_us;
  filter.to_us = to_us;
  std::int64_t nanos = 0;
  GYRE_DO(ForEachHour(reader, filter, [&](const HourRow& row, const PriceBook& book) {
    nanos += CostNanos(row.quantities, book);
  }));
  return nanos;
}

struct Closed {
  std::int64_t until_us = 0, nanos = 0;
};

Result<Closed> ReadClosed(db::Reader& reader, const Budget& budget, const Period& period) {
  Closed closed{period.from_us, 0};
  GYRE_TRY([[maybe_unused]] const bool found,
           reader.QueryOne("SELECT until_us, nanos FROM usage_budget_closed WHERE budget = ?1 AND "
                           "period_us = ?2",
                           {budget.name, period.from_us},
                           [&](const db::Row& row) { closed = {row.Int(0), row.Int(1)}; }));
  return closed;
}

Result<BudgetState> StateOf(db::Reader& reader, const Budget& budget, std::int64_t now_us) {
  const Period period = PeriodAt(budget.period, now_us);
  GYRE_TRY(const Closed closed, ReadClosed(reader, budget, period));
  GYRE_TRY(const std::int64_t open_nanos,
           CostBetween(reader, budget, closed.until_us, period.to_us));
  GYRE_TRY(const std::vector<PriceBook> books, ReadBooks(reader));
  return BudgetState{.budget = budget,
                     .from_us = period.from_us,
                     .to_us = period.to_us,
                     .spent_nanos = closed.nanos + open_nanos,
                     .currency = books.front().currency};
}

Result<std::vector<Budget>> ReadBudgets(db::Reader& reader) {
  return db::Collect<Budget>(reader, std::string(kColumns) + "ORDER BY name", {}, MakeBudget);
}

Result<std::vector<BudgetState>> ReadStates(db::Reader& reader, std::int64_t now_us) {
  GYRE_TRY(const std::vector<Budget> budgets, ReadBudgets(reader));
  std::vector<BudgetState> states;
  for (const Budget& budget : budgets) {
    GYRE_TRY(BudgetState state, StateOf(reader, budget, now_us));
    states.push_back(std::move(state));
  }
  return states;
}

Result<> CheckBudget(const Budget& budget) {
  GYRE_DO(CheckName("budget", budget.name));
  const auto refuse = [&](std::string_view rule) {
    return InvalidArgument("GY4132", "the budget {} cannot be: {}", budget.name, rule);
  };
  if (budget.limit_nanos <= 0) return refuse("its limit must be more than 0").Fix("--limit 50");
  if (std::ranges::find(kPeriods, budget.period) == kPeriods.end())
    return refuse(fmt::format("`{}` is no period", budget.period))
        .Fix("--per day, week, month, year or total");
  if (budget.warn_percent < 1 || budget.warn_percent > 100)
    return refuse("it warns at 1 to 100 percent of its limit").Fix("--warn 80%");
  if (budget.stops_running && !budget.stops)
    return refuse("what runs is stopped only where nothing new may begin")
        .Fix("--stop --stop-running");
  return {};
}

bool Covers(const Budget& budget, const NewWork& work) {
  return (budget.project.empty() || budget.project == work.project) &&
         (budget.user.empty() || budget.user == work.user) &&
         (budget.subject_kind.empty() || budget.subject_kind == work.subject_kind);
}

// The least multiple of the limit that is above what is spent.
std::int64_t RoomierLimit(const BudgetState& state) {
  const std::int64_t limit = state.budget.limit_nanos;
  return limit * std::max<std::int64_t>(2, state.spent_nanos / limit + 1);
}

Error SpentError(const BudgetState& state) {
  const std::string until =
      state.to_us == 0 ? "" : fmt::format("; the next begins {}", FormatTime(state.to_us));
  return MakeError(Code::kResourceExhausted, "GY4134", "budget {} is spent: {} of {} {} per {}",
                   state.budget.name, MoneyText(state.spent_nanos),
                   MoneyText(state.budget.limit_nanos), state.currency, state.budget.period)
      .Why(fmt::format("it refuses new runs, jobs and pipelines until its period ends{}", until))
      .Fix("gyre cost --by run                                  (what it went to)")
      .Fix(fmt::format("gyre budgets set {} --limit {}", state.budget.name,
                       DecimalText(RoomierLimit(state))));
}

Error NoBudget(std::string_view name) {
  return NotFound("GY4135", "there is no budget `{}`", name).Fix("gyre budgets");
}

}  // namespace

double BudgetState::percent() const {
  return 100 * static_cast<double>(spent_nanos) / static_cast<double>(budget.limit_nanos);
}

Period PeriodAt(std::string_view period, std::int64_t at_us) {
  const std::int64_t day = at_us / kMicrosPerDay;
  const auto days = [](std::int64_t from, std::int64_t to) {
    return Period{from * kMicrosPerDay, to * kMicrosPerDay};
  };
  if (period == "day") return days(day, day + 1);
  if (period == "week") {
    const std::int64_t monday = day - (day + 3) % 7;  // day 0 was a Thursday
    return days(monday, monday + 7);
  }
  if (period == "total") return {};
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  const auto number = [](std::chrono::year year, std::chrono::month month) {
    return std::chrono::sys_days{year / month / 1}.time_since_epoch().count();
  };
  if (period == "year")
    return days(number(date.year(), std::chrono::January),
                number(date.year() + std::chrono::years{1}, std::chrono::January));
  const auto next = std::chrono::year_month{date.year(), date.month()} + std::chrono::months{1};
  return days(number(date.year(), date.month()), number(next.year(), next.month()));
}

Result<> Admit(db::Transaction& tx, const NewWork& work, std::int64_t now_us) {
  GYRE_TRY(const std::vector<Budget> budgets, ReadBudgets(tx));
  for (const Budget& budget : budgets) {
    if (!budget.stops || !Covers(budget, work)) continue;
    GYRE_TRY(const BudgetState state, StateOf(tx, budget, now_us));
    if (state.spent()) return SpentError(state);
  }
  return {};
}

Result<> Budgets::Add(Budget budget) {
  GYRE_DO(CheckBudget(budget));
  budget.created_us = clock_.NowMicros();
  const auto written = database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "INSERT INTO usage_budget (name, project, user_name, subject_kind, limit_nanos, period, "
        "warn_percent, stops, stops_running, created_by, created_us) VALUES (?1, ?2, ?3, ?4, ?5, "
        "?6, ?7, ?8, ?9, ?10, ?11)",
        {budget.name, budget.project, budget.user, budget.subject_kind, budget.limit_nanos,
         budget.period, budget.warn_percent, budget.stops, budget.stops_running, budget.created_by,
         budget.created_us});
  });
  if (!written && written.error().code() == Code::kAlreadyExists)
    return MakeError(Code::kAlreadyExists, "GY4133", "there is a budget {} already", budget.name)
        .Fix(fmt::format("gyre budgets set {} --limit {}", budget.name,
                         DecimalText(budget.limit_nanos)));
  return written;
}

Result<std::vector<BudgetState>> Budgets::List(
    const std::optional<std::vector<std::string>>& projects) const {
  std::vector<BudgetState> states;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(states, ReadStates(reader, clock_.NowMicros()));
    return {};
  }));
  if (projects) {
    std::erase_if(states, [&](const BudgetState& state) {
      return std::ranges::find(*projects, state.budget.project) == projects->end();
    });
  }
  return states;
}

Result<BudgetState> Budgets::Get(std::string_view name) const {
  GYRE_TRY(std::vector<BudgetState> states, List(std::nullopt));
  for (BudgetState& state : states) {
    if (state.budget.name == name) return std::move(state);
  }
  return NoBudget(name);
}

Result<> Budgets::Change(std::string_view name, const std::function<Result<>(Budget*)>& change) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    Budget budget;
    GYRE_TRY(const bool there, tx.QueryOne(std::string(kColumns) + "WHERE name = ?1", {name},
                                           [&](const db::Row& row) { budget = MakeBudget(row); }));
    if (!there) return NoBudget(name);
    GYRE_DO(change(&budget));
    GYRE_DO(CheckBudget(budget));
    GYRE_DO(
        tx.Execute("UPDATE usage_budget SET limit_nanos = ?2, warn_percent = ?3, stops = ?4, "
                   "stops_running = ?5 WHERE name = ?1",
                   {budget.name, budget.limit_nanos, budget.warn_percent, budget.stops,
                    budget.stops_running}));
    // What was said of another limit is said anew.
    return tx.Execute("DELETE FROM usage_budget_said WHERE budget = ?1", {budget.name});
  });
}

Result<> Budgets::Remove(std::string_view name) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(tx.Execute("DELETE FROM usage_budget WHERE name = ?1", {name}));
    return tx.changes() == 0 ? Result<>(NoBudget(name)) : Result<>();
  });
}

// The last whole hour stays open: what ended in it may not be booked yet.
Result<> Budgets::CloseHours() {
  const std::int64_t now_us = clock_.NowMicros();
  const std::int64_t until_us = now_us - now_us % kMicrosPerHour - kMicrosPerHour;
  std::vector<Budget> budgets;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(budgets, ReadBudgets(reader));
    return {};
  }));
  for (const Budget& budget : budgets) {
    const Period period = PeriodAt(budget.period, now_us);
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(const Closed closed, ReadClosed(tx, budget, period));
      if (closed.until_us >= until_us) return {};
      GYRE_TRY(const std::int64_t nanos, CostBetween(tx, budget, closed.until_us, until_us));
      return tx.Execute(
          "INSERT INTO usage_budget_closed (budget, period_us, until_us, nanos) VALUES (?1, ?2, "
          "?3, ?4) ON CONFLICT (budget) DO UPDATE SET period_us = excluded.period_us, until_us = "
          "excluded.until_us, nanos = excluded.nanos",
          {budget.name, period.from_us, until_us, closed.nanos + nanos});
    }));
  }
  return {};
}

Result<std::vector<Crossing>> Budgets::Reached() {
  GYRE_DO(CloseHours());
  std::vector<Crossing> reached;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::vector<BudgetState> states, ReadStates(reader, clock_.NowMicros()));
    for (const BudgetState& state : states) {
      for (const std::int64_t percent : {state.budget.warn_percent, std::int64_t{100}}) {
        if (state.percent() < static_cast<double>(percent)) continue;
        GYRE_TRY(
            const bool said,
            reader.QueryOne("SELECT 1 FROM usage_budget_said WHERE budget = ?1 AND period_us "
                            "= ?2 AND percent = ?3",
                            {state.budget.name, state.from_us, percent}, [](const db::Row&) {}));
        const bool twice = !reached.empty() && reached.back().percent == percent &&
                           reached.back().state.budget.name == state.budget.name;
        if (!said && !twice) reached.push_back({state, percent});
      }
    }
    return {};
  }));
  return reached;
}

Result<bool> Budgets::Say(db::Transaction& tx, const Crossing& crossing, std::int64_t at_us) {
  GYRE_DO(
      tx.Execute("INSERT INTO usage_budget_said (budget, period_us, percent, spent_nanos, "
                 "at_us) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (budget, period_us, percent) "
                 "DO NOTHING",
                 {crossing.state.budget.name, crossing.state.from_us, crossing.percent,
                  crossing.state.spent_nanos, at_us}));
  return tx.changes() == 1;
}

}  // namespace gyre::usage
