// Which rows of an endpoint's traffic are judged together. Pure: the same traffic and watermark
// give the same windows, in whatever order rows arrived.
//
// Every window is a stretch of event time. One by count ends with the row that makes it full (rows
// of one moment stay together); one by time with its period, counted from 1970-01-01T00:00Z, and it
// is judged once the watermark has passed it by the lateness. Rows that come later belong to the
// window they lie in all the same, and it is judged again until it is final.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::monitoring {

// What becomes of a window by time that has fewer rows than a judgement takes.
enum class Few : unsigned char {
  kKeep,    // it stays as it is, and its signals say that they know too little
  kAppend,  // it goes on until it has enough
  kSkip,    // nobody judges it
};

struct WindowSpec {
  std::int64_t rows = 0;       // by count; 0 = by time
  std::int64_t period_us = 0;  // by time
  std::int64_t lateness_us = 0;
  std::int64_t rows_min = 0;
  Few few = Few::kAppend;
  bool by_time() const { return rows == 0; }
  friend bool operator==(const WindowSpec&, const WindowSpec&) = default;
};
// "500 rows", "1h, at least 500 rows": for people.
std::string WindowText(const WindowSpec& spec);
Json WindowSpecToJson(const WindowSpec& spec);
// A change that does not say of what a window is made is one of the present window by time. Error:
// GY4502 where that is by rows.
Result<Json> WholeWindow(const Json& change, const WindowSpec& present);
// {"rows"} or {"every": seconds, "lateness": seconds, "rows_min", "few": "keep|append|skip"}.
// Errors: kInvalidArgument GY4502 names the member.
Result<WindowSpec> WindowSpecFromJson(const Json& json);

// Rows of one moment, or of the period that begins then.
struct RowsAt {
  std::int64_t time_us = 0;
  std::int64_t rows = 0;
};
// The beginning of the period that a row lies in, or its own moment.
std::int64_t PlaceOf(const WindowSpec& spec, std::int64_t event_us);

// [begin, end) of event time.
struct Window {
  std::int64_t begin = 0, end = 0;
  std::int64_t rows = 0;
  bool closed = false;  // to be judged
  friend bool operator==(const Window&, const Window&) = default;
};

// Windows from `from` on; what was judged before ends there. `rows` ascending, without empty ones;
// where nothing came there is no window. The last one may be open.
std::vector<Window> AssignWindows(const WindowSpec& spec, std::int64_t from,
                                  std::span<const RowsAt> rows, std::int64_t watermark_us);

// Up to when all rows are there, as far as one can know: the newest event, and where traffic has
// ended, the end of its window by the time that has passed since. A clock that jumps closes that
// one window and no other.
std::int64_t Watermark(const WindowSpec& spec, std::int64_t newest_event_us,
                       std::int64_t newest_received_us, std::int64_t now_us);

// Where to go on: at the end of what was judged. If that lies ahead of the clock, the clock was set
// back: what comes now would be ignored until it has caught up.
std::int64_t GoOnFrom(const WindowSpec& spec, std::int64_t judged_us, std::int64_t now_us);

// How sure a judged window is: labels and late rows may still change a provisional one.
enum class WindowState : unsigned char { kOpen, kProvisional, kFinal };
std::string_view WindowStateName(WindowState state);
struct LabelsOf {
  std::int64_t rows = 0, labelled = 0;
  std::int64_t since_end_us = 0;  // between the end of the window and the watermark
  std::int64_t wait_us = 0;       // labels that come later change nothing any more
};
WindowState StateOf(const LabelsOf& labels);

}  // namespace gyre::monitoring
