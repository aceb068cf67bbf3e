// What bounds the reads of one thread: a time, and somebody who waits for what they find. A
// statement that runs ends soon after the budget is spent, with an error; whoever computes between
// rows for long asks too.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/error.h"

namespace gyre::db {

class ReadBudget {
 public:
  // `gone`: nobody waits any more. Asked often; must be quick.
  ReadBudget(std::int64_t time_us, std::function<bool()> gone);
  ~ReadBudget();
  ReadBudget(const ReadBudget&) = delete;
  ReadBudget& operator=(const ReadBudget&) = delete;

  // Of this thread; false where nothing bounds it. Once true, it stays so.
  static bool Spent();
  // Errors: kDeadlineExceeded GY1416, kUnavailable GY1417 when nobody waits.
  static Result<> Check();

 private:
  std::optional<Error> Ask() const;

  const std::int64_t time_us_, ends_us_;
  const std::function<bool()> gone_;
  std::optional<Error> why_;
  ReadBudget* const outer_;
};

}  // namespace gyre::db
