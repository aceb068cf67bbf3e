#include "ml/data/leakage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/random.h"
#include "platform/table/import.h"

namespace gyre::data {
namespace {

using table::Column;
using table::Frame;
using table::Type;

Column Make(const std::string& name, Type type) {
  Column column;
  column.name = name;
  column.type = type;
  return column;
}

std::map<std::string, std::string> Kinds(const std::vector<LeakWarning>& warnings) {
  std::map<std::string, std::string> kinds;
  for (const LeakWarning& warning : warnings) kinds[warning.column] = warning.kind;
  return kinds;
}

Frame Planted(std::size_t rows) {
  Random random(3);
  Frame frame;
  for (const auto& [name, type] :
       std::vector<std::pair<std::string, Type>>{{"row", Type::kInt},
                                                 {"age", Type::kInt},
                                                 {"noise", Type::kDouble},
                                                 {"city", Type::kText},
                                                 {"score_after", Type::kDouble},
                                                 {"closed_on", Type::kDate},
                                                 {"label", Type::kText},
                                                 {"country", Type::kText},
                                                 {"churn", Type::kBool}}) {
    frame.columns.push_back(Make(name, type));
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const auto age = static_cast<std::int64_t>(18 + random.Below(60));
    const bool churn = random.Uniform() < 0.2 + 0.3 * (age > 40);
    frame.columns[0].PushInt(static_cast<std::int64_t>(i));
    frame.columns[1].PushInt(age);
    frame.columns[2].PushDouble(random.Normal());
    frame.columns[3].PushText(std::string(1, static_cast<char>('a' + random.Below(20))));
    frame.columns[4].PushDouble((churn ? 5.0 : 0.0) + random.Normal() * 0.5);
    if (churn && random.Uniform() < 0.7) {
      frame.columns[5].PushInt(15000 + static_cast<std::int64_t>(random.Below(100)));
    } else {
      frame.columns[5].PushNull();
    }
    frame.columns[6].PushText(churn ? "left" : "stayed");
    frame.columns[7].PushText("DE");
    frame.columns[8].PushInt(churn ? 1 : 0);
  }
  return frame;
}

TEST(Leaks, FindsWhatWasPlantedAndNothingElse) {
  const auto kinds = Kinds(FindLeaks(Planted(5000), "churn"));
  const std::map<std::string, std::string> wanted = {{"row", "id_like"},
                                                     {"score_after", "near_perfect"},
                                                     {"closed_on", "missingness"},
                                                     {"label", "copy_of_target"},
                                                     {"country", "constant"}};
  EXPECT_EQ(kinds, wanted);
  EXPECT_EQ(FindLeaks(Planted(5000), "churn").front().severity, Severity::kHigh);
}

TEST(Leaks, WithoutATargetOnlyUselessColumns) {
  const auto kinds = Kinds(FindLeaks(Planted(500), "not there"));
  EXPECT_EQ(kinds.count("label"), 0u);
  EXPECT_EQ(kinds.at("row"), "id_like");
}

// Columns made of the target and honest ones, on a table of any size.
Frame OfTarget(std::size_t rows, double share) {
  Random random(7);
  Frame frame;
  for (const auto& [name, type] :
       std::vector<std::pair<std::string, Type>>{{"fee", Type::kDouble},
                                                 {"above", Type::kDouble},
                                                 {"reason", Type::kText},
                                                 {"strong", Type::kDouble},
                                                 {"target", Type::kText}}) {
    frame.columns.push_back(Make(name, type));
  }
  const std::string reasons[] = {"late", "broken", "wrong", "none", "kept"};
  for (std::size_t i = 0; i < rows; ++i) {
    const bool yes = static_cast<double>(i % 100) < 100 * share;
    frame.columns[0].PushDouble(yes ? std::exp(random.Normal()) : 0);
    frame.columns[1].PushDouble(yes ? 70 + random.Uniform() : 69 * random.Uniform());
    frame.columns[2].PushText(reasons[yes ? random.Below(3) : 3 + random.Below(2)]);
    frame.columns[3].PushDouble((yes ? 2.5 : 0) + random.Normal());
    frame.columns[4].PushText(yes ? "yes" : "no");
  }
  return frame;
}

TEST(Leaks, PerfectSeparatorsWhateverTheShareAndSize) {
  for (const std::size_t rows : {60, 200, 3000}) {
    for (const double share : {0.15, 0.3, 0.5}) {
      const auto kinds = Kinds(FindLeaks(OfTarget(rows, share), "target"));
      const std::map<std::string, std::string> wanted = {
          {"fee", "near_perfect"}, {"above", "near_perfect"}, {"reason", "near_perfect"}};
      EXPECT_EQ(kinds, wanted) << rows << " rows, " << share;
    }
  }
}

TEST(Leaks, ThresholdsOfManyClasses) {
  Random random(5);
  Frame frame;
  frame.columns = {Make("grade", Type::kDouble), Make("near", Type::kDouble),
                   Make("class", Type::kText)};
  for (std::size_t i = 0; i < 400; ++i) {
    const double grade = 4 * random.Uniform();
    frame.columns[0].PushDouble(grade);
    frame.columns[1].PushDouble(grade + 0.3 * random.Normal());
    frame.columns[2].PushText(std::string(1, static_cast<char>('a' + static_cast<int>(grade))));
  }
  EXPECT_EQ(Kinds(FindLeaks(frame, "class")),
            (std::map<std::string, std::string>{{"grade", "near_perfect"}}));
}

// A handful of rows fall apart by chance.
TEST(Leaks, FewRowsOfAClassProveNothing) {
  Frame frame = OfTarget(300, 0.01);
  EXPECT_FALSE(Kinds(FindLeaks(frame, "target")).contains("strong"));
}

TEST(Leaks, HugeValuesHideNoCopyOfANumber) {
  Random random(9);
  Frame frame;
  frame.columns = {Make("with_tax", Type::kDouble), Make("hint", Type::kDouble),
                   Make("price", Type::kDouble)};
  for (std::size_t i = 0; i < 2000; ++i) {
    const double price = std::exp(3 * random.Normal());
    frame.columns[0].PushDouble(price * (random.Uniform() < 0.5 ? 1.19 : 1.21));
    frame.columns[1].PushDouble(price * std::exp(random.Normal()));
    frame.columns[2].PushDouble(price);
  }
  EXPECT_EQ(Kinds(FindLeaks(frame, "price")),
            (std::map<std::string, std::string>{{"with_tax", "near_perfect"}}));
}

TEST(Leaks, SurvivesOddFrames) {
  EXPECT_TRUE(FindLeaks(Frame{}, "x").empty());
  Frame frame = Planted(30);
  for (Column& column : frame.columns) {  // everything missing, the target too
    Column empty = Make(column.name, column.type);
    for (int i = 0; i < 30; ++i) empty.PushNull();
    column = empty;
  }
  for (const LeakWarning& warning : FindLeaks(frame, "churn")) EXPECT_EQ(warning.kind, "constant");
  EXPECT_EQ(Associations(frame, "churn").size(), 8u);
}

TEST(Leaks, AssociationRanksTheRealPredictor) {
  Frame frame = Planted(5000).WithoutColumns({"score_after", "closed_on", "label"});
  const auto list = Associations(frame, "churn");
  EXPECT_EQ(list.at(0).column, "age");
  EXPECT_EQ(list.at(0).method, "assoc.gini.2fold");
  EXPECT_GT(list.at(0).score, 0.2);
  EXPECT_LT(list.at(1).score, 0.1);
}

std::string DataFolder() {
  const char* given = std::getenv("GYRE_TEST_DATA");
  const char* source = std::getenv("GYRE_SOURCE_DIR");
  return given != nullptr ? given
                          : std::string(source != nullptr ? source : ".") + "/../shared/data";
}

TEST(Leaks, RealTables) {
  const std::string folder = DataFolder();
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const std::vector<std::tuple<std::string, std::string, std::map<std::string, std::string>>>
      wanted = {
          {"titanic",
           "Survived",
           {{"PassengerId", "id_like"}, {"boat", "missingness"}, {"body", "missingness"}}},
          {"bike_sharing_hourly",
           "cnt",
           {{"instant", "id_like"}, {"casual", "sum_to_target"}, {"registered", "sum_to_target"}}},
          {"adult", "income", {}},
          {"abalone", "Rings", {}},
          {"iris", "class", {}},
          {"reviews_sst", "label", {}}};
  for (const auto& [name, target, kinds] : wanted) {
    const auto imported = table::ImportFrame({{folder + "/" + name + ".csv", name}}, {});
    ASSERT_TRUE(imported) << imported.error().ToString();
    EXPECT_EQ(Kinds(FindLeaks(imported->frame, target)), kinds) << name;
  }
}

}  // namespace
}  // namespace gyre::data
