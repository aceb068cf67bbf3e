#include "platform/exec/shims.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "platform/exec/files.h"
#include "platform/exec/signals.h"

namespace gyre::exec {
namespace {

class ShimsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-shims-XXXXXX";
    root_ = mkdtemp(pattern);
    auto shims = Shims::Open(root_ + "/bin");
    ASSERT_TRUE(shims) << shims.error().ToString();
    shims_ = *std::move(shims);
  }
  void TearDown() override { ASSERT_TRUE(RemoveTree(root_)); }

  ShimOptions Options(const std::string& name, std::vector<std::string> argv) const {
    ShimOptions options;
    options.folder = root_ + "/" + name;
    EXPECT_TRUE(MakeDirectories(options.folder));
    options.nonce = "nonce" + name;
    options.argv = std::move(argv);
    options.environment = {"PATH=/usr/bin:/bin", "WORD=hello"};
    options.log_file = options.folder + "/log";
    return options;
  }
  ShimEnd Next(Shims& shims, std::uint64_t tag) {
    for (int round = 0; round < 200; ++round) {
      for (const auto& [ended, end] : shims.Wait(100'000)) {
        if (ended == tag) return end;
      }
    }
    ADD_FAILURE() << "it did not end";
    return {};
  }
  std::string Log(const ShimOptions& options) { return ReadFile(options.log_file).value_or(""); }

  std::string root_;
  std::unique_ptr<Shims> shims_;
};

TEST_F(ShimsTest, AProgramRunsAndLeavesItsEnd) {
  const auto options = Options("a", {"sh", "-c", "echo $WORD; echo also >&2; exit 3"});
  ASSERT_TRUE(shims_->Start(7, options));
  const ShimEnd end = Next(*shims_, 7);
  EXPECT_EQ(end.why, "exit");
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(Log(options), "hello\nalso\n");
  EXPECT_GT(end.memory_bytes_peak, 0);
  EXPECT_GE(end.ended_us, end.started_us);
}

// Asterisks are written, not put there later; what only looks like its beginning comes as it is.
TEST_F(ShimsTest, ASecretNeverLiesInTheLog) {
  auto options = Options("a", {"sh", "-c", R"(
printf 'a %s b open ses' "$TOKEN"; sleep 0.3
printf 'ame%s open' "$KEY"; printf ' ses' >&2; sleep 2; echo; exit 3)"});
  options.environment.insert(options.environment.end(),
                             {"TOKEN=open sesame", "KEY=k", "EMPTY=", "TOKENS=plain"});
  options.masked = {"TOKEN", "KEY", "EMPTY", "ABSENT"};
  ASSERT_TRUE(shims_->Start(7, options));
  std::string seen;
  for (int look = 0; look < 300 && seen.size() < 29; ++look) {
    usleep(10'000);
    seen = Log(options);
    EXPECT_EQ(seen.find("sesame"), std::string::npos) << seen;
  }
  EXPECT_EQ(seen, "a *********** b ************ ") << "while it runs";
  EXPECT_EQ(Next(*shims_, 7).code, 3);
  EXPECT_EQ(Log(options), "a *********** b ************ open ses\n");
}

TEST_F(ShimsTest, MuchThatIsPrintedBesideASecretIsAllThere) {
  auto options = Options("a", {"sh", "-c", R"(
i=0; while [ $i -lt 20000 ]; do echo "line $i $TOKEN"; i=$((i+1)); done; (sleep 60 &); echo end)"});
  options.environment.emplace_back("TOKEN=0 open");
  options.masked = {"TOKEN"};
  ASSERT_TRUE(shims_->Start(7, options));
  EXPECT_EQ(Next(*shims_, 7).code, 0);
  const std::string log = Log(options);
  EXPECT_EQ(std::ranges::count(log, '\n'), 20001);
  EXPECT_TRUE(log.ends_with("line 19999 ******\nend\n")) << log.substr(log.size() - 40);
  EXPECT_EQ(log.find("open"), std::string::npos);
}

TEST_F(ShimsTest, AProgramWithSecretsEndsWhenItsTimeIsOver) {
  auto options = Options("a", {"sh", "-c", "exec >&- 2>&-; sleep 60"});
  options.environment.emplace_back("TOKEN=x");
  options.masked = {"TOKEN"};
  options.timeout_ms = 200;
  options.grace_ms = 100;
  ASSERT_TRUE(shims_->Start(7, options));
  EXPECT_EQ(Next(*shims_, 7).why, "timeout");
}

TEST_F(ShimsTest, AProgramThatIsNotThereSaysSo) {
  ASSERT_TRUE(shims_->Start(1, Options("a", {"no-such-program"})));
  const ShimEnd end = Next(*shims_, 1);
  EXPECT_EQ(end.why, "start");
  EXPECT_EQ(end.start_errno, ENOENT);
}

TEST_F(ShimsTest, AProgramBeginsBehindAClaimThatIsSynced) {
  auto options = Options("a", {"sh", "-c", "echo $1; exit 3", "sh", "word"});
  options.claims_durably = true;
  ASSERT_TRUE(shims_->Start(7, options));
  EXPECT_EQ(Next(*shims_, 7).code, 3);
  EXPECT_EQ(Log(options), "word\n");
}

TEST_F(ShimsTest, AFolderIsClaimedOnce) {
  const auto options = Options("a", {"sh", "-c", "echo once; sleep 0.3"});
  ASSERT_TRUE(shims_->Start(1, options));
  ASSERT_TRUE(shims_->Start(2, options));
  EXPECT_EQ(Next(*shims_, 2).why, "exit");  // the second watches the first
  EXPECT_EQ(Log(options), "once\n");
}

TEST_F(ShimsTest, WhatOthersStartedIsTakenUpAgain) {
  const auto running = Options("running", {"sh", "-c", "sleep 0.5; exit 4"});
  const auto ended = Options("ended", {"sh", "-c", "exit 5"});
  ASSERT_TRUE(shims_->Start(1, running));
  ASSERT_TRUE(shims_->Start(2, ended));
  EXPECT_EQ(Next(*shims_, 2).code, 5);
  shims_.reset();
  const auto later = Shims::Open(root_ + "/bin");
  ASSERT_TRUE(later);
  EXPECT_TRUE((*later)->Adopt(10, running).value());
  EXPECT_TRUE((*later)->Adopt(11, ended).value());
  EXPECT_FALSE((*later)->Adopt(12, Options("new", {"true"})).value());
  EXPECT_EQ(Next(**later, 11).code, 5);
  EXPECT_EQ(Next(**later, 10).code, 4);
  ::waitpid(-1, nullptr, 0);
}

TEST_F(ShimsTest, AShimThatWasKilledIsLostAndItsProgramWithIt) {
  const auto options = Options("a", {"sh", "-c", "echo $$; sleep 60"});
  ASSERT_TRUE(shims_->Start(1, options));
  while (Log(options).empty()) usleep(1000);
  char claim[256] = {};
  ASSERT_GT(::readlink((options.folder + "/.gyre-claim").c_str(), claim, sizeof claim - 1), 0);
  ::kill(atoi(claim), SIGKILL);
  EXPECT_EQ(Next(*shims_, 1).why, "lost");
  const int program = atoi(Log(options).c_str());
  for (int i = 0; i < 2000 && ProcessLives(program); ++i) usleep(1000);
  EXPECT_FALSE(ProcessLives(program));
}

TEST_F(ShimsTest, TimeIsHardAndNothingIsLeftBehind) {
  auto options = Options("a", {"sh", "-c", "trap '' TERM; (setsid sleep 61 & echo $!); sleep 62"});
  options.timeout_ms = 200;
  options.grace_ms = 100;
  ASSERT_TRUE(shims_->Start(1, options));
  const ShimEnd end = Next(*shims_, 1);
  EXPECT_EQ(end.why, "timeout");
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_FALSE(ProcessLives(atoi(Log(options).c_str())));
}

TEST_F(ShimsTest, SilenceEndsAProgramAndTalkDoesNot) {
  auto silent = Options("silent", {"sh", "-c", "echo a; sleep 60"});
  auto talking =
      Options("talking", {"sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done"});
  silent.stall_ms = talking.stall_ms = 400;
  silent.grace_ms = 100;
  ASSERT_TRUE(shims_->Start(1, silent));
  EXPECT_EQ(Next(*shims_, 1).why, "stall");
  ASSERT_TRUE(shims_->Start(2, talking));
  EXPECT_EQ(Next(*shims_, 2).why, "exit");
}

TEST_F(ShimsTest, AProgramIsStopped) {
  ASSERT_TRUE(shims_->Start(1, Options("a", {"sleep", "60"})));
  shims_->Stop(1);
  const ShimEnd end = Next(*shims_, 1);
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_EQ(end.why, "cancelled");
}

TEST_F(ShimsTest, MoreMemoryThanAllowedEndsIt) {
  auto options = Options(
      "a", {"sh", "-c", "exec python3 -c 'b = bytearray(300 << 20); import time; time.sleep(60)'"});
  options.memory_bytes_max = std::int64_t{100} << 20;
  ASSERT_TRUE(shims_->Start(1, options));
  EXPECT_EQ(Next(*shims_, 1).why, "memory");
}

}  // namespace
}  // namespace gyre::exec
