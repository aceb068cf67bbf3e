#include "ml/statistics/metrics.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "ml/statistics/reference_data.h"

namespace gyre::statistics {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void ExpectValues(const Result<MetricSet>& set, const std::map<std::string, double>& expected) {
  ASSERT_TRUE(set) << set.error().ToString();
  EXPECT_EQ(set->values().size(), expected.size());
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(set->Find(name)) << name;
    EXPECT_NEAR(*set->Find(name), value, 1e-12 * std::max(1.0, std::fabs(value))) << name;
  }
}

// Literals: scikit-learn 1.9.1 (ks: scipy 1.17.1 ks_2samp) on the rows of reference_data.h.
TEST(Metrics, BinaryEqualsScikitLearn) {
  const BinaryRows rows = MakeBinaryRows(300);
  ExpectValues(BinaryMetrics(rows.labels, rows.p), {{"auc", 0.8605769230769231},
                                                    {"average_precision", 0.7835643797518629},
                                                    {"ks", 0.5083612040133779},
                                                    {"log_loss", 0.45721927569429255},
                                                    {"brier", 0.15041200000000002},
                                                    {"accuracy", 0.73},
                                                    {"balanced_accuracy", 0.7234531772575251},
                                                    {"precision", 0.5462184873949579},
                                                    {"recall", 0.7065217391304348},
                                                    {"f1", 0.6161137440758294},
                                                    {"mcc", 0.4212397466708749}});
}

TEST(Metrics, MulticlassEqualsScikitLearn) {
  const MulticlassRows rows = MakeMulticlassRows(200);
  ExpectValues(MulticlassMetrics(rows.labels, rows.p, 3),
               {{"auc_ovr_macro", 0.950557980853131},
                {"log_loss", 0.6617799476530493},
                {"accuracy", 0.865},
                {"balanced_accuracy", 0.8603412942670068},
                {"f1_macro", 0.8571470115669553},
                {"f1_weighted", 0.8645853780889442},
                {"mcc", 0.793854400495225}});
  const auto scored = Scored::Multiclass(rows.labels, rows.p, 3);
  ASSERT_TRUE(scored);
  EXPECT_EQ(scored->confusion().counts, (std::vector<std::uint64_t>{54, 3, 1, 6, 41, 6, 6, 5, 78}));
}

TEST(Metrics, RegressionEqualsScikitLearn) {
  const RegressionRows rows = MakeRegressionRows(151);
  ExpectValues(RegressionMetrics(rows.truth, rows.predicted),
               {{"rmse", 5.637602891550767},
                {"mae", 4.804672387077023},
                {"medae", 4.727878807112575},
                {"mape", 0.4283832325394206},
                {"r2", 0.9636402613092924},
                {"explained_variance", 0.963657762950675},
                {"max_error", 10.963725432753563}});
}

TEST(Metrics, TiesCountOneHalf) {
  const std::uint8_t labels[] = {0, 1, 0, 1};
  const double same[] = {0.5, 0.5, 0.5, 0.5};
  EXPECT_EQ(*BinaryMetrics(labels, same)->Find("auc"), 0.5);
  const double some[] = {0.2, 0.7, 0.7, 0.9};  // pairs: won 3, tied 1
  EXPECT_EQ(*BinaryMetrics(labels, some)->Find("auc"), 0.875);
}

TEST(Metrics, WeightsEqualRepeatedRows) {
  const BinaryRows rows = MakeBinaryRows(60);
  std::vector<std::uint32_t> weights(60);
  BinaryRows repeated;
  for (std::uint32_t i = 0; i < 60; ++i) {
    weights[i] = i * 7 % 4;
    for (std::uint32_t k = 0; k < weights[i]; ++k) {
      repeated.labels.push_back(rows.labels[i]);
      repeated.p.push_back(rows.p[i]);
    }
  }
  const auto scored = Scored::Binary(rows.labels, rows.p);
  ASSERT_TRUE(scored);
  std::vector<double> values(scored->metrics().size());
  scored->Evaluate(weights, values);
  const auto expected = BinaryMetrics(repeated.labels, repeated.p);
  ASSERT_TRUE(expected);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected->values()[i].second, 1e-13) << expected->values()[i].first;
}

TEST(Metrics, BadInputIsNamed) {
  const std::uint8_t ones[] = {1, 1};
  const std::uint8_t labels[] = {0, 1}, wrong[] = {0, 7};
  const double p[] = {0.2, 0.7}, not_a_number[] = {0.2, kNaN}, above[] = {0.2, 1.5};
  EXPECT_EQ(BinaryMetrics(ones, p).error().gy(), "GY3002");
  EXPECT_EQ(BinaryMetrics(labels, not_a_number).error().gy(), "GY3003");
  EXPECT_NE(BinaryMetrics(labels, not_a_number).error().message().find("row 2"), std::string::npos);
  EXPECT_EQ(BinaryMetrics(labels, above).error().gy(), "GY3003");
  EXPECT_EQ(BinaryMetrics(wrong, p).error().gy(), "GY3004");
  EXPECT_EQ(BinaryMetrics({}, {}).error().gy(), "GY3001");
  EXPECT_EQ(BinaryMetrics(labels, std::span(p, 1)).error().gy(), "GY3001");
  EXPECT_EQ(RegressionMetrics(p, not_a_number).error().gy(), "GY3003");
  const std::uint32_t classes[] = {0, 5};
  EXPECT_EQ(MulticlassMetrics(classes, std::vector<double>(6, 1.0 / 3), 3).error().gy(), "GY3004");
  EXPECT_EQ(MulticlassMetrics(std::span(classes, 1), std::vector<double>(3, 0.9), 3).error().gy(),
            "GY3003");
}

TEST(Metrics, OneRow) {
  const double truth[] = {3}, predicted[] = {4};
  const auto set = RegressionMetrics(truth, predicted);
  ASSERT_TRUE(set);
  EXPECT_EQ(*set->Find("rmse"), 1);
  EXPECT_EQ(*set->Find("medae"), 1);
  EXPECT_FALSE(set->Find("r2"));
  const std::uint8_t label[] = {1};
  const double p[] = {0.5};
  EXPECT_EQ(BinaryMetrics(label, p).error().gy(), "GY3002");
}

TEST(Metrics, ConstantTruthIsFinite) {
  const double truth[] = {2, 2, 2}, met[] = {2, 2, 2}, missed[] = {2, 2, 3};
  EXPECT_EQ(*RegressionMetrics(truth, met)->Find("r2"), 1);
  EXPECT_EQ(*RegressionMetrics(truth, missed)->Find("r2"), 0);
}

TEST(Metrics, NamesAndDirections) {
  ASSERT_NE(FindMetric("ROC_AUC"), nullptr);
  EXPECT_EQ(FindMetric("ROC_AUC")->name, "auc");
  EXPECT_EQ(FindMetric("no_such"), nullptr);
  EXPECT_GT(Gain(*FindMetric("rmse"), 1, 2), 0);
  EXPECT_LT(Gain(*FindMetric("auc"), 0.5, 0.6), 0);
}

}  // namespace
}  // namespace gyre::statistics
