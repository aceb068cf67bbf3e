#include "ml/tracking/charts.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <random>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/metric_blocks.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ChartsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-charts-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    tracking_ = *OpenTracking(*database_, SystemClock(), stamps_);
    run_ = *tracking_->CreateRun({.project = "p", .started_us = 1'000});
  }
  void TearDown() override {
    tracking_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Log(std::span<const MetricPoint> points) {
    constexpr std::size_t kBatch = 5'000;
    for (std::size_t begin = 0; begin < points.size(); begin += kBatch) {
      const auto some = points.subspan(begin, std::min(kBatch, points.size() - begin));
      ASSERT_TRUE(tracking_->LogBatch(run_.id, {.metrics = {some.begin(), some.end()}}));
    }
  }
  // Until all that was logged lies in segments.
  void Compact() {
    ASSERT_TRUE(tracking_->EndRun(run_.id, {}));
    for (int i = 0; i < 1'000 && Count("SELECT COUNT(*) FROM tracking_metric_tail") > 0; ++i)
      usleep(10'000);
    ASSERT_EQ(Count("SELECT COUNT(*) FROM tracking_metric_tail"), 0);
  }
  std::int64_t Count(std::string_view sql) {
    std::int64_t count = -1;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found,
               reader.QueryOne(sql, {}, [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }
  // A walk of steps of 1 and of 20 or so microseconds.
  static std::vector<MetricPoint> Walk(int count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<MetricPoint> points;
    double value = 0;
    std::int64_t time_us = 1'000;
    for (int i = 0; i < count; ++i) {
      value += static_cast<double>(random() % 2001) - 1000;
      time_us += random() % 40;
      points.push_back({"loss", value, i, time_us});
    }
    return points;
  }
  void ExpectTrue(ChartQuery query);

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Tracking> tracking_;
  tracking::Run run_;
};

// Of the points, those in the range of a query, in its order.
Series InRange(Series all, const ChartQuery& query) {
  const bool by_step = query.axis == Axis::kStep;
  Settle(by_step ? SeriesOrder::kByStep : SeriesOrder::kByTime, &all);
  Series kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::int64_t at = by_step ? all.steps[i] : all.times_us[i];
    if (query.axis == Axis::kElapsed) at -= 1'000;
    if ((query.from && at < *query.from) || (query.to && at > *query.to)) continue;
    kept.Add(all.steps[i], all.times_us[i], all.values[i]);
  }
  return kept;
}

// The places of what is shown: in order, and each there.
std::vector<std::size_t> PlacesOf(const Series& shown, const Series& all) {
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto same = [&](std::size_t n) {
      const bool values = all.values[n] == shown.values[i] ||
                          (std::isnan(all.values[n]) && std::isnan(shown.values[i]));
      return values && all.steps[n] == shown.steps[i] && all.times_us[n] == shown.times_us[i];
    };
    while (at < all.size() && !same(at)) ++at;
    if (at == all.size()) return {};
    places.push_back(at++);
  }
  return places;
}

void ExpectSameKinds(const Series& shown, const Series& all) {
  const auto has = [](const Series& series, auto kind) {
    return std::ranges::any_of(series.values, kind);
  };
  const auto nan = [](double v) { return std::isnan(v); };
  EXPECT_EQ(has(shown, nan), has(all, nan));
  EXPECT_EQ(has(shown, [](double v) { return v == kInfinity; }),
            has(all, [](double v) { return v == kInfinity; }));
  EXPECT_EQ(has(shown, [](double v) { return v == -kInfinity; }),
            has(all, [](double v) { return v == -kInfinity; }));
}

// Each number has one at least as small and one at least as great beside it.
void ExpectEnvelope(const std::vector<std::size_t>& places, const Series& all, std::size_t width) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < all.size(); i += 17) {
    if (!std::isfinite(all.values[i])) continue;
    while (begin < places.size() && places[begin] + width < i) ++begin;
    double least = kInfinity, most = -kInfinity;
    for (std::size_t n = begin; n < places.size() && places[n] <= i + width; ++n) {
      if (!std::isfinite(all.values[places[n]])) continue;
      least = std::min(least, all.values[places[n]]);
      most = std::max(most, all.values[places[n]]);
    }
    ASSERT_LE(least, all.values[i]) << "at " << i;
    ASSERT_GE(most, all.values[i]) << "at " << i;
  }
}

void ChartsTest::ExpectTrue(ChartQuery query) {
  query.project = "p";
  query.run_ids = {run_.id};
  query.keys = {"loss"};
  const Series all = InRange(*tracking_->ReadSeries(run_.id, "loss", SeriesOrder::kByStep), query);
  const auto charts = Charts(*database_).Read(query);
  ASSERT_TRUE(charts) << charts.error().ToString();
  if (all.size() == 0) {
    EXPECT_TRUE(charts->empty());
    return;
  }
  ASSERT_EQ(charts->size(), 1U);
  const Chart& chart = charts->front();
  EXPECT_EQ(chart.points, static_cast<std::int64_t>(all.size()));
  const auto wanted = static_cast<std::size_t>(query.points);
  if (all.size() <= wanted) {
    EXPECT_EQ(chart.shown.steps, all.steps);
    return;
  }
  ASSERT_LE(chart.shown.size(), wanted);
  EXPECT_GE(chart.shown.size(), wanted / 12) << "few are enough, but not so few";
  const auto places = PlacesOf(chart.shown, all);
  ASSERT_EQ(places.size(), chart.shown.size()) << "a point that is not there, or out of order";
  EXPECT_EQ(places.front(), 0U);
  EXPECT_EQ(places.back(), all.size() - 1);
  ExpectSameKinds(chart.shown, all);
  ExpectEnvelope(places, all, 2 * (all.size() / ((wanted - 2) / 5) + 1 + kBlockPoints));
}

TEST_F(ChartsTest, FewPointsHoldTheExtremesOfMany) {
  auto points = Walk(60'000, 1);
  for (const int i : {5, 700, 20'000, 20'001, 59'999})
    points[static_cast<std::size_t>(i)].value = kNaN;
  points[30'000].value = kInfinity;
  points[40'000].value = -kInfinity;
  Log(std::span(points).first(50'000));
  Compact();
  EXPECT_GT(Count("SELECT COUNT(*) FROM tracking_metric_block"), 5);
  Log(std::span(points).subspan(50'000));
  for (const Axis axis : {Axis::kStep, Axis::kTime, Axis::kElapsed}) {
    for (const int wanted : {10, 100, 1'000, 20'000}) {
      SCOPED_TRACE(fmt::format("axis {}, {} points", static_cast<int>(axis), wanted));
      ExpectTrue({.points = wanted, .axis = axis});
      ExpectTrue({.points = wanted, .axis = axis, .from = 8'192, .to = 55'000});
      ExpectTrue({.points = wanted, .axis = axis, .from = 12'345, .to = 12'400});
      ExpectTrue({.points = wanted, .axis = axis, .from = 30'000});
      ExpectTrue({.points = wanted, .axis = axis, .to = 1'300});
      ExpectTrue({.points = wanted, .axis = axis, .from = 100, .to = 50});
      ExpectTrue({.points = wanted,
                  .axis = axis,
                  .from = std::numeric_limits<std::int64_t>::min(),
                  .to = std::numeric_limits<std::int64_t>::max()});
    }
  }
  // What was written before there were blocks is read itself.
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
    return tx.Execute("DELETE FROM tracking_metric_block WHERE sequence < 4", {});
  }));
  for (const int wanted : {10, 1'000}) ExpectTrue({.points = wanted});
}

TEST_F(ChartsTest, WhatComesLateOrTwiceOrGoesBackIsInItsPlace) {
  auto points = Walk(30'000, 2);
  Log(std::span(points).subspan(10'000));
  Compact();
  Log(std::span(points).first(12'000));
  Compact();
  for (const int wanted : {10, 1'000}) {
    ExpectTrue({.points = wanted});
    ExpectTrue({.points = wanted, .from = 9'000, .to = 25'000});
  }
  // Steps go on while the clock is set back.
  for (MetricPoint& point : points) point.time_us = 2'000'000 - point.step * 3;
  for (MetricPoint& point : points) point.step += 30'000;
  Log(points);
  Compact();
  for (const Axis axis : {Axis::kStep, Axis::kTime}) {
    ExpectTrue({.points = 100, .axis = axis});
    ExpectTrue({.points = 100, .axis = axis, .from = 20'000, .to = 1'990'000});
  }
}

TEST_F(ChartsTest, NothingButTheSameStepGoesAlongTime) {
  auto points = Walk(20'000, 3);
  for (MetricPoint& point : points) point.step = 0;
  Log(points);
  Compact();
  ExpectTrue({.points = 100});
  ExpectTrue({.points = 100, .axis = Axis::kTime, .from = 50'000});
}

TEST_F(ChartsTest, SaysWhatItCannotDo) {
  const Charts charts(*database_);
  ChartQuery query{.project = "p", .run_ids = {run_.id}, .keys = {"nothing"}};
  EXPECT_TRUE(charts.Read(query)->empty());
  query.points = 9;
  EXPECT_EQ(charts.Read(query).error().gy(), "GY3436");
  query.points = 100;
  query.keys.resize(kChartSeriesMax + 1, "k");
  EXPECT_EQ(charts.Read(query).error().gy(), "GY3436");
  query.keys.resize(1);
  query.project = "q";
  EXPECT_EQ(charts.Read(query).error().gy(), "GY3401");
}

TEST_F(ChartsTest, BlocksReadBackAsTheyWere) {
  Series series;
  for (int i = 0; i < 700; ++i) series.Add(i, 2 * i, i % 3 == 0 ? kNaN : i);
  const auto blocks = BlocksOf(series, 0);
  ASSERT_EQ(blocks.size(), 3U);
  const std::string bytes = EncodeBlocks(blocks);
  const auto read = DecodeBlocks(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(EncodeBlocks(*read), bytes);
  EXPECT_EQ((*read)[1].most->step, 511);
  EXPECT_EQ((*read)[2].points, 188);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto broken = DecodeBlocks(std::string_view(bytes).substr(0, cut));
    if (!broken) EXPECT_EQ(broken.error().gy(), "GY3410");
  }
  Block all;
  for (std::size_t i = 0; i < blocks.size(); ++i) Join(blocks[i], 0, &all);
  EXPECT_EQ(EncodeBlocks(std::span(&all, 1)),
            EncodeBlocks(std::vector{Summarize(series, 0, series.size(), 0)}));
}

}  // namespace
}  // namespace gyre::tracking
