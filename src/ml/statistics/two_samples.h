// How far two samples of numbers lie apart, from sorted columns: both sums are exact in the sense
// that every value of both samples counts. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gyre::statistics {

struct SampleDistance {
  double ks = 0;           // max |F - G|: all ties of a value are passed before it is looked at
  double wasserstein = 0;  // sum |F - G| * (distance to the next value)
};
// Both ascending without NaN and not empty.
SampleDistance CompareSorted(std::span<const double> a, std::span<const double> b);

// Two-sided p-value of the KS statistic `d` of two samples, as scipy.stats.ks_2samp(method="auto"):
// exact where both samples have at most 10,000 values, else by the distribution of one sample of
// n1 n2 / (n1 + n2) values. Sizes are not 0.
double KsTwoSampleP(double d, std::size_t n1, std::size_t n2);
// Probability that the KS statistic of n values exceeds d: Simard and L'Ecuyer (2011) with all its
// branches, as scipy.stats.kstwo.sf.
double KsOneSampleP(double d, std::int64_t n);

// Equal widths over both samples by Sturges' rule, as numpy.histogram_bin_edges of both together.
// `whole`: both hold whole numbers only, of which no bin is narrower than 1. Both as above.
std::vector<double> SturgesEdges(std::span<const double> a, std::span<const double> b, bool whole);
// Of an ascending sample, by ascending edges: a bin holds its lower edge, the last one both. What
// lies outside is not counted.
std::vector<std::uint64_t> CountSorted(std::span<const double> sorted,
                                       std::span<const double> edges);

}  // namespace gyre::statistics
