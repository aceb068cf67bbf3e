// Limits on what may be spent in a period: they warn, and those that stop refuse new work in the
// transaction that would begin it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "ledger/usage/usage.h"
#include "platform/db/database.h"

namespace gyre::usage {

struct Budget {
  std::string name = {};
  // Whose costs count; empty = all.
  std::string project = {}, user = {}, subject_kind = {};
  std::int64_t limit_nanos = 0;
  std::string period = "month";  // day, week (from Monday), month, year, total; of UTC
  std::int64_t warn_percent = 80;
  bool stops = false;          // no new runs, jobs and pipelines once it is spent
  bool stops_running = false;  // and those that run are cancelled
  std::string created_by = {};
  std::int64_t created_us = 0;
};

struct BudgetState {
  Budget budget = {};
  std::int64_t from_us = 0, to_us = 0;  // the period that now is in; to_us 0 = without end
  std::int64_t spent_nanos = 0;
  std::string currency = {};
  bool spent() const { return spent_nanos >= budget.limit_nanos; }
  double percent() const;
};

// A threshold that a budget has reached in its period, and nobody has said so yet.
struct Crossing {
  BudgetState state = {};
  std::int64_t percent = 0;  // warn_percent or 100
};

// The period of a time: from, and to (0 = without end).
struct Period {
  std::int64_t from_us = 0, to_us = 0;
};
Period PeriodAt(std::string_view period, std::int64_t at_us);

// Work that somebody wants to begin, by what it will be booked as.
struct NewWork {
  std::string_view project, subject_kind, user;
};
// kResourceExhausted GY4134 names the budget that is spent. In the transaction that begins it.
Result<> Admit(db::Transaction& tx, const NewWork& work, std::int64_t now_us);

// Thread-safe.
class Budgets {
 public:
  Budgets(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  // Errors: kInvalidArgument GY4132 (what is wrong), kAlreadyExists GY4133.
  Result<> Add(Budget budget);
  // Of these projects (nothing = all, and those of no project), by name.
  Result<std::vector<BudgetState>> List(
      const std::optional<std::vector<std::string>>& projects) const;
  Result<BudgetState> Get(std::string_view name) const;  // kNotFound GY4135
  // Its limit, thresholds and what it stops, from what they are now. Errors: GY4132, GY4135, those
  // of `change`.
  Result<> Change(std::string_view name, const std::function<Result<>(Budget*)>& change);
  Result<> Remove(std::string_view name);  // GY4135
  // Thresholds reached and not said yet. Closes the hours that are over.
  Result<std::vector<Crossing>> Reached();
  // Whether this is the first to say it; in the transaction that does.
  static Result<bool> Say(db::Transaction& tx, const Crossing& crossing, std::int64_t at_us);

 private:
  Result<> CloseHours();

  db::Database& database_;
  const Clock& clock_;
};

}  // namespace gyre::usage
