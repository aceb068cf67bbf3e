// Times are microseconds since 1970-01-01T00:00:00Z (UTC), in std::int64_t, named *_us. Code that
// decides by time asks a Clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gyre {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t NowMicros() const = 0;        // wall clock; may jump
  virtual std::int64_t MonotonicMicros() const = 0;  // never goes back; for durations and deadlines
};
const Clock& SystemClock();

// "2026-11-21T08:12:30.123456Z"; the fraction is left out when it is zero.
std::string FormatTime(std::int64_t time_us);
// ISO 8601 date, or date and time ('T' or space), optional fraction, optional Z or +hh:mm. A time
// without zone is UTC.
std::optional<std::int64_t> ParseTime(std::string_view text);

struct CivilTime {
  int year, month, day, hour, minute, second, microsecond;
  int weekday;      // 0 = Monday ... 6 = Sunday
  int day_of_year;  // 1..366
};
CivilTime ToCivil(std::int64_t time_us);
std::int64_t DaysFromCivil(int year, int month, int day);  // proleptic Gregorian

}  // namespace gyre
