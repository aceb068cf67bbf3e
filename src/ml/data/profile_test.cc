#include "ml/data/profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "ml/data/sketches.h"
#include "platform/table/append.h"

namespace gyre::data {
namespace {

using table::Frame;
using table::Type;

Frame Numbers(std::size_t rows) {
  Random random(11);
  Frame frame = table::EmptyFrame(
      {{"n", Type::kInt}, {"x", Type::kDouble}, {"t", Type::kText}, {"d", Type::kDate}});
  for (std::size_t i = 0; i < rows; ++i) {
    frame.columns[0].PushInt(static_cast<std::int64_t>(i));
    if (i % 4 == 1) {
      frame.columns[1].PushNull();
    } else {
      frame.columns[1].PushDouble(random.Normal() * 2 + 10);
    }
    frame.columns[2].PushText("v" + std::to_string(i % 7 == 0 ? 0 : i % 5));
    frame.columns[3].PushInt(15'000 + static_cast<std::int64_t>(i % 10));
  }
  return frame;
}

TEST(Profile, StatesFacts) {
  const Profile profile = ProfileFrame(Numbers(1000));
  const ColumnProfile& n = profile.columns[0];
  EXPECT_EQ(n.distinct, 1000);
  EXPECT_EQ(n.min, 0);
  EXPECT_EQ(n.max, 999);
  EXPECT_DOUBLE_EQ(n.mean, 499.5);
  EXPECT_NEAR(n.deviation, 288.8194360957494, 1e-9);  // numpy.std(range(1000), ddof=1)
  EXPECT_DOUBLE_EQ(n.quantiles[2], 249.75);           // numpy.quantile(range(1000), 0.25)
  EXPECT_TRUE(n.increasing);
  EXPECT_EQ(profile.columns[1].missing, 250);
  EXPECT_EQ(profile.columns[2].distinct, 5);
  EXPECT_EQ(profile.columns[2].top[0].value, "v0");
  std::int64_t in_histogram = 0;
  for (const std::int64_t count : profile.columns[1].counts) in_histogram += count;
  EXPECT_EQ(in_histogram, 750);
  EXPECT_EQ(profile.columns[3].top.size(), 10u);
  EXPECT_EQ(profile.columns[3].top[0].value, "2011-01-26");
}

TEST(Profile, ChunksGiveTheSame) {
  const Frame frame = Numbers(200'000);
  const Profile whole = ProfileFrame(frame);
  Profiler profiler(frame.schema());
  for (std::uint32_t from = 0; from < 200'000; from += 7'777) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = from; i < std::min<std::uint32_t>(200'000, from + 7'777); ++i)
      rows.push_back(i);
    profiler.Add(frame.Select(rows));
  }
  const Profile parts = profiler.Finish();
  EXPECT_EQ(parts.sampled_rows, whole.sampled_rows);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(parts.columns[i].distinct, whole.columns[i].distinct);
    EXPECT_EQ(parts.columns[i].quantiles, whole.columns[i].quantiles);
    EXPECT_NEAR(parts.columns[i].mean, whole.columns[i].mean, 1e-6);
    EXPECT_NEAR(parts.columns[i].deviation, whole.columns[i].deviation, 1e-6);
  }
  EXPECT_EQ(whole.columns[0].distinct_method, "hll.14");
  EXPECT_NEAR(static_cast<double>(whole.columns[0].distinct), 200'000, 6'000);
  EXPECT_NEAR(whole.columns[1].quantiles[3], 10, 0.05);
}

TEST(Profile, OddValues) {
  Frame frame = table::EmptyFrame({{"x", Type::kDouble}, {"empty", Type::kInt}});
  for (const double v :
       std::vector<double>{1.0, -0.0, 0.0, std::nan(""), INFINITY, -INFINITY, 1e308, -1e308}) {
    frame.columns[0].PushDouble(v);
    frame.columns[1].PushNull();
  }
  const Profile profile = ProfileFrame(frame);
  EXPECT_EQ(profile.columns[0].not_finite, 3);
  EXPECT_EQ(profile.columns[0].distinct, 4);
  EXPECT_EQ(profile.columns[1].missing, 8);
  EXPECT_TRUE(std::isnan(profile.columns[1].mean));
  const std::string text = ProfileToJson(profile).Dump();
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
  EXPECT_EQ(ProfileFrame(table::Frame{}).rows, 0);
}

// Doubles hold whole numbers up to 2^53 only.
TEST(Profile, IdsOf64BitsStayExact) {
  constexpr std::int64_t kFirst = std::int64_t{1} << 60;
  Frame frame;
  frame.columns.resize(2);
  frame.columns[0].name = "id";
  frame.columns[0].type = Type::kInt;
  frame.columns[1].name = "end";
  frame.columns[1].type = Type::kInt;
  for (std::int64_t i = 0; i < 1000; ++i) {
    frame.columns[0].PushInt(kFirst + i);
    frame.columns[1].PushInt(i % 2 == 0 ? std::numeric_limits<std::int64_t>::max()
                                        : std::numeric_limits<std::int64_t>::min());
  }
  frame.columns[0].PushInt(kFirst + 7);
  frame.columns[1].PushNull();
  const Profile profile = ProfileFrame(frame);
  const ColumnProfile& id = profile.columns[0];
  EXPECT_EQ(id.distinct, 1000);
  EXPECT_EQ(id.top[0].value, std::to_string(kFirst + 7));
  EXPECT_EQ(id.top[0].count, 2);
  const Json json = ProfileToJson(profile);
  EXPECT_EQ(json["columns"].items()[0]["min"].AsInt(), kFirst);
  EXPECT_EQ(json["columns"].items()[0]["max"].AsInt(), kFirst + 999);
  EXPECT_EQ(json["columns"].items()[1]["min"].AsInt(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(json["columns"].items()[1]["max"].AsInt(), std::numeric_limits<std::int64_t>::max());
  frame = frame.Select({0, 1, 2, 3});
  EXPECT_TRUE(ProfileFrame(frame).columns[0].increasing);
}

// What is said of a column is true of its rows: empty texts are counted, gaps are named, and
// nothing less than all is called 100 %.
TEST(Profile, WarningsSayWhatIsThere) {
  table::Frame frame;
  frame.columns.resize(3);
  const char* names[] = {"once", "rare", "code"};
  for (std::size_t i = 0; i < 3; ++i) {
    frame.columns[i].name = names[i];
    frame.columns[i].type = table::Type::kText;
  }
  for (int row = 0; row < 1000; ++row) {
    frame.columns[0].PushText(row == 0 ? "other" : "");
    if (row < 2) {
      frame.columns[1].PushText("yes");
    } else {
      frame.columns[1].PushNull();
    }
    frame.columns[2].PushText("c" + std::to_string(row * 3 / 5));
  }
  const Profile profile = ProfileFrame(frame);
  EXPECT_EQ(profile.columns[0].empty, 999);
  EXPECT_EQ(ProfileToJson(profile)["columns"].items()[0]["empty"].AsInt(), 999);
  const Json warnings = ProfileWarnings(profile, FindLeaks(frame, ""));
  std::vector<std::string> messages;
  for (const Json& warning : warnings.items()) messages.push_back(warning["message"].AsString());
  const std::vector<std::string> expected = {
      "`rare` has one value only, and is missing in 99.8 % of the rows",
      "`once` is \"\" in 99.9 % of the rows",
      "`code` has 600 different values in the 1,000 rows that have one: 1.7 rows for each"};
  EXPECT_EQ(messages, expected);
  EXPECT_EQ(PercentText(1), "100 %");
  EXPECT_EQ(PercentText(0.99999), "more than 99.9 %");
  EXPECT_EQ(PercentText(0.00001), "less than 0.1 %");
  EXPECT_EQ(PercentText(0.974), "97 %");
}

TEST(Sketches, HyperLogLogIsClose) {
  for (const std::int64_t n : {100LL, 10'000LL, 1'000'000LL}) {
    HyperLogLog sketch;
    for (std::int64_t i = 0; i < n; ++i)
      sketch.Add(MixBits(static_cast<std::uint64_t>(i) * 7919 + 1));
    EXPECT_NEAR(sketch.Estimate() / static_cast<double>(n), 1, 0.03);
  }
}

}  // namespace
}  // namespace gyre::data
