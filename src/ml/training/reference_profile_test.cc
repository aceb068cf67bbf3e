#include "ml/training/reference_profile.h"

#include <gtest/gtest.h>

namespace gyre::training {
namespace {

std::int64_t Sum(const Json& counts) {
  std::int64_t sum = 0;
  for (const Json& count : counts.items()) sum += count.AsInt();
  return sum;
}

TEST(ReferenceProfile, NumbersStandInBinsOfEqualShares) {
  table::Column column{.name = "age", .type = table::Type::kInt};
  for (int i = 0; i < 10'000; ++i) column.PushInt(i);
  column.PushNull();
  const Json json = BinnedColumn(column);
  EXPECT_EQ(json["rows"].AsInt(), 10'001);
  EXPECT_EQ(json["missing"].AsInt(), 1);
  ASSERT_EQ(json["edges"].size(), 257U);
  ASSERT_EQ(json["counts"].size(), 256U);
  EXPECT_EQ(json["edges"].items().front().AsDouble(), 0);
  EXPECT_EQ(json["edges"].items().back().AsDouble(), 9'999);
  EXPECT_EQ(Sum(json["counts"]), 10'000);
  for (const Json& count : json["counts"].items()) EXPECT_LE(count.AsInt(), 41);
}

TEST(ReferenceProfile, OneValueIsOneBinAndNoneIsNone) {
  table::Column same{.name = "flat", .type = table::Type::kDouble};
  for (int i = 0; i < 5; ++i) same.PushDouble(2.5);
  EXPECT_EQ(BinnedColumn(same)["counts"].Dump(), "[5]");
  table::Column empty{.name = "none", .type = table::Type::kDouble};
  empty.PushNull();
  EXPECT_EQ(BinnedColumn(empty)["counts"].size(), 0U);
}

TEST(ReferenceProfile, FrequentValuesComeFirstAndTheRestIsCounted) {
  table::Column column{.name = "city", .type = table::Type::kText};
  for (int i = 0; i < 10'000; ++i) column.PushText(fmt::format("rare {}", i % 2'000));
  for (int i = 0; i < 30; ++i) column.PushText("Delft");
  column.PushNull();
  const Json json = BinnedColumn(column);
  ASSERT_EQ(json["values"].size(), 100U);
  EXPECT_EQ(json["values"].items()[0]["value"].AsString(), "Delft");
  EXPECT_EQ(json["values"].items()[0]["count"].AsInt(), 30);
  EXPECT_EQ(json["other"].AsInt(), 10'000 - 99 * 5);
  EXPECT_EQ(json["missing"].AsInt(), 1);
}

TEST(ReferenceProfile, ValuesOfFewRowsAreNotNamed) {
  table::Column column{.name = "name", .type = table::Type::kText};
  for (const auto& [value, rows] : {std::pair{"ana", 4}, {"bo", 5}, {"cy", 1}}) {
    for (int i = 0; i < rows; ++i) column.PushText(value);
  }
  const Json json = BinnedColumn(column);
  EXPECT_EQ(json["values"].Dump(), R"([{"value":"bo","count":5}])");
  EXPECT_EQ(json["other"].AsInt(), 5);
}

}  // namespace
}  // namespace gyre::training
