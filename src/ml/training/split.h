// Which rows teach, which test: stratified, by time, or by group. Pure and deterministic.
//
// Test rows are a function of the data alone, never of a seed: whichever training made the
// champion, no challenger's test rows were among its training rows. Rows are taken by the smallest
// hash of their content (of their group), so a version that grew keeps nearly all of its test rows
// on the test side.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/training/target.h"

namespace gyre::training {

enum class SplitKind : unsigned char { kStratified, kTime, kGroup, kTimeGroup };
// The newest rows test.
constexpr bool InTime(SplitKind kind) {
  return kind == SplitKind::kTime || kind == SplitKind::kTimeGroup;
}
std::string_view SplitKindName(SplitKind kind);

// Rows are positions in Target (kept rows), so 0 .. target.rows() - 1.
struct SplitRequest {
  SplitKind kind = SplitKind::kStratified;
  const Target* target = nullptr;
  std::vector<double> time = {};  // InTime: when each row happened; NaN = unknown, taken as first
  std::vector<std::uint64_t> group = {};    // kGroup, kTimeGroup: rows of one number stay together
  std::vector<std::uint64_t> content = {};  // kStratified: a hash of each row's values
  // Not by time, where the newest rows test anyway: rows before that one only teach (or, of groups
  // that test, do neither); of a class that has no row since, they test too. Of the rows since, a
  // quarter tests, if that is more than by size.
  std::size_t test_from = 0;
  double test_share = 0;  // 0 = by size: a tenth, at least 50 of a small table, at most 10,000
};
struct Split {
  std::vector<std::uint32_t> train, test;  // ascending; InTime in the order of time
};
// Errors: kInvalidArgument GY3505 when a part would be empty.
Result<Split> MakeSplit(const SplitRequest& request);

// The groups that began last test, and only rows before the first of them teach: no group is on
// both sides, no training row is newer than a test row. What belongs to older groups and is newer
// is on neither side.
Split SplitByTimeAndGroup(std::span<const double> time, std::span<const std::uint64_t> group,
                          std::size_t test_rows);

// The fold of each row of `train`, 0 .. folds - 1; stratified, or whole groups. kTime has no folds:
// the last part validates.
std::vector<std::uint8_t> MakeFolds(const SplitRequest& request,
                                    const std::vector<std::uint32_t>& train, int folds,
                                    std::uint64_t seed);

}  // namespace gyre::training
