#include "platform/table/archive.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "platform/exec/files.h"

namespace gyre::table {
namespace {

class Archive : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/gyre_tar_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_ + "/in/deep");
    std::filesystem::create_directories(folder_ + "/out");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(Archive, FoldersRoundTrip) {
  const std::string long_name = "deep/" + std::string(150, 'x') + ".csv";
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"a.csv", std::string(1000, 'a')}, {"b.CSV.gz", ""}, {long_name, std::string(512, 'c')}};
  for (const auto& [name, bytes] : wanted)
    ASSERT_TRUE(exec::WriteFile(folder_ + "/in/" + name, bytes));
  for (const std::string name : {"README.md", "_SUCCESS", ".hidden.csv"})
    ASSERT_TRUE(exec::WriteFile(folder_ + "/in/" + name, "no table"));
  const auto files = ListTables(folder_ + "/in");
  ASSERT_TRUE(files) << files.error().ToString();
  ASSERT_TRUE(WriteTar(*files, folder_ + "/x.tar"));
  const auto back = ExtractTar(folder_ + "/x.tar", "x.tar", folder_ + "/out");
  ASSERT_TRUE(back) << back.error().ToString();
  ASSERT_EQ(back->size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*back)[i].name, wanted[i].first);
    EXPECT_EQ(*exec::ReadFile((*back)[i].path), wanted[i].second);
  }
}

TEST_F(Archive, BrokenArchivesAreErrors) {
  ASSERT_TRUE(exec::WriteFile(folder_ + "/in/a.csv", "a,b\n1,2\n"));
  ASSERT_TRUE(WriteTar(*ListTables(folder_ + "/in"), folder_ + "/x.tar"));
  const std::string whole = *exec::ReadFile(folder_ + "/x.tar");
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = whole.substr(0, random.Below(whole.size()));
    for (int i = 0; i < 3 && !bytes.empty(); ++i)
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    ASSERT_TRUE(exec::WriteFile(folder_ + "/y.tar", bytes));
    const auto files = ExtractTar(folder_ + "/y.tar", "y.tar", folder_ + "/out");
    EXPECT_TRUE(files || files.error().code() == Code::kInvalidArgument)
        << files.error().ToString();
  }
  EXPECT_EQ(ListTables(folder_ + "/out/none").error().gy(), "GY2042");
}

TEST_F(Archive, PathsInsideGoNowhere) {
  ASSERT_TRUE(exec::WriteFile(folder_ + "/in/a.csv", "a\n1\n"));
  ASSERT_TRUE(
      WriteTar({{folder_ + "/in/a.csv", "../../evil.csv"}, {folder_ + "/in/a.csv", "/abs.csv"}},
               folder_ + "/x.tar"));
  const auto back = ExtractTar(folder_ + "/x.tar", "x.tar", folder_ + "/out");
  ASSERT_TRUE(back);
  for (const SourceFile& file : *back) EXPECT_EQ(file.path.find(folder_ + "/out/"), 0u);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/../evil.csv"));
}

}  // namespace
}  // namespace gyre::table
