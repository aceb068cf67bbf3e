#include "platform/config/data_directory.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/config/environment.h"

namespace gyre::config {
namespace {

std::string NewDirectory() {
  char pattern[] = "/tmp/gyre-data-XXXXXX";
  return std::string(mkdtemp(pattern)) + "/data";
}

TEST(DataDirectory, OneOwnerAtATime) {
  const std::string directory = NewDirectory();
  auto first = DirectoryLock::Acquire(directory);
  ASSERT_TRUE(first) << first.error().ToString();
  const auto second = DirectoryLock::Acquire(directory);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().gy(), "GY1830");
  EXPECT_NE(second.error().message().find(std::to_string(getpid())), std::string::npos);
}

TEST(DataDirectory, TheOwnerIsFoundWhileItLives) {
  const std::string directory = NewDirectory();
  EXPECT_FALSE(FindOwner(directory)->has_value());
  {
    auto lock = DirectoryLock::Acquire(directory);
    ASSERT_TRUE(lock);
    ASSERT_TRUE(lock->Announce({getpid(), "http://127.0.0.1:1", "0.1", "server", "", 5}));
    const auto owner = FindOwner(directory);
    ASSERT_TRUE(owner && owner->has_value());
    EXPECT_EQ((*owner)->pid, getpid());
    EXPECT_EQ((*owner)->url, "http://127.0.0.1:1");
    struct stat info{};
    ASSERT_EQ(stat((directory + "/server.json").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
  }
  EXPECT_FALSE(FindOwner(directory)->has_value());
  EXPECT_NE(access((directory + "/server.json").c_str(), F_OK), 0);
}

TEST(DataDirectory, WhatADeadOwnerLeftIsStale) {
  const std::string directory = NewDirectory();
  ASSERT_TRUE(MakeDirectories(directory));
  ASSERT_TRUE(WriteSmallFile(directory + "/lock", "999999\n"));
  ASSERT_TRUE(
      WriteSmallFile(directory + "/server.json", R"({"pid":999999,"url":"http://127.0.0.1:9"})"));
  ASSERT_TRUE(WriteSmallFile(SocketPath(directory), ""));
  EXPECT_FALSE(FindOwner(directory)->has_value());
  auto lock = DirectoryLock::Acquire(directory);
  ASSERT_TRUE(lock) << lock.error().ToString();
  EXPECT_NE(access(SocketPath(directory).c_str(), F_OK), 0);
}

TEST(DataDirectory, ATooLongPathIsRefusedWithTheRemedy) {
  const auto lock = DirectoryLock::Acquire("/tmp/" + std::string(120, 'x'));
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().gy(), "GY1831");
  EXPECT_FALSE(lock.error().fixes().empty());
}

}  // namespace
}  // namespace gyre::config
