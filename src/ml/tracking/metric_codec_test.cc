#include "ml/tracking/metric_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace gyre::tracking {
namespace {

// All series as points.
Result<> Decode(std::string_view bytes, std::string_view key, std::vector<MetricPoint>* points) {
  return DecodePoints(bytes, key, [&](std::string_view name, Series&& series) {
    for (std::size_t i = 0; i < series.size(); ++i)
      points->push_back({std::string(name), series.values[i], series.steps[i], series.times_us[i]});
  });
}

TEST(MetricCodec, GivesBackWhatItGot) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  const std::vector<MetricPoint> points = {
      {"loss", 0.5, 0, 1'700'000'000'000'000},
      {"loss", std::numeric_limits<double>::infinity(), kMax, kMin},
      {"loss", -0.0, kMin, kMax},
      {"auc", std::numeric_limits<double>::denorm_min(), -5, 7}};
  std::vector<MetricPoint> back;
  ASSERT_TRUE(Decode(EncodePoints(points), "loss", &back));
  ASSERT_EQ(back.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back[i].value),
              std::bit_cast<std::uint64_t>(points[i].value));
    EXPECT_EQ(back[i].step, points[i].step);
    EXPECT_EQ(back[i].time_us, points[i].time_us);
  }
  back.clear();
  ASSERT_TRUE(Decode(EncodePoints(points), "", &back));
  EXPECT_EQ(back.size(), 4U);
}

TEST(MetricCodec, KeepsNaN) {
  std::vector<MetricPoint> back;
  ASSERT_TRUE(Decode(EncodePoints({{"x", std::nan(""), 1, 1}}), "x", &back));
  EXPECT_TRUE(std::isnan(back.at(0).value));
}

TEST(MetricCodec, EveryTornOrAlteredLengthIsNoticed) {
  const std::string whole =
      EncodePoints({{"loss", 1.5, 1, 10}, {"loss", 1.25, 2, 20}, {"auc", 0.5, 1, 10}});
  std::vector<MetricPoint> points;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(Decode(std::string_view(whole).substr(0, length), "", &points)) << length;
  }
  EXPECT_FALSE(Decode(whole + "x", "", &points));
}

TEST(MetricCodec, ASegmentGivesBackWhatItGot) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  const std::vector<std::vector<std::int64_t>> columns = {
      {}, {5}, {kMin}, {0, 1, 2, 3}, {-10, -5, 0, 5}, {kMax, kMin, 0, kMax}, {1, 2, 4, 8, 16}};
  for (const auto& column : columns) {
    Series series;
    for (const std::int64_t value : column) series.Add(value, -value, 0.25 * value);
    Series back;
    ASSERT_TRUE(DecodeSeries(EncodeSeries(series), &back));
    EXPECT_EQ(back.steps, series.steps);
    EXPECT_EQ(back.times_us, series.times_us);
    EXPECT_EQ(back.values, series.values);
  }
}

TEST(MetricCodec, EvenStepsTakeNoRoom) {
  Series series;
  for (int i = 0; i < 1'000; ++i) series.Add(i * 10, 1'700'000'000'000'000 + i * 1'000, 1);
  EXPECT_LT(EncodeSeries(series).size(), 1'000 * sizeof(double) + 32);
}

TEST(MetricCodec, EveryTornSegmentIsNoticed) {
  Series series;
  for (const int i : {1, 2, 4, 9}) series.Add(i, i * i, i);
  const std::string whole = EncodeSeries(series);
  Series back;
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(DecodeSeries(std::string_view(whole).substr(0, length), &back)) << length;
  EXPECT_FALSE(DecodeSeries(whole + "x", &back));
}

TEST(SeriesOrder, OrdersAndTakesEachPointOnce) {
  Series series;
  series.Add(2, 10, 1);
  series.Add(1, 20, std::nan(""));
  series.Add(1, 20, 0);
  series.Add(2, 10, 1);
  series.Add(1, 20, std::nan(""));
  series.Add(2, 10, 0.5);
  Settle(SeriesOrder::kByStep, &series);
  EXPECT_EQ(series.steps, (std::vector<std::int64_t>{1, 1, 2, 2}));
  EXPECT_EQ(series.values[0], 0);
  EXPECT_TRUE(std::isnan(series.values[1]));
  EXPECT_EQ(series.values[2], 0.5);
  Settle(SeriesOrder::kByTime, &series);
  EXPECT_EQ(series.steps, (std::vector<std::int64_t>{2, 2, 1, 1}));
}

}  // namespace
}  // namespace gyre::tracking
