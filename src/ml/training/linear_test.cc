#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/random.h"
#include "ml/training/fold_values.h"
#include "ml/training/frames_for_tests.h"
#include "ml/training/linear_fit.h"
#include "ml/training/model_text.h"
#include "ml/training/split.h"

namespace gyre::training {
namespace {

recipes::Matrix Matrix(const std::vector<std::vector<double>>& rows) {
  recipes::Matrix m;
  m.rows = rows.size();
  m.columns = rows[0].size();
  for (const auto& row : rows) m.values.insert(m.values.end(), row.begin(), row.end());
  return m;
}

std::vector<std::uint32_t> All(std::size_t n) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

TEST(Linear, RidgeFindsThePlaneBothWays) {
  Random random(1);
  std::vector<std::vector<double>> rows;
  Target target;
  target.task = predictors::Task::kRegression;
  for (int i = 0; i < 200; ++i) {
    rows.push_back({random.Normal(), random.Normal(), random.Normal()});
    target.values.push_back(3 + 2 * rows.back()[0] - rows.back()[1]);
    target.kept.push_back(static_cast<std::uint32_t>(i));
  }
  SparseRows x(3);
  x.Append(Matrix(rows));
  const LinearData data{&x, &target, All(200)};
  const auto ridge = FitLinear(data, {LinearParams::Penalty::kL2, 1e-8, 300}, nullptr, {});
  ASSERT_TRUE(ridge);
  const auto lasso = FitLinear(data, {LinearParams::Penalty::kL1, 0.1, 300}, nullptr, {});
  ASSERT_TRUE(lasso);
  EXPECT_NEAR(ridge->coefficients[0], 2, 1e-6);
  EXPECT_NEAR(ridge->coefficients[1], -1, 1e-6);
  EXPECT_NEAR(ridge->intercepts[0], 3, 1e-6);
  EXPECT_EQ(lasso->coefficients[2],
            0);  // the corner of |w| keeps what says nothing at exactly zero
  EXPECT_NEAR(lasso->coefficients[0], 1.9, 0.05);
}

std::vector<double> Dense(const SparseRows& rows, std::size_t i) {
  std::vector<double> dense(rows.columns(), 0.0);
  const SparseRows::Row row = rows.row(i);
  for (std::size_t j = 0; j < row.size; ++j) dense[row.index[j]] = row.value[j];
  return dense;
}

TEST(Linear, TheRowsOfAFoldDifferFromTheWholeInWhatLearnsFromTheLabelOnly) {
  FitRequest request;
  request.target = "churn";
  const auto problem = PrepareProblem(request, ChurnFrame(300, 2));
  ASSERT_TRUE(problem);
  const auto spec = recipes::Spec::FromYaml(
      "input: {schema: {x: double, city: text}}\n"
      "steps:\n"
      "  - {id: c, op: encode.target, in: city}\n"
      "  - {id: a, op: number, in: x}\n"
      "output: {vector: [c, a]}\n");
  ASSERT_TRUE(spec);
  recipes::FitOptions options;
  options.target = problem->train.Find("churn");
  const auto both = recipes::FitTransform(*spec, problem->train, options);
  ASSERT_TRUE(both) << both.error().ToString();
  SparseRows whole(both->matrix.columns);
  whole.Append(both->matrix);
  const auto rows = static_cast<std::uint32_t>(whole.rows());
  std::vector<Fold> folds(2);
  for (std::uint32_t i = 0; i < rows; ++i) {
    for (const std::uint32_t f : {0U, 1U})
      (i % 2 == f ? folds[f].valid : folds[f].train).push_back(i);
  }
  const FoldValues values(both->fitted, *problem);
  auto made = FoldRows::Make(whole, values, folds);
  ASSERT_TRUE(made);
  for (const std::size_t f : {1U, 0U}) {
    const auto part = values.Of(folds[f]);
    ASSERT_TRUE(part);
    ASSERT_EQ(part->columns.size(), 1U);
    const auto [here, there] = part->columns[0];
    const SparseRows& own = made->Take(f);
    for (std::size_t i = 0; i < folds[f].valid.size(); ++i) {
      std::vector<double> expected = Dense(whole, folds[f].valid[i]);
      expected[there] = part->valid.row(i)[here];
      EXPECT_EQ(Dense(own, folds[f].valid[i]), expected);
    }
    EXPECT_EQ(Dense(own, folds[f].train[0])[there], part->train.row(0)[here]);
  }
}

// Literals of sklearn.linear_model.LogisticRegression(C=1/(n*strength)) on the same rows.
TEST(Linear, LogisticStandsWhereItsGradientIsZero) {
  const std::vector<std::vector<double>> rows = {{0}, {1}, {2}, {3}, {4}, {5}};
  Target target;
  target.task = predictors::Task::kBinary;
  target.classes = {"no", "yes"};
  target.labels = {0, 0, 1, 0, 1, 1};
  SparseRows x(1);
  x.Append(Matrix(rows));
  constexpr double kStrength = 0.05;
  const LinearData data{&x, &target, All(6)};
  const auto model = FitLinear(data, {LinearParams::Penalty::kL2, kStrength, 500}, nullptr, {});
  ASSERT_TRUE(model);
  double slope = 0, offset = 0;
  for (int i = 0; i < 6; ++i) {
    const double p = 1 / (1 + std::exp(-(model->coefficients[0] * i + model->intercepts[0])));
    slope += (p - target.labels[static_cast<std::size_t>(i)]) * i / 6.0;
    offset += (p - target.labels[static_cast<std::size_t>(i)]) / 6.0;
  }
  EXPECT_NEAR(slope + kStrength * model->coefficients[0], 0, 1e-3);
  EXPECT_NEAR(offset, 0, 1e-3);
}

TEST(Split, TimeTestsOnTheNewestAndGroupsStayWhole) {
  Target target;
  target.task = predictors::Task::kRegression;
  SplitRequest by_time{.kind = SplitKind::kTime, .target = &target, .time = {}, .group = {}};
  SplitRequest by_group{.kind = SplitKind::kGroup, .target = &target, .time = {}, .group = {}};
  for (std::uint32_t i = 0; i < 500; ++i) {
    target.kept.push_back(i);
    target.values.push_back(i % 7);
    by_time.time.push_back(500.0 - i);
    by_group.group.push_back(i / 10);
  }
  const auto time = MakeSplit(by_time);
  ASSERT_TRUE(time);
  for (const std::uint32_t row : time->test) EXPECT_LT(row, time->test.size());
  const auto group = MakeSplit(by_group);
  ASSERT_TRUE(group);
  std::vector<char> in_test(50, 0);
  for (const std::uint32_t row : group->test) in_test[row / 10] = 1;
  for (const std::uint32_t row : group->train) EXPECT_EQ(in_test[row / 10], 0);
}

TEST(ModelText, CountsAndScalesLeaves) {
  const std::string text =
      "tree\nversion=v4\nmax_feature_idx=0\ntree_sizes=10\n\n"
      "Tree=0\nnum_leaves=2\nleaf_value=1 -3\n\n\nend of trees\n\nparameters:\n[num_threads: 4]\n";
  EXPECT_EQ(CountLeaves(text), 2U);
  const WeightedText parts[] = {{text, 0.5}, {text, 0.5}};
  const auto merged = MergeModels(parts);
  ASSERT_TRUE(merged);
  EXPECT_NE(merged->find("Tree=1\nnum_leaves=2\nleaf_value=0.5 -1.5\n"), std::string::npos)
      << *merged;
  EXPECT_EQ(merged->find("num_threads"), std::string::npos);
  EXPECT_FALSE(MergeModels(std::vector<WeightedText>{{"nonsense", 1}}));
}

}  // namespace
}  // namespace gyre::training
