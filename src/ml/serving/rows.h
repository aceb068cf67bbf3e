// JSON rows straight into cells. One RowReader per thread; its memory is reused from request to
// request. Private.
//
// How a JSON value becomes a cell: null is missing. A number column takes numbers only; "34" in
// quotes is refused, because a caller who sends text where numbers belong sends "n/a" next. A
// whole-number column takes 34 and 34.0, not 34.5. A text column takes text, and numbers and
// booleans as they are spelled. A boolean column takes true, false, 0 and 1. Dates and times are
// ISO 8601 text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "ml/serving/route.h"
#include "ml/serving/snapshot.h"

namespace gyre::serving {

struct RowFacts {
  std::size_t rows = 0;
  std::size_t ignored = 0;  // values of columns that the model does not know, over all rows
  // What stood beside the rows, of each; valid until the next Read. One event time is of all rows.
  std::span<const std::int64_t> event_times_us = {};
  std::span<const std::string_view> inference_ids = {}, keys = {};
};

// An event of another century is a mistake of who sends it (milliseconds as seconds), and said. One
// that is ahead by less may be a clock that was set, and is answered: capture takes its arrival.
inline constexpr std::int64_t kEventAheadMax = 366 * kMicrosPerDay;
// `facts`, or kInvalidArgument GY3810.
Result<RowFacts> CheckEventTimes(const RowFacts& facts, std::int64_t now_us);

// Receives each row; the cells and their texts are valid during the call.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void Row(std::span<const table::Cell> cells) = 0;
};

class RowReader {
 public:
  RowReader();
  ~RowReader();
  // Errors: kInvalidArgument GY3810 the body, GY3811 a cell (row and column named; where() is
  // "inputs[0].age"), GY3812 too many rows.
  Result<RowFacts> Read(std::string_view body, const Snapshot& snapshot, std::size_t rows_max,
                        RowSink& sink);
  // A hash of a value of the body, for spreading requests by it: of a column in the first row, or
  // of a member beside the rows. 0 where there is none.
  std::uint64_t KeyOf(std::string_view body, Sticky::By by, std::string_view name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gyre::serving
