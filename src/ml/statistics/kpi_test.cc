#include "ml/statistics/kpi.h"

#include <gtest/gtest.h>

#include <limits>

namespace gyre::statistics {
namespace {

TEST(Kpi, MetricAndNumber) {
  const auto kpi = ParseKpi("  AUC>=0.84 ");
  ASSERT_TRUE(kpi) << kpi.error().ToString();
  EXPECT_EQ(kpi->name, "auc");
  ASSERT_NE(kpi->metric, nullptr);
  EXPECT_EQ(kpi->op, Comparison::kAtLeast);
  EXPECT_EQ(kpi->value, 0.84);
  EXPECT_EQ(kpi->ToString(), "auc >= 0.84");
  EXPECT_EQ(ParseKpi("roc_auc \xE2\x89\xA5 0.84")->ToString(), "auc >= 0.84");
}

TEST(Kpi, FactsAndUnits) {
  const auto kpi = ParseKpi("cost per  saved customer <= 12 \xE2\x82\xAC");
  ASSERT_TRUE(kpi) << kpi.error().ToString();
  EXPECT_EQ(kpi->metric, nullptr);
  EXPECT_EQ(kpi->ToString(), "cost per saved customer <= 12 \xE2\x82\xAC");
  EXPECT_EQ(ParseKpi("cost <= 12EUR")->unit, "EUR");
  EXPECT_EQ(ParseKpi("cost <= 12EUR")->value, 12);
  EXPECT_EQ(ParseKpi("accuracy > 90%")->value, 0.9);
  EXPECT_EQ(ParseKpi("latency seconds < 1e-3")->value, 0.001);
}

TEST(Kpi, CanonicalTextReadsBackTheSame) {
  for (const char* text : {"auc >= 0.84", "cost per saved customer <= 12 EUR", "rmse < 1e-300",
                           "accuracy > 90%", "saved > -3"}) {
    const auto once = ParseKpi(text);
    ASSERT_TRUE(once) << text;
    const auto twice = ParseKpi(once->ToString());
    ASSERT_TRUE(twice) << once->ToString();
    EXPECT_EQ(twice->ToString(), once->ToString());
    EXPECT_EQ(twice->value, once->value);
  }
}

TEST(Kpi, BadOnesSayWhy) {
  for (const char* text :
       {"", "auc", ">= 3", "auc >= ", "auc >= much", "auc >= inf", "auc >= nan", "auc >= 1e999",
        "auc 0.84", "auc == 1", "auc => 0.8", "auc =< 0.8",
        "auc >= 0.8 >= 0.9 and a lot more text that is no unit at all", "auc > 0.5 and f1 > 0.999",
        "auc > 0.8 AND", "auc >= 0.8, f1 >= 0.5", "auc > 0.5 && x"}) {
    const auto kpi = ParseKpi(text);
    ASSERT_FALSE(kpi) << text;
    EXPECT_EQ(kpi.error().gy(), "GY3010");
  }
  const auto mistyped = ParseKpi("acuracy >= 0.9");
  ASSERT_FALSE(mistyped);
  EXPECT_EQ(mistyped.error().fixes().at(0), "did you mean `accuracy`?");
}

TEST(Kpi, NaNHoldsNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Holds(nan, Comparison::kAtLeast, 0));
  EXPECT_FALSE(Holds(nan, Comparison::kBelow, 0));
  EXPECT_TRUE(Holds(0.84, Comparison::kAtLeast, 0.84));
  EXPECT_FALSE(Holds(0.84, Comparison::kAbove, 0.84));
}

}  // namespace
}  // namespace gyre::statistics
