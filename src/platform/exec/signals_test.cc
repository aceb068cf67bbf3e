#include "platform/exec/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "base/time.h"
#include "platform/exec/files.h"
#include "platform/exec/process.h"

namespace gyre::exec {
namespace {

TEST(Signals, AWaiterReceivesWhatItBlocks) {
  SignalWaiter waiter({SIGUSR1});
  EXPECT_FALSE(waiter.Wait(1000).has_value());
  ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
  EXPECT_EQ(waiter.Wait(5 * kMicrosPerSecond), SIGUSR1);
}

TEST(Signals, InterruptsAreCountedWhileSomebodyCounts) {
  const InterruptCounter counter;
  EXPECT_EQ(InterruptCounter::count(), 0);
  raise(SIGINT);
  raise(SIGINT);
  EXPECT_EQ(InterruptCounter::count(), 2);
  EXPECT_FALSE(InterruptCounter::SleepMicros(100));
}

TEST(Signals, ADetachedProgramHasASessionOfItsOwn) {
  char pattern[] = "/tmp/gyre-detached-XXXXXX";
  const std::string log = std::string(mkdtemp(pattern)) + "/out";
  const auto pid = SpawnDetached(
      {"/bin/sh", "-c", "read -r line < /proc/$$/stat; set -- $line; echo $6; echo to stderr >&2"},
      log);
  ASSERT_TRUE(pid) << pid.error().ToString();
  while (!ReapIfEnded(*pid)) usleep(1000);
  const auto text = ReadFile(log);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, std::to_string(*pid) + "\nto stderr\n");
}

TEST(Signals, AMissingProgramAndAMissingProcessAreNamed) {
  EXPECT_FALSE(SpawnDetached({"/nowhere/gyre"}, "/dev/null"));
  const auto none = SendSignal(0x3ffffff, SIGTERM);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  EXPECT_EQ(none.error().gy(), "GY1335");
  EXPECT_FALSE(ProcessLives(0x3ffffff));
  EXPECT_TRUE(ProcessLives(getpid()));
}

}  // namespace
}  // namespace gyre::exec
