// Zones from the system's compiled files (RFC 8536), with the rule at their end for the years that
// no transition is listed for.
#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "ml/pipelines/schedule.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::size_t kHeader = 44;
constexpr std::int64_t kFileBytesMax = 1 << 20;

std::int64_t BigEndian(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  if (width == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

struct Counts {
  std::int64_t utc, standard, leaps, times, types, chars;
  std::size_t Size(std::size_t time_width) const {
    return static_cast<std::size_t>(times) * (time_width + 1) +
           static_cast<std::size_t>(types) * 6 + static_cast<std::size_t>(chars) +
           static_cast<std::size_t>(leaps) * (time_width + 4) + static_cast<std::size_t>(standard) +
           static_cast<std::size_t>(utc);
  }
};

Counts ReadCounts(std::string_view bytes, std::size_t at) {
  const auto count = [&](std::size_t field) { return BigEndian(bytes, at + 20 + 4 * field, 4); };
  return {count(0), count(1), count(2), count(3), count(4), count(5)};
}

// Reads the POSIX description of a zone: "CET-1CEST,M3.5.0,M10.5.0/3".
struct Footer {
  std::string_view rest;
  bool Take(char c) {
    if (rest.empty() || rest[0] != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  bool SkipName() {
    std::size_t length = 0;
    if (Take('<')) {
      length = rest.find('>');
      if (length == std::string_view::npos) return false;
      rest.remove_prefix(length + 1);
      return true;
    }
    while (length < rest.size() && ((rest[length] | 32) >= 'a' && (rest[length] | 32) <= 'z'))
      ++length;
    rest.remove_prefix(length);
    return length > 0;
  }
  bool Number(std::int64_t* value) {
    std::size_t length = 0;
    while (length < rest.size() && rest[length] >= '0' && rest[length] <= '9') ++length;
    const auto number = ParseInt(rest.substr(0, length));
    if (!number) return false;
    *value = *number;
    rest.remove_prefix(length);
    return true;
  }
  // [+-]hh[:mm[:ss]] in seconds.
  bool Time(std::int64_t* seconds) {
    const bool negative = Take('-');
    if (!negative) Take('+');
    std::int64_t total = 0, part = 0;
    if (!Number(&part)) return false;
    total = part * 3600;
    if (Take(':') && Number(&part)) total += part * 60;
    if (Take(':') && Number(&part)) total += part;
    *seconds = negative ? -total : total;
    return true;
  }
};

}  // namespace

bool TimeZone::ReadFooter(std::string_view text) {
  Footer footer{text};
  std::int64_t west = 0;
  if (!footer.SkipName() || !footer.Time(&west)) return false;
  standard_s_ = summer_s_ = -west;
  has_rule_ = true;
  if (footer.rest.empty()) return true;
  if (!footer.SkipName()) return false;
  summer_s_ = standard_s_ + 3600;
  if (!footer.rest.empty() && footer.rest[0] != ',') {
    if (!footer.Time(&west)) return false;
    summer_s_ = -west;
  }
  for (Change* change : {&to_summer_, &to_standard_}) {
    std::int64_t month = 0, week = 0, weekday = 0;
    if (!footer.Take(',') || !footer.Take('M') || !footer.Number(&month) || !footer.Take('.') ||
        !footer.Number(&week) || !footer.Take('.') || !footer.Number(&weekday))
      return has_rule_ = false;
    *change = {static_cast<int>(month), static_cast<int>(week), static_cast<int>(weekday), 7200};
    if (footer.Take('/') && !footer.Time(&change->at_s)) return has_rule_ = false;
  }
  rule_changes_ = true;
  return true;
}

bool TimeZone::ReadFile(std::string_view bytes) {
  if (bytes.size() < kHeader || !bytes.starts_with("TZif") || bytes[4] < '2') return false;
  const std::size_t second = kHeader + ReadCounts(bytes, 0).Size(4);
  if (bytes.size() < second + kHeader || bytes.substr(second, 4) != "TZif") return false;
  const Counts counts = ReadCounts(bytes, second);
  const std::size_t times = second + kHeader;
  if (counts.types < 1 || bytes.size() < times + counts.Size(8)) return false;
  const auto count = static_cast<std::size_t>(counts.times);
  const std::size_t indexes = times + count * 8, types = indexes + count;
  const auto offset = [&](std::size_t type) { return BigEndian(bytes, types + 6 * type, 4); };
  first_offset_s_ = offset(0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto type = static_cast<unsigned char>(bytes[indexes + i]);
    if (type >= counts.types) return false;
    transitions_.push_back({BigEndian(bytes, times + i * 8, 8), offset(type)});
  }
  const std::string_view footer = Trim(bytes.substr(times + counts.Size(8)));
  return footer.empty() || ReadFooter(footer);
}

Result<TimeZone> TimeZone::Load(std::string_view name) {
  TimeZone zone;
  zone.name_ = name;
  if (name == "UTC") return zone;
  const bool plain = !name.empty() && name[0] != '/' && name.find("..") == std::string_view::npos &&
                     name.find('\0') == std::string_view::npos;
  const auto bytes =
      plain ? exec::ReadFile(fmt::format("/usr/share/zoneinfo/{}", name), kFileBytesMax)
            : Result<std::string>(std::string());
  if (!bytes || !zone.ReadFile(*bytes))
    return InvalidArgument("GY4741", "there is no time zone `{}`", name)
        .Fix("UTC, or a name such as Europe/Berlin (apt-get install tzdata)");
  return zone;
}

// The weekday-th day of a month; week 5 is the last.
std::int64_t TimeZone::LocalOf(const Change& change, int year) {
  const std::int64_t first = DaysFromCivil(year, change.month, 1);
  const std::int64_t next =
      change.month == 12 ? DaysFromCivil(year + 1, 1, 1) : DaysFromCivil(year, change.month + 1, 1);
  const std::int64_t first_weekday = ((first + 4) % 7 + 7) % 7;  // day 0 was a Thursday
  std::int64_t day = first + (change.weekday - first_weekday + 7) % 7 + 7 * (change.week - 1);
  while (day >= next) day -= 7;
  return day * kDay + change.at_s;
}

std::int64_t TimeZone::OffsetByRule(std::int64_t time_s) const {
  if (!rule_changes_) return standard_s_;
  const int year = ToCivil((time_s + standard_s_) * kMicrosPerSecond).year;
  const std::int64_t begins = LocalOf(to_summer_, year) - standard_s_;
  const std::int64_t ends = LocalOf(to_standard_, year) - summer_s_;
  const bool north = begins < ends;
  const bool summer = north ? time_s >= begins && time_s < ends : time_s >= begins || time_s < ends;
  return summer ? summer_s_ : standard_s_;
}

std::int64_t TimeZone::OffsetAt(std::int64_t time_s) const {
  if (transitions_.empty()) return has_rule_ ? OffsetByRule(time_s) : first_offset_s_;
  if (time_s >= transitions_.back().at_s && has_rule_) return OffsetByRule(time_s);
  const auto after = std::ranges::upper_bound(transitions_, time_s, {}, &Transition::at_s);
  return after == transitions_.begin() ? first_offset_s_ : std::prev(after)->offset_s;
}

std::vector<std::int64_t> TimeZone::MomentsOf(std::int64_t local_s) const {
  std::vector<std::int64_t> moments;
  for (const std::int64_t offset : {OffsetAt(local_s - kDay), OffsetAt(local_s + kDay)}) {
    const std::int64_t moment = local_s - offset;
    if (OffsetAt(moment) == offset && std::ranges::find(moments, moment) == moments.end())
      moments.push_back(moment);
  }
  std::ranges::sort(moments);
  return moments;
}

std::int64_t TimeZone::EndOfGap(std::int64_t local_s) const {
  std::int64_t before = local_s - kDay, after = local_s + kDay;
  const std::int64_t offset = OffsetAt(before);
  while (after - before > 1) {
    const std::int64_t middle = before + (after - before) / 2;
    (OffsetAt(middle) == offset ? before : after) = middle;
  }
  return after;
}

int TimeZone::MinuteOfDay(std::int64_t time_us) const {
  std::int64_t time_s = time_us / kMicrosPerSecond;
  time_s += OffsetAt(time_s);
  return static_cast<int>(((time_s % kDay) + kDay) % kDay / 60);
}

}  // namespace gyre::pipelines
