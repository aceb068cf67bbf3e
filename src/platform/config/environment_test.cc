#include "platform/config/environment.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gyre::config {
namespace {

// /tmp/gyre-project-XXXXXX/above/below, and the process works in the last one.
class ProjectFile : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-project-XXXXXX";
    above_ = std::string(mkdtemp(pattern)) + "/above";
    ASSERT_TRUE(MakeDirectories(above_ + "/below"));
    before_ = *CurrentDirectory();
    ASSERT_EQ(chdir((above_ + "/below").c_str()), 0);
    ASSERT_EQ(chmod(above_.c_str(), 0755), 0);
  }
  void TearDown() override { ASSERT_EQ(chdir(before_.c_str()), 0); }

  void Put(const std::string& path, mode_t mode = 0644) {
    ASSERT_TRUE(WriteSmallFile(path, "project: churn\n"));
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }
  std::string Find() {
    refused_.clear();
    return FindProjectFile(&refused_);
  }

  std::string above_, before_;
  std::vector<std::string> refused_;
};

TEST_F(ProjectFile, OfTheNearestFolder) {
  EXPECT_EQ(Find(), "");
  Put(above_ + "/gyre.yaml");
  EXPECT_EQ(Find(), above_ + "/gyre.yaml");
  Put("gyre.yaml", 0666);
  EXPECT_EQ(Find(), "gyre.yaml");
  EXPECT_TRUE(refused_.empty());
}

TEST_F(ProjectFile, AboveIsRefusedWhereOthersCanWrite) {
  const std::string path = above_ + "/gyre.yaml";
  Put(path, 0646);
  EXPECT_EQ(Find(), "");
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_TRUE(refused_[0].starts_with(path + ": it belongs")) << refused_[0];
  Put(path);
  ASSERT_EQ(chmod(above_.c_str(), 01777), 0);
  EXPECT_EQ(Find(), "");
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_TRUE(refused_[0].starts_with(path + ": its folder")) << refused_[0];
}

TEST_F(ProjectFile, OfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  Put(above_ + "/gyre.yaml");
  ASSERT_EQ(chown((above_ + "/gyre.yaml").c_str(), 12345, 12345), 0);
  EXPECT_EQ(Find(), "");
  EXPECT_EQ(refused_.size(), 1U);
  ASSERT_EQ(chown((above_ + "/gyre.yaml").c_str(), 0, 0), 0);
  ASSERT_EQ(chown(above_.c_str(), 12345, 12345), 0);
  EXPECT_EQ(Find(), "");
  EXPECT_EQ(refused_.size(), 1U);
}

TEST_F(ProjectFile, IsARegularFile) {
  ASSERT_EQ(mkdir("gyre.yaml", 0755), 0);
  ASSERT_EQ(mkfifo((above_ + "/gyre.yaml").c_str(), 0644), 0);
  EXPECT_EQ(Find(), "");
  EXPECT_EQ(refused_.size(), 2U);
}

}  // namespace
}  // namespace gyre::config
