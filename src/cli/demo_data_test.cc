#include "cli/demo_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/text.h"

namespace gyre::cli {
namespace {

constexpr std::size_t kRows = 20'000;

const DemoData& Data() {
  static const DemoData data = MakeChurnData(7, kRows);
  return data;
}

// Cells of each row; texts in this data hold no quote and no line break.
std::vector<std::vector<std::string>> Cells() {
  std::vector<std::vector<std::string>> rows;
  for (std::string_view line : Split(Data().csv, '\n')) {
    if (line.empty()) continue;
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.emplace_back();
      } else {
        cells.back().push_back(c);
      }
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

// Area under the ROC curve by ranks.
double Auc(const std::vector<double>& score, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(score.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return score[a] < score[b]; });
  double ranks = 0, count = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!positive[order[i]]) continue;
    ranks += static_cast<double>(i) + 1;
    count += 1;
  }
  return (ranks - count * (count + 1) / 2) / (count * (static_cast<double>(score.size()) - count));
}

TEST(DemoData, IsTheSameForTheSameSeed) {
  EXPECT_EQ(MakeChurnData(7, 500).csv, MakeChurnData(7, 500).csv);
  EXPECT_NE(MakeChurnData(7, 500).csv, MakeChurnData(8, 500).csv);
  EXPECT_EQ(Data().csv.substr(0, 2000), MakeChurnData(7, 100).csv.substr(0, 2000));
}

TEST(DemoData, HasTheFlawsOfRealTables) {
  const auto rows = Cells();
  ASSERT_EQ(rows.size(), kRows + 1);
  ASSERT_GE(rows[0].size(), 21u);
  std::vector<std::size_t> missing(rows[0].size(), 0);
  for (std::size_t r = 1; r < rows.size(); ++r) {
    ASSERT_EQ(rows[r].size(), rows[0].size());
    for (std::size_t c = 0; c < rows[r].size(); ++c) missing[c] += rows[r][c].empty() ? 1 : 0;
  }
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(rows[0].begin(), rows[0].end(), name) -
                                    rows[0].begin());
  };
  for (const char* name : {"age", "satisfaction", "data_gb", "promo_code"})
    EXPECT_GT(missing[column(name)], kRows / 100) << name;
  EXPECT_EQ(missing[column(kDemoTarget)], 0u);
  EXPECT_EQ(missing[column("customer_id")], 0u);
  std::vector<std::string> ids;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const bool left = rows[r][column(kDemoTarget)] == "yes";
    EXPECT_EQ(rows[r][column("currency")], "EUR");
    EXPECT_EQ(!rows[r][column("cancellation_date")].empty(), left);  // the leak
    ids.push_back(rows[r][column("customer_id")]);
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
}

// A perfect model would reach about 0.94; the goal of the demo is 0.84.
TEST(DemoData, CanBePredictedButNotPerfectly) {
  const double leavers =
      static_cast<double>(std::count(Data().left.begin(), Data().left.end(), true)) / kRows;
  EXPECT_GT(leavers, 0.15);
  EXPECT_LT(leavers, 0.35);
  const double best = Auc(Data().risk, Data().left);
  EXPECT_GT(best, 0.92);
  EXPECT_LT(best, 0.96);
}

TEST(DemoData, TheNewCustomerHasNoLabelAndNoLeak) {
  const Json& row = Data().new_customer;
  EXPECT_FALSE(row.Has(kDemoTarget));
  for (std::string_view leak : kDemoLeaks) EXPECT_FALSE(row.Has(leak));
  for (const auto& [name, value] : row.members()) {
    EXPECT_NE(std::find(Data().columns.begin(), Data().columns.end(), name), Data().columns.end())
        << name;
  }
  EXPECT_GE(row.size(), 20u);
}

}  // namespace
}  // namespace gyre::cli
