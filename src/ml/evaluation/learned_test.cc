#include "ml/evaluation/learned.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "platform/table/writer.h"

namespace gyre::evaluation {
namespace {

class LearnedTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("learned-" + NewId());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  static table::Frame Rows(int from, int to, std::string_view text = "a") {
    table::Frame frame;
    frame.columns.push_back({.name = "id", .type = table::Type::kInt});
    frame.columns.push_back({.name = "region", .type = table::Type::kText});
    for (int i = from; i < to; ++i) {
      frame.columns[0].PushInt(i);
      frame.columns[1].PushText(text);
    }
    return frame;
  }
  std::string File(const std::string& name, const table::Frame& frame) {
    const std::string path = (directory_ / name).string();
    EXPECT_TRUE(table::WriteParquet(frame, path));
    return path;
  }

  std::filesystem::path directory_;
};

TEST_F(LearnedTest, RowsThatTaughtAreCountedAndHeldOutOnesAreNot) {
  const Lessons lessons{"churn:v1", {File("all", Rows(0, 100))}, File("held", Rows(80, 100))};
  EXPECT_EQ(*CountLearned(Rows(70, 120), lessons, {}), 10U);
  EXPECT_EQ(*CountLearned(Rows(100, 120), lessons, {}), 0U);
  EXPECT_EQ(*LearnedRows(Rows(78, 120), lessons, {}), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(*CountLearned(Rows(0, 50, "b"), lessons, {}), 0U);
}

TEST_F(LearnedTest, ColumnsOfOneSideOnlyDoNotMatter) {
  const Lessons lessons{"churn:v1", {File("all", Rows(0, 100))}, {}};
  table::Frame wider = Rows(0, 5);
  wider.columns.push_back({.name = "later", .type = table::Type::kInt});
  for (int i = 0; i < 5; ++i) wider.columns[2].PushInt(i);
  EXPECT_EQ(*CountLearned(wider, lessons, {}), 5U);
}

TEST_F(LearnedTest, AKindThatIsFrequentOnBothSidesIsNoCopyAndARepeatedRowIs) {
  const auto twice = [](int from, int to) {
    table::Frame frame = Rows(from, to);
    for (int i = from; i < to; ++i) {
      frame.columns[0].PushInt(i);
      frame.columns[1].PushText("a");
    }
    return frame;
  };
  const Lessons once{"churn:v1", {File("once", Rows(0, 100))}, {}};
  const Lessons often{"churn:v2", {File("often", twice(0, 100))}, {}};
  EXPECT_EQ(*CountLearned(twice(0, 30), once, {}), 30U) << "each row stands twice, one is a copy";
  EXPECT_EQ(LearnedRows(twice(0, 30), once, {})->size(), 60U) << "nobody knows which";
  EXPECT_EQ(*CountLearned(twice(0, 30), often, {}), 0U);
  EXPECT_EQ(*CountLearned(Rows(0, 30), often, {}), 30U);
}

}  // namespace
}  // namespace gyre::evaluation
