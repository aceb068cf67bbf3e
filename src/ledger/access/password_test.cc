#include "ledger/access/password.h"

#include <gtest/gtest.h>

namespace gyre::access {
namespace {

TEST(PasswordTest, WeakOnesAreRefused) {
  EXPECT_FALSE(CheckPassword("ann", "short").has_value());
  EXPECT_FALSE(CheckPassword("ann", "aaaaaaaaaaaa").has_value());
  EXPECT_FALSE(CheckPassword("annannannann", "AnnAnnAnnAnn").has_value());
  EXPECT_TRUE(CheckPassword("ann", "a decent phrase").has_value());
  const auto hash = HashPassword("a decent phrase");
  ASSERT_TRUE(hash.has_value());
  EXPECT_TRUE(PasswordMatches(*hash, "a decent phrase"));
  EXPECT_FALSE(PasswordMatches(*hash, "a decent phrasf"));
  EXPECT_FALSE(PasswordMatches("", "a decent phrase"));
}

}  // namespace
}  // namespace gyre::access
