#include "base/time.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace gyre {
namespace {

TEST(Time, RoundTrip) {
  Random random(7);
  for (int i = 0; i < 2000; ++i) {
    const auto t = static_cast<std::int64_t>(random.Below(8'000'000'000ull * 1'000'000)) -
                   4'000'000'000ll * 1'000'000;
    EXPECT_EQ(ParseTime(FormatTime(t)), t) << FormatTime(t);
  }
}

TEST(Time, KnownDates) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(ParseTime("2024-02-29"), 1709164800ll * 1'000'000);
  EXPECT_EQ(ParseTime("2024-02-29 12:00:00+02:00"), ParseTime("2024-02-29T10:00:00Z"));
  EXPECT_EQ(ToCivil(*ParseTime("2024-02-29")).weekday, 3);  // a Thursday
  EXPECT_EQ(ToCivil(*ParseTime("2024-12-31")).day_of_year, 366);
  for (const char* bad : {"2023-02-29", "2024-13-01", "2024-1-1", "2024-01-01T25:00:00",
                          "2024-01-01T00:00:00+99:00", "now", "2024-01-01x"})
    EXPECT_FALSE(ParseTime(bad)) << bad;
}

}  // namespace
}  // namespace gyre
