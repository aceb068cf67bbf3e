#include "ledger/usage/usage.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <thread>

#include "base/id.h"
#include "base/random.h"
#include "base/testing/set_clock.h"
#include "ledger/usage/expected.h"

namespace gyre::usage {
namespace {

constexpr std::int64_t kHour = kMicrosPerHour;

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

TEST_F(UsageTest, WhatIsBookedTogetherIsSeenTogether) {
  ASSERT_TRUE(usage_->SetPrices({.gigabyte_micros = 7'000'001, .valid_from_us = 1}));
  std::atomic<bool> enough = false;
  std::jthread booking([&] {
    const Quantities bytes{.bytes = 1'000'000};
    const std::int64_t at_us = clock_.NowMicros();
    const std::array samples = {Sample{"p", "api", "a", "", at_us, bytes},
                                Sample{"q", "api", "b", "", at_us, bytes}};
    while (!enough) ASSERT_TRUE(usage_->Record(samples));
  });
  for (int i = 0; i < 200; ++i) {
    const Report report = *usage_->Sum({.group_by = GroupBy::kProject});
    std::int64_t nanos = 0;
    for (const Line& line : report.lines) nanos += line.cost_nanos;
    EXPECT_EQ(nanos, report.cost_nanos);
    if (report.lines.empty()) continue;
    ASSERT_EQ(report.lines.size(), 2u);
    EXPECT_EQ(report.lines[0].quantities, report.lines[1].quantities);
  }
  enough = true;
}

TEST(Cost, RoundsHalfToEvenAndDoesNotOverflow) {
  const PriceBook book{.cpu_hour_micros = 1};               // a thousand billionths
  EXPECT_EQ(CostNanos({.cpu_us = kHour / 2000}, book), 0);  // 0.5 -> 0
  EXPECT_EQ(CostNanos({.cpu_us = kHour / 2000 + 1}, book), 1);
  EXPECT_EQ(CostNanos({.cpu_us = 3 * kHour / 2000}, book), 2);  // 1.5 -> 2
  EXPECT_EQ(CostNanos({.memory_mib_ms = 1024ll * 3600 * 1000}, {.memory_gib_hour_micros = 7}),
            7'000);
  EXPECT_EQ(CostNanos({.bytes = 2'500'000'000}, {.gigabyte_micros = 100}), 250'000);
  EXPECT_EQ(CostNanos({.requests = 1'500}, {.thousand_requests_micros = 10}), 15'000);
  EXPECT_EQ(CostNanos({.gpu_us = 2 * kHour}, {.gpu_hour_micros = 3}), 6'000);
  EXPECT_EQ(CostNanos({.storage_byte_hours = 5'000'000'000 * 730},
                      {.storage_gigabyte_month_micros = 20'000}),
            100'000'000);
  EXPECT_EQ(CostNanos({.egress_bytes = 500'000'000}, {.egress_gigabyte_micros = 9}), 4'500);
  // A thousand CPUs for a year at 1,000 an hour: the product has more than 64 bits.
  EXPECT_EQ(CostNanos({.cpu_us = 1000ll * 365 * 24 * kHour}, {.cpu_hour_micros = 1'000'000'000}),
            8'760'000'000'000'000'000);
}

TEST_F(UsageTest, WhatWasExpectedStandsBesideWhatWasUsed) {
  ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 3'600'000, .valid_from_us = kHour}));
  ASSERT_TRUE(usage_->SetPrices({.cpu_hour_micros = 7'200'000, .valid_from_us = 20 * kHour}));
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(Expect(tx, "job", {{.cpu_us = 5'000'000}, 10 * kHour, 4, "the median of 4 like it"}));
    GYRE_DO(ExpectAlso(tx, "job", "training"));
    return ExpectAlso(tx, "nobody", "other");
  }));
  Add("p", "run", "training", 30 * kHour, {.cpu_us = 6'000'000});
  Add("p", "run", "other", 30 * kHour, {.cpu_us = 1});
  const Report report = *usage_->Sum({});
  ASSERT_EQ(report.lines.size(), 2);
  EXPECT_EQ(report.lines[0].cost_nanos, 12'000'000);
  ASSERT_TRUE(report.lines[0].expected);
  EXPECT_EQ(report.lines[0].expected_nanos, 5'000'000) << "at the price of the hour it began";
  EXPECT_EQ(report.lines[0].expected->measured, 4);
  EXPECT_FALSE(report.lines[1].expected);
  EXPECT_FALSE((*usage_->Sum({.group_by = GroupBy::kProject})).lines[0].expected);
}

TEST(Cost, AmountsAreWrittenWithoutLoss) {
  EXPECT_EQ(DecimalText(0), "0");
  EXPECT_EQ(DecimalText(12'500'000'000), "12.5");
  EXPECT_EQ(DecimalText(-1), "-0.000000001");
  EXPECT_EQ(MoneyText(12'500'000'000), "12.50");
  EXPECT_EQ(MoneyText(125'000), "0.000125");
}

TEST(Cost, QuantitiesOfAChildAreRoundedUp) {
  const Quantities q = QuantitiesOf(1.5, 2.0, (1 << 20) + 1, 77);
  EXPECT_EQ(q.cpu_us, 1'500'000);
  EXPECT_EQ(q.memory_mib_ms, 2001);
  EXPECT_EQ(q.bytes, 77);
}

Quantities AnyQuantities(Random& random) {
  Quantities q;
  for (const Meter& meter : kMeters)
    q.*meter.quantity = static_cast<std::int64_t>(random.Below(1'000'000'007));
  return q;
}

TEST_F(UsageTest, SumsAreExactInAnyOrder) {
  Random random(1);
  Quantities expected;
  std::vector<Sample> samples;
  for (int i = 0; i < 500; ++i) {
    const Quantities q = AnyQuantities(random);
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
  EXPECT_EQ(report.cost_nanos, 0);
}

constexpr GroupBy kGroupings[] = {GroupBy::kProject,  GroupBy::kSubject, GroupBy::kDay,
                                  GroupBy::kUser,     GroupBy::kRun,     GroupBy::kStep,
                                  GroupBy::kEndpoint, GroupBy::kDataset, GroupBy::kKind};

TEST_F(UsageTest, EveryGroupingAddsUpToTheSameTotal) {
  constexpr std::string_view kKinds[] = {"run", "job", "pipeline_run", "endpoint", "dataset"};
  constexpr std::string_view kNames[] = {"a", "b", "c", ""};
  Random random(7);
  for (int book = 0; book < 3; ++book) {
    PriceBook prices{.valid_from_us = (1 + 20 * book) * kHour};
    for (const Meter& meter : kMeters)
      prices.*meter.price = static_cast<std::int64_t>(random.Below(100'003));
    ASSERT_TRUE(usage_->SetPrices(prices));
  }
  const auto one_of = [&](const auto& words) { return words[random.Below(std::size(words))]; };
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) -> Result<> {
    for (int i = 0; i < 400; ++i) {
      const bool part = random.Below(3) == 0;
      GYRE_DO(Record(tx, {.project = one_of(kNames),
                          .subject_kind = one_of(kKinds),
                          .subject_id = one_of(kNames),
                          .at_us = static_cast<std::int64_t>(random.Below(70)) * kHour + 3,
                          .quantities = AnyQuantities(random),
                          .user = one_of(kNames),
                          .run = part ? "r" : "",
                          .run_label = part ? "nightly" : "",
                          .step = part ? one_of(kNames) : ""}));
    }
    return {};
  }));
  const Report first = *usage_->Sum({});
  ASSERT_GT(first.cost_nanos, 0);
  for (const GroupBy grouping : kGroupings) {
    const Report report = *usage_->Sum({.group_by = grouping});
    Quantities quantities;
    std::int64_t nanos = 0;
    for (const Line& line : report.lines) {
      quantities += line.quantities;
      nanos += line.cost_nanos;
    }
    EXPECT_EQ(quantities, first.total);
    EXPECT_EQ(nanos, first.cost_nanos) << static_cast<int>(grouping);
    EXPECT_EQ(report.cost_nanos, first.cost_nanos);
  }
  std::int64_t charged = 0;
  const std::vector<Charge> charges = *usage_->Charges({});
  for (const Charge& charge : charges) charged += charge.cost_nanos;
  EXPECT_EQ(charged, first.cost_nanos);
}

// However many write at once, and in whichever order: the same numbers as one after the other.
TEST_F(UsageTest, SumsAreExactWhileManyWrite) {
  constexpr int kThreads = 4, kEach = 80;
  const auto book = [](Usage& usage) {
    Random random(11);
    for (int at = 0; at < 3; ++at) {
      PriceBook prices{.valid_from_us = (1 + 4 * at) * kHour};
      for (const Meter& meter : kMeters)
        prices.*meter.price = static_cast<std::int64_t>(random.Below(100'003));
      ASSERT_TRUE(usage.SetPrices(prices));
    }
  };
  const auto record = [](Usage& usage, int thread) {
    constexpr std::string_view kNames[] = {"a", "b", "c"};
    Random random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < kEach; ++i) {
      const std::string_view run = kNames[random.Below(3)];
      ASSERT_TRUE(usage.Record({.project = kNames[random.Below(3)],
                                .subject_kind = random.Below(2) == 0 ? "run" : "endpoint",
                                .subject_id = kNames[random.Below(3)],
                                .at_us = static_cast<std::int64_t>(random.Below(12)) * kHour,
                                .quantities = AnyQuantities(random),
                                .user = kNames[random.Below(3)],
                                .run = run,
                                .run_label = "nightly",
                                .step = run}));
    }
  };
  const auto check = [](const Usage& usage) {
    for (const GroupBy grouping : kGroupings) {
      const Report report = *usage.Sum({.group_by = grouping});
      std::int64_t nanos = 0;
      for (const Line& line : report.lines) nanos += line.cost_nanos;
      EXPECT_EQ(nanos, report.cost_nanos) << static_cast<int>(grouping);
    }
  };
  auto alone_database = *db::OpenSqlite({.path = directory_ + "/alone.db"});
  const db::ModuleSchema schema = UsageSchema();
  ASSERT_TRUE(alone_database->Migrate(std::span(&schema, 1)));
  Usage alone(*alone_database, clock_);
  book(alone);
  for (int thread = kThreads; thread-- > 0;) record(alone, thread);
  book(*usage_);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread)
      threads.emplace_back([&, thread] { record(*usage_, thread); });
    for (int i = 0; i < 10; ++i) check(*usage_);  // what is read meanwhile adds up too
  }
  check(*usage_);
  const Report expected = *alone.Sum({});
  ASSERT_GT(expected.cost_nanos, 0);
  for (const GroupBy grouping : kGroupings) {
    const Report report = *usage_->Sum({.group_by = grouping});
    EXPECT_EQ(report.total, expected.total);
    EXPECT_EQ(report.cost_nanos, expected.cost_nanos) << static_cast<int>(grouping);
  }
  std::int64_t charged = 0;
  const std::vector<Charge> charges = *usage_->Charges({});
  for (const Charge& charge : charges) charged += charge.cost_nanos;
  EXPECT_EQ(charged, expected.cost_nanos);
}

TEST_F(UsageTest, ARunHasItsPartsAndAnEndpointItsVariants) {
  const Quantities q{.cpu_us = 1};
  ASSERT_TRUE(usage_->Record({.project = "p",
                              .subject_kind = "pipeline_run",
                              .subject_id = "pr",
                              .subject_label = "nightly pr",
                              .quantities = q,
                              .user = "ana",
                              .run = "pr",
                              .run_label = "nightly pr",
                              .step = "fetch"}));
  ASSERT_TRUE(usage_->Record({.project = "p",
                              .subject_kind = "run",
                              .subject_id = "r1",
                              .subject_label = "train churn",
                              .quantities = q,
                              .user = "ana",
                              .run = "pr",
                              .run_label = "nightly pr",
                              .step = "train"}));
  Add("p", "endpoint", "churn", 0, q);
  Add("p", "endpoint", "churn/canary", 0, q);
  const Report runs = *usage_->Sum({.group_by = GroupBy::kRun});
  ASSERT_EQ(runs.lines.size(), 2u);
  const Line& run = runs.lines[0].subject_id == "pr" ? runs.lines[0] : runs.lines[1];
  EXPECT_EQ(run.subject_label, "nightly pr");
  EXPECT_EQ(run.quantities.cpu_us, 2);
  EXPECT_EQ(usage_->Sum({.group_by = GroupBy::kStep})->lines.size(), 3u);
  EXPECT_EQ(usage_->Sum({.group_by = GroupBy::kEndpoint})->lines.size(), 2u);
  EXPECT_EQ(usage_->Sum({.endpoint = "churn"})->total.cpu_us, 2);
  EXPECT_EQ(usage_->Sum({.endpoint = "chur"})->total.cpu_us, 0);
  EXPECT_EQ(usage_->Sum({.run = "pr"})->total.cpu_us, 2);
  EXPECT_EQ(usage_->Sum({.run = "r1"})->total.cpu_us, 1);
  EXPECT_EQ(usage_->Sum({.user = "ana"})->total.cpu_us, 2);
}

TEST_F(UsageTest, LinesOfTheFirstSchemaStay) {
  const std::string path = directory_ + "/old.db";
  auto old = *db::OpenSqlite({.path = path});
  db::ModuleSchema schema = UsageSchema();
  const auto all = schema.migrations;
  schema.migrations = all.first(1);
  ASSERT_TRUE(old->Migrate(std::span(&schema, 1)));
  ASSERT_TRUE(old->Write([](db::Transaction& tx) {
    return tx.Execute("INSERT INTO usage_hour VALUES ('p', 'run', 'r', ?1, 'label', 7, 8, 9, 10)",
                      {5 * kHour});
  }));
  schema.migrations = all;
  ASSERT_TRUE(old->Migrate(std::span(&schema, 1)));
  const Report report = *Usage(*old, clock_).Sum({});
  ASSERT_EQ(report.lines.size(), 1u);
  EXPECT_EQ(report.total,
            (Quantities{.cpu_us = 7, .memory_mib_ms = 8, .bytes = 9, .requests = 10}));
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
  EXPECT_EQ(subjects.lines[0].cost_nanos, 400'000);
  EXPECT_EQ(subjects.lines[0].quantities.requests, 20);
  EXPECT_EQ(subjects.lines[2].cost_nanos, 33'333);
  EXPECT_EQ(subjects.cost_nanos, 533'333);
  EXPECT_EQ(subjects.currency, "USD");
  const Report projects = *usage_->Sum({.group_by = GroupBy::kProject});
  ASSERT_EQ(projects.lines.size(), 2u);
  EXPECT_EQ(projects.lines[0].project, "p");
  EXPECT_EQ(projects.lines[0].subject_kind, "");
  EXPECT_EQ(projects.lines[0].cost_nanos, 500'000);
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
  EXPECT_EQ(usage_->Sum({})->cost_nanos, 1'050'000);
}

TEST_F(UsageTest, RefusesBadPrices) {
  EXPECT_EQ(usage_->SetPrices({.cpu_hour_micros = -1}).error().gy(), "GY4131");
  EXPECT_EQ(usage_->SetPrices({.currency = "euro"}).error().gy(), "GY4131");
  ASSERT_TRUE(usage_->SetPrices({.currency = "EUR", .cpu_hour_micros = 1}));
  EXPECT_EQ(usage_->SetPrices({.currency = "USD", .cpu_hour_micros = 1}).error().gy(), "GY4131");
}

}  // namespace
}  // namespace gyre::usage
