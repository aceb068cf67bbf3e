#include "ml/tracking/metric_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace gyre::tracking {
namespace {

TEST(MetricCodec, GivesBackWhatItGot) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  const std::vector<MetricPoint> points = {
      {"loss", 0.5, 0, 1'700'000'000'000'000},
      {"loss", std::numeric_limits<double>::infinity(), kMax, kMin},
      {"loss", -0.0, kMin, kMax},
      {"auc", std::numeric_limits<double>::denorm_min(), -5, 7}};
  std::vector<MetricPoint> back;
  ASSERT_TRUE(DecodePoints(EncodePoints(points), "loss", &back));
  ASSERT_EQ(back.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back[i].value),
              std::bit_cast<std::uint64_t>(points[i].value));
    EXPECT_EQ(back[i].step, points[i].step);
    EXPECT_EQ(back[i].time_us, points[i].time_us);
  }
  back.clear();
  ASSERT_TRUE(DecodePoints(EncodePoints(points), "", &back));
  EXPECT_EQ(back.size(), 4U);
}

TEST(MetricCodec, KeepsNaN) {
  std::vector<MetricPoint> back;
  ASSERT_TRUE(DecodePoints(EncodePoints({{"x", std::nan(""), 1, 1}}), "x", &back));
  EXPECT_TRUE(std::isnan(back.at(0).value));
}

TEST(MetricCodec, EveryTornOrAlteredLengthIsNoticed) {
  const std::string whole =
      EncodePoints({{"loss", 1.5, 1, 10}, {"loss", 1.25, 2, 20}, {"auc", 0.5, 1, 10}});
  std::vector<MetricPoint> points;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(DecodePoints(std::string_view(whole).substr(0, length), "", &points)) << length;
  }
  EXPECT_FALSE(DecodePoints(whole + "x", "", &points));
}

}  // namespace
}  // namespace gyre::tracking
