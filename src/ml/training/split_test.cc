#include "ml/training/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace gyre::training {
namespace {

struct Rows {
  Target target;
  std::vector<std::uint64_t> content;

  SplitRequest Request() const {
    SplitRequest request;
    request.target = &target;
    request.content = content;
    return request;
  }
};

Rows MakeRows(std::size_t rows, std::uint32_t classes) {
  Random random(11);
  Rows made;
  made.target.task = classes == 2 ? predictors::Task::kBinary : predictors::Task::kMulticlass;
  for (std::size_t i = 0; i < rows; ++i) {
    made.target.labels.push_back(static_cast<std::uint32_t>(random.Below(classes)));
    made.target.kept.push_back(static_cast<std::uint32_t>(i));
    made.content.push_back(random.Next());
  }
  return made;
}

std::set<std::uint64_t> TestContent(const Rows& rows) {
  const auto split = MakeSplit(rows.Request());
  EXPECT_TRUE(split);
  std::set<std::uint64_t> content;
  for (const std::uint32_t row : split->test) content.insert(rows.content[row]);
  return content;
}

TEST(Split, OnlyTheLastRowsTest) {
  Rows rows = MakeRows(1000, 3);
  for (std::size_t row = 400; row < 1000; ++row) rows.target.labels[row] %= 2;
  SplitRequest request = rows.Request();
  request.test_from = 400;
  const auto split = MakeSplit(request);
  ASSERT_TRUE(split);
  EXPECT_EQ(split->train.size() + split->test.size(), 1000U);
  for (const std::uint32_t row : split->test)
    EXPECT_TRUE(row >= 400 || rows.target.labels[row] == 2) << "of a class that is gone, old ones";
  EXPECT_NEAR(static_cast<double>(
                  std::ranges::count_if(split->test, [](std::uint32_t row) { return row >= 400; })),
              150, 2)
      << "a quarter of them";
  EXPECT_TRUE(std::ranges::any_of(split->test, [&](std::uint32_t row) { return row < 400; }));
}

TEST(Split, EachClassGivesItsShare) {
  const Rows rows = MakeRows(3000, 3);
  const auto split = MakeSplit(rows.Request());
  ASSERT_TRUE(split);
  EXPECT_EQ(split->test.size(), 300u);
  EXPECT_EQ(split->train.size() + split->test.size(), 3000u);
  for (std::uint32_t label = 0; label < 3; ++label) {
    const auto in = [&](const std::vector<std::uint32_t>& part) {
      return std::ranges::count_if(
          part, [&](std::uint32_t row) { return rows.target.labels[row] == label; });
    };
    EXPECT_NEAR(static_cast<double>(in(split->test)), static_cast<double>(in(split->train)) / 9,
                1.5);
  }
}

TEST(Split, TheOrderOfRowsDoesNotMatter) {
  Rows rows = MakeRows(1000, 2);
  const auto before = TestContent(rows);
  std::ranges::reverse(rows.content);
  std::ranges::reverse(rows.target.labels);
  EXPECT_EQ(TestContent(rows), before);
}

TEST(Split, AGrownTableKeepsItsTestRowsOnTheTestSide) {
  const Rows grown = MakeRows(12'000, 2);
  Rows first = grown;
  first.target.labels.resize(10'000);
  first.target.kept.resize(10'000);
  first.content.resize(10'000);
  const auto before = TestContent(first), after = TestContent(grown);
  // Of the old rows that now test, nearly all tested before: the champion has not learned from
  // them.
  std::size_t old = 0, learned = 0;
  for (std::size_t i = 0; i < first.content.size(); ++i) {
    if (!after.contains(first.content[i])) continue;
    ++old;
    learned += before.contains(first.content[i]) ? 0 : 1;
  }
  EXPECT_GT(old, 900u);
  EXPECT_LT(static_cast<double>(learned), 0.05 * static_cast<double>(old));
}

}  // namespace
}  // namespace gyre::training
