#include "base/time.h"

#include <fmt/core.h>
#include <time.h>

namespace gyre {
namespace {

class RealClock final : public Clock {
 public:
  std::int64_t NowMicros() const override { return Read(CLOCK_REALTIME); }
  std::int64_t MonotonicMicros() const override { return Read(CLOCK_MONOTONIC); }

 private:
  static std::int64_t Read(clockid_t id) {
    timespec t{};
    clock_gettime(id, &t);
    return t.tv_sec * kMicrosPerSecond + t.tv_nsec / 1000;
  }
};

bool IsLeap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

// Reads exactly `count` digits.
bool Digits(std::string_view* text, int count, int* value) {
  if (text->size() < static_cast<std::size_t>(count)) return false;
  *value = 0;
  for (int i = 0; i < count; ++i) {
    const char c = (*text)[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(static_cast<std::size_t>(count));
  return true;
}
bool Eat(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// Zone suffix in minutes; nullopt when malformed.
std::optional<int> ZoneMinutes(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const int sign = text[0] == '+' ? 1 : text[0] == '-' ? -1 : 0;
  if (sign == 0) return std::nullopt;
  text.remove_prefix(1);
  int hour = 0, minute = 0;
  if (!Digits(&text, 2, &hour)) return std::nullopt;
  if (!text.empty()) {
    Eat(&text, ':');
    if (!Digits(&text, 2, &minute) || !text.empty()) return std::nullopt;
  }
  if (hour > 14 || minute > 59) return std::nullopt;
  return sign * (hour * 60 + minute);
}

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

// Both directions after Howard Hinnant, "chrono-compatible low-level date algorithms".
std::int64_t DaysFromCivil(int year, int month, int day) {
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400;
  const std::int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}

CivilTime ToCivil(std::int64_t time_us) {
  std::int64_t days = time_us / kMicrosPerDay, rest = time_us % kMicrosPerDay;
  if (rest < 0) {
    rest += kMicrosPerDay;
    --days;
  }
  const std::int64_t z = days + 719468;
  const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t doe = z - era * 146097;
  const std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  CivilTime c{};
  c.day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  c.month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  c.year = static_cast<int>(yoe + era * 400 + (c.month <= 2 ? 1 : 0));
  const std::int64_t seconds = rest / kMicrosPerSecond;
  c.hour = static_cast<int>(seconds / 3600);
  c.minute = static_cast<int>(seconds / 60 % 60);
  c.second = static_cast<int>(seconds % 60);
  c.microsecond = static_cast<int>(rest % kMicrosPerSecond);
  c.weekday = static_cast<int>(((days + 3) % 7 + 7) % 7);
  c.day_of_year = static_cast<int>(days - DaysFromCivil(c.year, 1, 1) + 1);
  return c;
}

std::string FormatTime(std::int64_t time_us) {
  const CivilTime c = ToCivil(time_us);
  std::string text = fmt::format("{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}", c.year, c.month,
                                 c.day, c.hour, c.minute, c.second);
  if (c.microsecond != 0) text += fmt::format(".{:06d}", c.microsecond);
  return text + "Z";
}

std::optional<std::int64_t> ParseTime(std::string_view text) {
  int year = 0, month = 0, day = 0;
  if (!Digits(&text, 4, &year) || !Eat(&text, '-') || !Digits(&text, 2, &month) ||
      !Eat(&text, '-') || !Digits(&text, 2, &day))
    return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
  std::int64_t time_us = DaysFromCivil(year, month, day) * kMicrosPerDay;
  if (text.empty()) return time_us;
  if (!Eat(&text, 'T') && !Eat(&text, 't') && !Eat(&text, ' ')) return std::nullopt;
  int hour = 0, minute = 0, second = 0;
  if (!Digits(&text, 2, &hour) || !Eat(&text, ':') || !Digits(&text, 2, &minute))
    return std::nullopt;
  if (Eat(&text, ':') && !Digits(&text, 2, &second)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  time_us += (hour * 3600LL + minute * 60LL + second) * kMicrosPerSecond;
  if (Eat(&text, '.')) {
    std::int64_t scale = kMicrosPerSecond / 10;
    if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
      time_us += (text[0] - '0') * scale;
      scale /= 10;
      text.remove_prefix(1);
    }
  }
  const auto zone = ZoneMinutes(text);
  if (!zone) return std::nullopt;
  return time_us - *zone * 60LL * kMicrosPerSecond;
}

}  // namespace gyre
