#include "ml/monitoring/reference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ml/training/reference_profile.h"

namespace gyre::monitoring {
namespace {

Json DocumentOf(const std::vector<table::Column>& columns) {
  Json list = Json::Arr();
  for (const table::Column& column : columns) list.Push(training::BinnedColumn(column));
  return Json::Obj({{"schema", "gyre.reference.v1"},
                    {"columns", std::move(list)},
                    {"predictions", Json::Obj({{"columns", Json::Arr()}})}});
}

table::Column Numbers(std::string name, const std::vector<double>& values) {
  table::Column column{.name = std::move(name), .type = table::Type::kDouble};
  for (const double value : values) column.PushDouble(value);
  return column;
}

TEST(Reference, CountsTheTrainingRowsAsTrainingDid) {
  std::vector<double> values;
  for (int i = 0; i < 1'000; ++i) values.push_back(std::sin(i) * 10);
  table::Column number = Numbers("x", values);
  number.PushNull();
  table::Column text{.name = "city", .type = table::Type::kText};
  for (int i = 0; i < 1'001; ++i) text.PushText(i % 3 == 0 ? "Delft" : "Gent");
  const std::string inputs[] = {"city", "x"};
  const auto reference = ReadReference(DocumentOf({number, text}), inputs);
  ASSERT_TRUE(reference) << reference.error().ToString();
  ASSERT_EQ(reference->inputs.size(), 2U);
  EXPECT_EQ(reference->inputs[0].bins.name, "city");
  EXPECT_EQ(CountInto(reference->inputs[0].bins, text), reference->inputs[0].counts);
  EXPECT_EQ(CountInto(reference->inputs[1].bins, number), reference->inputs[1].counts);
  EXPECT_NEAR(reference->inputs[1].bins.deviation, 10 / std::sqrt(2), 0.1);
}

TEST(Reference, OfAConstantOrOfNothingIsRead) {
  const std::string inputs[] = {"flat", "none"};
  table::Column none{.name = "none", .type = table::Type::kDouble};
  none.PushNull();
  const auto reference = ReadReference(DocumentOf({Numbers("flat", {2, 2, 2}), none}), inputs);
  ASSERT_TRUE(reference);
  const Bins& flat = reference->inputs[0].bins;
  const BinCounts now = CountInto(flat, Numbers("flat", {2, 2, 3}));
  EXPECT_EQ(now.counts, (std::vector<std::uint64_t>{0, 2, 1}));
  EXPECT_EQ(now.above_by, 1);
  EXPECT_EQ(CountInto(reference->inputs[1].bins, Numbers("none", {5})).counts,
            (std::vector<std::uint64_t>{0, 1}));
}

// Ten groups of the training rows, whatever their values, and what lies outside.
TEST(Reference, GroupsItsBinsByTenthsOfTheRows) {
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) values.push_back(std::exp(i / 1'000.0));
  const std::string inputs[] = {"x", "flat"};
  const auto reference =
      ReadReference(DocumentOf({Numbers("x", values), Numbers("flat", {2, 2, 2})}), inputs);
  ASSERT_TRUE(reference);
  const ReferenceColumn& column = reference->inputs[0];
  const std::vector<std::uint64_t> tenths = InTenths(column.bins, column.counts);
  ASSERT_EQ(tenths.size(), 12U);
  EXPECT_EQ(tenths.front() + tenths.back(), 0U);
  for (std::size_t i = 1; i < 11; ++i) EXPECT_NEAR(static_cast<double>(tenths[i]), 1'000, 40);
  const BinCounts now = CountInto(column.bins, Numbers("x", {0.5, 1.5, 1e9, 1e9}));
  const std::vector<std::uint64_t> outside = InTenths(column.bins, now);
  EXPECT_EQ(outside.front(), 1U);
  EXPECT_EQ(outside[1], 1U);
  EXPECT_EQ(outside.back(), 2U);
  const Bins& flat = reference->inputs[1].bins;
  EXPECT_EQ(InTenths(flat, CountInto(flat, Numbers("flat", {1, 2, 2, 3}))),
            (std::vector<std::uint64_t>{1, 2, 1}));
}

TEST(Reference, OfAnotherKindIsRefused) {
  EXPECT_EQ(ReadReference(Json::Obj({{"schema", "x"}}), {}).error().gy(), "GY4506");
  const std::string inputs[] = {"x"};
  const Json torn = *Json::Parse(
      R"({"schema":"gyre.reference.v1","columns":[{"name":"x","type":"double","edges":[1,2,3],
          "counts":[1]}]})");
  EXPECT_EQ(ReadReference(torn, inputs).error().gy(), "GY4506");
}

// Against the distances of the very values: KS to the share of a bin, Wasserstein to its width.
TEST(Compare, IsNearTheDistanceOfTheValues) {
  std::vector<double> before, now;
  for (int i = 0; i < 10'000; ++i) before.push_back(i / 10'000.0);
  for (int i = 0; i < 2'000; ++i) now.push_back(0.1 + i / 2'000.0);
  const std::string inputs[] = {"x"};
  const auto reference = ReadReference(DocumentOf({Numbers("x", before)}), inputs);
  const ReferenceColumn& column = reference->inputs[0];
  const BinDistance distance =
      Compare(column.bins, column.counts, CountInto(column.bins, Numbers("x", now)));
  EXPECT_NEAR(distance.wasserstein, 0.1, 0.004);
  EXPECT_NEAR(distance.ks, 0.1, 0.004);
  const BinDistance same = Compare(column.bins, column.counts, column.counts);
  EXPECT_EQ(same.ks, 0);
  EXPECT_EQ(same.wasserstein, 0);
}

}  // namespace
}  // namespace gyre::monitoring
