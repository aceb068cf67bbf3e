#include "ml/statistics/drift.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "ml/statistics/moments.h"
#include "ml/statistics/two_samples.h"

namespace gyre::statistics {
namespace {

constexpr double kDeviationMin = 0.001;      // of a reference without spread
constexpr std::size_t kOneBinPerValue = 20;  // up to so many distinct values of the reference

constexpr DriftMethod kMethods[] = {
    {"ks", "ks.two_sided/scipy", "", DriftScore::kPValue, 0.05,
     "Kolmogorov-Smirnov, for numbers: p-value, exact up to 10,000 rows"},
    {"wasserstein", "wasserstein1.std_ref/evidently", "", DriftScore::kDistance, 0.1,
     "Wasserstein distance, for numbers, in standard deviations of the reference"},
    {"psi", "psi.sturges_pooled.eps/evidently", "psi.values.eps/evidently", DriftScore::kDistance,
     0.1, "population stability index"},
    {"js", "js_distance.nats.sturges_pooled/evidently", "js_distance.nats.values/evidently",
     DriftScore::kDistance, 0.1, "Jensen-Shannon distance, natural logarithm"},
    {"linf", "l_infinity.sturges_pooled/gyre", "l_infinity.values/tfdv", DriftScore::kDistance, 0.1,
     "the largest difference of a share"},
    {"chi2", "", "chi2.homogeneity/scipy", DriftScore::kPValue, 0.05,
     "chi-squared of the table of both samples, for categories: p-value"},
    {"chi2-goodness", "", "chi2.goodness/evidently", DriftScore::kPValue, 0.05,
     "chi-squared with the reference taken as exact, for categories: p-value, often too small"},
};

constexpr std::string_view kWassersteinId = kMethods[1].of_numbers;
constexpr std::string_view kJensenShannonId = kMethods[3].of_counts;

double InDeviations(double distance, std::span<const double> reference) {
  return distance / std::max(DeviationOf(reference), kDeviationMin);
}

// Counts of both samples over the values of both.
struct BinnedPair {
  std::vector<std::uint64_t> reference, current;
};
BinnedPair ByValue(const NumberSamples& samples) {
  BinnedPair pair;
  const auto run = [](std::span<const double> of, std::size_t* at, double value) {
    const std::size_t begin = *at;
    while (*at < of.size() && of[*at] == value) ++*at;
    return std::uint64_t{*at - begin};
  };
  const auto &a = samples.reference, &b = samples.current;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    const double value = i == a.size() ? b[j] : j == b.size() ? a[i] : std::min(a[i], b[j]);
    pair.reference.push_back(run(a, &i, value));
    pair.current.push_back(run(b, &j, value));
  }
  return pair;
}
bool HasFewValues(std::span<const double> sorted) {
  std::size_t distinct = 1;
  for (std::size_t i = 1; i < sorted.size() && distinct <= kOneBinPerValue; ++i)
    distinct += sorted[i] != sorted[i - 1];
  return distinct <= kOneBinPerValue;
}
BinnedPair Binned(const NumberSamples& samples) {
  if (HasFewValues(samples.reference)) return ByValue(samples);
  const auto edges = SturgesEdges(samples.reference, samples.current, samples.whole);
  return {CountSorted(samples.reference, edges), CountSorted(samples.current, edges)};
}

void SetTest(const TestResult& test, Drift* drift) {
  drift->statistic = test.statistic;
  drift->p_value = drift->compared = test.p_value;
}
void SetDistance(double distance, Drift* drift) { drift->statistic = drift->compared = distance; }

double DistanceOf(std::string_view method, Counts reference, Counts current) {
  if (method == "psi") return PopulationStabilityIndex(reference, current);
  if (method == "js") return JensenShannonDistance(reference, current);
  return LInfinity(reference, current);
}

void Judge(Drift* drift) {
  drift->drifted = drift->score == DriftScore::kPValue ? drift->compared <= drift->threshold
                                                       : drift->compared >= drift->threshold;
  if (drift->calibrated) drift->drifted = drift->drifted && drift->effect >= kEffectMin;
}

Drift Begin(const DriftMethod& method, std::string_view id, const DriftOptions& options) {
  return {.method = id,
          .threshold = options.threshold.value_or(method.threshold),
          .score = method.score};
}
Drift BeginCalibrated(std::string_view id, std::string_view effect_id) {
  return {.method = id,
          .effect_method = effect_id,
          .threshold = kFalseDiscoveryRate,
          .score = DriftScore::kPValue,
          .calibrated = true};
}

// The default for categories, by their number and how rare they are.
Drift CalibratedCounts(Counts reference, Counts current) {
  std::size_t met = 0;
  for (std::size_t k = 0; k < reference.size(); ++k) met += reference[k] + current[k] > 0;
  const Homogeneity how = HomogeneityFor(reference, current);
  const bool proportions = met <= 2 && how == Homogeneity::kTable;
  std::string_view id = "chi2.homogeneity/scipy";
  if (proportions) id = "z.two_proportions/evidently";
  if (how == Homogeneity::kSimulated) id = "chi2.homogeneity.simulated/gyre";
  if (how == Homogeneity::kRareAsOne) id = "chi2.homogeneity.rare_as_one/gyre";
  Drift drift = BeginCalibrated(id, kJensenShannonId);
  SetTest(
      proportions ? TwoProportions(reference, current) : TestHomogeneity(reference, current, how),
      &drift);
  drift.effect = JensenShannonDistance(reference, current);
  return drift;
}

}  // namespace

std::span<const DriftMethod> DriftMethods() { return kMethods; }

Result<const DriftMethod*> FindDriftMethod(std::string_view name) {
  std::vector<std::string> names;
  for (const DriftMethod& method : kMethods) {
    if (EqualsIgnoreCase(method.name, name)) return &method;
    names.emplace_back(method.name);
  }
  Error error = InvalidArgument("GY3007", "there is no drift method `{}`", name);
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("one of " + Join(names, ", "));
}

Drift DriftOfNumbers(const NumberSamples& samples, const DriftOptions& options) {
  const DriftMethod* method = options.method;
  if (method != nullptr && method->of_numbers.empty()) method = nullptr;
  Drift drift = method != nullptr ? Begin(*method, method->of_numbers, options)
                                  : BeginCalibrated(kMethods[0].of_numbers, kWassersteinId);
  const bool sorted = method == nullptr || method->name == "ks" || method->name == "wasserstein";
  if (sorted) {
    const SampleDistance distance = CompareSorted(samples.reference, samples.current);
    if (drift.score == DriftScore::kPValue) {
      SetTest({distance.ks,
               KsTwoSampleP(distance.ks, samples.reference.size(), samples.current.size())},
              &drift);
      if (drift.calibrated) drift.effect = InDeviations(distance.wasserstein, samples.reference);
    } else {
      SetDistance(InDeviations(distance.wasserstein, samples.reference), &drift);
    }
  } else {
    const BinnedPair pair = Binned(samples);
    SetDistance(DistanceOf(method->name, pair.reference, pair.current), &drift);
  }
  Judge(&drift);
  return drift;
}

Drift DriftOfCounts(Counts reference, Counts current, const DriftOptions& options) {
  const DriftMethod* const method = options.method;
  Drift drift;
  if (method == nullptr || method->of_counts.empty()) {
    drift = CalibratedCounts(reference, current);
  } else {
    drift = Begin(*method, method->of_counts, options);
    if (method->name == "chi2")
      SetTest(ChiSquaredHomogeneity(reference, current), &drift);
    else if (method->name == "chi2-goodness")
      SetTest(ChiSquaredGoodness(reference, current), &drift);
    else
      SetDistance(DistanceOf(method->name, reference, current), &drift);
  }
  Judge(&drift);
  return drift;
}

std::vector<double> BenjaminiHochberg(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p_values[i]; });
  std::vector<double> corrected(p_values.size());
  double smallest = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    smallest = std::min(
        smallest, p_values[i] * static_cast<double>(p_values.size()) / static_cast<double>(rank));
    corrected[i] = smallest;
  }
  return corrected;
}

void CorrectForColumns(std::span<Drift*> columns) {
  std::vector<Drift*> calibrated;
  std::vector<double> p_values;
  for (Drift* const drift : columns) {
    if (!drift->calibrated) continue;
    calibrated.push_back(drift);
    p_values.push_back(*drift->p_value);
  }
  const std::vector<double> corrected = BenjaminiHochberg(p_values);
  for (std::size_t i = 0; i < calibrated.size(); ++i) {
    calibrated[i]->compared = corrected[i];
    Judge(calibrated[i]);
  }
}

}  // namespace gyre::statistics
