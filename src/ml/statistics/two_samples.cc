#include "ml/statistics/two_samples.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace gyre::statistics {

SampleDistance CompareSorted(std::span<const double> a, std::span<const double> b) {
  const auto share = [](std::size_t passed, std::span<const double> of) {
    return static_cast<double>(passed) / static_cast<double>(of.size());
  };
  SampleDistance distance;
  std::size_t i = 0, j = 0;
  double last = std::min(a[0], b[0]), apart = 0;
  while (i < a.size() && j < b.size()) {
    const double value = std::min(a[i], b[j]);
    distance.wasserstein += apart * (value - last);
    while (i < a.size() && a[i] == value) ++i;
    while (j < b.size() && b[j] == value) ++j;
    apart = std::abs(share(i, a) - share(j, b));
    distance.ks = std::max(distance.ks, apart);
    last = value;
  }
  // Behind the end of one sample its share stays 1 and the difference falls to 0.
  const auto rest = [&](std::span<const double> of, std::size_t at) {
    for (; at < of.size(); ++at) {
      distance.wasserstein += (1 - share(at, of)) * (of[at] - last);
      last = of[at];
    }
  };
  rest(a, i);
  rest(b, j);
  return distance;
}

std::vector<double> SturgesEdges(std::span<const double> a, std::span<const double> b, bool whole) {
  double low = std::min(a.front(), b.front()), high = std::max(a.back(), b.back());
  double width = (high - low) / (std::log2(static_cast<double>(a.size() + b.size())) + 1);
  if (whole) width = std::max(width, 1.0);
  std::size_t bins = 1;
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  } else {
    bins = static_cast<std::size_t>(std::ceil((high - low) / width));
  }
  std::vector<double> edges(bins + 1);
  const double step = (high - low) / static_cast<double>(bins);
  for (std::size_t i = 0; i < bins; ++i) edges[i] = static_cast<double>(i) * step + low;
  edges[bins] = high;
  return edges;
}

std::vector<std::uint64_t> CountSorted(std::span<const double> sorted,
                                       std::span<const double> edges) {
  std::vector<std::uint64_t> counts(edges.size() - 1);
  auto begin = std::lower_bound(sorted.begin(), sorted.end(), edges[0]);
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    const double upper = edges[bin + 1];
    const auto end = bin + 1 == counts.size() ? std::upper_bound(begin, sorted.end(), upper)
                                              : std::lower_bound(begin, sorted.end(), upper);
    counts[bin] = static_cast<std::uint64_t>(end - begin);
    begin = end;
  }
  return counts;
}

void BinnedSample::Add(std::span<const double> values) {
  for (const double value : values) {
    if (std::isnan(value)) {
      ++missing_;
      continue;
    }
    const auto above = std::upper_bound(edges_.begin(), edges_.end(), value);
    ++counts_[static_cast<std::size_t>(above - edges_.begin())];
    ++values_;
  }
}

void BinnedSample::Merge(const BinnedSample& other) {
  GYRE_CHECK(edges_ == other.edges_);
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  values_ += other.values_;
  missing_ += other.missing_;
}

SampleDistance CompareBinned(const BinnedSample& a, const BinnedSample& b) {
  SampleDistance distance;
  const std::span<const double> edges = a.edges();
  std::uint64_t in_a = 0, in_b = 0;
  for (std::size_t i = 0; i + 1 < a.counts().size(); ++i) {
    in_a += a.counts()[i];
    in_b += b.counts()[i];
    const double apart = std::abs(static_cast<double>(in_a) / static_cast<double>(a.values()) -
                                  static_cast<double>(in_b) / static_cast<double>(b.values()));
    distance.ks = std::max(distance.ks, apart);
    // A value below the first edge counts at that edge, one in bin i at edge i - 1.
    if (i > 0) distance.wasserstein += apart * (edges[i] - edges[i - 1]);
  }
  return distance;
}

}  // namespace gyre::statistics
