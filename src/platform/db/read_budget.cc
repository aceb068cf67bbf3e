#include "platform/db/read_budget.h"

#include <utility>

#include "base/time.h"

namespace gyre::db {
namespace {

thread_local ReadBudget* t_budget = nullptr;

}  // namespace

ReadBudget::ReadBudget(std::int64_t time_us, std::function<bool()> gone)
    : time_us_(time_us),
      ends_us_(SystemClock().MonotonicMicros() + time_us),
      gone_(std::move(gone)),
      outer_(std::exchange(t_budget, this)) {}

ReadBudget::~ReadBudget() { t_budget = outer_; }

std::optional<Error> ReadBudget::Ask() const {
  if (gone_()) {
    return MakeError(Code::kUnavailable, "GY1417", "the search was ended before it was done")
        .Why("its client has gone, or the server is stopping");
  }
  if (SystemClock().MonotonicMicros() < ends_us_) return std::nullopt;
  return MakeError(Code::kDeadlineExceeded, "GY1416", "the search takes too long")
      .Why(fmt::format("it was ended after {} s", time_us_ / kMicrosPerSecond))
      .Fix(
          "ask for less: fewer experiments, a later start, or a comparison with = that leaves few");
}

bool ReadBudget::Spent() {
  if (t_budget == nullptr) return false;
  if (!t_budget->why_) t_budget->why_ = t_budget->Ask();
  return t_budget->why_.has_value();
}

Result<> ReadBudget::Check() {
  if (!Spent()) return {};
  return *t_budget->why_;
}

}  // namespace gyre::db
