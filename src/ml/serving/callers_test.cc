// What an endpoint answers must fit who calls it.
#include <algorithm>

#include "ml/serving/traffic_for_tests.h"

namespace gyre::serving {
namespace {

using CallersTest = TrafficTest;

// A version that wants a number where the champion takes text.
predictors::ModelPackage OtherInputs() {
  std::string recipe(kTestRecipe);
  for (const auto& [from, to] :
       {std::pair<std::string_view, std::string_view>{"country: text", "country: int"},
        {"encode.onehot, in: country", "number, in: country"}})
    recipe.replace(recipe.find(from), from.size(), to);
  table::Frame frame = TestFrame(200, 1);
  table::Column country{.name = "country", .type = table::Type::kInt};
  for (std::size_t i = 0; i < frame.rows(); ++i) country.PushInt(static_cast<std::int64_t>(i));
  *std::ranges::find(frame.columns, "country", &table::Column::name) = country;
  const auto fitted = recipes::Fit(*recipes::Spec::FromYaml(recipe), frame, {});
  GYRE_CHECK(fitted.has_value());
  predictors::ModelPackage package = TestPackage(0);
  package.recipe = fitted->Save();
  package.predictor =
      predictors::SaveLinear({.task = predictors::Task::kBinary,
                              .features = fitted->width(),
                              .coefficients = std::vector<double>(fitted->width(), 0.0),
                              .intercepts = {0}});
  return package;
}

TEST_F(CallersTest, WhatTheChampionRefusesTooIsTheClientsFault) {
  house_.RegisterPackage("churn", OtherInputs());  // v5
  ASSERT_TRUE(house_.serving->SetVariant({.project = "default",
                                          .endpoint = "churn",
                                          .variant = "canary",
                                          .reference = "churn:v5",
                                          .share = 1,
                                          .reason = "try",
                                          .by = "ann",
                                          .replace = true}));
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(house_.serving->Predict("churn", "{"));
  EXPECT_EQ(CountsOf("canary").failed, 7);
  EXPECT_EQ(CountsOf("canary").faults, 0);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(house_.serving->Predict("churn", Body("NL")));
  EXPECT_EQ(CountsOf("canary").failed, 10);
  EXPECT_EQ(CountsOf("canary").faults, 3) << "the champion takes these";
  const std::string_view ahead = R"({"inputs":[{"age":1}],"event_time":"2999-01-01T00:00:00Z"})";
  for (int i = 0; i < 5; ++i) {
    const auto refused = house_.serving->Predict("churn", ahead);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().gy(), "GY3810") << refused.error().ToString();
  }
  EXPECT_EQ(CountsOf("canary").faults, 3) << "the client's clock is wrong";
  EXPECT_EQ(CountsOf("champion").failed, 0) << "it was only asked";
}

TEST_F(CallersTest, ADeployOverAnEndpointFitsItsCallers) {
  house_.RegisterPackage("churn", OtherInputs());  // v5
  predictors::ModelPackage package = TestPackage(0);
  package.target = "Price";
  house_.RegisterPackage("price", package);
  const auto price = house_.Deploy("price:v1", "churn");
  ASSERT_FALSE(price);
  EXPECT_EQ(price.error().gy(), "GY3855");
  EXPECT_NE(price.error().ToString().find("it is binary of `Price`, not binary of `Churn`"),
            std::string::npos)
      << price.error().ToString();
  const auto inputs = house_.Deploy("churn:v5");
  ASSERT_FALSE(inputs);
  EXPECT_NE(inputs.error().ToString().find("it takes `country` as int, not text"),
            std::string::npos)
      << inputs.error().ToString();
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v1");
  const auto replaced = house_.serving->Deploy({.project = "default",
                                                .reference = "price:v1",
                                                .endpoint = "churn",
                                                .reason = "",
                                                .deployed_by = "ann",
                                                .replace = true});
  ASSERT_TRUE(replaced) << replaced.error().ToString();
  EXPECT_EQ(ModelOf(Body("NL")), "price:v1");
}

TEST_F(CallersTest, AVariantFitsTheCallersToo) {
  house_.RegisterPackage("churn", OtherInputs());  // v5
  for (const bool shadow : {false, true}) {
    const auto refused = Canary("churn:v5", shadow ? 0 : 0.1, shadow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().gy(), "GY3855");
    EXPECT_NE(refused.error().ToString().find("it takes `country` as int, not text"),
              std::string::npos);
  }
}

// The champion may be another than when the canary was let in.
TEST_F(CallersTest, WhatIsPromotedFitsTheCallersToo) {
  house_.RegisterPackage("churn", OtherInputs());  // v5
  ASSERT_TRUE(house_.serving->SetVariant({.project = "default",
                                          .endpoint = "churn",
                                          .variant = std::string(kCanary),
                                          .reference = "churn:v5",
                                          .share = 0.1,
                                          .reason = "try",
                                          .by = "ann",
                                          .replace = true}));
  EXPECT_EQ(Promote().error().gy(), "GY3855");
  EXPECT_EQ(house_.serving->Get("default", "churn")->deployment.model, "churn:v1");
  PromoteRequest request{
      .project = "default", .endpoint = "churn", .reason = "", .by = "ann", .replace = true};
  EXPECT_TRUE(house_.serving->PromoteVariant(request));
  EXPECT_EQ(house_.serving->Get("default", "churn")->deployment.model, "churn:v5");
}

// An alias moves by its gate, which asks nobody who calls.
TEST_F(CallersTest, AFollowedAliasThatDoesNotFitTheCallersIsNotFollowed) {
  house_.Promote("churn", 1);
  ASSERT_TRUE(house_.Deploy("churn@champion"));
  house_.RegisterPackage("churn", OtherInputs());  // v5
  house_.Promote("churn", 5);
  for (int look = 0; look < 3; ++look) ASSERT_TRUE(house_.serving->Reconcile());
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v1");
  const auto endpoint = house_.serving->Get("default", "churn");
  EXPECT_TRUE(endpoint->ready);
  EXPECT_NE(endpoint->problem.find("churn@champion is churn:v5 now"), std::string::npos)
      << endpoint->problem;
  const auto news = house_.events->List({.kind = "endpoint.refused", .after = 0});
  ASSERT_EQ(news->size(), 1U) << "told once";
  EXPECT_NE((*news)[0].payload.find("`country` as int, not text"), std::string::npos);
  house_.Promote("churn", 1);
  ASSERT_TRUE(house_.serving->Reconcile());
  EXPECT_EQ(house_.serving->Get("default", "churn")->problem, "");
  house_.Promote("churn", 5);
  const auto known = house_.serving->Deploy({.project = "default",
                                             .reference = "churn@champion",
                                             .endpoint = "churn",
                                             .reason = "",
                                             .deployed_by = "ann",
                                             .replace = true});
  ASSERT_TRUE(known) << known.error().ToString();
  EXPECT_EQ(known->deployment.model, "churn:v5");
}

}  // namespace
}  // namespace gyre::serving
