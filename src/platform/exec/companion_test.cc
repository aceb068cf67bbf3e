#include "platform/exec/companion.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/time.h"
#include "platform/exec/files.h"

namespace gyre::exec {
namespace {

constexpr std::int64_t kLong = 20 * kMicrosPerSecond;

Result<std::optional<Companion>> StartShell(const std::string& script) {
  return Companion::Start({"/bin/sh", "-c", script}, "/dev/null");
}

TEST(Companion, LivesUntilItIsLetGo) {
  auto companion = StartShell("echo; cat >/dev/null");
  ASSERT_TRUE(companion) << companion.error().ToString();
  ASSERT_TRUE(companion->has_value());
  EXPECT_TRUE((*companion)->LetGo(kLong));
}

TEST(Companion, WorksOnWhenItsStarterLeaves) {
  char pattern[] = "/tmp/gyre-companion-XXXXXX";
  const std::string file = std::string(mkdtemp(pattern)) + "/done";
  {
    const auto companion = StartShell("echo; cat >/dev/null; echo worked > " + file);
    ASSERT_TRUE(companion && companion->has_value());
  }
  while (!FileExists(file)) usleep(1000);
}

TEST(Companion, OneThatFailsIsNone) {
  const auto companion = StartShell("exit 3");
  ASSERT_TRUE(companion) << companion.error().ToString();
  EXPECT_FALSE(companion->has_value());
  EXPECT_FALSE(Companion::Start({"/nowhere/gyre"}, "/dev/null"));
}

TEST(Companion, OneThatGoesOnIsNotWaitedForLongerThanAsked) {
  auto companion = StartShell("echo; cat >/dev/null; sleep 20");
  ASSERT_TRUE(companion && companion->has_value());
  EXPECT_FALSE((*companion)->LetGo(1000));
}

}  // namespace
}  // namespace gyre::exec
