// The recipe that a careful person would begin with.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/time.h"
#include "ml/recipes/recipe.h"

namespace gyre::recipes {
namespace {

using table::Column;
using table::Frame;
using table::Type;

Frame Sample() {
  constexpr std::size_t kRows = 400;
  Random random(4);
  Frame frame;
  const auto add = [&](const char* name, Type type, auto push) {
    Column column{name, type, {}, {}, {}, {}};
    for (std::size_t i = 0; i < kRows; ++i) push(column, i);
    frame.columns.push_back(std::move(column));
  };
  add("row", Type::kInt,
      [](Column& c, std::size_t i) { c.PushInt(static_cast<std::int64_t>(i) + 1); });
  add("account", Type::kText,
      [](Column& c, std::size_t i) { c.PushText(fmt::format("C-{:06}", i * 7919 % 1'000'003)); });
  add("age", Type::kInt, [&](Column& c, std::size_t i) {
    i % 9 == 0 ? c.PushNull() : c.PushInt(static_cast<std::int64_t>(18 + random.Below(60)));
  });
  add("income", Type::kDouble, [&](Column& c, std::size_t) {
    c.PushDouble(random.Uniform() < 0.02 ? 1e6 : 1000 * random.Uniform());
  });
  add("active", Type::kBool,
      [&](Column& c, std::size_t) { c.PushInt(static_cast<std::int64_t>(random.Below(2))); });
  add("plan", Type::kText, [&](Column& c, std::size_t i) {
    i % 11 == 0 ? c.PushNull() : c.PushText(random.Below(2) == 0 ? "basic" : "gold");
  });
  add("city", Type::kText,
      [&](Column& c, std::size_t) { c.PushText(fmt::format("city{}", random.Below(90))); });
  add("joined", Type::kDate, [&](Column& c, std::size_t) {
    c.PushInt(static_cast<std::int64_t>(15'000 + random.Below(4000)));
  });
  add("seen", Type::kTimestamp, [&](Column& c, std::size_t) {
    c.PushInt(static_cast<std::int64_t>(random.Below(1'000'000)) * 3600 * kMicrosPerSecond);
  });
  add("note", Type::kText, [&](Column& c, std::size_t i) {
    c.PushText(fmt::format("customer {} called about the {} on line {}", i,
                           random.Below(2) == 0 ? "bill" : "network", random.Below(50)));
  });
  add("same", Type::kText, [](Column& c, std::size_t) { c.PushText("EUR"); });
  add("empty", Type::kDouble, [](Column& c, std::size_t) { c.PushNull(); });
  add("refund", Type::kDouble, [](Column& c, std::size_t i) { c.PushDouble(i % 2 == 0 ? 5 : 0); });
  add("churned", Type::kText,
      [](Column& c, std::size_t i) { c.PushText(i % 2 == 0 ? "yes" : "no"); });
  return frame;
}

std::vector<std::string> OpsOf(const Spec& spec, std::string_view column) {
  std::vector<std::string> ops;
  const Json json = spec.ToJson();
  std::vector<std::string> chain{std::string(column)};
  for (const Json& step : json["steps"].items()) {
    if (std::find(chain.begin(), chain.end(), step["in"].AsString()) == chain.end()) continue;
    chain.push_back(step["id"].AsString());
    ops.push_back(step["op"].AsString());
  }
  return ops;
}
using Ops = std::vector<std::string>;

TEST(Suggest, ForTrees) {
  const Frame frame = Sample();
  const auto spec = Suggest(frame, {.target = "churned", .exclude = {"refund"}});
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  for (const char* left_out : {"row", "account", "same", "empty", "refund", "churned"})
    EXPECT_EQ(OpsOf(*spec, left_out), Ops{}) << left_out;
  EXPECT_EQ(OpsOf(*spec, "age"), (Ops{"number"}));
  EXPECT_EQ(OpsOf(*spec, "active"), (Ops{"number"}));
  EXPECT_EQ(OpsOf(*spec, "plan"), (Ops{"encode.onehot"}));
  EXPECT_EQ(OpsOf(*spec, "city"), (Ops{"encode.target", "encode.frequency"}));
  EXPECT_EQ(OpsOf(*spec, "joined"), (Ops{"datetime.parts"}));
  EXPECT_EQ(OpsOf(*spec, "note"), (Ops{"text.bayes", "text.ngrams", "text.length"}));
  const auto fitted = FitTransform(*spec, frame, {.target = frame.Find("churned")});
  ASSERT_TRUE(fitted.has_value()) << fitted.error().ToString();
}

TEST(Suggest, GivesTreesTheCategoriesThemselvesWhereEachHasManyRows) {
  Frame frame;
  Column city{"city", Type::kText, {}, {}, {}, {}}, churned{"churned", Type::kText, {}, {}, {}, {}};
  for (int i = 0; i < 6'000; ++i) {
    city.PushText(fmt::format("city{}", i % 20));
    churned.PushText(i % 7 < 3 ? "yes" : "no");
  }
  frame.columns = {std::move(city), std::move(churned)};
  const auto trees = Suggest(frame, {.target = "churned", .exclude = {}});
  ASSERT_TRUE(trees.has_value()) << trees.error().ToString();
  EXPECT_EQ(OpsOf(*trees, "city"), (Ops{"encode.ordinal"}));
  const auto fitted = FitTransform(*trees, frame, {.target = frame.Find("churned")});
  ASSERT_TRUE(fitted.has_value()) << fitted.error().ToString();
  EXPECT_EQ(fitted->fitted.code_columns(), (std::vector<int>{0}));
  const auto linear =
      Suggest(frame, {.target = "churned", .exclude = {}, .model = SuggestOptions::For::kLinear});
  ASSERT_TRUE(linear.has_value()) << linear.error().ToString();
  EXPECT_EQ(OpsOf(*linear, "city"), (Ops{"encode.onehot"}));
}

TEST(Suggest, ForLinearModels) {
  const Frame frame = Sample();
  const auto spec = Suggest(
      frame, {.target = "churned", .exclude = {"refund"}, .model = SuggestOptions::For::kLinear});
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  EXPECT_EQ(OpsOf(*spec, "age"), (Ops{"missing.flag", "impute.median", "scale.standard"}));
  EXPECT_EQ(OpsOf(*spec, "income"), (Ops{"log1p", "scale.standard"}));
  EXPECT_EQ(OpsOf(*spec, "city"), (Ops{"encode.target", "encode.onehot", "encode.frequency"}));
  const auto fitted = FitTransform(*spec, frame, {.target = frame.Find("churned")});
  ASSERT_TRUE(fitted.has_value()) << fitted.error().ToString();
  for (double v : fitted->matrix.values)
    ASSERT_TRUE(v - v == 0) << "a linear model cannot take a missing or infinite number";
}

TEST(Suggest, SaysWhenNothingIsLeft) {
  Frame frame = Sample();
  Frame constant;
  constant.columns = {*frame.Find("same"), *frame.Find("empty"), *frame.Find("churned")};
  const auto spec = Suggest(constant, {.target = "churned", .exclude = {}});
  ASSERT_FALSE(spec.has_value());
  EXPECT_EQ(spec.error().gy(), "GY3113");
}

TEST(Suggest, KeepsIdsApartFromColumnNames) {
  Frame frame;
  for (const char* name : {"a", "a.number", "a.number_"}) {
    Column column{name, Type::kDouble, {}, {}, {}, {}};
    for (int i = 0; i < 10; ++i) column.PushDouble(i);
    frame.columns.push_back(std::move(column));
  }
  const auto spec = Suggest(frame, {});
  ASSERT_TRUE(spec.has_value()) << spec.error().ToString();
  EXPECT_EQ(spec->output_step_count(), 3u);
}

}  // namespace
}  // namespace gyre::recipes
