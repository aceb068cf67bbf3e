#include "ml/statistics/drift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "ml/statistics/radix_sort.h"
#include "ml/statistics/reference_data.h"
#include "ml/statistics/two_samples.h"

namespace gyre::statistics {
namespace {

using Whole = std::vector<std::uint64_t>;

std::vector<double> Sorted(std::uint64_t seed, std::size_t count, double shift = 0,
                           double steps = 0) {
  std::vector<double> values = Lcg(seed, count);
  for (double& value : values) {
    value += shift;
    if (steps > 0) value = std::floor(value * steps) / steps;
  }
  std::ranges::sort(values);
  return values;
}

// The rows of the worked example: ref = L(1, 500), cur = 1.1 L(2, 400) + 0.02.
struct Pair {
  std::vector<double> reference, current;
  explicit Pair(double steps = 0) : reference(Lcg(1, 500)), current(Lcg(2, 400)) {
    for (double& value : current) value = 1.1 * value + 0.02;
    for (std::vector<double>* side : {&reference, &current}) {
      for (double& value : *side) value = steps > 0 ? std::floor(value * steps) : value;
      std::ranges::sort(*side);
    }
  }
  double Score(std::string_view method, bool whole = false) const {
    return DriftOfNumbers({reference, current, whole}, {.method = *FindDriftMethod(method)})
        .compared;
  }
};

void ExpectClose(double value, double expected) {
  EXPECT_NEAR(value, expected, 1e-9 * std::max(1e-3, std::abs(expected)));
}

TEST(RadixSort, OrdersAsComparingDoes) {
  Random random(7);
  SortScratch scratch;
  for (const std::size_t count : {0, 1, 2, 500, 513, 5000, 40'000}) {
    for (int kind = 0; kind < 9; ++kind) {
      std::vector<double> values(count);
      for (double& value : values) {
        value = random.Normal();
        if (kind == 1) value = std::floor(value * 3);
        if (kind == 2) value = 1e15 + std::floor(value * 100) / 8;
        if (kind == 3) value = std::ldexp(value, static_cast<int>(random.Below(2000)) - 1000);
        if (kind == 4) value = 5;
        if (kind == 5) value = 1 + std::ldexp(static_cast<double>(random.Below(50'000)), -52);
        if (kind == 6) value = std::exp(4 * value);
        if (kind == 7) value *= 1e308 / 8;
        if (kind == 8) value = random.Below(1000) == 0 ? 1e9 : value / 1e9;
      }
      std::vector<double> expected = values;
      std::ranges::sort(expected);
      SortFinite(&values, &scratch);
      EXPECT_EQ(values, expected) << count << " values of kind " << kind;
    }
  }
}

TEST(RadixSort, LeavesOutWhatIsNotFiniteAndKnowsOneZero) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  std::vector<double> values = {1, -0.0, kInf, std::nan(""), 0.0, -kInf, -2, -std::nan("")};
  SortScratch scratch;
  SortFinite(&values, &scratch);
  EXPECT_EQ(values, (std::vector<double>{-2, 0, 0, 1}));
  EXPECT_FALSE(std::signbit(values[1]) || std::signbit(values[2]));
}

// Literals: scipy 1.17.1, ks_2samp and wasserstein_distance of L(11, n1) and L(12, n2) + shift,
// rounded down to whole 1/steps.
TEST(TwoSamples, EqualScipy) {
  struct Case {
    std::size_t n1, n2;
    double shift, steps, d, p, wasserstein;
  };
  const Case cases[] = {
      {2, 2, 0, 0, 0.5, 1, 0.23246194003149867},
      {3, 7, 0, 0, 0.42857142857142855, 0.7, 0.1959130105207719},
      {20, 20, 0, 0, 0.2, 0.8319696107963263, 0.048704254580661646},
      {60, 45, .1, 0, 0.23333333333333334, 0.10601860816490571, 0.12328450749628246},
      {1000, 1000, .03, 0, 0.069, 0.017090148468768534, 0.04514465345069769},
      {1000, 999, .03, 40, 0.06829129129129129, 0.018168948599584653, 0.04533556056056055},
      {5000, 3000, .02, 7, 0.03133333333333333, 0.04941099688724487, 0.02134285714285714},
      {10000, 10000, .01, 0, 0.0341, 1.7794418993158944e-05, 0.02064061276838184},
      {20000, 15000, .01, 0, 0.02423333333333333, 8.349031451652058e-05, 0.011458793076127773},
      {100000, 50000, 0, 0, 0.007709999999999995, 0.03781966940565873, 0.002081400917228311},
      {20000, 100, .2, 0, 0.24, 1.488314509256825e-05, 0.18174421424344178},
      {20000, 100, .05, 0, 0.11459999999999992, 0.13369090893906285, 0.03807423812460156}};
  for (const Case& c : cases) {
    const auto a = Sorted(11, c.n1, 0, c.steps), b = Sorted(12, c.n2, c.shift, c.steps);
    const SampleDistance distance = CompareSorted(a, b);
    ExpectClose(distance.ks, c.d);
    ExpectClose(distance.wasserstein, c.wasserstein);
    ExpectClose(KsTwoSampleP(distance.ks, c.n1, c.n2), c.p);
    ExpectClose(CompareSorted(b, a).wasserstein, c.wasserstein);
  }
}

TEST(TwoSamples, NanAtTheEndsComparesWithNothing) {
  const double nan = std::nan("");
  const SampleDistance clean = CompareSorted(std::vector{1., 2., 3.}, std::vector{2., 4.});
  const SampleDistance some =
      CompareSorted(std::vector{1., 2., 3., nan, nan}, std::vector{nan, 2., 4.});
  EXPECT_EQ(some.ks, clean.ks);
  EXPECT_EQ(some.wasserstein, clean.wasserstein);
}

// Literals: scipy 1.17.1, kstwo.sf(d, n); a row for each branch.
TEST(TwoSamples, KolmogorovEqualsScipyInAllBranches) {
  struct Case {
    std::int64_t n;
    double d, p;
  };
  const Case cases[] = {
      {5, 0.15, 0.9988},                        // n d <= 1
      {5, 0.3, 0.664},                          // Durbin
      {5, 0.85, 0.0001518750000000001},         // n d >= n - 1
      {5, 0.55, 0.059696249999999965},          // d >= 1/2
      {20, 0.08, 0.9983006316269418},           // Durbin
      {100, 0.05, 0.9532159710635725},          // Durbin
      {100, 0.12, 0.10330374901819939},         // Pomeranz
      {100, 0.25, 5.408871776434847e-06},       // Smirnov
      {141, 0.005, 1},                          //
      {1000, 0.002, 1},                         //
      {1000, 0.02, 0.8108971656895577},         // Pelz and Good
      {1000, 0.0465, 0.025642857480321135},     // Pelz and Good
      {1000, 0.06, 0.001428597887952891},       // Smirnov
      {50000, 0.0005, 1},                       // Durbin
      {50000, 0.002, 0.9880386605338913},       // Pelz and Good
      {50000, 0.0068, 0.019537625247332158},    // Smirnov
      {500000, 0.0007, 0.9669262066821409},     //
      {500000, 0.0015, 0.21034190155828947},    //
      {500000, 0.0025, 0.0038544560212235442},  // Smirnov, fewer terms
      {500000, 0.03, 0},                        //
      {1000000, 0.0016, 0.011939282537735608},  //
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.n << " " << c.d);
    ExpectClose(KsOneSampleP(c.d, c.n), c.p);
  }
  // As small as it is, to nine digits.
  EXPECT_NEAR(KsOneSampleP(0.006, 500000) / 4.619269692908277e-16, 1, 1e-9);
}

// Literals: scipy 1.17.1 chi2_contingency, chisquare, jensenshannon, false_discovery_control.
TEST(CategoryCounts, EqualScipy) {
  const Whole reference = {120, 30, 7, 0, 3}, current = {90, 41, 3, 5, 2};
  const TestResult table = ChiSquaredHomogeneity(reference, current);
  ExpectClose(table.statistic, 11.636971643691941);
  ExpectClose(table.p_value, 0.020265235561808728);
  const TestResult two = ChiSquaredHomogeneity(Whole{156, 144}, Whole{179, 121});
  ExpectClose(two.statistic, 3.2711912137426076);
  ExpectClose(two.p_value, 0.07050641000177078);
  const TestResult goodness = ChiSquaredGoodness(Whole{120, 30, 7, 3}, Whole{90, 41, 3, 2});
  ExpectClose(goodness.statistic, 12.414565826330533);
  ExpectClose(goodness.p_value, 0.0060899180687881424);
  ExpectClose(JensenShannonDistance(reference, current), 0.14933185167969806);
  const std::vector<double> corrected =
      BenjaminiHochberg(std::vector<double>{.01, .04, .03, .005, .8});
  const double expected[] = {.025, .05, .05, .025, .8};
  for (std::size_t i = 0; i < 5; ++i) ExpectClose(corrected[i], expected[i]);
}

TEST(CategoryCounts, NewAndSingleCategories) {
  EXPECT_EQ(ChiSquaredGoodness(Whole{10, 0}, Whole{9, 1}).p_value, 0);
  EXPECT_EQ(ChiSquaredGoodness(Whole{10}, Whole{9}).p_value, 1);
  EXPECT_EQ(ChiSquaredHomogeneity(Whole{10}, Whole{9}).p_value, 1);
  EXPECT_EQ(TwoProportions(Whole{10, 0}, Whole{9, 0}).p_value, 1);
  EXPECT_EQ(PopulationStabilityIndex(Whole{10}, Whole{7}), 0);
  EXPECT_EQ(JensenShannonDistance(Whole{4, 0}, Whole{0, 9}), std::sqrt(std::log(2.0)));
  EXPECT_EQ(LInfinity(Whole{4, 0}, Whole{1, 3}), 0.75);
}

// Literals: evidently 0.7.21 (pandas 2.3.3, numpy 2.4.6): psi, jensenshannon, wasserstein of the
// worked example, then of its values in whole steps.
TEST(Drift, EqualsEvidently) {
  const Pair real;
  ExpectClose(real.Score("ks"), 0.0017578558079032354);
  ExpectClose(real.Score("wasserstein"), 0.2383915479118058);
  ExpectClose(real.Score("psi"), 0.7861841076083871);
  ExpectClose(real.Score("js"), 0.20445951545447447);
  const Pair whole(40), few(9);  // Sturges' bins of whole numbers; a bin for each value
  ExpectClose(whole.Score("psi", true), 0.8791250150620685);
  ExpectClose(whole.Score("js", true), 0.2126238462119055);
  ExpectClose(few.Score("psi", true), 0.8792318795133314);
  ExpectClose(few.Score("js", true), 0.22076557691912052);
}

// The binary example: ones are 144 of 300 and 121 of 300.
TEST(Drift, EqualsEvidentlyOnTwoCategories) {
  const Whole reference = {156, 144}, current = {179, 121};
  const Drift z = DriftOfCounts(reference, current, {});
  EXPECT_EQ(z.method, "z.two_proportions/evidently");
  ExpectClose(*z.p_value, 0.05864376424889706);
  ExpectClose(
      DriftOfCounts(reference, current, {.method = *FindDriftMethod("chi2-goodness")}).compared,
      0.007862025239525576);
}

// Literals: TFDV's definition of its comparator by hand: 4/7, 1/7, 2/7 against 1/4, 1/4, 1/2 and
// one that is new. Sturges' bins of the worked example as evidently counts them.
TEST(Drift, LInfinityIsTheLargestDifferenceOfAShare) {
  const DriftOptions linf{.method = *FindDriftMethod("linf")};
  ExpectClose(DriftOfCounts(Whole{4, 1, 2, 0}, Whole{5, 5, 9, 1}, linf).compared, 4.0 / 7 - 0.25);
  const double counts[2][11] = {{47, 62, 50, 54, 51, 54, 47, 49, 52, 34, 0},
                                {43, 35, 32, 42, 37, 30, 37, 32, 44, 25, 43}};
  double largest = 0;
  for (std::size_t i = 0; i < 11; ++i)
    largest = std::max(largest, std::abs(counts[0][i] / 500 - counts[1][i] / 400));
  ExpectClose(Pair().Score("linf"), largest);
}

TEST(Drift, CalibratedNeedsBothSignificanceAndEffect) {
  const auto a = Sorted(21, 50'000), slightly = Sorted(22, 50'000, 0.01),
             clearly = Sorted(23, 50'000, 0.2);
  const Drift small = DriftOfNumbers({a, slightly}, {}), large = DriftOfNumbers({a, clearly}, {});
  EXPECT_LT(*small.p_value, 0.001);
  EXPECT_LT(small.effect, kEffectMin);
  EXPECT_FALSE(small.drifted);
  EXPECT_TRUE(large.drifted);
  Drift p04 = large, p06 = large;
  p04.p_value = 0.04;
  p06.p_value = 0.06;
  Drift* columns[] = {&p04, &p06};
  CorrectForColumns(columns);  // 0.04 of two columns is 0.06
  EXPECT_FALSE(p04.drifted || p06.drifted);
  EXPECT_EQ(p04.compared, 0.06);
}

TEST(Drift, FalseAlarmsOfCategoriesStayNearTheLevel) {
  // The same distribution on both sides, rare categories in it: 5 % of p-values lie below 0.05.
  Random random(5);
  for (const std::size_t rows : {60, 300, 8000}) {
    int below = 0;
    constexpr int kRounds = 300;
    for (int round = 0; round < kRounds; ++round) {
      Whole reference(6), current(6);
      for (std::size_t i = 0; i < rows; ++i) {
        ++reference[static_cast<std::size_t>(6 * std::pow(random.Uniform(), 4))];
        ++current[static_cast<std::size_t>(6 * std::pow(random.Uniform(), 4))];
      }
      below += *DriftOfCounts(reference, current, {}).p_value <= 0.05;
    }
    EXPECT_LT(below, 30) << rows;  // 15 are expected; 30 has a probability of 0.0003
  }
}

TEST(Drift, RareCategories) {
  EXPECT_EQ(HomogeneityFor(Whole{500, 500}, Whole{400, 600}), Homogeneity::kTable);
  EXPECT_EQ(HomogeneityFor(Whole{500, 3}, Whole{400, 1}), Homogeneity::kSimulated);
  EXPECT_EQ(HomogeneityFor(Whole{50'000, 3}, Whole{40'000, 1}), Homogeneity::kRareAsOne);
  const Whole many(400, 1), others(400, 1);
  EXPECT_EQ(TestHomogeneity(many, others, Homogeneity::kSimulated).p_value, 1);
  Whole a(2000, 20), b(2000, 20);
  a.insert(a.end(), 500, 1);
  b.insert(b.end(), 500, 0);
  b.insert(b.end(), 500, 1);
  a.insert(a.end(), 500, 0);
  const TestResult pooled = TestHomogeneity(a, b, Homogeneity::kRareAsOne);
  EXPECT_GT(pooled.p_value, 0.5);
  EXPECT_TRUE(std::isfinite(pooled.statistic));
}

TEST(Drift, ConstantColumnsDoNotDrift) {
  const std::vector<double> fives(40, 5.0), sixes(30, 6.0);
  for (const DriftMethod& method : DriftMethods()) {
    if (method.of_numbers.empty()) continue;
    EXPECT_FALSE(DriftOfNumbers({fives, fives}, {.method = &method}).drifted) << method.name;
    EXPECT_TRUE(DriftOfNumbers({fives, sixes}, {.method = &method}).drifted) << method.name;
  }
}

TEST(Drift, MethodsByName) {
  EXPECT_EQ((*FindDriftMethod("PSI"))->name, "psi");
  EXPECT_EQ(FindDriftMethod("wasserstien").error().gy(), "GY3007");
}

}  // namespace
}  // namespace gyre::statistics
