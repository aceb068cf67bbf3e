#include "ml/training/model_file.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gyre::training {
namespace {

constexpr std::string_view kText =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"
    "objective=binary sigmoid:1\nfeature_names=age income\nfeature_infos=[18:90] [0:1000]\n"
    "tree_sizes=300\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\n"
    "threshold=40.5\ndecision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=-1 1\n"
    "leaf_weight=1 1\nleaf_count=1 1\ninternal_value=0\ninternal_weight=0\ninternal_count=2\n"
    "is_linear=0\nshrinkage=1\n\n\nend of trees\n\nfeature_importances:\nage=1\n\nparameters:\n"
    "end of parameters\n\npandas_categorical:[]\n";

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed(text);
  return changed.replace(changed.find(from), from.size(), to);
}

ModelFileFacts Facts() {
  return {.target = "left", .classes = {"no", "yes"}, .threshold = 0.5, .columns = {}};
}

double AnswerOf(const predictors::ModelPackage& package, double age) {
  const auto scorer = predictors::Scorer::FromPackage(package);
  EXPECT_TRUE(scorer);
  table::Frame frame;
  for (const auto& [name, value] : {std::pair{"age", age}, {"income", 5.0}}) {
    table::Column column;
    column.name = name;
    column.type = table::Type::kDouble;
    column.PushDouble(value);
    frame.columns.push_back(std::move(column));
  }
  const auto scores = (*scorer)->Score(frame);
  EXPECT_TRUE(scores);
  return scores->probabilities.at(1);
}

TEST(ModelFile, LightGbmTextAnswersByItsOwnNames) {
  const auto package = PackageOfFile(kText, Facts());
  ASSERT_TRUE(package) << package.error().ToString();
  EXPECT_EQ(package->task, predictors::Task::kBinary);
  EXPECT_EQ(package->classes, (std::vector<std::string>{"no", "yes"}));
  EXPECT_NEAR(AnswerOf(*package, 30), 0.2689414213699951, 1e-15);
  EXPECT_NEAR(AnswerOf(*package, 50), 0.7310585786300049, 1e-15);
  const auto signature = SignatureOf(*package);
  ASSERT_TRUE(signature);
  EXPECT_EQ((*signature)["inputs"].items()[1]["name"].AsString(), "income");
  EXPECT_EQ((*signature)["outputs"]["positive"].AsString(), "yes");
  EXPECT_EQ(PackageOfFile(kText, Facts())->Save(), package->Save());
  EXPECT_EQ(PackageOfFile(package->Save(), {})->Save(), package->Save());
}

TEST(ModelFile, ClassesAreTheLabelsWhenNobodyNamesThem) {
  ModelFileFacts facts = Facts();
  facts.classes.clear();
  const auto package = PackageOfFile(kText, facts);
  ASSERT_TRUE(package);
  EXPECT_EQ(package->classes, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(package->target_type, table::Type::kInt);
  const auto number =
      PackageOfFile(Replaced(kText, "objective=binary sigmoid:1", "objective=regression"), facts);
  ASSERT_TRUE(number) << number.error().ToString();
  EXPECT_EQ(number->task, predictors::Task::kRegression);
}

TEST(ModelFile, ColumnsOfTheDatasetGiveTheTypes) {
  ModelFileFacts facts = Facts();
  facts.columns = {
      {"age", table::Type::kInt}, {"income", table::Type::kDouble}, {"left", table::Type::kText}};
  const auto package = PackageOfFile(kText, facts);
  ASSERT_TRUE(package) << package.error().ToString();
  EXPECT_EQ((*SignatureOf(*package))["inputs"].items()[0]["type"].AsString(), "int");
  EXPECT_EQ(package->target_type, table::Type::kText);
  facts.columns[1].name = "incone";
  const auto missing = PackageOfFile(kText, facts);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().gy(), "GY3541");
  facts.columns[1] = {"income", table::Type::kText};
  EXPECT_NE(PackageOfFile(kText, facts).error().message().find("which is text"), std::string::npos);
}

TEST(ModelFile, WhatCannotAnswerIsRefused) {
  const auto code = [](std::string_view bytes, const ModelFileFacts& facts) {
    const auto made = PackageOfFile(bytes, facts);
    return made ? std::string() : std::string(made.error().gy());
  };
  EXPECT_EQ(code("", Facts()), "GY3540");
  EXPECT_EQ(code("\x08\x07onnx", Facts()), "GY3540");
  EXPECT_EQ(code(R"({"learner": {}})", Facts()), "GY3540");
  EXPECT_EQ(code(Replaced(kText, "pandas_categorical:[]", "pandas_categorical:[[\"a\"]]"), Facts()),
            "GY3540");
  EXPECT_EQ(code(Replaced(kText, "objective=binary sigmoid:1\n", ""), Facts()), "GY3540");
  EXPECT_EQ(code(Replaced(kText, "left_child=-1", "left_child=7"), Facts()), "GY3202");
  EXPECT_EQ(code(kText, {}), "GY3541");
  ModelFileFacts facts = Facts();
  facts.classes = {"a", "b", "c"};
  EXPECT_EQ(code(kText, facts), "GY3541");
  facts = Facts();
  facts.target = "age";
  EXPECT_EQ(code(kText, facts), "GY3541");
}

// One tree: age < 0.1 in 32 bits goes left, so does what is missing.
constexpr std::string_view kXgboost = R"({"version": [2, 1, 4], "learner": {
  "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"},
  "objective": {"name": "binary:logistic"}, "feature_names": ["age", "income"], "feature_types": [],
  "gradient_booster": {"name": "gbtree", "model": {"tree_info": [0], "trees": [{
    "left_children": [1, -1, -1], "right_children": [2, -1, -1], "split_indices": [0, 0, 0],
    "split_conditions": [0.1, -1, 1], "default_left": [1, 0, 0], "split_type": [0, 0, 0]}]}}}})";

TEST(ModelFile, XgboostDecidesInThirtyTwoBits) {
  const auto package = PackageOfFile(kXgboost, Facts());
  ASSERT_TRUE(package) << package.error().ToString();
  EXPECT_EQ(package->learner, "xgboost");
  const double left = 0.2689414213699951, right = 0.7310585786300049;
  EXPECT_NEAR(AnswerOf(*package, 0.0999), left, 1e-15);
  // As a float 0.1 is the threshold itself, and so is what lies a little below it.
  EXPECT_NEAR(AnswerOf(*package, 0.1), right, 1e-15);
  EXPECT_NEAR(AnswerOf(*package, 0.1F - 1e-9), right, 1e-15);
  EXPECT_NEAR(AnswerOf(*package, 0.1F - 1e-8), left, 1e-15);
  EXPECT_NEAR(AnswerOf(*package, std::nan("")), left, 1e-15);
}

TEST(ModelFile, WhatXgboostSaysAndGyreCannotIsNamed) {
  const auto code = [](std::string_view from, std::string_view to) {
    return PackageOfFile(Replaced(kXgboost, from, to), Facts()).error().gy();
  };
  EXPECT_EQ(code("gbtree", "gblinear"), "GY3545");
  EXPECT_EQ(code("binary:logistic", "rank:ndcg"), "GY3545");
  EXPECT_EQ(code(R"("split_type": [0)", R"("split_type": [1)"), "GY3545");
  EXPECT_EQ(code(R"("left_children": [1)", R"("left_children": [0)"), "GY3544");
  EXPECT_EQ(code(R"("right_children": [2)", R"("right_children": [9)"), "GY3544");
  EXPECT_EQ(code("5E-1", "7"), "GY3544");
  EXPECT_EQ(PackageOfFile("{L\x01", Facts()).error().gy(), "GY3544");
}

}  // namespace
}  // namespace gyre::training
