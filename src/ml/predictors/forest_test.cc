#include "ml/predictors/forest.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include "ml/predictors/testing/lightgbm_test.h"

namespace gyre::predictors {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

class ForestTest : public LightGbmTest {
 protected:
  std::vector<double> Reference(const std::string& text, const Generated& data,
                                std::size_t outputs) {
    return Answers(text, data, kLgbmPredictNormal, outputs);
  }

  void ExpectEqual(const std::string& text, const Generated& data, std::string_view what) {
    SCOPED_TRACE(what);
    auto exact = LoadPredictor("lightgbm.text", text, Mode::kExact);
    ASSERT_TRUE(exact) << exact.error().ToString();
    auto fast = LoadPredictor("lightgbm.text", text, Mode::kFast);
    ASSERT_TRUE(fast);
    const std::size_t outputs = (*exact)->outputs();
    ASSERT_EQ(data.columns, (*exact)->features());
    const std::vector<double> reference = Reference(text, data, outputs);
    std::vector<double> row(outputs);
    int wrong_bits = 0;
    double worst = 0;
    for (std::size_t i = 0; i < data.rows; ++i) {
      (*exact)->Predict(data.row(i), row.data());
      for (std::size_t k = 0; k < outputs; ++k) {
        wrong_bits += std::bit_cast<std::uint64_t>(row[k]) !=
                      std::bit_cast<std::uint64_t>(reference[i * outputs + k]);
      }
      (*fast)->Predict(data.row(i), row.data());
      for (std::size_t k = 0; k < outputs; ++k) {
        const double expected = reference[i * outputs + k];
        worst =
            std::max(worst, std::fabs(row[k] - expected) / std::max(std::fabs(expected), 1e-300));
      }
    }
    EXPECT_EQ(0, wrong_bits) << "of " << data.rows * outputs;
    EXPECT_LE(worst, 1e-12);
    std::vector<double> batch(data.rows * outputs);
    (*fast)->PredictBatch(data.x.data(), data.rows, batch.data());
    (*fast)->Predict(data.row(data.rows - 1), row.data());
    for (std::size_t k = 0; k < outputs; ++k)
      EXPECT_EQ(row[k], batch[(data.rows - 1) * outputs + k]);
  }

  // Rows that training never saw: huge, tiny, infinite, exactly on thresholds.
  static Generated Nasty(const GenerateOptions& options, const std::string& text) {
    std::vector<double> values = {0.0,   -0.0,   kNan,   kInf,       -kInf,
                                  1e-36, -1e-36, 1e-35F, -1e-35F,    1.0000000180025095e-35,
                                  1e-40, -1e-40, 5e-324, 1e300,      -1e300,
                                  -0.5,  -1,     3e9,    2147483647, 2147483648.0,
                                  41,    1e18};
    const auto model = ParseLightGbmText(text);
    EXPECT_TRUE(model);
    for (const Tree& tree : model->trees) {
      for (const Split& split : tree.splits) {
        if (values.size() > 3000) break;
        values.push_back(split.threshold);
        values.push_back(std::nextafter(split.threshold, kInf));
        values.push_back(std::nextafter(split.threshold, -kInf));
      }
    }
    Random random(options.seed + 99);
    Generated data{.rows = 4000, .columns = options.columns, .x = {}, .label = {}};
    data.x.resize(data.rows * data.columns);
    for (double& value : data.x) value = values[random.Below(values.size())];
    return data;
  }

  void Check(const GenerateOptions& options, const std::string& parameters, int iterations,
             std::string_view what) {
    const Generated train = Generate(options);
    const std::string text = TrainText(*api_, train, parameters, iterations);
    ASSERT_FALSE(text.empty()) << what << ": " << api_->LastError();
    GenerateOptions other = options;
    other.seed += 1000;
    other.rows = 3000;
    ExpectEqual(text, train, what);
    ExpectEqual(text, Generate(other), what);
    ExpectEqual(text, Nasty(options, text), what);
  }
};

TEST_F(ForestTest, ObjectivesAgreeWithLightGbm) {
  Check({.classes = 2}, "objective=binary num_leaves=31", 60, "binary");
  Check({.classes = 2}, "objective=binary sigmoid=1.7 num_leaves=8", 33, "sigmoid");
  Check({.classes = 2}, "objective=cross_entropy num_leaves=15", 20, "cross entropy");
  Check({.classes = 2}, "objective=cross_entropy_lambda num_leaves=15", 20, "cross entropy lambda");
  Check({}, "objective=regression num_leaves=63", 40, "regression");
  Check({}, "objective=regression reg_sqrt=true num_leaves=15", 20, "sqrt");
  Check({}, "objective=regression_l1 num_leaves=15", 20, "l1");
  Check({}, "objective=huber num_leaves=15", 20, "huber");
  Check({}, "objective=fair num_leaves=15", 20, "fair");
  Check({}, "objective=quantile alpha=0.9 num_leaves=15", 20, "quantile");
  Check({}, "objective=mape num_leaves=15", 20, "mape");
  Check({.classes = 2}, "objective=poisson num_leaves=15", 20, "poisson");
  Check({.classes = 2}, "objective=tweedie num_leaves=15", 20, "tweedie");
  Check({.classes = 4}, "objective=multiclass num_class=4 num_leaves=15", 25, "multiclass");
  Check({.classes = 3}, "objective=multiclassova num_class=3 num_leaves=15", 21, "one against all");
}

TEST_F(ForestTest, MissingValuesTakeTheirDirection) {
  Check({.nan_share = 0.2, .classes = 2}, "objective=binary num_leaves=31", 50, "NaN");
  Check({.zero_share = 0.4, .classes = 2}, "objective=binary num_leaves=31 zero_as_missing=true",
        50, "zero");
  Check({.nan_share = 0.1, .zero_share = 0.3}, "objective=regression zero_as_missing=true", 50,
        "NaN and zero");
  Check({.nan_share = 0.2, .classes = 2}, "objective=binary use_missing=false", 50, "none");
}

TEST_F(ForestTest, CategoricalSplits) {
  Check({.nan_share = 0.05, .categorical = 2, .classes = 2},
        "objective=binary categorical_feature=0,1 num_leaves=15", 10, "few");
  Check({.nan_share = 0.05, .categorical = 5, .classes = 2},
        "objective=binary categorical_feature=0,1,2,3,4 num_leaves=31", 80, "more sets than slots");
  Check({.categorical = 4, .classes = 3},
        "objective=multiclass num_class=3 categorical_feature=0,1,2,3 num_leaves=15", 20,
        "multiclass");
}

TEST_F(ForestTest, Shapes) {
  Check({.rows = 6000}, "objective=regression num_leaves=500 min_data_in_leaf=2", 10, "deep");
  Check({.rows = 4000},
        "objective=regression num_leaves=300 min_data_in_leaf=1 max_depth=-1 linear_tree=false", 3,
        "ragged");
  Check({.classes = 2}, "objective=binary num_leaves=64 max_depth=6", 100, "full depth 6");
  Check({.classes = 2}, "objective=binary num_leaves=256 max_depth=8 min_data_in_leaf=1", 20,
        "full depth 8");
  Check({.rows = 30, .classes = 2}, "objective=binary", 5, "nothing to split");
  Check({.classes = 2}, "objective=binary num_leaves=2", 9, "stumps");
  Check({.rows = 800, .columns = 300, .nan_share = 0.1}, "objective=regression num_leaves=31", 60,
        "wide");
  Check({.classes = 2},
        "boosting=rf objective=binary bagging_freq=1 bagging_fraction=0.7 num_leaves=31", 20,
        "random forest");
  Check({}, "boosting=rf objective=regression bagging_freq=1 bagging_fraction=0.7 num_leaves=31",
        20, "forest regression");
  Check({.classes = 2}, "boosting=dart objective=binary num_leaves=31", 20, "dart");
}

TEST_F(ForestTest, MoreSlotsThanTheEngineHolds) {
  Check({.rows = 400, .columns = 3000, .nan_share = 0.1},
        "objective=regression num_leaves=31 min_data_in_leaf=1 max_bin=7 feature_fraction=0.03",
        120, "3000 columns");
}

TEST_F(ForestTest, LinearTreesAreRefusedByName) {
  const Generated data = Generate({.rows = 500});
  const std::string text = TrainText(*api_, data, "objective=regression linear_tree=true", 3);
  ASSERT_FALSE(text.empty()) << api_->LastError();
  const auto predictor = LoadPredictor("lightgbm.text", text);
  ASSERT_FALSE(predictor);
  EXPECT_EQ(predictor.error().gy(), "GY3204");
  EXPECT_NE(predictor.error().message().find("linear trees"), std::string::npos);
}

TEST_F(ForestTest, RankingIsRefusedByName) {
  std::string text = TrainText(*api_, Generate({.rows = 200, .classes = 2}), "objective=binary", 2);
  text.replace(text.find("objective=binary sigmoid:1"), 26, "objective=lambdarank");
  const auto predictor = LoadPredictor("lightgbm.text", text);
  ASSERT_FALSE(predictor);
  EXPECT_EQ(predictor.error().gy(), "GY3204");
}

// Every prefix, and every line lost, doubled or spoiled: an error or a model, never a crash.
TEST_F(ForestTest, SpoiledTextIsAnError) {
  const Generated data =
      Generate({.rows = 400, .columns = 5, .nan_share = 0.1, .categorical = 1, .classes = 2});
  const std::string text =
      TrainText(*api_, data, "objective=binary num_leaves=7 categorical_feature=0", 4);
  const std::string useful = text.substr(0, text.find("end of trees") + 13);
  ASSERT_TRUE(LoadPredictor("lightgbm.text", useful));
  const std::size_t end = useful.find("end of trees");
  for (std::size_t length = 0; length < end; ++length) {
    EXPECT_FALSE(LoadPredictor("lightgbm.text", std::string_view(useful).substr(0, length)));
  }
  std::vector<double> out(64);
  Random random(5);
  int loaded = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string spoiled = useful;
    const std::size_t place = random.Below(spoiled.size());
    if (i % 3 == 0)
      spoiled[place] = "0123456789-.= \nx"[random.Below(16)];
    else if (i % 3 == 1)
      spoiled.erase(place, 1 + random.Below(20));
    else
      spoiled.insert(place, spoiled.substr(random.Below(spoiled.size()), random.Below(20)));
    auto predictor = LoadPredictor("lightgbm.text", spoiled);
    if (!predictor || (*predictor)->features() > data.columns ||
        (*predictor)->outputs() > out.size())
      continue;
    (*predictor)->Predict(data.row(0), out.data());
    ++loaded;
  }
  EXPECT_GT(loaded, 0);
}

TEST_F(ForestTest, UnknownFormatAndTreeKeyAreNamed) {
  EXPECT_EQ(LoadPredictor("onnx", "").error().gy(), "GY3201");
  std::string text = TrainText(*api_, Generate({.rows = 200, .classes = 2}), "objective=binary", 1);
  text.insert(text.find("shrinkage="), "future_rule=1\n");
  const auto predictor = LoadPredictor("lightgbm.text", text);
  ASSERT_FALSE(predictor);
  EXPECT_NE(predictor.error().message().find("future_rule"), std::string::npos);
}

}  // namespace
}  // namespace gyre::predictors
