#include "ml/predictors/scorer.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "base/random.h"
#include "ml/predictors/linear.h"
#include "ml/predictors/testing/lightgbm_training.h"

namespace gyre::predictors {
namespace {

constexpr std::string_view kRecipe = R"(
recipe: test
input: {schema: {age: int, amount: double, country: text, active: bool}}
steps:
  - {id: a, op: number, in: age}
  - {id: b, op: number, in: amount}
  - {id: c, op: encode.onehot, in: country}
  - {id: d, op: number, in: active}
output: {vector: [a, b, c, d]}
)";

table::Frame MakeFrame(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  table::Frame frame;
  for (const auto& [name, type] : {std::pair{"age", table::Type::kInt},
                                   {"amount", table::Type::kDouble},
                                   {"country", table::Type::kText},
                                   {"active", table::Type::kBool}}) {
    frame.columns.emplace_back();
    frame.columns.back().name = name;
    frame.columns.back().type = type;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    for (table::Column& column : frame.columns) {
      if (random.Below(10) == 0)
        column.PushNull();
      else if (column.type == table::Type::kText)
        column.PushText(random.Below(2) == 0 ? "NL" : random.Below(2) == 0 ? "DE" : "");
      else if (column.type == table::Type::kDouble)
        column.PushDouble(random.Below(50) == 0 ? std::numeric_limits<double>::infinity()
                                                : random.Normal());
      else
        column.PushInt(
            static_cast<std::int64_t>(random.Below(column.type == table::Type::kBool ? 2 : 90)));
    }
  }
  return frame;
}

recipes::Fitted FitRecipe() {
  auto spec = recipes::Spec::FromYaml(kRecipe);
  EXPECT_TRUE(spec) << spec.error().ToString();
  auto fitted = recipes::Fit(*spec, MakeFrame(300, 1), {});
  EXPECT_TRUE(fitted) << fitted.error().ToString();
  return *fitted;
}

ModelPackage ForestPackage(const recipes::Fitted& fitted, int classes) {
  const auto api = LoadLightGbm();
  EXPECT_TRUE(api);
  const table::Frame frame = MakeFrame(500, 2);
  const auto matrix = fitted.Apply(frame);
  EXPECT_TRUE(matrix);
  Generated data{
      .rows = matrix->rows, .columns = matrix->columns, .x = matrix->values, .label = {}};
  Random random(3);
  for (std::size_t i = 0; i < data.rows; ++i)
    data.label.push_back(static_cast<float>(random.Below(static_cast<std::uint64_t>(classes))));
  ModelPackage package;
  package.task = classes == 2 ? Task::kBinary : Task::kMulticlass;
  package.classes = classes == 2 ? std::vector<std::string>{"no", "yes"}
                                 : std::vector<std::string>{"a", "b", "c"};
  package.target = "label";
  package.recipe = fitted.Save();
  package.predictor_format = "lightgbm.text";
  package.predictor = TrainText(
      **api, data, classes == 2 ? "objective=binary" : "objective=multiclass num_class=3", 20);
  package.learner = "lightgbm";
  return package;
}

std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

TEST(Scorer, RowsAndFramesGiveTheSameBits) {
  const recipes::Fitted fitted = FitRecipe();
  for (const int classes : {2, 3}) {
    const auto scorer = Scorer::Load(ForestPackage(fitted, classes).Save());
    ASSERT_TRUE(scorer) << scorer.error().ToString();
    const table::Frame frame = MakeFrame(400, 9);
    const auto scores = (*scorer)->Score(frame);
    ASSERT_TRUE(scores);
    ASSERT_EQ(scores->rows, 400U);
    Scorer::RowScratch scratch;
    std::vector<double> probabilities((*scorer)->classes().size());
    std::vector<table::Cell> cells;
    for (std::size_t i = 0; i < frame.rows(); ++i) {
      cells.clear();
      for (const table::Field& field : (*scorer)->input())
        cells.push_back(table::CellAt(*frame.Find(field.name), i));
      const auto row = (*scorer)->ScoreRow(cells, probabilities, scratch);
      EXPECT_EQ(row.label, scores->label[i]);
      for (std::size_t k = 0; k < probabilities.size(); ++k) {
        ASSERT_EQ(Bits(probabilities[k]), Bits(scores->probabilities[i * probabilities.size() + k]))
            << "row " << i;
      }
    }
  }
}

TEST(Scorer, ThresholdDecidesTheLabel) {
  const recipes::Fitted fitted = FitRecipe();
  ModelPackage package;
  package.classes = {"no", "yes"};
  package.recipe = fitted.Save();
  package.predictor_format = "gyre.constant";
  package.predictor =
      SaveConstant({.task = Task::kBinary, .features = fitted.width(), .values = {0.3}});
  package.threshold = 0.25;
  const auto scorer = Scorer::FromPackage(package);
  ASSERT_TRUE(scorer) << scorer.error().ToString();
  const auto scores = (*scorer)->Score(MakeFrame(1, 1));
  ASSERT_TRUE(scores);
  EXPECT_EQ(scores->label[0], 1U);
  EXPECT_DOUBLE_EQ(scores->probabilities[0], 0.7);
}

TEST(ModelPackage, SameInputsSameBytesAndBack) {
  const recipes::Fitted fitted = FitRecipe();
  ModelPackage package = ForestPackage(fitted, 3);
  package.threshold = 0.1 + 0.2;
  const std::string bytes = package.Save();
  const auto loaded = ModelPackage::Load(bytes);
  ASSERT_TRUE(loaded) << loaded.error().ToString();
  EXPECT_EQ(loaded->Save(), bytes);
  EXPECT_EQ(loaded->threshold, package.threshold);
  EXPECT_EQ(loaded->predictor, package.predictor);
}

TEST(ModelPackage, BrokenOnesAreRefused) {
  const recipes::Fitted fitted = FitRecipe();
  ModelPackage package = ForestPackage(fitted, 2);
  ModelPackage wrong = package;
  wrong.classes = {"one"};
  EXPECT_EQ(ModelPackage::Load(wrong.Save()).error().gy(), "GY3203");
  wrong = package;
  wrong.task = Task::kMulticlass;
  wrong.classes = {"a", "b", "c"};
  EXPECT_EQ(Scorer::FromPackage(wrong).error().gy(), "GY3203");
  wrong = package;
  wrong.predictor_format = "gyre.constant";
  wrong.predictor = SaveConstant({.task = Task::kBinary, .features = 1, .values = {0.5}});
  EXPECT_EQ(Scorer::FromPackage(wrong).error().gy(), "GY3203");
  for (const std::string_view bytes : {"", "{}", "[1]", R"({"format":"gyre.model","version":9})"}) {
    EXPECT_EQ(ModelPackage::Load(bytes).error().gy(), "GY3203");
  }
}

}  // namespace
}  // namespace gyre::predictors
