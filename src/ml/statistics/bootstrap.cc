#include "ml/statistics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ml/statistics/quantiles.h"
#include "ml/statistics/resampling.h"

namespace gyre::statistics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kExactJackknifeRowsMax = 2000, kJackknifeBlocks = 500;
constexpr double kUndefinedShareMax = 0.1;

Result<> CheckOptions(const BootstrapOptions& options, std::size_t rows) {
  if (options.resamples < 10 || options.resamples > 100'000) {
    return InvalidArgument("GY3005", "{} resamples: give 10 to 100,000", options.resamples);
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    return InvalidArgument("GY3005", "confidence {} is not between 0 and 1", options.confidence);
  }
  if (rows > std::numeric_limits<std::uint32_t>::max())
    return InvalidArgument("GY3005", "{} rows are too many to resample", rows);
  return {};
}

// Whatever is evaluated on a reweighted sample: values.size() numbers.
template <class EvaluateFunction>
std::vector<std::vector<double>> Resampled(std::size_t rows, std::size_t width,
                                           const BootstrapOptions& options,
                                           const EvaluateFunction& evaluate) {
  std::vector<std::vector<double>> columns(width);
  std::vector<std::uint32_t> counts(rows);
  std::vector<double> values(width);
  Pcg64 random(options.seed);
  for (int i = 0; i < options.resamples; ++i) {
    DrawCounts(random, counts);
    evaluate(counts, values);
    for (std::size_t k = 0; k < width; ++k) columns[k].push_back(values[k]);
  }
  return columns;
}

// Each row left out, or each of a fixed number of blocks of rows when there are many.
template <class EvaluateFunction>
std::vector<std::vector<double>> Jackknifed(std::size_t rows, std::size_t width,
                                            const EvaluateFunction& evaluate) {
  const std::size_t blocks = rows <= kExactJackknifeRowsMax ? rows : kJackknifeBlocks;
  std::vector<std::vector<double>> columns(width);
  std::vector<std::uint32_t> counts(rows, 1);
  std::vector<double> values(width);
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t row = block; row < rows; row += blocks) counts[row] = 0;
    evaluate(counts, values);
    for (std::size_t row = block; row < rows; row += blocks) counts[row] = 1;
    for (std::size_t k = 0; k < width; ++k) columns[k].push_back(values[k]);
  }
  return columns;
}

double Acceleration(std::span<const double> jackknife) {
  const auto n = static_cast<double>(jackknife.size());
  double mean = 0, cubes = 0, squares = 0;
  for (const double value : jackknife) mean += value / n;
  for (const double value : jackknife) {
    const double u = (n - 1) * (mean - value);
    cubes += u * u * u / (n * n * n);
    squares += u * u / (n * n);
  }
  return squares == 0 ? 0 : cubes / (6 * std::pow(squares, 1.5));
}

// Ends for all metrics at once: one set of resamples, one jackknife when it is needed.
template <class EvaluateFunction>
std::vector<Ends> AllEnds(std::size_t rows, std::span<const double> estimates,
                          const BootstrapOptions& options, const EvaluateFunction& evaluate) {
  std::vector<std::vector<double>> resampled = Resampled(rows, estimates.size(), options, evaluate);
  std::vector<std::vector<double>> left_out(estimates.size());
  if (options.kind == IntervalKind::kBca) left_out = Jackknifed(rows, estimates.size(), evaluate);
  std::vector<Ends> ends;
  for (std::size_t k = 0; k < estimates.size(); ++k) {
    ends.push_back(IntervalEnds(std::move(resampled[k]), estimates[k], left_out[k], options));
  }
  return ends;
}

std::string MethodOf(std::string_view prefix, const BootstrapOptions& options, std::size_t rows) {
  if (options.kind == IntervalKind::kPercentile) return fmt::format("{}.percentile", prefix);
  return fmt::format("{}.bca.{}", prefix,
                     rows <= kExactJackknifeRowsMax ? "jackknife" : "jackknife_blocks");
}

template <class Items>
auto FindByName(const Items& items, std::string_view name) -> decltype(items.data()) {
  for (const auto& item : items) {
    if (item.info->name == name) return &item;
  }
  return nullptr;
}

}  // namespace

double NormalCdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

double NormalQuantile(double p) {
  if (!(p > 0 && p < 1)) {
    if (p == 0) return -std::numeric_limits<double>::infinity();
    return p == 1 ? std::numeric_limits<double>::infinity() : kNaN;
  }
  if (p > 0.5) return -NormalQuantile(1 - p);
  // Start: Abramowitz and Stegun 26.2.23 (error below 4.5e-4); each Halley step triples the digits.
  const double t = std::sqrt(-2 * std::log(p));
  double z = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int i = 0; i < 3; ++i) {
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979323846);
    const double step = (NormalCdf(z) - p) / density;
    z -= step / (1 + z * step / 2);
  }
  return z;
}

Ends IntervalEnds(std::vector<double> resampled, double estimate, std::span<const double> jackknife,
                  const BootstrapOptions& options) {
  const auto asked = static_cast<double>(resampled.size());
  std::erase_if(resampled, [](double value) { return std::isnan(value); });
  if (std::isnan(estimate) ||
      static_cast<double>(resampled.size()) < asked * (1 - kUndefinedShareMax))
    return {kNaN, kNaN};
  std::ranges::sort(resampled);
  const double tail = (1 - options.confidence) / 2;
  if (options.kind == IntervalKind::kPercentile)
    return {SortedQuantile(resampled, tail), SortedQuantile(resampled, 1 - tail)};
  if (resampled.front() == resampled.back()) return {resampled.front(), resampled.front()};
  if (std::ranges::any_of(jackknife, [](double value) { return std::isnan(value); }))
    return {kNaN, kNaN};
  const auto below =
      static_cast<double>(std::ranges::lower_bound(resampled, estimate) - resampled.begin());
  const auto up_to =
      static_cast<double>(std::ranges::upper_bound(resampled, estimate) - resampled.begin());
  const double bias = NormalQuantile((below + up_to) / (2 * static_cast<double>(resampled.size())));
  const double acceleration = Acceleration(jackknife);
  const auto adjusted = [&](double z) {
    const double moved = bias + z;
    return NormalCdf(bias + moved / (1 - acceleration * moved));
  };
  const double from = adjusted(NormalQuantile(tail)), to = adjusted(NormalQuantile(1 - tail));
  if (std::isnan(from) || std::isnan(to)) return {kNaN, kNaN};
  return {SortedQuantile(resampled, from), SortedQuantile(resampled, to)};
}

const MetricInterval* IntervalSet::Find(std::string_view name) const {
  return FindByName(metrics, name);
}
const MetricGain* PairedResult::Find(std::string_view name) const {
  return FindByName(metrics, name);
}

Result<IntervalSet> Bootstrap(const Scored& scored, const BootstrapOptions& options) {
  GYRE_DO(CheckOptions(options, scored.rows()));
  const std::size_t width = scored.metrics().size();
  std::vector<double> estimates(width);
  scored.Evaluate({}, estimates);
  const std::vector<Ends> ends =
      AllEnds(scored.rows(), estimates, options,
              [&](std::span<const std::uint32_t> counts, std::span<double> values) {
                scored.Evaluate(counts, values);
              });
  IntervalSet set{
      MethodOf("bootstrap", options, scored.rows()), options.resamples, options.confidence, {}};
  for (std::size_t k = 0; k < width; ++k) {
    if (!std::isnan(estimates[k]))
      set.metrics.push_back({scored.metrics()[k], estimates[k], ends[k].lower, ends[k].upper});
  }
  return set;
}

Result<PairedResult> PairedBootstrap(const Scored& a, const Scored& b,
                                     const BootstrapOptions& options) {
  GYRE_DO(CheckOptions(options, a.rows()));
  if (a.rows() != b.rows())
    return InvalidArgument("GY3001", "two models are compared on the same rows, not on {} and {}",
                           a.rows(), b.rows());
  const std::size_t width = a.metrics().size();
  if (b.metrics().size() != width || !std::ranges::equal(a.metrics(), b.metrics())) {
    return InvalidArgument("GY3001", "two models of different tasks cannot be compared");
  }
  std::vector<double> of_a(width), of_b(width);
  const auto gains = [&](std::span<const std::uint32_t> counts, std::span<double> values) {
    a.Evaluate(counts, of_a);
    b.Evaluate(counts, of_b);
    for (std::size_t k = 0; k < width; ++k) values[k] = Gain(*a.metrics()[k], of_a[k], of_b[k]);
  };
  std::vector<double> estimates(width);
  gains({}, estimates);
  const std::vector<double> whole_a = of_a, whole_b = of_b;
  const std::vector<Ends> ends = AllEnds(a.rows(), estimates, options, gains);
  PairedResult result{
      MethodOf("paired_bootstrap", options, a.rows()), options.resamples, options.confidence, {}};
  for (std::size_t k = 0; k < width; ++k) {
    if (std::isnan(estimates[k])) continue;
    result.metrics.push_back(
        {a.metrics()[k], whole_a[k], whole_b[k], estimates[k], ends[k].lower, ends[k].upper});
  }
  return result;
}

}  // namespace gyre::statistics
