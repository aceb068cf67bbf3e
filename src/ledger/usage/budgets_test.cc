#include "ledger/usage/budgets.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/id.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kDay = 24 * kMicrosPerHour;
constexpr std::int64_t kMonth = 20'393 * kDay;  // 1 November 2025, a Saturday

class SetClock : public Clock {
 public:
  std::int64_t NowMicros() const override { return now_us; }
  std::int64_t MonotonicMicros() const override { return now_us; }
  std::int64_t now_us = kMonth + 10 * kDay;
};

class BudgetsTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_budgets_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schema = UsageSchema();
    ASSERT_TRUE(database_->Migrate(std::span(&schema, 1)));
    usage_ = std::make_unique<Usage>(*database_, clock_);
    budgets_ = std::make_unique<Budgets>(*database_, clock_);
    ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 1'000'000, .valid_from_us = 1}));
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  // That many currency units.
  void Spend(std::string_view project, std::string_view user, std::int64_t units,
             std::string_view kind = "run") {
    ASSERT_TRUE(usage_->Record({.project = project,
                                .subject_kind = kind,
                                .subject_id = "r",
                                .at_us = clock_.now_us,
                                .quantities = {.cpu_us = units * kMicrosPerHour},
                                .user = user}));
  }
  Result<> Admitted(NewWork work) {
    return database_->Write(
        [&](db::Transaction& tx) { return Admit(tx, work, clock_.NowMicros()); });
  }
  Result<bool> Said(const Crossing& crossing) {
    bool fresh = false;
    GYRE_DO(database_->Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(fresh, Budgets::Say(tx, crossing, clock_.now_us));
      return {};
    }));
    return fresh;
  }

  SetClock clock_;
  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Usage> usage_;
  std::unique_ptr<Budgets> budgets_;
};

constexpr std::int64_t kUnit = 1'000'000'000;

TEST(Period, BeginsWhereTheCalendarSays) {
  const std::int64_t at_us = kMonth + 10 * kDay + 5;  // Tuesday the 11th
  EXPECT_EQ(PeriodAt("day", at_us).from_us, kMonth + 10 * kDay);
  EXPECT_EQ(PeriodAt("week", at_us).from_us, kMonth + 9 * kDay);
  EXPECT_EQ(PeriodAt("week", at_us).to_us, kMonth + 16 * kDay);
  EXPECT_EQ(PeriodAt("month", at_us).from_us, kMonth);
  EXPECT_EQ(PeriodAt("month", at_us).to_us, kMonth + 30 * kDay);
  EXPECT_EQ(PeriodAt("year", at_us).to_us - PeriodAt("year", at_us).from_us, 365 * kDay);
  EXPECT_EQ(PeriodAt("total", at_us).to_us, 0);
}

TEST_F(BudgetsTest, WarnsOnceInAPeriodAndAThreshold) {
  ASSERT_TRUE(budgets_->Add({.name = "all", .limit_nanos = 10 * kUnit}));
  Spend("p", "ana", 7);
  EXPECT_TRUE(budgets_->Reached()->empty());
  Spend("p", "ana", 1);
  std::vector<Crossing> reached = *budgets_->Reached();
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_EQ(reached[0].percent, 80);
  EXPECT_EQ(reached[0].state.spent_nanos, 8 * kUnit);
  EXPECT_TRUE(*Said(reached[0]));
  EXPECT_FALSE(*Said(reached[0]));
  EXPECT_TRUE(budgets_->Reached()->empty());
  Spend("q", "bob", 2);
  reached = *budgets_->Reached();
  ASSERT_EQ(reached.size(), 1u);
  EXPECT_EQ(reached[0].percent, 100);
  EXPECT_TRUE(*Said(reached[0]));
  clock_.now_us += 30 * kDay;
  EXPECT_TRUE(budgets_->Reached()->empty());
  EXPECT_EQ(budgets_->Get("all")->spent_nanos, 0);
}

TEST_F(BudgetsTest, RefusesOnlyWhatItCoversAndOnlyWhereItStops) {
  ASSERT_TRUE(budgets_->Add({.name = "warns", .limit_nanos = 1}));
  ASSERT_TRUE(budgets_->Add({.name = "stops",
                             .project = "p",
                             .user = "ana",
                             .subject_kind = "run",
                             .limit_nanos = 5 * kUnit,
                             .stops = true}));
  Spend("p", "ana", 4);
  Spend("p", "bob", 9);
  Spend("p", "ana", 9, "job");
  EXPECT_TRUE(Admitted({"p", "run", "ana"}));
  Spend("p", "ana", 1);
  const auto refused = Admitted({"p", "run", "ana"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY4134");
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(refused.error().message(), "budget stops is spent: 5.00 of 5.00 EUR per month");
  // The limit that it names is above what is spent, however far that is over the limit.
  EXPECT_EQ(refused.error().fixes().back(), "gyre budgets set stops --limit 10");
  Spend("p", "ana", 12);
  EXPECT_EQ(Admitted({"p", "run", "ana"}).error().fixes().back(),
            "gyre budgets set stops --limit 20");
  EXPECT_TRUE(Admitted({"p", "run", "bob"}));
  EXPECT_TRUE(Admitted({"q", "run", "ana"}));
  EXPECT_TRUE(Admitted({"p", "job", "ana"}));
  const auto raise = [](Budget* budget) -> Result<> {
    budget->limit_nanos = 18 * kUnit;
    return {};
  };
  ASSERT_TRUE(budgets_->Change("stops", raise));
  EXPECT_EQ(budgets_->Change("nobody", raise).error().gy(), "GY4135");
  EXPECT_TRUE(Admitted({"p", "run", "ana"}));
}

TEST_F(BudgetsTest, ChangesAtTheSameTimeLoseNothing) {
  ASSERT_TRUE(budgets_->Add({.name = "both", .limit_nanos = 1}));
  constexpr int kTimes = 15;
  const auto raise = [&](std::int64_t Budget::* member) {
    return [this, member] {
      for (int i = 0; i < kTimes; ++i) {
        EXPECT_TRUE(budgets_->Change("both", [&](Budget* budget) -> Result<> {
          ++(budget->*member);
          return {};
        }));
      }
    };
  };
  std::thread one(raise(&Budget::limit_nanos)), two(raise(&Budget::warn_percent));
  one.join();
  two.join();
  const Budget after = budgets_->Get("both")->budget;
  EXPECT_EQ(after.limit_nanos, 1 + kTimes);
  EXPECT_EQ(after.warn_percent, Budget().warn_percent + kTimes);
}

TEST_F(BudgetsTest, ClosedHoursChangeNoSum) {
  ASSERT_TRUE(budgets_->Add({.name = "all", .limit_nanos = 100 * kUnit}));
  for (int hour = 0; hour < 50; ++hour) {
    Spend("p", "ana", 1);
    ASSERT_TRUE(budgets_->Reached());
    clock_.now_us += kMicrosPerHour;
    EXPECT_EQ(budgets_->Get("all")->spent_nanos, (hour + 1) * kUnit);
  }
  // A price for hours that are over.
  ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 2'000'000, .valid_from_us = kMonth}));
  EXPECT_EQ(budgets_->Get("all")->spent_nanos, 100 * kUnit);
  ASSERT_TRUE(budgets_->Reached());
  EXPECT_EQ(budgets_->Get("all")->spent_nanos, 100 * kUnit);
}

TEST_F(BudgetsTest, SaysWhatIsWrong) {
  EXPECT_EQ(budgets_->Add({.name = "a b", .limit_nanos = 1}).error().gy(), "GY1200");
  EXPECT_EQ(budgets_->Add({.name = "a"}).error().gy(), "GY4132");
  EXPECT_EQ(budgets_->Add({.name = "a", .limit_nanos = 1, .period = "moon"}).error().gy(),
            "GY4132");
  EXPECT_EQ(budgets_->Add({.name = "a", .limit_nanos = 1, .warn_percent = 0}).error().gy(),
            "GY4132");
  EXPECT_EQ(budgets_->Add({.name = "a", .limit_nanos = 1, .stops_running = true}).error().gy(),
            "GY4132");
  ASSERT_TRUE(budgets_->Add({.name = "a", .project = "p", .limit_nanos = 1}));
  EXPECT_EQ(budgets_->Add({.name = "a", .limit_nanos = 1}).error().gy(), "GY4133");
  EXPECT_EQ(budgets_->List({{"q"}})->size(), 0u);
  EXPECT_EQ(budgets_->List({{"p"}})->size(), 1u);
  ASSERT_TRUE(budgets_->Remove("a"));
  EXPECT_EQ(budgets_->Remove("a").error().gy(), "GY4135");
  EXPECT_EQ(budgets_->Get("a").error().gy(), "GY4135");
}

}  // namespace
}  // namespace gyre::usage
