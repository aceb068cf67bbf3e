#include "platform/config/secrets.h"

#include <gtest/gtest.h>

namespace gyre::config {
namespace {

TEST(Secrets, NamesAndValuesGiveThemAway) {
  const std::string tail = "0123456789abcdefghij";
  EXPECT_TRUE(LooksSecret("SOME_PAT", "x"));
  EXPECT_TRUE(LooksSecret("DB_PASSWORD", "x"));
  EXPECT_TRUE(LooksSecret("ANY", "ghp_" + tail));
  EXPECT_TRUE(LooksSecret("ANY", "github_pat_" + tail));
  EXPECT_TRUE(LooksSecret("ANY", "glpat-" + tail));
  EXPECT_TRUE(LooksSecret("ANY", "AKIA" + tail));
  EXPECT_TRUE(LooksSecret("ANY", "hf_" + tail));
  EXPECT_TRUE(LooksSecret("ANY", "eyJhbGciOiJIUzI1NiJ9.e30.x"));
  EXPECT_TRUE(LooksSecret("ANY", "-----BEGIN PRIVATE KEY-----\nx"));
  EXPECT_TRUE(LooksSecret("ANY", "postgres://me:word@host/db"));
  EXPECT_TRUE(LooksSecret("ANY", "q8Zr1Lk0vT5xYb2Nn7Wc4Hs9Jd3Gf6Pa"));
}

TEST(Secrets, OrdinaryVariablesStay) {
  EXPECT_FALSE(LooksSecret("PATH", "/usr/local/bin:/usr/bin:/home/somebody/.cargo/bin"));
  EXPECT_FALSE(LooksSecret("LANG", "en_US.UTF-8"));
  EXPECT_FALSE(LooksSecret("PATTERN", "*.csv"));
  EXPECT_FALSE(LooksSecret("SHELL", "/bin/bash"));
  EXPECT_FALSE(LooksSecret("TASK", "sk-learn"));
  EXPECT_FALSE(LooksSecret("OMP_NUM_THREADS", "4"));
}

}  // namespace
}  // namespace gyre::config
