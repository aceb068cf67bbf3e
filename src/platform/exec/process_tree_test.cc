#include "platform/exec/process_tree.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "platform/exec/capture.h"

namespace gyre::exec {
namespace {

SpawnOptions Python(std::string program) { return {.argv = {"python3", "-c", std::move(program)}}; }

TEST(ProcessTree, HasTheDescendants) {
  auto process = Process::Spawn({.argv = {"sh", "-c", "sh -c 'sleep 60; :' & wait"}});
  ASSERT_TRUE(process.has_value());
  std::vector<int> pids;
  for (int i = 0; i < 500 && pids.size() < 3; ++i) {
    usleep(10'000);
    pids = ProcessTree(process->pid());
  }
  EXPECT_EQ(pids.size(), 3u);
  EXPECT_EQ(pids[0], process->pid());
}

TEST(ProcessTree, CountsMemoryThatIsUsed) {
  const std::vector<int> self{getpid()};
  const std::int64_t before = MemoryBytes(self, MemoryCount::kExact);
  std::vector<char> used(std::size_t{64} << 20, 'x');
  const std::int64_t after = MemoryBytes(self, MemoryCount::kExact);
  EXPECT_GE(MemoryBytes(self, MemoryCount::kQuick), after - (std::int64_t{8} << 20));
  EXPECT_GE(after - before, std::int64_t{60} << 20);
  EXPECT_LE(after - before, std::int64_t{80} << 20);
}

TEST(RunCapturing, EndsATreeThatUsesTooMuchMemory) {
  CaptureOptions options;
  options.spawn = Python(
      "import subprocess, sys\n"
      "subprocess.run([sys.executable, '-c', 'x = bytearray(b\"x\" * (200 << 20)); input()'])");
  options.memory_bytes_max = std::int64_t{100} << 20;
  const auto ended = RunCapturing(std::move(options));
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->over_memory);
  EXPECT_EQ(ended->signal, SIGKILL);
}

// What a parent made before it forked is there once.
TEST(RunCapturing, CountsPagesThatForkedChildrenShareOnce) {
  CaptureOptions options;
  options.spawn = Python(
      "import os, time\n"
      "x = bytearray(b'x' * (60 << 20))\n"
      "for i in range(4):\n"
      "  if os.fork() == 0:\n"
      "    time.sleep(0.5)\n"
      "    os._exit(0)\n"
      "for i in range(4): os.wait()\n"
      "raise SystemExit(7)");
  options.memory_bytes_max = std::int64_t{150} << 20;
  const auto ended = RunCapturing(std::move(options));
  ASSERT_TRUE(ended.has_value());
  EXPECT_FALSE(ended->over_memory);
  EXPECT_EQ(ended->code, 7);
}

TEST(RunCapturing, LeavesAloneWhatOnlyReservesMemory) {
  CaptureOptions options;
  options.spawn = Python("import mmap; m = mmap.mmap(-1, 1 << 33); raise SystemExit(7)");
  options.memory_bytes_max = std::int64_t{100} << 20;
  const auto ended = RunCapturing(std::move(options));
  ASSERT_TRUE(ended.has_value());
  EXPECT_FALSE(ended->over_memory);
  EXPECT_EQ(ended->code, 7);
}

}  // namespace
}  // namespace gyre::exec
