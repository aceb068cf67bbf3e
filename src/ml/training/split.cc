#include "ml/training/split.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "base/random.h"

namespace gyre::training {

namespace {

constexpr std::uint64_t kSplitStream = 0x9e3779b97f4a7c15ull;

std::size_t TestRows(const SplitRequest& request, std::size_t rows) {
  const std::size_t may_test = InTime(request.kind) ? rows : rows - request.test_from;
  if (request.test_share > 0)
    return static_cast<std::size_t>(
        std::llround(request.test_share * static_cast<double>(may_test)));
  constexpr std::size_t kSmallMin = 50, kMax = 10'000;
  const std::size_t by_size = std::clamp(rows / 10, std::min(rows / 5, kSmallMin), kMax);
  if (may_test == rows) return by_size;
  return std::min(std::max(by_size, may_test / 4), std::max<std::size_t>(may_test / 2, 1));
}

// Rows in an order in which every run of neighbours holds classes (or sizes of the target) in their
// shares: shuffled, then sorted by stratum with the shuffled rank deciding inside. Dealing them out
// like cards makes parts alike.
std::vector<std::uint32_t> DealOrder(const Target& target, const std::vector<std::uint32_t>& rows,
                                     std::uint64_t seed) {
  std::vector<std::uint32_t> order = rows;
  Random random(seed);
  random.Shuffle(order);
  if (target.task == predictors::Task::kRegression) {
    std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return target.values[row]; });
  } else {
    std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return target.labels[row]; });
  }
  return order;
}

// Part 0 .. parts - 1 of each row of `rows`, of equal sizes.
std::vector<std::uint32_t> Deal(const Target& target, const std::vector<std::uint32_t>& rows,
                                std::uint32_t parts, std::uint64_t seed) {
  const auto order = DealOrder(target, rows, seed);
  Random random(seed ^ kSplitStream);
  std::vector<std::uint32_t> hand(parts);
  std::iota(hand.begin(), hand.end(), 0U);
  std::vector<std::uint32_t> by_row(target.rows());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i % parts == 0) random.Shuffle(hand);
    by_row[order[i]] = hand[i % parts];
  }
  std::vector<std::uint32_t> result;
  result.reserve(rows.size());
  for (const std::uint32_t row : rows) result.push_back(by_row[row]);
  return result;
}

Result<Split> Checked(Split split) {
  if (split.train.size() >= 2 && !split.test.empty()) return split;
  return InvalidArgument("GY3505", "the split leaves {} rows to learn from and {} to test on",
                         split.train.size(), split.test.size())
      .Why("both parts need rows; a group is never torn apart")
      .Fix("add rows, or split without --group-column");
}

double When(std::span<const double> time, std::uint32_t row) {
  return std::isnan(time[row]) ? -HUGE_VAL : time[row];
}

std::vector<std::uint32_t> OldestFirst(std::span<const double> time) {
  std::vector<std::uint32_t> order(time.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return When(time, row); });
  return order;
}

Split SplitByTime(const SplitRequest& request, std::size_t test_rows) {
  const std::vector<std::uint32_t> order = OldestFirst(request.time);
  const auto cut = order.end() - static_cast<std::ptrdiff_t>(test_rows);
  return Split{{order.begin(), cut}, {cut, order.end()}};
}

// Whole groups until the test part is large enough.
Split SplitByGroup(const SplitRequest& request, std::size_t rows, std::size_t test_rows) {
  std::map<std::uint64_t, std::size_t>
      sizes;  // groups in the order of their hashes: as good as random, and the same for ever
  for (std::size_t i = request.test_from; i < rows; ++i) ++sizes[request.group[i]];
  std::map<std::uint64_t, bool> in_test;
  std::size_t taken = 0;
  for (const auto& [group, size] : sizes) {
    const bool test = taken < test_rows;
    in_test[group] = test;
    if (test) taken += size;
  }
  Split split;
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (!in_test[request.group[i]])
      split.train.push_back(i);
    else if (i >= request.test_from)
      split.test.push_back(i);
  }
  return split;
}

// The share of each class, or of all rows of a regression, whose content hashes are smallest.
Split SplitStratified(const SplitRequest& request, std::size_t rows, std::size_t test_rows) {
  std::map<std::uint32_t, std::vector<std::uint32_t>> strata;
  const bool regression = request.target->task == predictors::Task::kRegression;
  for (std::uint32_t i = 0; i < rows; ++i)
    strata[regression ? 0 : request.target->labels[i]].push_back(i);
  const double share =
      static_cast<double>(test_rows) / static_cast<double>(rows - request.test_from);
  std::vector<std::uint8_t> test(rows, 0);
  double owed = 0;  // what rounding left of the strata before
  for (auto& [label, every] : strata) {
    const auto since = std::ranges::lower_bound(every, request.test_from);
    std::vector<std::uint32_t> members(since == every.end() ? every.begin() : since, every.end());
    std::ranges::stable_sort(members, {}, [&](std::uint32_t row) { return request.content[row]; });
    owed += share * static_cast<double>(members.size());
    const auto take = std::min(static_cast<std::size_t>(std::llround(owed)), members.size());
    owed -= static_cast<double>(take);
    for (std::size_t i = 0; i < take; ++i) test[members[i]] = 1;
  }
  Split split;
  for (std::uint32_t i = 0; i < rows; ++i) (test[i] != 0 ? split.test : split.train).push_back(i);
  return split;
}

// Both rules at once must not cost half of the data.
Result<Split> Disjoint(Split split, std::size_t rows) {
  if (2 * split.train.size() >= rows && !split.test.empty()) return split;
  return InvalidArgument("GY3505",
                         "split by time and group leaves {} of {} rows to learn from and {} to "
                         "test on",
                         split.train.size(), rows, split.test.size())
      .Why(
          "no group may be on both sides and no row to learn from may be newer than one that "
          "tests; these groups run through all of the time")
      .Fix("--group-column alone: are unknown groups predicted?")
      .Fix("--time-column alone: are known groups predicted, in times to come?");
}

}  // namespace

Split SplitByTimeAndGroup(std::span<const double> time, std::span<const std::uint64_t> group,
                          std::size_t test_rows) {
  const std::vector<std::uint32_t> order = OldestFirst(time);
  std::map<std::uint64_t, double> began;
  std::map<double, std::size_t, std::greater<>> rows_by_beginning;  // newest first
  for (const std::uint32_t row : order) began.try_emplace(group[row], When(time, row));
  for (const std::uint32_t row : order) ++rows_by_beginning[began[group[row]]];
  double cut = HUGE_VAL;
  std::size_t taken = 0;
  for (const auto& [beginning, size] : rows_by_beginning) {
    if (taken >= test_rows) break;
    taken += size;
    cut = beginning;
  }
  Split split;
  for (const std::uint32_t row : order) {
    if (began[group[row]] >= cut) {
      split.test.push_back(row);
    } else if (When(time, row) < cut) {
      split.train.push_back(row);
    }
  }
  return split;
}

std::string_view SplitKindName(SplitKind kind) {
  switch (kind) {
    case SplitKind::kStratified:
      return "stratified";
    case SplitKind::kTime:
      return "time";
    case SplitKind::kGroup:
      return "group";
    case SplitKind::kTimeGroup:
      return "time and group";
  }
  return "";
}

Result<Split> MakeSplit(const SplitRequest& request) {
  const std::size_t rows = request.target->rows();
  const std::size_t test_rows = TestRows(request, rows);
  if (test_rows == 0 || test_rows >= rows) return Checked({});
  switch (request.kind) {
    case SplitKind::kTime:
      return Checked(SplitByTime(request, test_rows));
    case SplitKind::kGroup:
      return Checked(SplitByGroup(request, rows, test_rows));
    case SplitKind::kTimeGroup:
      return Disjoint(SplitByTimeAndGroup(request.time, request.group, test_rows), rows);
    case SplitKind::kStratified:
      break;
  }
  return Checked(SplitStratified(request, rows, test_rows));
}

std::vector<std::uint8_t> MakeFolds(const SplitRequest& request,
                                    const std::vector<std::uint32_t>& train, int folds,
                                    std::uint64_t seed) {
  std::vector<std::uint8_t> result(train.size());
  const auto parts = static_cast<std::uint32_t>(folds);
  if (request.kind == SplitKind::kGroup) {
    std::map<std::uint64_t, std::uint32_t> fold_of;
    std::vector<std::uint64_t> groups;
    for (const std::uint32_t row : train) {
      if (fold_of.try_emplace(request.group[row], 0).second) groups.push_back(request.group[row]);
    }
    std::ranges::sort(groups);
    Random(seed).Shuffle(groups);
    for (std::size_t i = 0; i < groups.size(); ++i)
      fold_of[groups[i]] = static_cast<std::uint32_t>(i) % parts;
    for (std::size_t i = 0; i < train.size(); ++i)
      result[i] = static_cast<std::uint8_t>(fold_of[request.group[train[i]]]);
    return result;
  }
  const auto dealt = Deal(*request.target, train, parts, seed);
  for (std::size_t i = 0; i < train.size(); ++i) result[i] = static_cast<std::uint8_t>(dealt[i]);
  return result;
}

}  // namespace gyre::training
