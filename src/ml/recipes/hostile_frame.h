// Test data: frames full of values that break careless code, and a recipe that uses every
// operation.
#pragma once

#include <bit>
#include <string>
#include <string_view>

#include "base/random.h"
#include "platform/table/frame.h"

namespace gyre::recipes {

inline double HostileDouble(Random& random) {
  constexpr std::uint64_t kBits[] = {0x7ff800000000beef, 0xfff8000000000001,
                                     0x7ff0000000000001, 0,
                                     1ull << 63,         1,
                                     0x800fffffffffffff, 0x7ff0000000000000,
                                     0xfff0000000000000, 0x7fefffffffffffff,
                                     0xffefffffffffffff};
  if (random.Below(3) == 0) return std::bit_cast<double>(kBits[random.Below(std::size(kBits))]);
  return random.Below(2) == 0 ? std::bit_cast<double>(random.Next())
                              : static_cast<double>(random.Below(12)) - 3;
}
inline std::int64_t HostileInt(Random& random) {
  constexpr std::int64_t kValues[] = {
      INT64_MIN, INT64_MAX, 0, -1, 1, (std::int64_t{1} << 53) + 1, INT64_MIN + 1};
  return random.Below(3) == 0 ? kValues[random.Below(std::size(kValues))]
                              : static_cast<std::int64_t>(random.Below(15)) - 4;
}
inline std::string HostileText(Random& random) {
  constexpr std::string_view kTexts[] = {
      "",      " ",    "Paris",        "paris",      "Rome", "\xff\xfe",
      "a\xc3", "12.5", "true",         "2024-02-29", "-5",   "it's not good",
      "1e400", "nan",  "\xed\xa0\x80", "Ünïcödé",    "'''",  "a b c d e f"};
  std::string text(kTexts[random.Below(std::size(kTexts))]);
  if (random.Below(4) == 0) {
    for (std::uint64_t i = random.Below(30); i > 0; --i)
      text.push_back(static_cast<char>(random.Below(256)));
  }
  for (std::uint64_t i = random.Below(4); i > 0; --i)
    text += random.Below(2) == 0 ? " good film" : " bad 7";
  return text;
}
inline std::int64_t HostileDate(Random& random) {
  constexpr std::int64_t kDays[] = {11016,     19782,     -719'162,  2'932'896, -719'163,
                                    2'932'897, INT64_MIN, INT64_MAX, 0,         -1};
  return random.Below(4) == 0 ? kDays[random.Below(std::size(kDays))]
                              : static_cast<std::int64_t>(random.Below(40'000)) - 10'000;
}
inline std::int64_t HostileTime(Random& random) {
  return random.Below(4) == 0 ? HostileInt(random)
                              : HostileDate(random) % 100'000 * 86'400'000'000 +
                                    static_cast<std::int64_t>(random.Below(86'400'000'000));
}

inline table::Frame HostileFrame(std::uint64_t seed, std::size_t rows) {
  using table::Type;
  Random random(seed);
  table::Frame frame;
  constexpr std::pair<const char*, Type> kColumns[] = {
      {"d", Type::kDouble}, {"i", Type::kInt},    {"b", Type::kBool},
      {"t", Type::kText},   {"day", Type::kDate}, {"at", Type::kTimestamp}};
  for (const auto& [name, type] : kColumns) {
    table::Column column;
    column.name = name;
    column.type = type;
    for (std::size_t row = 0; row < rows; ++row) {
      if (random.Below(8) == 0) {
        column.PushNull();
      } else if (type == Type::kDouble) {
        column.PushDouble(HostileDouble(random));
      } else if (type == Type::kText) {
        column.PushText(HostileText(random));
      } else if (type == Type::kBool) {
        column.PushInt(static_cast<std::int64_t>(random.Below(2)));
      } else if (type == Type::kInt) {
        column.PushInt(HostileInt(random));
      } else {
        column.PushInt(type == Type::kDate ? HostileDate(random) : HostileTime(random));
      }
    }
    frame.columns.push_back(std::move(column));
  }
  return frame;
}

inline constexpr std::string_view kEveryOperation = R"(
input: {schema: {d: double, i: int, b: bool, t: text, day: date, at: timestamp}}
steps:
  - {id: n_d, op: number, in: d}
  - {id: n_i, op: number, in: i}
  - {id: n_b, op: number, in: b}
  - {id: mean, op: impute.mean, in: d}
  - {id: median, op: impute.median, in: i}
  - {id: mode_d, op: impute.mode, in: d}
  - {id: mode_i, op: impute.mode, in: i}
  - {id: mode_t, op: impute.mode, in: t}
  - {id: const_t, op: impute.constant, in: t, args: {value: none}}
  - {id: const_b, op: impute.constant, in: b, args: {value: true}}
  - {id: flag_d, op: missing.flag, in: d}
  - {id: flag_t, op: missing.flag, in: t}
  - {id: flag_at, op: missing.flag, in: at}
  - {id: std, op: scale.standard, in: mean}
  - {id: std_i, op: scale.standard, in: i}
  - {id: q_n, op: scale.quantile, in: d, args: {knots: 17}}
  - {id: q_u, op: scale.quantile, in: i, args: {to: uniform}}
  - {id: log, op: log1p, in: d}
  - {id: log_u, op: log1p, in: i, args: {signed: false}}
  - {id: clip_q, op: clip, in: d}
  - {id: clip_b, op: clip, in: i, args: {by: bounds, low: -2, high: 5}}
  - {id: hot_t, op: encode.onehot, in: t, args: {max: 5, missing: column}}
  - {id: hot_d, op: encode.onehot, in: d, args: {max: 4, rare: zeros}}
  - {id: hot_mode, op: encode.onehot, in: mode_t, args: {max: 3}}
  - {id: ord_t, op: encode.ordinal, in: t}
  - {id: ord_i, op: encode.ordinal, in: i, args: {order: [3, 1, 2], unseen: null, missing: -7}}
  - {id: ord_day, op: encode.ordinal, in: day}
  - {id: freq_t, op: encode.frequency, in: const_t}
  - {id: freq_d, op: encode.frequency, in: d}
  - {id: target_t, op: encode.target, in: t}
  - {id: target_i, op: encode.target, in: i, args: {smoothing: 0.5, unseen: missing}}
  - {id: hash_t, op: hash, in: t, args: {buckets: 7}}
  - {id: hash_d, op: hash, in: d, args: {buckets: 1000, to: number, seed: 9}}
  - {id: hash_i, op: hash, in: i}
  - {id: words, op: text.ngrams, in: t, args: {columns: 20}}
  - {id: chars, op: text.ngrams, in: t, args: {of: characters, min: 2, max: 4, columns: 30, select: frequency, weight: count, norm: none}}
  - {id: buckets, op: text.ngrams, in: t, args: {to: hash, columns: 32}}
  - {id: bayes, op: text.bayes, in: t}
  - {id: length, op: text.length, in: t}
  - {id: parts_day, op: datetime.parts, in: day}
  - {id: parts_at, op: datetime.parts, in: at, args: {parts: [year, month, day, weekday, hour, minute, day_of_year, is_weekend, epoch_days, epoch_seconds]}}
  - {id: hour, op: datetime.parts, in: at, args: {parts: [hour]}}
  - {id: hour_hot, op: encode.onehot, in: hour, args: {max: 24}}
  - {id: round_day, op: datetime.cyclic, in: day}
  - {id: round_at, op: datetime.cyclic, in: at, args: {parts: [hour, minute, day_of_year]}}
  - {id: t_double, op: cast, in: t, args: {to: double}}
  - {id: t_int, op: cast, in: t, args: {to: int}}
  - {id: t_bool, op: cast, in: t, args: {to: bool}}
  - {id: t_date, op: cast, in: t, args: {to: date}}
  - {id: t_date_parts, op: datetime.parts, in: t_date}
  - {id: t_time, op: cast, in: t, args: {to: timestamp}}
  - {id: t_time_parts, op: datetime.cyclic, in: t_time}
  - {id: d_text, op: cast, in: d, args: {to: text}}
  - {id: d_text_hot, op: encode.onehot, in: d_text, args: {max: 6}}
  - {id: i_text, op: cast, in: i, args: {to: text}}
  - {id: i_text_length, op: text.length, in: i_text}
  - {id: at_text, op: cast, in: at, args: {to: text}}
  - {id: at_text_hash, op: hash, in: at_text}
  - {id: d_int, op: cast, in: d, args: {to: int}}
  - {id: d_bool, op: cast, in: d, args: {to: bool}}
  - {id: at_day, op: cast, in: at, args: {to: date}}
  - {id: at_day_ord, op: encode.ordinal, in: at_day}
  - {id: day_at, op: cast, in: day, args: {to: timestamp}}
  - {id: day_at_parts, op: datetime.parts, in: day_at}
output:
  vector: [n_d, n_i, n_b, mean, median, mode_d, mode_i, const_b, flag_d, flag_t, flag_at, std, std_i, q_n, q_u, log, log_u, clip_q, clip_b,
           hot_t, hot_d, hot_mode, ord_t, ord_i, ord_day, freq_t, freq_d, target_t, target_i, hash_t, hash_d, hash_i, words, chars, buckets,
           bayes, length, parts_day, parts_at, hour, hour_hot, round_day, round_at, t_double, t_int, t_bool, t_date_parts, t_time_parts,
           d_text_hot, i_text_length, at_text_hash, d_int, d_bool, at_day_ord, day_at_parts]
)";

}  // namespace gyre::recipes
