// An endpoint `churn` over four versions. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "ml/serving/testing/house.h"

namespace gyre::serving {

inline std::string Body(const std::string& customer) {
  return fmt::format(R"({{"session":"{}","inputs":[{{"country":"{}","amount":0.5,"age":30}}]}})",
                     customer, customer);
}

class TrafficTest : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 4; ++i) house_.Register("churn", i - 1.0);
    ASSERT_TRUE(house_.Deploy("churn:v1"));
  }
  Result<Endpoint> Canary(const std::string& reference, double share, bool shadow = false) {
    return house_.serving->SetVariant({.project = "default",
                                       .endpoint = "churn",
                                       .variant = shadow ? "shadow" : "canary",
                                       .reference = reference,
                                       .share = share,
                                       .shadow = shadow,
                                       .reason = "try",
                                       .by = "ann"});
  }
  Result<Endpoint> Promote(std::string reason = {}, std::string over = {}, std::string model = {}) {
    return house_.serving->PromoteVariant({.project = "default",
                                           .endpoint = "churn",
                                           .reason = std::move(reason),
                                           .by = "ann",
                                           .over = std::move(over),
                                           .model = std::move(model)});
  }
  std::string ModelOf(const std::string& body, const Headers* headers = nullptr) {
    const auto answer = house_.serving->Predict("churn", body, headers);
    EXPECT_TRUE(answer) << answer.error().ToString();
    return answer ? (*Json::Parse(*answer))["model"].AsString() : "";
  }
  VariantCounts CountsOf(std::string_view variant) {
    const auto all = house_.serving->Variants("default", "churn");
    EXPECT_TRUE(all);
    for (const VariantCounts& one : *all) {
      if (one.variant == variant) return one;
    }
    ADD_FAILURE() << "no variant " << variant;
    return {};
  }
  TestHouse house_;
};

}  // namespace gyre::serving
