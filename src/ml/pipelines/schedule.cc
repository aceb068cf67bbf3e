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

std::int64_t Cadence::NextAfter(std::int64_t after_us, std::int64_t begin_us,
                                const TimeZone& zone) const {
  if (every_us_ > 0) {
    if (after_us < begin_us) return begin_us;
    return begin_us + ((after_us - begin_us) / every_us_ + 1) * every_us_;
  }
  const std::int64_t after_s = after_us / kMicrosPerSecond;
  // From the day before: at a change of the clocks local days overlap.
  const std::int64_t local_s = after_s + zone.OffsetAt(after_s);
  std::int64_t day =
      (local_s - (local_s % kDaySeconds + kDaySeconds) % kDaySeconds) / kDaySeconds - 1;
  std::int64_t best_s = 0;
  for (const std::int64_t last = day + kDaysMax; day <= last; ++day) {
    if (!Matches(day)) continue;
    for (std::size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_.test(hour)) continue;
      for (std::size_t minute = 0; minute < minutes_.size(); ++minute) {
        if (!minutes_.test(minute)) continue;
        const std::int64_t local =
            day * kDaySeconds + static_cast<std::int64_t>(hour * 3600 + minute * 60);
        std::vector<std::int64_t> moments = zone.MomentsOf(local);
        if (moments.empty() && !any_hour_) moments = {zone.EndOfGap(local)};
        if (moments.size() > 1 && !any_hour_) moments.resize(1);
        for (const std::int64_t moment : moments) {
          if (moment * kMicrosPerSecond > after_us && (best_s == 0 || moment < best_s))
            best_s = moment;
        }
      }
    }
    // A day later nothing can be earlier.
    if (best_s != 0 && best_s + zone.OffsetAt(best_s) < (day + 1) * kDaySeconds)
      return best_s * kMicrosPerSecond;
  }
  return best_s * kMicrosPerSecond;
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
  std::int64_t at_us = cadence.NextAfter(last_us, begin_us, zone);
  for (; at_us != 0 && at_us <= now_us; at_us = cadence.NextAfter(at_us, begin_us, zone)) {
    (at_us + grace_us >= now_us ? found.due_us : late).push_back(at_us);
    if (late.size() > kDueMax) {  // the oldest are passed over
      late.erase(late.begin());
      ++found.missed;
    }
  }
  found.next_us = at_us;
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
