#include "ledger/usage/usage.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "base/random.h"
#include "base/testing/set_clock.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

class UsageTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "gyre_usage_" + NewId().substr(0, 12);
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schema = UsageSchema();
    ASSERT_TRUE(database_->Migrate(std::span(&schema, 1)));
    usage_ = std::make_unique<Usage>(*database_, clock_);
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Add(std::string_view project, std::string_view kind, std::string_view id, std::int64_t at_us,
           Quantities quantities) {
    ASSERT_TRUE(usage_->Record({project, kind, id, "label", at_us, quantities}));
  }

  SetClock clock_{1000 * kHour + 5};
  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Usage> usage_;
};

TEST(Cost, RoundsHalfToEvenAndDoesNotOverflow) {
  const PriceBook book{.cpu_hour_micros = 1};
  EXPECT_EQ(CostMicros({.cpu_us = kHour / 2}, book), 0);  // 0.5 -> 0
  EXPECT_EQ(CostMicros({.cpu_us = kHour / 2 + 1}, book), 1);
  EXPECT_EQ(CostMicros({.cpu_us = kHour + kHour / 2}, book), 2);  // 1.5 -> 2
  EXPECT_EQ(CostMicros({.memory_mib_ms = 1024ll * 3600 * 1000}, {.memory_gib_hour_micros = 7}), 7);
  EXPECT_EQ(CostMicros({.bytes = 2'500'000'000}, {.gigabyte_micros = 100}), 250);
  EXPECT_EQ(CostMicros({.requests = 1'500}, {.thousand_requests_micros = 10}), 15);
  // A hundred thousand CPUs for a year at 1,000,000 an hour: the product has 86 bits.
  EXPECT_EQ(CostMicros({.cpu_us = 100'000ll * 365 * 24 * kHour / 1000},
                       {.cpu_hour_micros = 1'000'000'000'000}),
            876'000'000'000'000'000);
}

TEST(Cost, QuantitiesOfAChildAreRoundedUp) {
  const Quantities q = QuantitiesOf(1.5, 2.0, (1 << 20) + 1, 77);
  EXPECT_EQ(q.cpu_us, 1'500'000);
  EXPECT_EQ(q.memory_mib_ms, 2001);
  EXPECT_EQ(q.bytes, 77);
}

TEST_F(UsageTest, SumsAreExactInAnyOrder) {
  Random random(1);
  Quantities expected;
  std::vector<Sample> samples;
  for (int i = 0; i < 500; ++i) {
    const Quantities q{static_cast<std::int64_t>(random.Below(1'000'000'007)),
                       static_cast<std::int64_t>(random.Below(1 << 30)),
                       static_cast<std::int64_t>(random.Below(1'000'003)), 1};
    expected += q;
    samples.push_back({"p", "run", i % 3 ? "a" : "b", "",
                       static_cast<std::int64_t>(random.Below(50)) * kHour, q});
  }
  random.Shuffle(samples);
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) -> Result<> {
    for (const Sample& sample : samples) GYRE_DO(Record(tx, sample));
    return {};
  }));
  const Report report = *usage_->Sum({});
  EXPECT_EQ(report.total, expected);
  ASSERT_EQ(report.lines.size(), 2u);
  Quantities lines = report.lines[0].quantities;
  lines += report.lines[1].quantities;
  EXPECT_EQ(lines, expected);
  EXPECT_EQ(report.cost_micros, 0);
}

TEST_F(UsageTest, GroupsFiltersAndPrices) {
  Add("p", "run", "r1", 5 * kHour + 1, {.cpu_us = kHour});
  Add("p", "endpoint", "e1", 5 * kHour + 2, {.cpu_us = 2 * kHour, .requests = 10});
  Add("p", "endpoint", "e1", 6 * kHour, {.cpu_us = 2 * kHour, .requests = 10});
  Add("q", "run", "r1", 7 * kHour, {.cpu_us = kHour / 3});
  ASSERT_TRUE(usage_->SetPrices({.currency = "USD", .cpu_hour_micros = 100, .valid_from_us = 1}));
  const Report subjects = *usage_->Sum({});
  ASSERT_EQ(subjects.lines.size(), 3u);
  EXPECT_EQ(subjects.lines[0].subject_id, "e1");
  EXPECT_EQ(subjects.lines[0].subject_label, "label");
  EXPECT_EQ(subjects.lines[0].cost_micros, 400);
  EXPECT_EQ(subjects.lines[0].quantities.requests, 20);
  EXPECT_EQ(subjects.lines[2].cost_micros, 33);
  EXPECT_EQ(subjects.cost_micros, 533);
  EXPECT_EQ(subjects.currency, "USD");
  const Report projects = *usage_->Sum({.group_by = GroupBy::kProject});
  ASSERT_EQ(projects.lines.size(), 2u);
  EXPECT_EQ(projects.lines[0].project, "p");
  EXPECT_EQ(projects.lines[0].subject_kind, "");
  EXPECT_EQ(projects.lines[0].cost_micros, 500);
  EXPECT_EQ(usage_->Sum({.projects = {{"q"}}})->lines.size(), 1u);
  EXPECT_EQ(usage_->Sum({.subject_kind = "run"})->lines.size(), 2u);
  EXPECT_EQ(usage_->Sum({.from_us = 6 * kHour + 5, .to_us = 7 * kHour})->total.cpu_us, 2 * kHour);
}

TEST_F(UsageTest, OldHoursKeepTheirPrice) {
  Add("p", "run", "r1", 10 * kHour, {.cpu_us = kHour});
  Add("p", "run", "r1", 2000 * kHour, {.cpu_us = kHour});
  EXPECT_EQ(usage_->Prices()->size(), 1u);
  ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 50, .valid_from_us = kHour}));
  ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 1000}));  // now: hour 1000
  const auto books = *usage_->Prices();
  ASSERT_EQ(books.size(), 3u);
  EXPECT_EQ(books.back().valid_from_us, 1000 * kHour);
  EXPECT_EQ(usage_->Sum({})->cost_micros, 1050);
}

TEST_F(UsageTest, RefusesBadPrices) {
  EXPECT_EQ(usage_->SetPrices({.cpu_hour_micros = -1}).error().gy(), "GY4131");
  EXPECT_EQ(usage_->SetPrices({.currency = "euro"}).error().gy(), "GY4131");
  ASSERT_TRUE(usage_->SetPrices({.currency = "EUR", .cpu_hour_micros = 1}));
  EXPECT_EQ(usage_->SetPrices({.currency = "USD", .cpu_hour_micros = 1}).error().gy(), "GY4131");
}

}  // namespace
}  // namespace gyre::usage
