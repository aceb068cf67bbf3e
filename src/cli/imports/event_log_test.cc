#include "cli/imports/event_log.h"

#include <gtest/gtest.h>

#include <bit>

#include "cli/imports/event_file.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

std::string Little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string Record(const std::string& event) {
  const std::string length = Little(event.size(), 8);
  return length + Little(MaskedCrc32c(length), 4) + event + Little(MaskedCrc32c(event), 4);
}

std::string Nested(int number, const std::string& bytes) {
  return static_cast<char>(number << 3 | 2) + Little(bytes.size(), 1) + bytes;
}

std::string ScalarEvent(double seconds, int step, const std::string& tag, float value) {
  const std::string number = "\x15" + Little(std::bit_cast<std::uint32_t>(value), 4);
  return "\x09" + Little(std::bit_cast<std::uint64_t>(seconds), 8) + "\x10" + Little(step, 1) +
         Nested(5, Nested(1, Nested(1, tag) + number));
}

class EventFiles : public testing::Test {
 protected:
  void SetUp() override { folder_ = *exec::MakeTemporaryDirectory(); }
  void TearDown() override { ASSERT_TRUE(exec::RemoveTree(folder_)); }
  EventFile Write(const std::string& bytes) {
    EXPECT_TRUE(exec::WriteFile(folder_ + "/events", bytes));
    return *EventFile::Open(folder_ + "/events");
  }
  static int Count(EventFile& file) {
    std::string event;
    int count = 0;
    while (file.Next(&event)) ++count;
    return count;
  }
  std::string folder_;
};

TEST(MaskedCrc, IsThatOfTheFormat) {
  // RFC 3720, B.4: the CRC-32C of 32 zero bytes is 8a9136aa.
  const std::uint32_t crc = 0x8a9136aaU;
  EXPECT_EQ(MaskedCrc32c(std::string(32, '\0')), ((crc >> 15) | (crc << 17)) + 0xA282EAD8U);
}

TEST_F(EventFiles, EndsWholeCutOffOrDamaged) {
  const std::string one = Record(ScalarEvent(100, 1, "loss", 0.5F));
  EventFile whole = Write(one + one);
  EXPECT_EQ(Count(whole), 2);
  EXPECT_EQ(whole.end(), EventFile::End::kWhole);
  EventFile cut = Write(one + one.substr(0, one.size() - 3));
  EXPECT_EQ(Count(cut), 1);
  EXPECT_EQ(cut.end(), EventFile::End::kCutOff);
  EXPECT_EQ(cut.offset(), static_cast<std::int64_t>(one.size()));
  std::string wrong = one;
  wrong[20] = static_cast<char>(wrong[20] ^ 1);
  EventFile damaged = Write(one + wrong + one);
  EXPECT_EQ(Count(damaged), 1);
  EXPECT_EQ(damaged.end(), EventFile::End::kDamaged);
  EventFile huge = Write(Little(~0ULL, 8) + Little(MaskedCrc32c(Little(~0ULL, 8)), 4));
  EXPECT_EQ(Count(huge), 0);
  EXPECT_EQ(huge.end(), EventFile::End::kDamaged);
}

TEST(EventLogs, ScalarsKeepStepAndTime) {
  EventLog log;
  ASSERT_TRUE(log.Add(ScalarEvent(100.5, 3, "loss", 0.5F)));
  ASSERT_TRUE(log.Add(ScalarEvent(101, 4, "acc", 0.25F)));
  EXPECT_FALSE(log.Add("\x0b"));
  ASSERT_EQ(log.points.size(), 2U);
  EXPECT_EQ(log.metrics, (std::vector<std::string>{"loss", "acc"}));
  EXPECT_EQ(log.points[0].step, 3);
  EXPECT_EQ(log.points[0].time_us, 100'500'000);
  EXPECT_EQ(log.points[1].value, 0.25);
  EXPECT_EQ(log.first_us, 100'500'000);
  EXPECT_EQ(log.last_us, 101'000'000);
}

TEST(EventLogs, WhatIsNoNumberIsCounted) {
  EventLog log;
  const std::string image = Nested(5, Nested(1, Nested(1, "sample") + Nested(4, "png")));
  ASSERT_TRUE(log.Add(image));
  ASSERT_TRUE(log.Add(ScalarEvent(1, 1, std::string(1, '\x01'), 1)));
  EXPECT_TRUE(log.points.empty());
  EXPECT_EQ(log.not_taken.at("images"), 1);
  EXPECT_EQ(log.not_taken.at("values without a usable name"), 1);
}

}  // namespace
}  // namespace gyre::cli::imports
