#include "base/hash.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/id.h"
#include "base/random.h"

namespace gyre {
namespace {

TEST(Hash, Sha256OfNistVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test case 2.
  EXPECT_EQ(HmacSha256Hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Hash, HexBothWays) {
  std::string bytes;
  ASSERT_TRUE(HexDecode("00ffA1", &bytes));
  EXPECT_EQ(HexEncode(bytes), "00ffa1");
  EXPECT_FALSE(HexDecode("0", &bytes));
  EXPECT_FALSE(HexDecode("zz", &bytes));
}

TEST(Id, LooksLikeOne) {
  EXPECT_TRUE(LooksLikeId(NewId()));
  EXPECT_NE(NewId(), NewId());
  EXPECT_FALSE(LooksLikeId("abc"));
}

TEST(Random, IsPinned) {
  // xoshiro256** seeded by SplitMix64(0): the first value of the reference implementation.
  EXPECT_EQ(Random(0).Next(), 11091344671253066420ull);
  Random random(1);
  std::vector<int> counts(10);
  for (int i = 0; i < 10000; ++i) ++counts[random.Below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace gyre
