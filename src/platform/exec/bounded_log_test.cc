#include "platform/exec/bounded_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "platform/exec/files.h"

namespace gyre::exec {
namespace {

constexpr std::int64_t kMost = 1 << 20;

class BoundedLogTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = *MakeTemporaryDirectory();
    path_ = directory_ + "/log";
    ASSERT_TRUE(WriteFile(path_, ""));
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(directory_)); }

  void Print(int first, int last) {
    std::string text;
    for (int i = first; i < last; ++i) text += fmt::format("line {:07}\n", i);
    ASSERT_TRUE(AppendFile(path_, text));
  }
  std::int64_t Taken() const {
    struct stat info{};
    EXPECT_EQ(::stat(path_.c_str(), &info), 0);
    return info.st_blocks * 512;
  }
  std::string Read() const {
    std::string all;
    for (std::int64_t offset = 0;;) {
      const auto piece = ReadLogFrom(path_, offset, 10'000);
      EXPECT_TRUE(piece);
      if (!piece || piece->next_offset == offset) return all;
      all += piece->text;
      offset = piece->next_offset;
    }
  }
  std::string directory_, path_;
};

TEST_F(BoundedLogTest, WhatIsSmallStaysAsItIs) {
  Print(0, 1000);
  BoundLog(path_, kMost);
  EXPECT_EQ(Read(), *ReadFile(path_));
  EXPECT_EQ(Read().size(), 13'000u);
}

TEST_F(BoundedLogTest, ItsBeginningAndItsEndStay) {
  for (int round = 0; round < 10; ++round) {
    Print(round * 50'000, (round + 1) * 50'000);
    BoundLog(path_, kMost);
    EXPECT_LE(Taken(), kMost);
  }
  EXPECT_EQ(FileSize(path_), 500'000 * 13) << "offsets hold";
  const std::string text = Read();
  EXPECT_TRUE(text.starts_with("line 0000000\nline 0000001\n"));
  EXPECT_TRUE(text.ends_with("line 0499998\nline 0499999\n"));
  EXPECT_NE(text.find("MB of output were left out here]"), text.npos);
  EXPECT_EQ(text.find('\0'), text.npos);
  EXPECT_GT(text.size(), static_cast<std::size_t>(kMost / 2));
}

TEST_F(BoundedLogTest, NoFileIsNoTrouble) {
  BoundLog(directory_ + "/nothing", kMost);
  EXPECT_FALSE(ReadLogFrom(directory_ + "/nothing", 0, 10));
}

}  // namespace
}  // namespace gyre::exec
