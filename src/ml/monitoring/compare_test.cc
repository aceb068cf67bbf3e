#include "ml/monitoring/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/random.h"
#include "ml/monitoring/compare_task.h"
#include "platform/table/reader.h"
#include "platform/table/writer.h"

namespace gyre::monitoring {
namespace {

using table::Column;
using table::Frame;
using table::Type;

Column Of(std::string name, Type type) {
  Column column;
  column.name = std::move(name);
  column.type = type;
  return column;
}

// age (int), income (double), plan (text), active (bool), since (date), note (free text).
Frame People(std::uint64_t seed, std::size_t rows, double income_shift, double plan_shift) {
  Random random(seed);
  Frame frame;
  frame.columns = {Of("age", Type::kInt),     Of("income", Type::kDouble), Of("plan", Type::kText),
                   Of("active", Type::kBool), Of("since", Type::kDate),    Of("note", Type::kText)};
  const char* const plans[] = {"basic", "plus", "pro"};
  for (std::size_t i = 0; i < rows; ++i) {
    frame.columns[0].PushInt(18 + static_cast<std::int64_t>(random.Below(60)));
    if (i % 10 == 0)
      frame.columns[1].PushNull();
    else
      frame.columns[1].PushDouble(random.Normal() + income_shift);
    const double u = random.Uniform() + plan_shift;
    frame.columns[2].PushText(plans[u < 0.6 ? 0 : u < 0.9 ? 1 : 2]);
    frame.columns[3].PushInt(random.Below(2) == 0);
    frame.columns[4].PushInt(19'000 + static_cast<std::int64_t>(random.Below(365)));
    frame.columns[5].PushText("note " + std::to_string(random.Next()));
  }
  return frame;
}

TableSide Side(const std::string& name, const Frame& frame) {
  const std::string folder = testing::TempDir() + "/gyre_compare_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/" + name + ".parquet";
  EXPECT_TRUE(table::WriteParquet(frame, path));
  return {name, {path}, frame.schema(), static_cast<std::int64_t>(frame.rows())};
}

const Json& ColumnOf(const Json& comparison, std::string_view name) {
  for (const Json& column : comparison["columns"].items()) {
    if (column["name"].AsString() == name) return column;
  }
  ADD_FAILURE() << "no column " << name;
  static const Json none;
  return none;
}

std::vector<std::string> Drifted(const Json& comparison) {
  std::vector<std::string> names;
  for (const Json& column : comparison["columns"].items()) {
    if (column["drifted"].AsBool()) names.push_back(column["name"].AsString());
  }
  return names;
}

TEST(Compare, NamesExactlyTheColumnsThatMoved) {
  const TableSide a = Side("a", People(1, 4000, 0, 0)), same = Side("same", People(2, 3000, 0, 0)),
                  moved = Side("moved", People(3, 3000, 0.5, 0.2));
  const auto quiet = CompareTables(a, same, {}), loud = CompareTables(a, moved, {});
  ASSERT_TRUE(quiet && loud);
  EXPECT_FALSE((*quiet)["drifted"].AsBool());
  EXPECT_TRUE((*loud)["drifted"].AsBool());
  EXPECT_EQ(Drifted(*loud), (std::vector<std::string>{"income", "plan"}));
  EXPECT_EQ((*loud)["drifted_columns"].AsInt(), 2);
  EXPECT_EQ((*loud)["compared_columns"].AsInt(), 5);
  const Json& income = ColumnOf(*loud, "income");
  EXPECT_EQ(income["method"].AsString(), "ks.two_sided/scipy");
  EXPECT_NEAR(income["effect"]["value"].AsDouble(), 0.5, 0.1);
  EXPECT_EQ(income["missing"]["reference"].AsDouble(), 0.1);
  EXPECT_EQ(ColumnOf(*loud, "note")["status"].AsString(), "not_comparable");
  EXPECT_EQ(ColumnOf(*loud, "plan")["values"].size(), 3u);
  EXPECT_EQ(ColumnOf(*loud, "since")["summary"]["reference"]["min"].AsString(), "2022-01-08");
}

TEST(Compare, ThreadsAndPartsDoNotChangeTheAnswer) {
  const Frame frame = People(1, 3000, 0, 0);
  const TableSide whole = Side("a", frame), moved = Side("moved", People(3, 3000, 0.5, 0.2));
  std::vector<std::uint32_t> first, second;
  for (std::uint32_t i = 0; i < 3000; ++i) (i < 1234 ? first : second).push_back(i);
  TableSide parts = whole;
  parts.paths = {Side("part2", frame.Select(second)).paths[0],
                 Side("part1", frame.Select(first)).paths[0]};
  const auto one = CompareTables(whole, moved, {}),
             other = CompareTables(parts, moved, {.threads = 3, .cells_per_thread = 100});
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->Dump(), other->Dump());
}

TEST(Compare, SaysWhyAColumnIsNotCompared) {
  Frame a = People(1, 200, 0, 0), b = People(2, 200, 0, 0);
  a.columns[0].name = "old_age";
  b.columns[1] = Of("income", Type::kText);
  for (int i = 0; i < 200; ++i) b.columns[1].PushText("much");
  b.columns[4] = Of("since", Type::kDate);
  for (int i = 0; i < 200; ++i) b.columns[4].PushNull();
  const auto comparison = CompareTables(Side("a", a), Side("b", b), {});
  ASSERT_TRUE(comparison);
  EXPECT_EQ(ColumnOf(*comparison, "old_age")["status"].AsString(), "only_in_reference");
  EXPECT_EQ(ColumnOf(*comparison, "age")["status"].AsString(), "only_in_current");
  EXPECT_EQ(ColumnOf(*comparison, "income")["status"].AsString(), "type_changed");
  EXPECT_EQ(ColumnOf(*comparison, "since")["status"].AsString(), "current_empty");
  EXPECT_TRUE(ColumnOf(*comparison, "since")["drifted"].is_null());
  EXPECT_TRUE((*comparison)["schema_changed"].AsBool());
}

TEST(Compare, WholeNumbersWithFewValuesAreCategories) {
  Frame a, b;
  a.columns = {Of("stars", Type::kInt), Of("count", Type::kInt)};
  b.columns = {Of("stars", Type::kDouble), Of("count", Type::kDouble)};
  for (int i = 0; i < 300; ++i) {
    a.columns[0].PushInt(i % 5);
    a.columns[1].PushInt(i);
    b.columns[0].PushDouble(i % 5);
    b.columns[1].PushDouble(i);
  }
  const auto whole = CompareTables(Side("a", a), Side("a2", a), {}),
             mixed = CompareTables(Side("a", a), Side("b", b), {});
  ASSERT_TRUE(whole && mixed);
  EXPECT_EQ(ColumnOf(*whole, "stars")["kind"].AsString(), "category");
  EXPECT_EQ(ColumnOf(*whole, "stars")["values"].items()[1]["value"].AsString(), "1");
  EXPECT_EQ(ColumnOf(*whole, "count")["kind"].AsString(), "number");
  EXPECT_EQ(ColumnOf(*mixed, "stars")["kind"].AsString(), "number");
  EXPECT_EQ(ColumnOf(*mixed, "stars")["statistic"].AsDouble(), 0);
}

TEST(Compare, NamedMethodsAndTheirThresholds) {
  const TableSide a = Side("a", People(1, 2000, 0, 0)), b = Side("b", People(2, 2000, 0.3, 0));
  CompareOptions options;
  options.columns = {"income", "plan"};
  auto request = Json::Obj({{"method", "psi"}, {"threshold", 10}});
  options.drift = *DriftOptionsOf(request);
  const auto strict = CompareTables(a, b, options);
  ASSERT_TRUE(strict);
  EXPECT_TRUE(Drifted(*strict).empty());
  EXPECT_EQ((*strict)["columns"].size(), 2u);
  options.drift = *DriftOptionsOf(request.Set("threshold", 0.01));
  EXPECT_EQ(Drifted(*CompareTables(a, b, options)), (std::vector<std::string>{"income"}));
  EXPECT_EQ(DriftOptionsOf(Json::Obj({{"threshold", 0.1}})).error().gy(), "GY4524");
  EXPECT_EQ(DriftOptionsOf(Json::Obj({{"method", "ks"}, {"threshold", 2}})).error().gy(), "GY4525");
  EXPECT_EQ(DriftOptionsOf(Json::Obj({{"method", "k"}})).error().gy(), "GY3007");
}

TEST(Compare, RefusesWhatCannotBeCompared) {
  const Frame people = People(1, 50, 0, 0);
  Frame other;
  other.columns = {Of("x", Type::kInt)};
  other.columns[0].PushInt(1);
  Frame empty;
  empty.columns = {Of("age", Type::kInt)};
  const TableSide a = Side("a", people);
  EXPECT_EQ(CompareTables(a, Side("x", other), {}).error().gy(), "GY4521");
  EXPECT_EQ(CompareTables(a, Side("none", empty), {}).error().gy(), "GY4522");
  const auto typo = CompareTables(a, a, {.columns = {"incme"}});
  EXPECT_EQ(typo.error().gy(), "GY4523");
  EXPECT_EQ(typo.error().fixes()[0], "did you mean `income`?");
  TableSide gone = a;
  gone.paths = {"/nowhere.parquet"};
  EXPECT_EQ(CompareTables(a, gone, {.threads = 2, .cells_per_thread = 1}).error().gy(), "GY2004");
}

}  // namespace
}  // namespace gyre::monitoring
