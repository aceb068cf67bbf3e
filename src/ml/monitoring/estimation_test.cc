#include "ml/monitoring/estimation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "ml/monitoring/nannyml_sample.h"

namespace gyre::monitoring {
namespace {

std::vector<double> Lcg(std::uint64_t seed, std::size_t count) {
  std::vector<double> values(count);
  for (double& value : values) {
    seed = (1103515245 * seed + 12345) % 2147483648;
    value = static_cast<double>(seed) / 2147483648.0;
  }
  return values;
}

struct Rows {
  std::vector<double> p;
  std::vector<std::uint8_t> decided;
};
Rows BinaryRows() {
  Rows rows{Lcg(21, 400), {}};
  for (double& p : rows.p) {
    p *= p;
    rows.decided.push_back(p >= 0.5);
  }
  return rows;
}

// Three columns from three seeds, plus 0.05, each row divided by its sum.
std::vector<double> ThreeClasses(std::size_t rows) {
  const std::vector<double> a = Lcg(51, rows), b = Lcg(7777, rows), c = Lcg(424243, rows);
  std::vector<double> p;
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = a[i] + 0.05, y = b[i] + 0.05, z = c[i] + 0.05, sum = x + y + z;
    p.insert(p.end(), {x / sum, y / sum, z / sum});
  }
  return p;
}
std::vector<std::uint32_t> Largest(const std::vector<double>& p) {
  std::vector<std::uint32_t> decided;
  for (std::size_t i = 0; i < p.size(); i += 3)
    decided.push_back(static_cast<std::uint32_t>(
        std::max_element(p.begin() + static_cast<std::ptrdiff_t>(i),
                         p.begin() + static_cast<std::ptrdiff_t>(i + 3)) -
        (p.begin() + static_cast<std::ptrdiff_t>(i))));
  return decided;
}

// Literals: nannyml 0.13.1, estimate_roc_auc and its neighbours in
// nannyml/performance_estimation/confidence_based/metrics.py.
TEST(Estimation, OfTwoClassesEqualsNannyml) {
  const Rows rows = BinaryRows();
  const auto metrics = EstimateBinary(rows.p, rows.p, rows.decided);
  ASSERT_TRUE(metrics);
  EXPECT_NEAR(*metrics->Find("auc"), 0.875122812588905, 1e-9);
  EXPECT_NEAR(*metrics->Find("average_precision"), 0.7929292667538731, 1e-9);
  EXPECT_NEAR(*metrics->Find("f1"), 0.6946450701941184, 1e-12);
  EXPECT_NEAR(*metrics->Find("precision"), 0.7458940486878064, 1e-12);
  EXPECT_NEAR(*metrics->Find("recall"), 0.6499857693544718, 1e-12);
  EXPECT_NEAR(*metrics->Find("specificity"), 0.885216782589516, 1e-12);
  EXPECT_NEAR(*metrics->Find("accuracy"), 0.8049095162144533, 1e-12);
}

// Literals: nannyml, tests/performance_estimation/CBPE/test_cbpe_metrics.py, chunk [0:19999].
TEST(Estimation, EqualsWhatNannymlStatesOfItsOwnDataset) {
  std::vector<double> scores, calibrated;
  std::vector<std::uint8_t> decided;
  for (const SampleScore& score : kSample) {
    for (int i = 0; i < score.rows; ++i) {
      scores.push_back(score.percent / 100.0);
      calibrated.push_back(score.calibrated);
      decided.push_back(score.percent >= kSampleYes);
    }
  }
  ASSERT_EQ(scores.size(), 20'000U);
  const auto metrics = EstimateBinary(calibrated, scores, decided);
  ASSERT_TRUE(metrics);
  // What its function gives on these rows; its tests state what an earlier rounding gave.
  EXPECT_NEAR(*metrics->Find("auc"), 0.9711028571137201, 1e-9);
  EXPECT_NEAR(*metrics->Find("auc"), 0.9711057564966745, 5e-6);
  EXPECT_NEAR(*metrics->Find("f1"), 0.9479079222515973, 1e-12);
  EXPECT_NEAR(*metrics->Find("precision"), 0.9436121782324026, 1e-12);
  EXPECT_NEAR(*metrics->Find("recall"), 0.9522429574319092, 1e-12);
  EXPECT_NEAR(*metrics->Find("specificity"), 0.9434949869571513, 1e-12);
  EXPECT_NEAR(*metrics->Find("accuracy"), 0.9478536003143163, 1e-12);
  // Ties count as one step here, there in the order in which they happen to lie.
  EXPECT_NEAR(*metrics->Find("average_precision"), 0.9629778663941202, 2e-3);
}

TEST(Estimation, OrdersByScoresAndCountsByCalibratedOnes) {
  const Rows rows = BinaryRows();
  std::vector<double> calibrated;
  for (const double p : rows.p) calibrated.push_back(0.1 + 0.8 * p);
  const auto metrics = EstimateBinary(calibrated, rows.p, rows.decided);
  EXPECT_NEAR(*metrics->Find("auc"), 0.7884796610190195, 1e-9);
  EXPECT_NEAR(*metrics->Find("average_precision"), 0.6975687953082499, 1e-9);
}

// Literals: means over the classes of the same functions of nannyml 0.13.1, as its metrics of
// several classes take them.
TEST(Estimation, OfThreeClassesEqualsNannyml) {
  const std::vector<double> p = ThreeClasses(400);
  const auto metrics = EstimateMulticlass(p, p, Largest(p), 3);
  ASSERT_TRUE(metrics);
  EXPECT_NEAR(*metrics->Find("auc_ovr_macro"), 0.6977138431129261, 1e-9);
  EXPECT_NEAR(*metrics->Find("f1_macro"), 0.4978194999461006, 1e-12);
  EXPECT_NEAR(*metrics->Find("precision_macro"), 0.4985484576579715, 1e-12);
  EXPECT_NEAR(*metrics->Find("recall_macro"), 0.4978544833823236, 1e-12);
  EXPECT_NEAR(*metrics->Find("specificity_macro"), 0.7488851136029674, 1e-12);
  EXPECT_NEAR(*metrics->Find("accuracy"), 0.49822788731871953, 1e-12);
  EXPECT_NEAR(*metrics->Find("average_precision_macro"), 0.5251262255367324, 1e-9);
}

TEST(Estimation, OfTiesDoesNotDependOnTheOrderOfRows) {
  std::vector<double> p = {0.2, 0.8, 0.2, 0.8, 0.5}, q = {0.8, 0.2, 0.5, 0.8, 0.2};
  const std::vector<std::uint8_t> d = {0, 1, 0, 1, 1}, e = {1, 0, 1, 1, 0};
  EXPECT_EQ(EstimateBinary(p, p, d)->ToJson().Dump(), EstimateBinary(q, q, e)->ToJson().Dump());
}

TEST(Estimation, RefusesWhatIsNoProbability) {
  const std::uint8_t decided[] = {1};
  for (const double p : {-0.1, 1.1, std::nan("")}) {
    const double scores[] = {p};
    EXPECT_EQ(EstimateBinary(scores, scores, decided).error().gy(), "GY4505");
  }
  EXPECT_EQ(EstimateBinary({}, {}, {}).error().gy(), "GY4505");
}

TEST(Estimation, IntervalHoldsTheEstimateAndNarrowsWithRows) {
  double width = 1;
  for (const std::size_t rows : {200U, 2'000U, 20'000U}) {
    const std::vector<double> u = Lcg(5, rows);
    std::vector<double> p;
    std::vector<std::uint32_t> decided;
    for (const double x : u) {
      p.insert(p.end(), {1 - x, x});
      decided.push_back(x >= 0.5);
    }
    const auto ends = IntervalOfEstimate(p, decided, 2, "accuracy", 1);
    ASSERT_TRUE(ends);
    EXPECT_LT(ends->lower, 0.75);
    EXPECT_GT(ends->upper, 0.75);
    EXPECT_LT(ends->upper - ends->lower, width);
    width = ends->upper - ends->lower;
  }
  EXPECT_LT(width, 0.02);
}

}  // namespace
}  // namespace gyre::monitoring
