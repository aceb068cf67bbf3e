// When something is due: five cron fields or an interval, in a time zone. Pure but for reading the
// zone; whoever keeps schedules asks with his own clock.
//
// Daylight saving: a time that the clocks jump over is due when they have jumped; a time that they
// show twice is due the first time. A cron line whose hour is `*` goes with the elapsed hours:
// nothing is due in hours that are jumped over, and it is due in both of those shown twice.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::pipelines {

// A zone of the system's IANA database, immutable.
class TimeZone {
 public:
  // "UTC", "Europe/Berlin". Error: kInvalidArgument GY4741 there is no such zone.
  static Result<TimeZone> Load(std::string_view name);
  const std::string& name() const { return name_; }
  // Seconds that local time is ahead at a moment.
  std::int64_t OffsetAt(std::int64_t time_s) const;
  // The moments at which clocks show a local time: none in a gap, two in an overlap, in order.
  std::vector<std::int64_t> MomentsOf(std::int64_t local_s) const;
  // The first moment after the gap that a local time lies in.
  std::int64_t EndOfGap(std::int64_t local_s) const;
  int MinuteOfDay(std::int64_t time_us) const;

 private:
  struct Transition {
    std::int64_t at_s = 0, offset_s = 0;
  };
  // One of two changes a year, from the file's footer: the weekday-th of a month at a local time.
  struct Change {
    int month = 0, week = 0, weekday = 0;
    std::int64_t at_s = 0;
  };
  bool ReadFile(std::string_view bytes);
  bool ReadFooter(std::string_view text);
  std::int64_t OffsetByRule(std::int64_t time_s) const;
  static std::int64_t LocalOf(const Change& change, int year);

  std::string name_;
  std::vector<Transition> transitions_;
  std::int64_t first_offset_s_ = 0;
  bool has_rule_ = false, rule_changes_ = false;
  std::int64_t standard_s_ = 0, summer_s_ = 0;
  Change to_summer_, to_standard_;
};

class Cadence {
 public:
  // "0 3 * * *", "*/15 9-17 * * MON-FRI", "@daily", "every 6h". When day of month and day of week
  // are both given, either will do. Error: kInvalidArgument GY4742 names the field.
  static Result<Cadence> Parse(std::string_view text);
  // The first time after that; 0 when there is none within eight years ("0 0 30 2 *"). An interval
  // counts from `begin_us`.
  std::int64_t NextAfter(std::int64_t after_us, std::int64_t begin_us, const TimeZone& zone) const;
  // After `after_us` and not after `until_us`, in order.
  std::vector<std::int64_t> TimesBetween(std::int64_t after_us, std::int64_t until_us,
                                         std::int64_t begin_us, const TimeZone& zone) const;
  // How many those are: days on which no clock is changed are not walked through.
  std::int64_t CountBetween(std::int64_t after_us, std::int64_t until_us, std::int64_t begin_us,
                            const TimeZone& zone) const;

 private:
  void AddTimesOf(std::int64_t day, const TimeZone& zone, std::vector<std::int64_t>* times_s) const;
  std::int64_t every_us_ = 0;  // > 0: an interval
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  // 0 = Sunday
  bool any_hour_ = false, any_day_ = false, any_weekday_ = false;
  bool Matches(std::int64_t day) const;
};

enum class CatchUp : unsigned char { kNone, kLast, kAll };      // of times that passed meanwhile
enum class Overlap : unsigned char { kSkip, kQueue, kCancel };  // while a run of before goes on
Result<CatchUp> ParseCatchUp(std::string_view text);            // GY4743
Result<Overlap> ParseOverlap(std::string_view text);            // GY4743
std::string_view CatchUpName(CatchUp catch_up);
std::string_view OverlapName(Overlap overlap);

struct DueTimes {
  std::vector<std::int64_t> due_us;  // to be run for, oldest first; at most 1,000
  std::int64_t missed = 0;           // passed over
  std::int64_t next_us = 0;          // when to look again; 0 = never
};
// What is due between the last look (exclusive) and now. A time counts as missed when it is more
// than `grace_us` past.
DueTimes DueBetween(const Cadence& cadence, const TimeZone& zone, std::int64_t begin_us,
                    std::int64_t last_us, std::int64_t now_us, CatchUp catch_up,
                    std::int64_t grace_us = 60'000'000);

}  // namespace gyre::pipelines
