#include "ml/statistics/category_counts.h"

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/random.h"

namespace gyre::statistics {
namespace {

namespace policies = boost::math::policies;
// Nothing is thrown: what is not defined is NaN.
using Quiet = policies::policy<policies::domain_error<policies::ignore_error>,
                               policies::pole_error<policies::ignore_error>,
                               policies::overflow_error<policies::ignore_error>,
                               policies::evaluation_error<policies::ignore_error>>;

constexpr double kExpectedMin = 5;  // below, the chi-squared distribution is too far off

double Sum(Counts counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
}

std::vector<double> Shares(Counts counts) {
  const double sum = Sum(counts);
  std::vector<double> shares;
  for (const std::uint64_t count : counts) shares.push_back(static_cast<double>(count) / sum);
  return shares;
}

void FillZeros(std::vector<double>* shares) {
  constexpr double kFill = 1e-4, kOfSmallest = 1e6;
  double smallest = std::numeric_limits<double>::infinity();
  for (const double share : *shares) {
    if (share > 0) smallest = std::min(smallest, share);
  }
  std::ranges::replace(*shares, 0.0, smallest <= kFill ? smallest / kOfSmallest : kFill);
}

double ChiSquaredTail(double statistic, std::size_t degrees) {
  if (degrees == 0) return 1;
  if (std::isinf(statistic)) return 0;
  return boost::math::gamma_q(static_cast<double>(degrees) / 2, statistic / 2, Quiet());
}

// Both samples over the categories that one of them holds.
struct Table {
  std::vector<double> reference, current, total;
  double reference_sum = 0, current_sum = 0;
  double share() const { return reference_sum / (reference_sum + current_sum); }
  // The smallest count that equal distributions would lead to.
  double SmallestExpected() const {
    return std::ranges::min(total) * std::min(share(), 1 - share());
  }
};
Table TableOf(Counts reference, Counts current) {
  // In an order of their own: what is drawn at random must not depend on how categories are named.
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < reference.size(); ++k) {
    if (reference[k] + current[k] > 0) order.push_back(k);
  }
  std::ranges::sort(order, {}, [&](std::size_t k) { return std::pair(reference[k], current[k]); });
  Table table;
  for (const std::size_t k : order) {
    table.reference.push_back(static_cast<double>(reference[k]));
    table.current.push_back(static_cast<double>(current[k]));
    table.total.push_back(static_cast<double>(reference[k] + current[k]));
  }
  table.reference_sum = Sum(reference);
  table.current_sum = Sum(current);
  return table;
}

double Pearson(const Table& table, double yates) {
  double statistic = 0;
  const auto add = [&](double observed, double expected) {
    const double gap = std::abs(observed - expected);
    const double off = gap - std::min(yates, gap);
    statistic += off * off / expected;
  };
  for (std::size_t k = 0; k < table.total.size(); ++k) {
    add(table.reference[k], table.total[k] * table.share());
    add(table.current[k], table.total[k] * (1 - table.share()));
  }
  return statistic;
}

// All rows of both samples in one bag, out of which samples of the same sizes are drawn.
TestResult Simulate(const Table& table) {
  std::vector<std::uint32_t> bag;
  for (std::uint32_t k = 0; k < table.total.size(); ++k)
    bag.insert(bag.end(), static_cast<std::size_t>(table.total[k]), k);
  const double observed = Pearson(table, 0);
  const bool draw_reference = table.reference_sum < table.current_sum;
  const auto drawn =
      static_cast<std::size_t>(draw_reference ? table.reference_sum : table.current_sum);
  Random random(1);
  int as_far = 0;
  Table again = table;
  for (int i = 0; i < kSimulations; ++i) {
    std::vector<double>& counts = draw_reference ? again.reference : again.current;
    std::vector<double>& others = draw_reference ? again.current : again.reference;
    std::ranges::fill(counts, 0.0);
    for (std::size_t at = 0; at < drawn; ++at) {
      std::swap(bag[at], bag[at + random.Below(bag.size() - at)]);
      ++counts[bag[at]];
    }
    for (std::size_t k = 0; k < counts.size(); ++k) others[k] = table.total[k] - counts[k];
    // Equal tables must not differ by rounding.
    as_far += Pearson(again, 0) >= observed * (1 - 1e-9);
  }
  return {observed, (as_far + 1.0) / (kSimulations + 1.0)};
}

// The rarest categories as one, until at least kExpectedMin is expected of each.
TestResult PoolRare(const Table& table) {
  std::vector<std::size_t> order(table.total.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t k) { return table.total[k]; });
  const double rarer = std::min(table.share(), 1 - table.share());
  std::vector<std::uint64_t> reference, current;
  bool open = false;  // the last one takes more
  double expected = 0;
  for (const std::size_t k : order) {
    if (!open) {
      reference.push_back(0);
      current.push_back(0);
      expected = 0;
    }
    reference.back() += static_cast<std::uint64_t>(table.reference[k]);
    current.back() += static_cast<std::uint64_t>(table.current[k]);
    expected += table.total[k] * rarer;
    open = expected < kExpectedMin;
  }
  if (open && reference.size() > 1) {
    reference[reference.size() - 2] += reference.back();
    current[current.size() - 2] += current.back();
    reference.pop_back();
    current.pop_back();
  }
  return ChiSquaredHomogeneity(reference, current);
}

}  // namespace

double PopulationStabilityIndex(Counts reference, Counts current) {
  std::vector<double> r = Shares(reference), c = Shares(current);
  FillZeros(&r);
  FillZeros(&c);
  double sum = 0;
  for (std::size_t k = 0; k < r.size(); ++k) sum += (r[k] - c[k]) * std::log(r[k] / c[k]);
  return sum;
}

double JensenShannonDistance(Counts reference, Counts current) {
  const std::vector<double> r = Shares(reference), c = Shares(current);
  const auto part = [](double p, double middle) { return p > 0 ? p * std::log(p / middle) : 0.0; };
  double sum = 0;
  for (std::size_t k = 0; k < r.size(); ++k) {
    const double middle = (r[k] + c[k]) / 2;
    sum += part(r[k], middle) + part(c[k], middle);
  }
  return std::sqrt(std::max(sum / 2, 0.0));
}

double LInfinity(Counts reference, Counts current) {
  const std::vector<double> r = Shares(reference), c = Shares(current);
  double largest = 0;
  for (std::size_t k = 0; k < r.size(); ++k) largest = std::max(largest, std::abs(r[k] - c[k]));
  return largest;
}

TestResult ChiSquaredHomogeneity(Counts reference, Counts current) {
  const Table table = TableOf(reference, current);
  if (table.total.size() < 2) return {};
  const double statistic = Pearson(table, table.total.size() == 2 ? 0.5 : 0);
  return {statistic, ChiSquaredTail(statistic, table.total.size() - 1)};
}

TestResult ChiSquaredGoodness(Counts reference, Counts current) {
  const Table table = TableOf(reference, current);
  double statistic = 0;
  for (std::size_t k = 0; k < table.total.size(); ++k) {
    const double expected = table.reference[k] * (table.current_sum / table.reference_sum);
    const double gap = table.current[k] - expected;
    statistic += gap * gap / expected;
  }
  if (table.total.size() < 2) return {};
  return {statistic, ChiSquaredTail(statistic, table.total.size() - 1)};
}

TestResult TwoProportions(Counts reference, Counts current) {
  const Table table = TableOf(reference, current);
  if (table.total.size() < 2) return {};
  const double p1 = table.reference[1] / table.reference_sum,
               p2 = table.current[1] / table.current_sum,
               pooled = table.total[1] / (table.reference_sum + table.current_sum);
  const double z = (p1 - p2) / std::sqrt(pooled * (1 - pooled) *
                                         (1 / table.reference_sum + 1 / table.current_sum));
  return {z, std::erfc(std::abs(z) / std::sqrt(2.0))};
}

Homogeneity HomogeneityFor(Counts reference, Counts current) {
  const Table table = TableOf(reference, current);
  if (table.total.size() < 2 || table.SmallestExpected() >= kExpectedMin)
    return Homogeneity::kTable;
  const double rows = table.reference_sum + table.current_sum;
  return rows <= static_cast<double>(kSimulatedRowsMax) ? Homogeneity::kSimulated
                                                        : Homogeneity::kRareAsOne;
}

TestResult TestHomogeneity(Counts reference, Counts current, Homogeneity how) {
  if (how == Homogeneity::kSimulated) return Simulate(TableOf(reference, current));
  if (how == Homogeneity::kRareAsOne) return PoolRare(TableOf(reference, current));
  return ChiSquaredHomogeneity(reference, current);
}

}  // namespace gyre::statistics
