// Distances and tests of two samples by how often each category, or each bin, was met. Whole counts
// in, so that merged parts give the same bits in any order. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gyre::statistics {

using Counts = std::span<const std::uint64_t>;  // of both samples over the same categories

// Sum (r - c) ln(r / c) of the shares; a share of 0 counts as 0.0001, or a millionth of the
// smallest other share where that is at most 0.0001, as Evidently does. Both samples hold
// something.
double PopulationStabilityIndex(Counts reference, Counts current);
// Distance (the square root of the divergence), natural logarithm: 0 to sqrt(ln 2).
double JensenShannonDistance(Counts reference, Counts current);
// The largest difference of a share.
double LInfinity(Counts reference, Counts current);

struct TestResult {
  double statistic = 0;
  double p_value = 1;
};
// Are both samples from one distribution? Pearson's statistic of the 2 x k table, with Yates'
// correction where k = 2, as scipy.stats.chi2_contingency. Categories that neither holds are left
// out; fewer than two categories: p = 1.
TestResult ChiSquaredHomogeneity(Counts reference, Counts current);
// Does the current sample follow the shares of the reference, taken as known exactly? As
// scipy.stats.chisquare and Evidently. A category that is new: infinite, p = 0.
TestResult ChiSquaredGoodness(Counts reference, Counts current);
// Two categories: the difference of a share in pooled standard errors; one category: p = 1.
TestResult TwoProportions(Counts reference, Counts current);

// Homogeneity where the chi-squared distribution would mislead, because a count of less than 5 is
// expected somewhere: `kSimulations` tables with the same sums, drawn with a fixed seed, for up to
// kSimulatedRowsMax rows; with more rows, rare categories are counted as one.
inline constexpr int kSimulations = 1999;
inline constexpr std::uint64_t kSimulatedRowsMax = 10'000;
enum class Homogeneity : unsigned char { kTable, kSimulated, kRareAsOne };
Homogeneity HomogeneityFor(Counts reference, Counts current);
TestResult TestHomogeneity(Counts reference, Counts current, Homogeneity how);

}  // namespace gyre::statistics
