#include "ml/pipelines/schedule.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "platform/config/settings.h"

namespace gyre::pipelines {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kDaysMax = 8 * 366;
constexpr std::size_t kDueMax = 1000;
constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

struct Field {
  std::string_view name;
  int min, max;
  std::span<const std::string_view> words;
  int first_word;
};

std::optional<int> ValueOf(const Field& field, std::string_view text) {
  const std::string lower = ToLower(text);
  const auto word = std::ranges::find(field.words, lower);
  if (word != field.words.end())
    return field.first_word + static_cast<int>(word - field.words.begin());
  const auto number = ParseInt(text);
  if (!number || *number < field.min || *number > field.max) return std::nullopt;
  return static_cast<int>(*number);
}

Error BadField(const Field& field, std::string_view text) {
  return InvalidArgument("GY4742", "`{}` is no {} of a schedule", text, field.name)
      .Fix(fmt::format("{} to {}, lists 1,2, ranges 1-5, steps */2", field.min, field.max));
}

// "*", "5", "1-5", "*/15", "9-17/2", and lists of these.
template <std::size_t Size>
Result<bool> ReadField(const Field& field, std::string_view text, std::bitset<Size>* values) {
  bool any = false;
  for (const std::string_view item : Split(text, ',')) {
    const std::size_t slash = item.find('/');
    const std::string_view range = item.substr(0, slash);
    const auto step = slash == std::string_view::npos ? std::optional<std::int64_t>(1)
                                                      : ParseInt(item.substr(slash + 1));
    if (!step || *step < 1 || *step > field.max) return BadField(field, item);
    int from = field.min, to = field.max;
    const std::size_t dash = range.find('-');
    if (range == "*") {
      any = any || *step == 1;
    } else if (dash != std::string_view::npos) {
      const auto low = ValueOf(field, range.substr(0, dash));
      const auto high = ValueOf(field, range.substr(dash + 1));
      if (!low || !high || *low > *high) return BadField(field, item);
      from = *low;
      to = *high;
    } else {
      const auto one = ValueOf(field, range);
      if (!one) return BadField(field, item);
      from = *one;
      if (slash == std::string_view::npos) to = *one;
    }
    for (int value = from; value <= to; value += static_cast<int>(*step))
      values->set(static_cast<std::size_t>(value) % Size);
  }
  return any;
}

std::string_view Spelled(std::string_view text) {
  if (text == "@hourly") return "0 * * * *";
  if (text == "@daily" || text == "@midnight") return "0 0 * * *";
  if (text == "@weekly") return "0 0 * * 0";
  if (text == "@monthly") return "0 0 1 * *";
  if (text == "@yearly" || text == "@annually") return "0 0 1 1 *";
  return text;
}

}  // namespace

Result<Cadence> Cadence::Parse(std::string_view text) {
  text = Spelled(Trim(text));
  Cadence cadence;
  if (text.starts_with("every ")) {
    const auto seconds = config::ParseSeconds(Trim(text.substr(6)));
    if (!seconds || *seconds < 1 || *seconds > 1e9)
      return InvalidArgument("GY4742", "`{}` is no interval", text).Fix("every 6h, every 15m");
    cadence.every_us_ = static_cast<std::int64_t>(*seconds * kMicrosPerSecond);
    return cadence;
  }
  std::vector<std::string_view> fields;
  for (const std::string_view field : Split(text, ' ')) {
    if (!field.empty()) fields.push_back(field);
  }
  if (fields.size() != 5)
    return InvalidArgument("GY4742", "`{}` has {} fields, not 5", text, fields.size())
        .Fix("minute hour day-of-month month day-of-week: `0 3 * * *`; or `every 6h`");
  GYRE_TRY([[maybe_unused]] const bool any_minute,
           ReadField({"minute", 0, 59, {}, 0}, fields[0], &cadence.minutes_));
  GYRE_TRY(cadence.any_hour_, ReadField({"hour", 0, 23, {}, 0}, fields[1], &cadence.hours_));
  GYRE_TRY(cadence.any_day_, ReadField({"day of month", 1, 31, {}, 0}, fields[2], &cadence.days_));
  GYRE_TRY([[maybe_unused]] const bool any_month,
           ReadField({"month", 1, 12, kMonths, 1}, fields[3], &cadence.months_));
  // 7 is Sunday too; the set has room for 0 to 6.
  GYRE_TRY(cadence.any_weekday_,
           ReadField({"day of week", 0, 7, kWeekdays, 0}, fields[4], &cadence.weekdays_));
  return cadence;
}

bool Cadence::Matches(std::int64_t day) const {
  const CivilTime civil = ToCivil(day * kDaySeconds * kMicrosPerSecond);
  if (!months_.test(static_cast<std::size_t>(civil.month))) return false;
  const bool by_day = days_.test(static_cast<std::size_t>(civil.day));
  const bool by_weekday = weekdays_.test(static_cast<std::size_t>((civil.weekday + 1) % 7));
  if (any_day_) return by_weekday;
  return any_weekday_ ? by_day : by_day || by_weekday;
}

namespace {

std::int64_t LocalDay(std::int64_t time_us, const TimeZone& zone) {
  const std::int64_t time_s = time_us / kMicrosPerSecond, local_s = time_s + zone.OffsetAt(time_s);
  return (local_s - (local_s % kDaySeconds + kDaySeconds) % kDaySeconds) / kDaySeconds;
}

}  // namespace

std::int64_t Cadence::NextAfter(std::int64_t after_us, std::int64_t begin_us,
                                const TimeZone& zone) const {
  if (every_us_ > 0) {
    if (after_us < begin_us) return begin_us;
    return begin_us + ((after_us - begin_us) / every_us_ + 1) * every_us_;
  }
  // From the day before: at a change of the clocks local days overlap.
  std::int64_t day = LocalDay(after_us, zone) - 1;
  std::int64_t best_s = 0;
  std::vector<std::int64_t> times_s;
  for (const std::int64_t last = day + kDaysMax; day <= last; ++day) {
    times_s.clear();
    AddTimesOf(day, zone, &times_s);
    for (const std::int64_t time_s : times_s) {
      if (time_s * kMicrosPerSecond > after_us && (best_s == 0 || time_s < best_s)) best_s = time_s;
    }
    // A day later nothing can be earlier.
    if (best_s != 0 && best_s + zone.OffsetAt(best_s) < (day + 1) * kDaySeconds)
      return best_s * kMicrosPerSecond;
  }
  return best_s * kMicrosPerSecond;
}

// The moments of one local day.
void Cadence::AddTimesOf(std::int64_t day, const TimeZone& zone,
                         std::vector<std::int64_t>* times_s) const {
  if (!Matches(day)) return;
  for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
    if (!hours_.test(hour)) continue;
    for (std::size_t minute = 0; minute < minutes_.size(); ++minute) {
      if (!minutes_.test(minute)) continue;
      const std::int64_t local =
          day * kDaySeconds + static_cast<std::int64_t>(hour * 3600 + minute * 60);
      std::vector<std::int64_t> moments = zone.MomentsOf(local);
      if (moments.empty() && !any_hour_) moments = {zone.EndOfGap(local)};
      if (moments.size() > 1 && !any_hour_) moments.resize(1);
      times_s->insert(times_s->end(), moments.begin(), moments.end());
    }
  }
}

std::vector<std::int64_t> Cadence::TimesBetween(std::int64_t after_us, std::int64_t until_us,
                                                std::int64_t begin_us, const TimeZone& zone) const {
  std::vector<std::int64_t> times;
  if (every_us_ > 0) {
    for (std::int64_t at_us = NextAfter(after_us, begin_us, zone); at_us <= until_us;
         at_us += every_us_)
      times.push_back(at_us);
    return times;
  }
  for (std::int64_t day = LocalDay(after_us, zone) - 1; day <= LocalDay(until_us, zone) + 1; ++day)
    AddTimesOf(day, zone, &times);
  for (std::int64_t& time : times) time *= kMicrosPerSecond;
  std::erase_if(times, [&](std::int64_t at_us) { return at_us <= after_us || at_us > until_us; });
  std::ranges::sort(times);
  const auto twice = std::ranges::unique(times);  // two local times that one gap swallowed
  times.erase(twice.begin(), twice.end());
  return times;
}

std::int64_t Cadence::CountBetween(std::int64_t after_us, std::int64_t until_us,
                                   std::int64_t begin_us, const TimeZone& zone) const {
  if (until_us <= after_us) return 0;
  if (every_us_ > 0) {
    const std::int64_t first_us = NextAfter(after_us, begin_us, zone);
    return first_us > until_us ? 0 : (until_us - first_us) / every_us_ + 1;
  }
  const auto a_day = static_cast<std::int64_t>(hours_.count() * minutes_.count());
  const auto is_plain = [&](std::int64_t day) {  // no clock is changed on it or beside it
    return zone.OffsetAt((day - 1) * kDaySeconds) == zone.OffsetAt((day + 2) * kDaySeconds);
  };
  std::int64_t count = 0, from_us = after_us;
  const std::int64_t last = LocalDay(until_us, zone);
  for (std::int64_t day = LocalDay(after_us, zone) + 1; day < last; ++day) {
    if (!is_plain(day)) continue;
    // Midnight of a plain day is no more than its own, and neither is that of the next.
    const std::int64_t midnight_us = zone.MomentsOf(day * kDaySeconds)[0] * kMicrosPerSecond;
    if (from_us < midnight_us - 1)
      count += std::ssize(TimesBetween(from_us, midnight_us - 1, begin_us, zone));
    if (Matches(day)) count += a_day;
    from_us = midnight_us + kDaySeconds * kMicrosPerSecond - 1;
  }
  return count + std::ssize(TimesBetween(from_us, until_us, begin_us, zone));
}

Result<CatchUp> ParseCatchUp(std::string_view text) {
  if (text == "none") return CatchUp::kNone;
  if (text == "last") return CatchUp::kLast;
  if (text == "all") return CatchUp::kAll;
  return InvalidArgument("GY4743", "`{}` is no way to catch up", text).Fix("none, last or all");
}

Result<Overlap> ParseOverlap(std::string_view text) {
  if (text == "skip") return Overlap::kSkip;
  if (text == "queue") return Overlap::kQueue;
  if (text == "cancel") return Overlap::kCancel;
  return InvalidArgument("GY4743", "`{}` is no rule for overlaps", text)
      .Fix("skip, queue or cancel");
}

std::string_view CatchUpName(CatchUp catch_up) {
  constexpr std::string_view kNames[] = {"none", "last", "all"};
  return kNames[static_cast<std::size_t>(catch_up)];
}

std::string_view OverlapName(Overlap overlap) {
  constexpr std::string_view kNames[] = {"skip", "queue", "cancel"};
  return kNames[static_cast<std::size_t>(overlap)];
}

DueTimes DueBetween(const Cadence& cadence, const TimeZone& zone, std::int64_t begin_us,
                    std::int64_t last_us, std::int64_t now_us, CatchUp catch_up,
                    std::int64_t grace_us) {
  DueTimes found;
  std::vector<std::int64_t> late;
  // As far back as it takes to find as many as are told; what lies before that is only counted.
  std::int64_t back_us = grace_us + static_cast<std::int64_t>(kDueMax) * kMicrosPerSecond;
  while (now_us - back_us > last_us &&
         cadence.CountBetween(now_us - back_us, now_us - grace_us, begin_us, zone) <
             static_cast<std::int64_t>(kDueMax))
    back_us *= 2;
  const std::int64_t from_us = std::max(last_us, now_us - back_us);
  found.missed = cadence.CountBetween(last_us, from_us, begin_us, zone);
  for (const std::int64_t at_us : cadence.TimesBetween(from_us, now_us, begin_us, zone))
    (at_us + grace_us >= now_us ? found.due_us : late).push_back(at_us);
  if (late.size() > kDueMax) {  // the oldest are passed over
    const auto over = std::ssize(late) - static_cast<std::ptrdiff_t>(kDueMax);
    late.erase(late.begin(), late.begin() + over);
    found.missed += over;
  }
  found.next_us = cadence.NextAfter(std::max(last_us, now_us), begin_us, zone);
  if (catch_up == CatchUp::kNone || late.empty()) {
    found.missed += static_cast<std::int64_t>(late.size());
  } else if (catch_up == CatchUp::kAll) {
    found.due_us.insert(found.due_us.begin(), late.begin(), late.end());
  } else {  // one run stands for all that was missed, unless one is due now anyway
    found.missed += static_cast<std::int64_t>(late.size());
    if (found.due_us.empty()) {
      found.due_us.push_back(late.back());
      --found.missed;
    }
  }
  return found;
}

}  // namespace gyre::pipelines
