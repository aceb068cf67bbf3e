#include "platform/exec/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <thread>

#include "base/text.h"
#include "platform/exec/capture.h"
#include "platform/exec/thread_pool.h"

namespace gyre::exec {
namespace {

std::string ReadAll(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return text;
}

struct Pipe {
  Pipe() { EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0); }
  int ends[2];
};

// Output on descriptor 1 and the exit status of a program.
std::pair<std::string, ExitStatus> RunProgram(SpawnOptions options) {
  Pipe out;
  options.descriptors.emplace_back(out.ends[1], 1);
  auto process = Process::Spawn(options);
  close(out.ends[1]);
  EXPECT_TRUE(process) << process.error().ToString();
  std::string text = ReadAll(out.ends[0]);
  const auto status = process->Wait(-1);
  EXPECT_TRUE(status && *status);
  return {text, **status};
}

bool IsRunning(int pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(stat, text);
  const auto parenthesis = text.rfind(')');
  return parenthesis != std::string::npos && text[parenthesis + 2] != 'Z';
}

bool EndsSoon(int pid) {
  for (int i = 0; i < 1000 && IsRunning(pid); ++i) usleep(10'000);
  return !IsRunning(pid);
}

TEST(Process, GivesArgumentsEnvironmentAndDirectory) {
  setenv("GYRE_TEST_GONE", "here", 1);
  const auto [text, status] = RunProgram({
      .argv = {"sh", "-c", "echo \"$0 $1 $GYRE_TEST_NEW [$GYRE_TEST_GONE]\"; pwd; exit 3", "a b",
               "$c"},
      .working_directory = "/usr",
      .environment = {{"GYRE_TEST_NEW", "new"}},
      .environment_removed = {"GYRE_TEST_GONE"},
  });
  EXPECT_EQ(text, "a b $c new []\n/usr\n");
  EXPECT_EQ(status.code, 3);
  EXPECT_EQ(status.signal, 0);
}

TEST(Process, SaysThatAProgramIsMissing) {
  for (const char* name : {"no-such-program-of-gyre", "/no/such/program"}) {
    const auto process = Process::Spawn({.argv = {name}});
    ASSERT_FALSE(process);
    EXPECT_EQ(process.error().gy(), "GY1310");
    EXPECT_EQ(process.error().code(), Code::kNotFound);
    EXPECT_NE(process.error().message().find(name), std::string::npos);
  }
  const auto process = Process::Spawn({.argv = {"true"}, .working_directory = "/no/such/folder"});
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().gy(), "GY1311");
}

TEST(Process, PassesNamedDescriptorsOnlyEvenWhenTheyCross) {
  Pipe a, b;
  const int leaked = dup(a.ends[1]);  // without O_CLOEXEC
  auto process = Process::Spawn({
      .argv = {"sh", "-c",
               fmt::format("echo to-a >&{}; echo to-b >&{}; ls /proc/self/fd | wc -l >&{}",
                           b.ends[1], a.ends[1], a.ends[1])},
      .descriptors = {{a.ends[1], b.ends[1]}, {b.ends[1], a.ends[1]}},
  });
  ASSERT_TRUE(process);
  close(a.ends[1]);
  close(b.ends[1]);
  close(leaked);
  EXPECT_EQ(ReadAll(a.ends[0]), "to-a\n");
  EXPECT_EQ(ReadAll(b.ends[0]), "to-b\n6\n");  // 0, 1, 2, the two, and ls's own
}

TEST(Process, WaitTimesOutAndSignalsReachTheWholeGroup) {
  Pipe out;
  auto process = Process::Spawn(
      {.argv = {"sh", "-c", "sleep 600 & echo $!; wait"}, .descriptors = {{out.ends[1], 1}}});
  ASSERT_TRUE(process);
  close(out.ends[1]);
  char text[32] = {};
  ASSERT_GT(read(out.ends[0], text, sizeof text), 0);
  const int grandchild = static_cast<int>(ParseInt(Trim(text)).value());
  const auto running = process->Wait(1000);
  ASSERT_TRUE(running);
  EXPECT_FALSE(*running);
  process->Signal(SIGTERM);
  const auto ended = process->Wait(-1);
  ASSERT_TRUE(ended && *ended);
  EXPECT_EQ((*ended)->signal, SIGTERM);
  EXPECT_EQ((*ended)->code, 128 + SIGTERM);
  EXPECT_TRUE(EndsSoon(grandchild));
  process->Signal(SIGKILL);  // no-op
  EXPECT_EQ((*process->Wait(0))->signal, SIGTERM);
  close(out.ends[0]);
}

TEST(Process, TheDestructorKillsAndReaps) {
  int pid = 0;
  {
    auto process = Process::Spawn({.argv = {"sleep", "600"}});
    ASSERT_TRUE(process);
    pid = process->pid();
    EXPECT_TRUE(IsRunning(pid));
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Process, ADetachedChildGoesOn) {
  int pid = 0;
  {
    auto process = Process::Spawn({.argv = {"sleep", "600"}, .dies_with_parent = false});
    ASSERT_TRUE(process);
    pid = process->pid();
    process->Detach();
  }
  EXPECT_TRUE(IsRunning(pid));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST(Process, OutlivesTheThreadThatStartedIt) {
  std::optional<Process> process;
  std::thread([&] { process.emplace(*Process::Spawn({.argv = {"sleep", "600"}})); }).join();
  const auto status = process->Wait(100'000);
  ASSERT_TRUE(status);
  EXPECT_FALSE(*status) << "the death signal fired for a thread, not for the process";
}

TEST(Process, DiesWithTheProcessThatStartedIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string file = testing::TempDir() + "gyre_process_test_pid";
  EXPECT_EXIT(
      {
        auto process = Process::Spawn({.argv = {"sleep", "600"}});
        std::ofstream(file) << process->pid() << std::flush;
        kill(getpid(), SIGKILL);
      },
      testing::KilledBySignal(SIGKILL), "");
  int pid = 0;
  std::ifstream(file) >> pid;
  unlink(file.c_str());
  ASSERT_GT(pid, 0);
  EXPECT_TRUE(EndsSoon(pid));
}

TEST(Process, CountsWhatTheChildUsed) {
  const auto [text, status] = RunProgram(
      {.argv = {"python3", "-c", "x = bytearray(200_000_000)\nfor i in range(2_000_000): pass"}});
  EXPECT_GT(status.memory_bytes_peak, 200'000'000);
  EXPECT_GT(status.cpu_seconds, 0.01);
  EXPECT_GT(status.wall_seconds, 0.01);
}

TEST(Process, EnforcesLimits) {
  const auto [memory_text, memory] = RunProgram(
      {.argv = {"python3", "-c", "try:\n  bytearray(1 << 31)\nexcept MemoryError:\n  print('no')"},
       .memory_bytes_max = std::int64_t{1} << 29});
  EXPECT_EQ(memory_text, "no\n");
  const auto [cpu_text, cpu] =
      RunProgram({.argv = {"python3", "-c", "while True: pass"}, .cpu_seconds_max = 1});
  EXPECT_TRUE(cpu.signal == SIGXCPU || cpu.signal == SIGKILL) << cpu.signal;
}

TEST(Process, RunsOnAsManyCpusAsItMay) {
  const auto [text, status] = RunProgram(
      {.argv = {"python3", "-c", "import os; print(len(os.sched_getaffinity(0)))"}, .cpus = 1});
  EXPECT_EQ(text, "1\n");
}

TEST(Process, SpreadsOverTheCpus) {
  if (AllowedCpus() < 2) GTEST_SKIP() << "one CPU only";
  std::set<std::string> used;
  for (int i = 0; i < 16; ++i) {
    const auto [text, status] =
        RunProgram({.argv = {"grep", "Cpus_allowed_list", "/proc/self/status"}, .cpus = 1});
    used.insert(text);
  }
  EXPECT_GE(used.size(), 2U);
}

TEST(Process, IgnoredPipeSignalIsNotInherited) {
  signal(SIGPIPE, SIG_IGN);
  const auto [text, status] = RunProgram({.argv = {"sh", "-c", "kill -PIPE $$; echo alive"}});
  signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(status.signal, SIGPIPE);
  EXPECT_EQ(text, "");
}

TEST(Process, KnowsItself) { EXPECT_NE(SelfPath().find("platform_exec_test"), std::string::npos); }

}  // namespace
}  // namespace gyre::exec
