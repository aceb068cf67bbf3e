#include "platform/exec/beneath.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/exec/files.h"

namespace gyre::exec {
namespace {

TEST(Beneath, NothingBeyondTheFolderIsReached) {
  const std::string whole = MakeTemporaryDirectory().value(), folder = whole + "/site";
  ASSERT_TRUE(MakeDirectories(folder + "/a/b"));
  ASSERT_TRUE(WriteFile(folder + "/a/b/c.txt", "here"));
  ASSERT_TRUE(WriteFile(whole + "/secret", "there"));
  ASSERT_EQ(symlink("../secret", (folder + "/link").c_str()), 0);
  ASSERT_EQ(symlink("..", (folder + "/up").c_str()), 0);
  ASSERT_EQ(mkfifo((folder + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadFileBeneath(folder, "a/b/c.txt", 100).value(), "here");
  EXPECT_FALSE(ReadFileBeneath(folder, "a/b/c.txt", 3));
  for (const std::string& path :
       {std::string("../secret"), std::string("a/../../secret"), std::string("link"),
        std::string("up/secret"), std::string("/etc/passwd"), std::string("a//b/c.txt"),
        std::string("./a"), std::string("a"), std::string(""), std::string("pipe"),
        std::string("a/b/c.txt/"), std::string("a/b/c.txt\0x", 11), whole + "/secret"})
    EXPECT_FALSE(ReadFileBeneath(folder, path, 100)) << path;
  // The folder itself may be a link: whoever names it means where it leads.
  ASSERT_EQ(symlink(folder.c_str(), (whole + "/named").c_str()), 0);
  EXPECT_EQ(ReadFileBeneath(whole + "/named", "a/b/c.txt", 100).value(), "here");
  EXPECT_TRUE(RemoveTree(whole));
}

}  // namespace
}  // namespace gyre::exec
