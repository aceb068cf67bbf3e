// For tests that compare with LightGBM itself.
#pragma once

#include <gtest/gtest.h>

#include "ml/predictors/testing/lightgbm_training.h"

namespace gyre::predictors {

class LightGbmTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto api = LoadLightGbm();
    ASSERT_TRUE(api) << api.error().ToString();
    api_ = *api;
    api_->RegisterLogCallback([](const char*) {});
  }

  // What LightGBM answers from the text, with one thread: `width` numbers a row.
  std::vector<double> Answers(const std::string& text, const Generated& data, int kind,
                              std::size_t width) {
    LgbmBooster booster = nullptr;
    int iterations = 0;
    EXPECT_EQ(0, api_->BoosterLoadModelFromString(text.c_str(), &iterations, &booster))
        << api_->LastError();
    std::vector<double> out(data.rows * width);
    std::int64_t count = 0;
    EXPECT_EQ(0, api_->BoosterPredictForMat(booster, data.x.data(), kLgbmFloat64,
                                            static_cast<std::int32_t>(data.rows),
                                            static_cast<std::int32_t>(data.columns), 1, kind, 0, -1,
                                            "num_threads=1", &count, out.data()))
        << api_->LastError();
    EXPECT_EQ(count, static_cast<std::int64_t>(out.size()));
    api_->BoosterFree(booster);
    return out;
  }

  const LightGbmApi* api_ = nullptr;
};

}  // namespace gyre::predictors
