#include "ml/inference_log/segment_file.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "platform/table/append.h"

namespace gyre::inference_log {
namespace {

using table::Type;

table::Column Make(std::string name, Type type) { return {.name = std::move(name), .type = type}; }

void ExpectSame(const table::Column& a, const table::Column& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.type, b.type);
  ASSERT_EQ(a.size(), b.size()) << a.name;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a.IsValid(i), b.IsValid(i)) << a.name << " " << i;
    if (!a.IsValid(i)) continue;
    if (a.type == Type::kDouble)
      ASSERT_EQ(std::bit_cast<std::uint64_t>(a.doubles[i]),
                std::bit_cast<std::uint64_t>(b.doubles[i]));
    else if (a.type == Type::kText)
      ASSERT_EQ(a.text[i], b.text[i]);
    else
      ASSERT_EQ(a.ints[i], b.ints[i]);
  }
}

std::string FileOf(const table::Frame& frame) {
  std::string file;
  AppendHead(Json::Obj({{"kind", "test"}}), &file);
  AppendFrameRecord(frame, &file);
  return file;
}
std::size_t HeadBytes() {
  std::string file;
  AppendHead(Json::Obj({{"kind", "test"}}), &file);
  return file.size();
}

table::Frame RoundTrip(const table::Frame& frame) {
  const std::string file = FileOf(frame);
  table::Frame back;
  const auto read = ForEachFrameOf(file, "test", [&](table::Frame& part) -> Result<> {
    back = std::move(part);
    return {};
  });
  EXPECT_TRUE(read) << read.error().ToString();
  return back;
}

table::Frame Hard() {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  table::Frame frame;
  frame.columns = {Make("whole", Type::kInt),    Make("real", Type::kDouble),
                   Make("text", Type::kText),    Make("flag", Type::kBool),
                   Make("day", Type::kDate),     Make("time", Type::kTimestamp),
                   Make("round", Type::kDouble), Make("nothing", Type::kText)};
  const std::int64_t wholes[] = {INT64_MIN, -1, 0, INT64_MAX, 42, 7};
  const double reals[] = {std::nan(""), -0.0, kInf, -kInf, 0.1, 5e-324};
  const std::string_view texts[] = {"", "a", "Grüße 🙂", "\"x\"\n", std::string_view("\0b", 2),
                                    "a"};
  for (int i = 0; i < 6; ++i) {
    frame.columns[0].PushInt(wholes[i]);
    frame.columns[1].PushDouble(reals[i]);
    frame.columns[2].PushText(texts[i]);
    i == 2 ? frame.columns[3].PushNull() : frame.columns[3].PushInt(i % 2);
    i == 0 ? frame.columns[4].PushNull() : frame.columns[4].PushInt(20'000 + i);
    frame.columns[5].PushInt(1'700'000'000'000'000 + i);
    i == 5 ? frame.columns[6].PushNull() : frame.columns[6].PushDouble(i * 1000);
    frame.columns[7].PushNull();
  }
  return frame;
}

TEST(SegmentFile, KeepsEveryValueToTheBit) {
  const table::Frame frame = Hard();
  const table::Frame back = RoundTrip(frame);
  ASSERT_EQ(back.columns.size(), frame.columns.size());
  for (std::size_t i = 0; i < frame.columns.size(); ++i)
    ExpectSame(frame.columns[i], back.columns[i]);
  EXPECT_TRUE(std::isnan(back.columns[6].doubles[5])) << "a missing number";
}

TEST(SegmentFile, KeepsRandomFrames) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    table::Frame frame;
    frame.columns = {Make("i", Type::kInt), Make("d", Type::kDouble), Make("t", Type::kText)};
    const std::uint64_t spread = std::uint64_t{1} << random.Below(64);
    const std::size_t rows = random.Below(300);
    for (std::size_t i = 0; i < rows; ++i) {
      const bool missing = random.Below(4) == 0;
      missing ? frame.columns[0].PushNull()
              : frame.columns[0].PushInt(static_cast<std::int64_t>(random.Below(spread)) - 100);
      missing ? frame.columns[1].PushNull()
              : frame.columns[1].PushDouble(round % 2 == 0 ? random.Normal()
                                                           : static_cast<double>(random.Below(9)));
      frame.columns[2].PushText(std::to_string(random.Below(1 + spread % 100)));
    }
    const table::Frame back = RoundTrip(frame);
    for (std::size_t i = 0; i < frame.columns.size(); ++i)
      ExpectSame(frame.columns[i], back.columns[i]);
  }
}

TEST(SegmentFile, EveryChangedOrMissingByteIsAnErrorThatNamesTheFile) {
  const std::string file = FileOf(Hard());
  const auto read = [](std::string_view bytes) {
    return ForEachFrameOf(bytes, "seg-1", [](table::Frame&) -> Result<> { return {}; });
  };
  ASSERT_TRUE(read(file));
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 0x21);
    const auto done = read(changed);
    ASSERT_FALSE(done) << "byte " << i;
    EXPECT_EQ(done.error().code(), Code::kDataLoss) << done.error().ToString();
    EXPECT_NE(done.error().message().find("seg-1"), std::string::npos);
  }
  const std::size_t whole_records = HeadBytes();
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (i == whole_records) continue;
    EXPECT_FALSE(read(file.substr(0, i))) << "cut at " << i;
  }
}

TEST(SegmentFile, FewWordsAndSmallNumbersTakeLittle) {
  table::Frame frame;
  frame.columns = {Make("country", Type::kText), Make("age", Type::kDouble)};
  for (int i = 0; i < 10'000; ++i) {
    frame.columns[0].PushText(i % 3 == 0 ? "Netherlands" : "Germany");
    frame.columns[1].PushDouble(i % 90);
  }
  EXPECT_LT(FileOf(frame).size(), 21'200U);
}

}  // namespace
}  // namespace gyre::inference_log
