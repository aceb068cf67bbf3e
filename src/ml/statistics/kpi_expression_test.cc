#include "ml/statistics/kpi_expression.h"

#include <gtest/gtest.h>

#include "ml/statistics/kpi.h"

namespace gyre::statistics {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000;

KpiValue Two(const KpiName& name) {
  if (name.text == "feedback.true_positive[30d]") return {.number = 4};
  if (name.text == "cost.total[30d]") return {.number = 50};
  if (name.text == "feedback.positive") return {.number = 0};
  if (name.member == "auc") return {.number = 0.9};
  return {.unknown = "nobody knows " + name.text};
}

TEST(KpiExpressionTest, Computes) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, double>>{
           {"cost.total[30d] / feedback.true_positive[30d]", 12.5},
           {"1 + 2 * 3 - 4 / 8", 6.5},
           {"(1 + 2) * -3", -9},
           {"2 - 1 - 1", 0},
           {"8 / 4 / 2", 1},
           {"--auc", 0.9},
           {"100*(1-AUC)", 10}}) {
    const auto expression = KpiExpression::Parse(text);
    ASSERT_TRUE(expression) << text << expression.error().ToString();
    const KpiValue got = expression->Evaluate(Two);
    ASSERT_TRUE(got.number) << text << ": " << got.unknown;
    EXPECT_NEAR(*got.number, value, 1e-12) << text;
  }
}

TEST(KpiExpressionTest, NamesSayWhatTheyAre) {
  const auto expression =
      KpiExpression::Parse("live.ROC_AUC@churn-eu[2w] + recall@churn + predictions.count");
  ASSERT_TRUE(expression) << expression.error().ToString();
  ASSERT_EQ(expression->names().size(), 3U);
  const KpiName& live = expression->names()[0];
  EXPECT_EQ(live.family, KpiFamily::kLive);
  EXPECT_EQ(live.member, "auc");
  EXPECT_EQ(live.place, "churn-eu");
  EXPECT_EQ(live.window_us, 14 * kDay);
  EXPECT_EQ(expression->names()[1].family, KpiFamily::kMetric);
  EXPECT_EQ(expression->names()[1].place, "churn");
  EXPECT_EQ(expression->names()[1].window_us, 0);
  EXPECT_EQ(expression->names()[2].window_us, 30 * kDay) << "when it is not said";
  EXPECT_TRUE(expression->is_live());
  EXPECT_FALSE(KpiExpression::Parse("(auc + recall) / 2")->is_live());
}

TEST(KpiExpressionTest, WhatIsNotKnownIsNoZero) {
  const auto unknown = [](const char* text) {
    const KpiValue value = KpiExpression::Parse(text)->Evaluate(Two);
    EXPECT_FALSE(value.number) << text;
    return value.unknown;
  };
  EXPECT_EQ(unknown("cost.total[30d] / feedback.positive"),
            "feedback.positive is 0: there is nothing to divide by");
  EXPECT_EQ(unknown("1 / (2 - 2)"), "(2 - 2) is 0: there is nothing to divide by");
  EXPECT_EQ(unknown("0 * live.recall[7d]"), "nobody knows live.recall[7d]");
}

TEST(KpiExpressionTest, MistakesAreNamed) {
  for (const char* text : {"", "1 +", "(1", "1)", "live.auc[7]", "live.auc[0d]", "live.auc[400d]",
                           "live.auc[7d", "auc[7d]", "live.", "cost.total@churn[7d]", "a b", "auc@",
                           "1..2", "feedback.auc", "live.count", "auc $ 2"})
    EXPECT_FALSE(KpiExpression::Parse(text)) << text;
  EXPECT_FALSE(KpiExpression::Parse(std::string(200, '(')));
  const auto close = KpiExpression::Parse("feedback.true_positve[30d]");
  ASSERT_FALSE(close);
  EXPECT_EQ(close.error().gy(), "GY3011");
  EXPECT_EQ(close.error().fixes().at(0), "did you mean `feedback.true_positive`?");
}

TEST(KpiExpressionTest, AKpiHoldsOne) {
  const auto kpi = ParseKpi("cost.total[30d]  / feedback.true_positive[30d] <= 12 EUR");
  ASSERT_TRUE(kpi) << kpi.error().ToString();
  ASSERT_TRUE(kpi->expression);
  EXPECT_EQ(kpi->metric, nullptr);
  EXPECT_EQ(kpi->ToString(), "cost.total[30d] / feedback.true_positive[30d] <= 12 EUR");
  EXPECT_TRUE(ParseKpi(kpi->ToString())->expression);
  EXPECT_TRUE(ParseKpi("(auc + recall) / 2 >= 80%")->expression);
  EXPECT_EQ(ParseKpi("live.acu[7d] >= 0.8").error().fixes().at(0), "did you mean `live.auc`?");
}

TEST(KpiExpressionTest, NamesOfFactsStayNames) {
  for (const char* text : {"cost per saved customer <= 12", "follow-up rate >= 0.5",
                           "cost/customer <= 3", "auc >= 0.84", "nps >= 40"}) {
    const auto kpi = ParseKpi(text);
    ASSERT_TRUE(kpi) << text;
    EXPECT_FALSE(kpi->expression) << text;
  }
  EXPECT_FALSE(ParseKpi("feedback.score >= 3"));
  const auto stored = ParseStoredKpi("feedback.score >= 3");
  ASSERT_TRUE(stored) << "it was written when that was a name";
  EXPECT_FALSE(stored->expression);
}

}  // namespace
}  // namespace gyre::statistics
