#include "ml/automation/watched_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace gyre::automation {
namespace {

// Made faster than the clock of the kernel ticks, many files bear one time.
TEST(WatchedFolder, PassesNoFileOverWhereMoreCameThanFitIntoALook) {
  const std::string folder =
      std::filesystem::temp_directory_path() / ("watched-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  constexpr std::size_t kFiles = 200;
  for (std::size_t i = 0; i < kFiles; ++i)
    std::ofstream(folder + "/" + std::to_string(i) + ".csv") << "a\n";
  std::set<std::string> seen;
  std::int64_t after_us = 0;
  for (std::size_t look = 0; look < kFiles; ++look) {
    const auto files = FilesAtRest(folder, "*.csv", after_us, INT64_MAX, 0, 10);
    ASSERT_TRUE(files);
    if (files->empty()) break;
    EXPECT_GT(files->back().changed_us, after_us);
    for (const RestingFile& file : *files) EXPECT_TRUE(seen.insert(file.name).second) << file.name;
    after_us = files->back().changed_us;
  }
  EXPECT_EQ(seen.size(), kFiles);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gyre::automation
