#include "cli/demo_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "base/time.h"

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

// --- the days that follow
constexpr std::size_t kDayRows = 2'000;

// What a column holds, sorted; texts and booleans as a number that tells them apart.
std::vector<double> Sorted(const std::vector<Json>& rows, std::string_view column) {
  std::vector<double> numbers;
  for (const Json& row : rows) {
    const Json& value = row[column];
    if (value.is_null()) continue;
    double number = value.is_number() ? value.AsDouble() : 0;
    if (!value.is_number()) {
      for (const char c : value.Dump()) number = number * 31 + c;
    }
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// The largest distance of two distribution functions, in units in which chance gives 1.63 or more
// once in a hundred times (two samples of Kolmogorov and Smirnov).
double KsOf(const std::vector<double>& a, const std::vector<double>& b) {
  double widest = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double at = std::min(a[i], b[j]);
    while (i < a.size() && a[i] == at) ++i;
    while (j < b.size() && b[j] == at) ++j;
    widest = std::max(widest, std::abs(static_cast<double>(i) / static_cast<double>(a.size()) -
                                       static_cast<double>(j) / static_cast<double>(b.size())));
  }
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  return widest * std::sqrt(n * m / (n + m));
}

// Columns of a day that lie farther from `before` than chance explains in all columns and days.
std::vector<std::string> Drifted(const std::vector<Json>& before, int day) {
  const DemoDay now = MakeChurnDay(7, day, kDayRows);
  std::vector<std::string> drifted;
  for (const auto& [column, value] : now.inputs[0].members()) {
    if (KsOf(Sorted(before, column), Sorted(now.inputs, column)) > 2.4) drifted.push_back(column);
  }
  std::sort(drifted.begin(), drifted.end());
  return drifted;
}

TEST(DemoDays, AreTheSameForTheSameSeedAndUnlikeEachOther) {
  const DemoDay day = MakeChurnDay(7, 3, 50);
  EXPECT_EQ(day.inputs, MakeChurnDay(7, 3, 50).inputs);
  EXPECT_EQ(day.inputs[9], MakeChurnDay(7, 3, 10).inputs[9]);
  EXPECT_NE(day.inputs, MakeChurnDay(8, 3, 50).inputs);
  EXPECT_NE(day.inputs, MakeChurnDay(7, 4, 50).inputs);
  EXPECT_EQ(DemoDayMicros(4) - DemoDayMicros(3), kMicrosPerDay);
  for (std::string_view leak : kDemoLeaks) EXPECT_FALSE(day.inputs[0].Has(leak));
}

TEST(DemoDays, AreStableUntilTwoColumnsMove) {
  const std::vector<std::string> moved(std::begin(kDemoDrifted), std::end(kDemoDrifted));
  const DemoDay before = MakeChurnDay(7, 0, 2 * kDayRows);
  for (int day = 1; day <= kDemoDays; ++day) {
    EXPECT_EQ(Drifted(before.inputs, day), day < kDemoDriftDay ? std::vector<std::string>() : moved)
        << day;
  }
}

// What the past could teach at best falls below the goal of the demo; the truth can be learned as
// well as before.
TEST(DemoDays, ThePastTeachesLessAfterTheDrift) {
  for (const int day : {1, kDemoDriftDay - 1, kDemoDriftDay, kDemoDays}) {
    const DemoDay made = MakeChurnDay(7, day, 4 * kDayRows);
    const double leavers =
        static_cast<double>(std::count(made.left.begin(), made.left.end(), true)) /
        static_cast<double>(made.left.size());
    EXPECT_GT(leavers, 0.15) << day;
    EXPECT_LT(leavers, 0.40) << day;
    EXPECT_GT(Auc(made.risk, made.left), 0.91) << day;
    const double past = Auc(made.old_risk, made.left);
    if (day < kDemoDriftDay) {
      EXPECT_GT(past, 0.91) << day;
    } else {
      EXPECT_LT(past, 0.82) << day;
      EXPECT_GT(past, 0.70) << day;
    }
  }
}

TEST(DemoDays, LabelsComeLateAndSomeNever) {
  const DemoDay day = MakeChurnDay(7, 5, kDayRows);
  const auto share = [&](auto fits) {
    return static_cast<double>(
               std::count_if(day.label_delay.begin(), day.label_delay.end(), fits)) /
           static_cast<double>(kDayRows);
  };
  const double never = share([](int delay) { return delay == kNeverLabelled; });
  EXPECT_GT(never, 0.03);
  EXPECT_LT(never, 0.10);
  EXPECT_GT(share([](int delay) { return delay == 0; }), 0.4);
  EXPECT_GT(share([](int delay) { return delay >= 1; }), 0.25);
  EXPECT_GT(share([](int delay) { return delay >= 3; }), 0.02);
}

}  // namespace
}  // namespace gyre::cli
