#include "ml/predictors/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gyre::predictors {
namespace {

TEST(Linear, LogisticSoftmaxAndIdentity) {
  const LinearModel logistic{
      .task = Task::kBinary, .features = 2, .coefficients = {1.5, -0.25}, .intercepts = {0.1}};
  auto predictor = LoadPredictor("gyre.linear", SaveLinear(logistic));
  ASSERT_TRUE(predictor) << predictor.error().ToString();
  const double x[] = {2.0, 4.0};
  double out[3];
  (*predictor)->Predict(x, out);
  EXPECT_DOUBLE_EQ(out[0], 1.0 / (1.0 + std::exp(-(0.1 + 3.0 - 1.0))));

  const LinearModel softmax{
      .task = Task::kMulticlass, .features = 1, .coefficients = {1, 2, 3}, .intercepts = {0, 0, 0}};
  predictor = LoadPredictor("gyre.linear", SaveLinear(softmax));
  ASSERT_TRUE(predictor);
  (*predictor)->Predict(x, out);
  EXPECT_NEAR(out[0] + out[1] + out[2], 1.0, 1e-15);
  EXPECT_NEAR(out[2] / out[1], std::exp(2.0), 1e-12);

  const LinearModel ridge{
      .task = Task::kRegression, .features = 2, .coefficients = {0.1, 7}, .intercepts = {-3}};
  predictor = LoadPredictor("gyre.linear", SaveLinear(ridge));
  ASSERT_TRUE(predictor);
  const double missing[] = {std::numeric_limits<double>::quiet_NaN(), 1.0};
  (*predictor)->Predict(missing, out);
  EXPECT_EQ(out[0], 4.0);
}

TEST(Linear, SavesTheSameBytesAndEveryBit) {
  const LinearModel model{
      .task = Task::kRegression, .features = 1, .coefficients = {0.1 + 0.2}, .intercepts = {-0.0}};
  const std::string bytes = SaveLinear(model);
  EXPECT_EQ(bytes, SaveLinear(model));
  EXPECT_NE(bytes.find("3fd3333333333334"), std::string::npos) << bytes;
}

TEST(Linear, BrokenModelsAreRefused) {
  for (
      const std::string_view bytes :
      {"", "{}", "[]", R"({"format":"gyre.linear","version":2})",
       R"({"format":"gyre.linear","version":1,"task":"regression","features":1,"coefficients":"zz","intercepts":""})",
       R"({"format":"gyre.linear","version":1,"task":"regression","features":2,"coefficients":"3fd3333333333334","intercepts":"0000000000000000"})",
       R"({"format":"gyre.linear","version":1,"task":"regression","features":1,"coefficients":"7ff0000000000000","intercepts":"0000000000000000"})",
       R"({"format":"gyre.linear","version":1,"task":"multiclass","features":1,"coefficients":"0000000000000000","intercepts":"0000000000000000"})"}) {
    EXPECT_FALSE(LoadPredictor("gyre.linear", bytes)) << bytes;
  }
}

TEST(Constant, AnswersTheSame) {
  const auto predictor = LoadPredictor(
      "gyre.constant",
      SaveConstant({.task = Task::kMulticlass, .features = 3, .values = {0.2, 0.3, 0.5}}));
  ASSERT_TRUE(predictor);
  double out[3];
  const double x[] = {1, 2, 3};
  (*predictor)->Predict(x, out);
  EXPECT_EQ(out[2], 0.5);
  EXPECT_EQ((*predictor)->outputs(), 3U);
}

}  // namespace
}  // namespace gyre::predictors
