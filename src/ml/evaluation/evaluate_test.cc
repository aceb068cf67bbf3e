#include "ml/evaluation/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "ml/evaluation/models_for_tests.h"

namespace gyre::evaluation {
namespace {

EvaluateOptions Quick() {
  EvaluateOptions options;
  options.bootstrap.resamples = 200;
  options.slice_resamples = 50;
  return options;
}

TEST(Evaluate, BinaryHasEverything) {
  const table::Frame frame = ChurnFrame(2000, 1);
  const auto scorer = ChurnScorer(frame, 3);
  const auto evaluation = Evaluate(*scorer, frame, Quick());
  ASSERT_TRUE(evaluation) << evaluation.error().ToString();
  EXPECT_EQ(evaluation->primary, "auc");
  EXPECT_EQ(evaluation->rows, 2000u);
  const auto* auc = evaluation->metrics.Find("auc");
  ASSERT_NE(auc, nullptr);
  EXPECT_GT(auc->estimate, 0.75);
  EXPECT_LT(auc->lower, auc->estimate);
  EXPECT_GT(auc->upper, auc->estimate);
  EXPECT_EQ(*QuickMetrics(*scorer, frame)->Find("auc"), auc->estimate);
  std::uint64_t counted = 0;
  for (const std::uint64_t count : evaluation->confusion.counts) counted += count;
  EXPECT_EQ(counted, 2000u);
  EXPECT_GT(evaluation->over_baseline.Find("auc")->lower, 0);
  EXPECT_EQ(evaluation->over_baseline.Find("auc")->b, 0.5);
  const Json document = evaluation->ToJson();
  EXPECT_LE(document["curves"]["roc"]["fpr"].size(), 200u);
  EXPECT_GT(document["curves"]["precision_recall"]["recall"].size(), 10u);
  EXPECT_GT(document["curves"]["calibration"]["uniform"].size(), 2u);
  EXPECT_EQ(document["methods"]["auc"].AsString(), "auc.mann_whitney");
  EXPECT_TRUE(Json::Parse(document.Dump()));
}

TEST(Evaluate, ImportanceFindsTheColumnThatMatters) {
  const table::Frame frame = ChurnFrame(1500, 2);
  const auto evaluation = Evaluate(*ChurnScorer(frame, 3), frame, Quick());
  ASSERT_TRUE(evaluation);
  ASSERT_EQ(evaluation->importance.size(), 2u);
  EXPECT_EQ(evaluation->importance[0].column, "usage");
  EXPECT_GT(evaluation->importance[0].mean, 0.1);
  EXPECT_NEAR(evaluation->importance[1].mean, 0, 1e-12) << "the model gives `noise` no weight";
}

// Literals: scikit-learn 1.9.1, sklearn.inspection.permutation_importance(m, X, y, n_repeats=50000,
// scoring='neg_root_mean_squared_error', random_state=0) with i = 0 .. 11, x = 7i mod 12,
// z = (5i + 3) mod 12, y = 2x + z/2 + (1 if i is odd else -1), X = [x, z], and m predicting
// 2x + z/2. Both sides draw at random, so the means agree within their standard errors.
TEST(Evaluate, ImportanceIsThatOfScikitLearn) {
  table::Frame frame;
  for (const char* name : {"x", "z", "y"})
    frame.columns.push_back(MakeColumn(name, table::Type::kDouble));
  for (int i = 0; i < 12; ++i) {
    const double x = 7 * i % 12, z = (5 * i + 3) % 12;
    frame.columns[0].PushDouble(x);
    frame.columns[1].PushDouble(z);
    frame.columns[2].PushDouble(2 * x + z / 2 + (i % 2 == 1 ? 1 : -1));
  }
  predictors::ModelPackage package =
      MakePackage(frame,
                  "input: {schema: {x: double, z: double}}\n"
                  "steps:\n  - {id: a, op: number, in: x}\n  - {id: b, op: number, in: z}\n"
                  "output: [a, b]\n",
                  {predictors::Task::kRegression, 2, {2, 0.5}, {0}});
  package.target = "y";
  package.target_type = table::Type::kDouble;
  EvaluateOptions options = Quick();
  options.importance_repeats = 20'000;
  const auto evaluation = Evaluate(*Load(package), frame, options);
  ASSERT_TRUE(evaluation) << evaluation.error().ToString();
  const struct {
    const char* column;
    double mean, deviation;
  } kExpected[] = {{"x", 8.78796347, 1.55514127}, {"z", 1.5136758, 0.39738286}};
  ASSERT_EQ(evaluation->importance.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Importance& found = evaluation->importance[i];
    EXPECT_EQ(found.column, kExpected[i].column);
    const double error = kExpected[i].deviation * std::sqrt(1 / 20'000.0 + 1 / 50'000.0);
    EXPECT_NEAR(found.mean, kExpected[i].mean, 4 * error);
    EXPECT_NEAR(found.deviation, kExpected[i].deviation, 0.03 * kExpected[i].deviation);
  }
}

TEST(Evaluate, APerfectScoreIsDoubted) {
  table::Frame frame = ChurnFrame(500, 2);
  const auto scorer = ChurnScorer(frame, 3);
  const auto honest = Evaluate(*scorer, frame, Quick());
  ASSERT_TRUE(honest);
  for (const std::string& warning : honest->warnings)
    EXPECT_EQ(warning.find("perfect"), std::string::npos) << warning;
  table::TextColumn known;
  for (const double usage : frame.columns[0].doubles) known.Push(usage > 0 ? "yes" : "no");
  frame.columns[3].text = known;
  const auto evaluation = Evaluate(*scorer, frame, Quick());
  ASSERT_TRUE(evaluation) << evaluation.error().ToString();
  ASSERT_FALSE(evaluation->warnings.empty());
  EXPECT_EQ(evaluation->warnings[0],
            "auc is 1: a perfect score is more often a leak than a good model; it rests on "
            "`usage`: would you know it beforehand?");
}

TEST(Evaluate, SlicesFindTheWeakGroup) {
  table::Frame frame = ChurnFrame(3000, 3);
  // In the north the label is a coin that the model cannot see.
  Random random(5);
  table::Column* region = &frame.columns[2];
  table::Column* target = &frame.columns[3];
  ASSERT_EQ(region->name, "region");
  table::TextColumn flipped;
  for (std::size_t i = 0; i < frame.rows(); ++i) {
    flipped.Push(region->IsValid(i) && region->text[i] == "north"
                     ? (random.Below(2) == 0 ? "no" : "yes")
                     : target->text[i]);
  }
  target->text = flipped;
  const auto evaluation = Evaluate(*ChurnScorer(frame, 3), frame, Quick());
  ASSERT_TRUE(evaluation) << evaluation.error().ToString();
  ASSERT_FALSE(evaluation->slices.empty());
  EXPECT_EQ(evaluation->slices[0].column, "region");
  EXPECT_EQ(evaluation->slices[0].value, "north");
  EXPECT_TRUE(evaluation->slices[0].surely_worse);
  EXPECT_GT(evaluation->slices[0].gap, 0.1);
  const bool missing = std::ranges::any_of(evaluation->slices, [](const Slice& s) {
    return s.column == "region" && s.value == "(missing)";
  });
  EXPECT_TRUE(missing);
  for (const Slice& slice : evaluation->slices) EXPECT_GE(slice.rows, 50u);
}

TEST(Evaluate, SameSeedSameDocument) {
  const table::Frame frame = ChurnFrame(600, 4);
  const auto scorer = ChurnScorer(frame, 3);
  const auto once = Evaluate(*scorer, frame, Quick()), again = Evaluate(*scorer, frame, Quick());
  ASSERT_TRUE(once && again);
  EXPECT_EQ(once->ToJson().Dump(), again->ToJson().Dump());
  EvaluateOptions other = Quick();
  other.bootstrap.seed = 9;
  EXPECT_NE(Evaluate(*scorer, frame, other)->ToJson().Dump(), once->ToJson().Dump());
}

TEST(Evaluate, RowsThatCannotBeJudgedAreCounted) {
  table::Frame frame = ChurnFrame(500, 6);
  table::Column& target = frame.columns[3];
  const auto scorer = ChurnScorer(frame, 3);
  table::Column changed;
  changed.name = "Churn";
  changed.type = table::Type::kText;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (i < 7) {
      changed.PushNull();
    } else if (i < 10) {
      changed.PushText("perhaps");
    } else {
      changed.PushText(target.text[i]);
    }
  }
  target = changed;
  const auto evaluation = Evaluate(*scorer, frame, Quick());
  ASSERT_TRUE(evaluation);
  EXPECT_EQ(evaluation->rows, 490u);
  EXPECT_EQ(evaluation->rows_without_target, 7u);
  EXPECT_EQ(evaluation->rows_of_unknown_class, 3u);
  EXPECT_EQ(evaluation->warnings.size(),
            2u + (evaluation->warnings.back().find("slices") != std::string::npos ? 1 : 0));
}

TEST(Evaluate, BadInputIsNamed) {
  const table::Frame frame = ChurnFrame(100, 7);
  const auto scorer = ChurnScorer(frame, 3);
  EXPECT_EQ(Evaluate(*scorer, frame.WithoutColumns({"Churn"}), Quick()).error().gy(), "GY3701");
  EXPECT_EQ(Evaluate(*scorer, frame.Select({}), Quick()).error().gy(), "GY3701");
  const table::Column& target = *frame.Find("Churn");
  std::vector<std::uint32_t> ones;
  for (std::uint32_t i = 0; i < frame.rows(); ++i) {
    if (target.text[i] == "yes") ones.push_back(i);
  }
  EXPECT_EQ(Evaluate(*scorer, frame.Select(ones), Quick()).error().gy(), "GY3002");
  EXPECT_EQ(Evaluate(*scorer, frame.Select({ones[0]}), Quick()).error().gy(), "GY3002")
      << "one row has one class";
  EvaluateOptions options = Quick();
  options.primary_metric = "rmse";
  EXPECT_EQ(Evaluate(*scorer, frame, options).error().gy(), "GY3702");
  options.primary_metric = "beauty";
  EXPECT_EQ(Evaluate(*scorer, frame, options).error().gy(), "GY3702");
  options = Quick();
  options.cancelled = [] { return true; };
  EXPECT_EQ(Evaluate(*scorer, frame, options).error().code(), Code::kCancelled);
}

TEST(Evaluate, Regression) {
  const table::Frame frame = PriceFrame(800, 8);
  const auto evaluation = Evaluate(*PriceScorer(frame, 2.0), frame, Quick());
  ASSERT_TRUE(evaluation) << evaluation.error().ToString();
  EXPECT_EQ(evaluation->primary, "rmse");
  EXPECT_GT(evaluation->metrics.Find("r2")->estimate, 0.5);
  EXPECT_EQ(evaluation->over_baseline.Find("r2")->b, 0);
  EXPECT_TRUE(evaluation->confusion.counts.empty());
  const Json document = evaluation->ToJson();
  EXPECT_LE(document["curves"]["residuals"]["predicted"].size(), 500u);
  const auto one_row = Evaluate(*PriceScorer(frame, 2.0), frame.Select({0}), Quick());
  ASSERT_TRUE(one_row) << one_row.error().ToString();
  EXPECT_EQ(one_row->metrics.Find("r2"), nullptr);
  EXPECT_NE(one_row->metrics.Find("rmse"), nullptr);
}

TEST(Compare, IdenticalModelsDifferByNothing) {
  const table::Frame frame = ChurnFrame(700, 9);
  const auto scorer = ChurnScorer(frame, 3);
  const auto comparison = Compare(*scorer, *scorer, frame, Quick());
  ASSERT_TRUE(comparison);
  EXPECT_EQ(comparison->paired.Find("auc")->gain, 0);
  EXPECT_EQ(comparison->paired.Find("auc")->lower, 0);
  EXPECT_EQ(comparison->agreement, 1);
}

TEST(Compare, TheBetterModelWinsAndTheGateSaysSo) {
  const table::Frame frame = ChurnFrame(2000, 10);
  const auto good = ChurnScorer(frame, 3), reversed = ChurnScorer(frame, -3);
  const auto comparison = Compare(*good, *reversed, frame, Quick());
  ASSERT_TRUE(comparison);
  EXPECT_GT(comparison->paired.Find("auc")->lower, 0.3);
  const auto evaluation = Evaluate(*good, frame, Quick());
  ASSERT_TRUE(evaluation);
  EXPECT_TRUE(
      registry::Judge(registry::DefaultRules(false), MakeGateNumbers(*evaluation, nullptr, {}))
          .pass);
  EXPECT_TRUE(registry::Judge(registry::DefaultRules(true),
                              MakeGateNumbers(*evaluation, &*comparison, "churn:v1"))
                  .pass);
  const auto worse = Compare(*reversed, *good, frame, Quick());
  const auto of_worse = Evaluate(*reversed, frame, Quick());
  ASSERT_TRUE(worse && of_worse);
  EXPECT_FALSE(
      registry::Judge(registry::DefaultRules(true), MakeGateNumbers(*of_worse, &*worse, "churn:v1"))
          .pass);
  EXPECT_FALSE(
      registry::Judge(registry::DefaultRules(false), MakeGateNumbers(*of_worse, nullptr, {})).pass);
}

TEST(Compare, AnotherPositiveClassIsComparedOnThatOfTheChallenger) {
  const table::Frame frame = ChurnFrame(700, 9);
  const auto yes = ChurnScorer(frame, 3);
  predictors::ModelPackage package = ChurnPackage(frame, -3);
  package.classes = {"yes", "no"};
  const auto no = Load(package);
  EXPECT_EQ(OtherPositive(*yes, *yes, "b"), "");
  EXPECT_EQ(OtherPositive(*yes, *no, "churn:v1"),
            "the positive class of churn:v1 is `no`: it is compared on `yes`");
  const auto comparison = Compare(*yes, *no, frame, Quick());
  ASSERT_TRUE(comparison) << comparison.error().ToString();
  const auto alone = Evaluate(*yes, frame, Quick());
  for (const char* metric : {"auc", "f1", "recall"}) {
    const auto* gain = comparison->paired.Find(metric);
    ASSERT_NE(gain, nullptr) << metric;
    EXPECT_EQ(gain->a, alone->metrics.Find(metric)->estimate) << metric;
    EXPECT_GT(gain->b, 0.5) << metric;
  }
}

TEST(Compare, UnlikeModelsAreRefused) {
  const table::Frame churn = ChurnFrame(100, 11), price = PriceFrame(100, 11);
  EXPECT_EQ(Compare(*ChurnScorer(churn, 3), *PriceScorer(price, 2), churn, Quick()).error().gy(),
            "GY3704");
}

}  // namespace
}  // namespace gyre::evaluation
