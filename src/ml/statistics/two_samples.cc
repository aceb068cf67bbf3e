#include "ml/statistics/two_samples.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gyre::statistics {

namespace {

// A stretch of the line with all values of both samples on it, walked from left to right. |F - G|
// is a whole number of 1 / (n1 n2): nothing is divided, and no branch guesses which of the samples
// comes next.
class Walk {
 public:
  struct Part {
    std::size_t begin, end;
  };
  Walk(std::span<const double> a, std::span<const double> b, Part in_a, Part in_b)
      : a_(a.data()),
        b_(b.data()),
        i_(in_a.begin),
        j_(in_b.begin),
        a_end_(in_a.end),
        b_end_(in_b.end),
        n1_(static_cast<std::int64_t>(a.size())),
        n2_(static_cast<std::int64_t>(b.size())),
        apart_(static_cast<std::int64_t>(i_) * n2_ - static_cast<std::int64_t>(j_) * n1_),
        unit_(1 / (static_cast<double>(n1_) * static_cast<double>(n2_))),
        last_(std::max(i_ > 0 ? a_[i_ - 1] : std::numeric_limits<double>::lowest(),
                       j_ > 0 ? b_[j_ - 1] : std::numeric_limits<double>::lowest())) {
    if (i_ + j_ == 0) last_ = std::min(a_[0], b_[0]);
  }

  bool both() const { return i_ < a_end_ && j_ < b_end_; }
  void Step() {
    const double x = a_[i_], y = b_[j_];
    MoveTo(std::min(x, y));
    const bool take_a = x <= y, take_b = y <= x;
    apart_ += (take_a ? n2_ : 0) - (take_b ? n1_ : 0);
    i_ += take_a;
    j_ += take_b;
  }
  void Finish() {
    while (both()) Step();
    for (; i_ < a_end_; ++i_, apart_ += n2_) MoveTo(a_[i_]);
    for (; j_ < b_end_; ++j_, apart_ -= n1_) MoveTo(b_[j_]);
  }
  double area() const { return area_; }
  std::int64_t widest() const { return widest_; }

 private:
  void MoveTo(double value) {
    const std::int64_t gap = std::abs(apart_);
    area_ += static_cast<double>(gap) * unit_ * (value - last_);
    // Only where all ties of the value before have been passed.
    widest_ = value > last_ && gap > widest_ ? gap : widest_;
    last_ = value;
  }

  const double* a_;
  const double* b_;
  std::size_t i_, j_, a_end_, b_end_;
  std::int64_t n1_, n2_, apart_, widest_ = 0;
  double unit_, last_, area_ = 0;
};

// Without NaN, which a sort leaves at an end, and which compares with nothing.
std::span<const double> Numbers(std::span<const double> sorted) {
  while (!sorted.empty() && std::isnan(sorted.back())) sorted = sorted.first(sorted.size() - 1);
  while (!sorted.empty() && std::isnan(sorted.front())) sorted = sorted.subspan(1);
  return sorted;
}

}  // namespace

SampleDistance CompareSorted(std::span<const double> a, std::span<const double> b) {
  a = Numbers(a);
  b = Numbers(b);
  // Each step of a walk waits for the one before; two walks side by side wait half as long. They
  // part below a value, so that no tie is torn.
  const double middle = a[a.size() / 2];
  const auto until = [&](std::span<const double> of) {
    return static_cast<std::size_t>(std::lower_bound(of.begin(), of.end(), middle) - of.begin());
  };
  const std::size_t in_a = until(a), in_b = until(b);
  Walk left(a, b, {0, in_a}, {0, in_b}), right(a, b, {in_a, a.size()}, {in_b, b.size()});
  while (left.both() && right.both()) {
    left.Step();
    right.Step();
  }
  left.Finish();
  right.Finish();
  const double pairs = static_cast<double>(a.size()) * static_cast<double>(b.size());
  return {.ks = static_cast<double>(std::max(left.widest(), right.widest())) / pairs,
          .wasserstein = left.area() + right.area()};
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

}  // namespace gyre::statistics
