#include "ml/training/problem.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ml/training/frames_for_tests.h"
#include "platform/table/testing/frame_of.h"

namespace gyre::training {
namespace {

FitRequest Ask(const std::string& target) {
  FitRequest request;
  request.target = target;
  return request;
}

table::Frame OneColumn(table::Type type, const std::vector<double>& values) {
  table::Frame frame = table::FrameOf({{"x", table::Type::kDouble}, {"y", type}});
  Random random(3);
  for (const double v : values) {
    frame.columns[0].PushDouble(random.Normal());
    if (v < 0) {
      frame.columns[1].PushNull();
    } else if (type == table::Type::kDouble) {
      frame.columns[1].PushDouble(v);
    } else {
      frame.columns[1].PushInt(static_cast<std::int64_t>(v));
    }
  }
  return frame;
}

TEST(Problem, LeavesOutWhatKnowsTheAnswer) {
  const auto problem = PrepareProblem(Ask("churn"), ChurnFrame(2'000, 1));
  ASSERT_TRUE(problem) << problem.error().ToString();
  EXPECT_EQ(problem->task(), predictors::Task::kBinary);
  EXPECT_EQ(problem->metric->name, "auc");
  EXPECT_EQ(problem->excluded, std::vector<std::string>{"leak"});
  FitRequest keep = Ask("churn");
  keep.keep_leaks = true;
  EXPECT_TRUE(PrepareProblem(keep, ChurnFrame(2'000, 1))->excluded.empty());
}

TEST(Problem, NamesWhatIsMissing) {
  const auto typo = PrepareProblem(Ask("chrun"), ChurnFrame(100, 1));
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().gy(), "GY3501");
  ASSERT_FALSE(typo.error().fixes().empty());
  EXPECT_NE(typo.error().fixes()[0].find("churn"), std::string::npos);
  FitRequest metric = Ask("churn");
  metric.metric = "rmse";
  EXPECT_EQ(PrepareProblem(metric, ChurnFrame(100, 1)).error().gy(), "GY3501");
}

TEST(Problem, TargetsThatCannotBeLearnedSayWhy) {
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, std::vector<double>(50, 1)))
                .error()
                .gy(),
            "GY3503");
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, std::vector<double>(50, -1)))
                .error()
                .gy(),
            "GY3502");
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, {1})).error().gy(), "GY3502");
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, {})).error().gy(), "GY3502");
}

TEST(Problem, WholeNumbersAreClassesWhenFewAndAmountsWhenMany) {
  std::vector<double> few, many, missing;
  for (int i = 0; i < 200; ++i) {
    few.push_back(i % 3);
    many.push_back(i % 40);
    missing.push_back(i % 4 == 0 ? -1 : i % 2);
  }
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, few))->task(),
            predictors::Task::kMulticlass);
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, many))->task(),
            predictors::Task::kRegression);
  const auto problem = PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, missing));
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->task(), predictors::Task::kBinary);
  EXPECT_EQ(problem->train_target.rows() + problem->test_target.rows(), 150U);
  EXPECT_TRUE(std::ranges::any_of(problem->findings,
                                  [](const Finding& f) { return f.kind == "missing target"; }));
}

TEST(Problem, ABadRequestIsRefusedBeforeAnythingIsRead) {
  EXPECT_EQ(ParseFitRequest(Json::Obj({{"target", "y"}, {"budget_seconds", 0.0}})).error().gy(),
            "GY3501");
  EXPECT_EQ(ParseFitRequest(Json::Obj({{"target", "y"}, {"trials", -1}})).error().gy(), "GY3501");
  EXPECT_FALSE(ParseFitRequest(Json::Obj({{"target", "y"}, {"task", "guess"}})));
  EXPECT_TRUE(ParseFitRequest(Json::Obj({{"target", "y"}})));
}

}  // namespace
}  // namespace gyre::training
