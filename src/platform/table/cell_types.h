// What a raw cell may be, and its value. Pure functions, used by detection, inference and
// conversion alike. Private to platform/table.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "platform/table/formats.h"
#include "platform/table/frame.h"
#include "platform/table/records.h"

namespace gyre::table {

// A set of bits: everything that a text could be.
using KindSet = std::uint16_t;
constexpr KindSet kTextKind = 1, kIntKind = 2, kDoubleKind = 4, kBoolKind = 8, kDateKind = 16,
                  kTimestampKind = 32;
constexpr KindSet kMonthFirstKind = 64, kDayFirstKind = 128;  // 12/31/2011, 31/12/2011
constexpr KindSet kIdKind = 256;  // digits that a number would lose: 00123, more than 64 bits
constexpr int kKindCount = 9;

// Of a trimmed text that is not missing. Always includes kTextKind.
KindSet ClassifyText(std::string_view text, char decimal_point);

// Words for "missing". In text columns only those that are hardly ever meant as a value.
enum class MissingIn : unsigned char { kText, kTyped };
bool IsMissingToken(std::string_view text, MissingIn where);

// How the cells of one column are read.
struct ColumnPlan {
  Type type = Type::kText;
  bool undecided = false;  // nothing but missing values so far
  char decimal_point = '.';
  DateOrder date_order = DateOrder::kYearFirst;
};

enum class CellOutcome : unsigned char { kValue, kMissing, kMissingToken, kBad };
struct CellValue {
  CellOutcome outcome = CellOutcome::kMissing;
  std::int64_t i = 0;
  double d = 0;
  std::string_view text;
};
CellValue ParseCell(const RawCell& cell, const ColumnPlan& plan);

// Counts of what the cells of a column could be.
struct KindCounts {
  std::int64_t filled = 0, missing = 0;
  std::array<std::int64_t, kKindCount> kinds = {};
  void Add(const RawCell& cell, char decimal_point);
  void AddKnown(KindSet kinds, std::int64_t count);
  std::int64_t of(KindSet kind) const;
};
// Kinds that every cell of a column read by `plan` certainly has.
KindSet KindsOf(const ColumnPlan& plan);

struct Decision {
  ColumnPlan plan;
  std::int64_t bad =
      0;  // cells that are not of the type: an error, missing, or quarantined, as asked
  bool mixed = false;  // mostly numbers or dates, yet read as text
};
// When at least 95 % of the filled cells are numbers (dates, ...), the rest counts as bad cells;
// below that the column is text.
Decision Decide(const KindCounts& counts, char decimal_point);

}  // namespace gyre::table
