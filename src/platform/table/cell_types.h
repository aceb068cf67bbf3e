// What a raw cell may be, and its value. Pure functions, used by detection, inference and
// conversion alike. Private to platform/table.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/table/formats.h"
#include "platform/table/frame.h"
#include "platform/table/records.h"

namespace gyre::table {

// A set of bits: everything that a text could be.
using KindSet = std::uint32_t;
constexpr KindSet kTextKind = 1, kIntKind = 2, kDoubleKind = 4, kBoolKind = 8, kDateKind = 16,
                  kTimestampKind = 32;
constexpr KindSet kMonthFirstKind = 64, kDayFirstKind = 128;  // 12/31/2011, 31/12/2011
constexpr KindSet kIdKind = 256;  // digits that a number would lose: 00123, more than 64 bits
// A number as 1.234,5 or as 1,234.5; of these, one that only fits this way, and one that both ways
// make other numbers of.
constexpr KindSet kCommaKind = 512, kPointKind = 1024, kShowsCommaKind = 2048,
                  kShowsPointKind = 4096, kEitherKind = 8192;
constexpr KindSet kUnitKind = 16384;  // and the bits after it: with kUnits[0], ...
constexpr int kKindCount = 18;

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
  TextFormat format = TextFormat::kUsual;
  int unit = -1;             // with a number format: the one of kUnits that cells may have
  bool unit_always = false;  // that they all must have
  void SetFormat(ColumnFormat to);
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

// The kind that a column's good cells have, and how many filled cells are not of it.
KindSet KindFor(const ColumnPlan& plan);
std::int64_t BadCount(const KindCounts& counts, const ColumnPlan& plan);

struct Decision {
  ColumnPlan plan;
  std::int64_t bad =
      0;  // cells that are not of the type: an error, missing, or quarantined, as asked
  bool mixed = false;  // mostly numbers or dates, yet read as text
  // Of a column that was not read so: how most of its filled cells seem to be written.
  struct Seems {
    ColumnPlan plan;
    std::int64_t count = 0, filled = 0;
    bool either = false;         // 1,234 may be 1234 or 1.234
    std::int64_t with_unit = 0;  // numbers with the plan's unit
    bool mixed_units = false;    // and others that have it not
  } seems = {};
};
// When at least 95 % of the filled cells are numbers (dates, ...), the rest counts as bad cells;
// below that the column is text.
Decision Decide(const KindCounts& counts, char decimal_point);
// How a column is read whose type is given, perhaps with its format.
ColumnPlan PlanGiven(const KindCounts& counts, Type type, std::optional<TextFormat> format,
                     char decimal_point);
// Cells are numbers as 1.234,5 and as 1,234.5, but not the same ones, and no cell shows which.
bool FitsEitherWay(const KindCounts& counts);
// kDecimalComma or kDecimalPoint where a column that looks like numbers shows it without doubt.
std::optional<TextFormat> ShownForm(const KindCounts& counts);

}  // namespace gyre::table
