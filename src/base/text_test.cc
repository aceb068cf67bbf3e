#include "base/text.h"

#include <gtest/gtest.h>

namespace gyre {
namespace {

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(Split("a,,b", ',').size(), 3u);
  EXPECT_EQ(Split("", ',').size(), 1u);
  EXPECT_EQ(Trim("  a b\n"), "a b");
}

TEST(Text, NumbersAreWholeOrNothing) {
  EXPECT_EQ(ParseInt("-12"), -12);
  EXPECT_FALSE(ParseInt("12x"));
  EXPECT_FALSE(ParseInt("9223372036854775808"));
  EXPECT_EQ(ParseDouble("1e3"), 1000.0);
  EXPECT_FALSE(ParseDouble("1e999"));
  EXPECT_FALSE(ParseDouble(" 1"));
}

TEST(Text, Utf8) {
  EXPECT_TRUE(IsValidUtf8("eight together and more h\xC3\xA9"));
  EXPECT_FALSE(IsValidUtf8("eight together and more \xC3"));
  EXPECT_FALSE(IsValidUtf8("eightt\xC3\x28 together"));
  EXPECT_TRUE(IsValidUtf8("h\xC3\xA9"));
  for (const char* bad : {"\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80"})
    EXPECT_FALSE(IsValidUtf8(bad));
}

TEST(Text, Names) {
  EXPECT_TRUE(CheckName("dataset", "sales_2024.v2"));
  for (const char* bad : {"", ".hidden", "../etc", "a/b", "a b", "-x", "caf\xC3\xA9"})
    EXPECT_FALSE(CheckName("dataset", bad)) << bad;
  EXPECT_FALSE(CheckName("dataset", std::string(129, 'a')));
}

TEST(Text, DidYouMean) {
  const std::vector<std::string> nouns = {"datasets", "endpoints", "models"};
  EXPECT_EQ(ClosestMatch("endpionts", nouns), "endpoints");
  const std::vector<std::string> short_names = {"churn", "sales"};
  EXPECT_EQ(ClosestMatch("chrun", short_names), "churn");
  EXPECT_EQ(ClosestMatch("slaes", short_names), "sales");
  EXPECT_FALSE(ClosestMatch("zebra", nouns));
}

TEST(Text, ForPeople) {
  EXPECT_EQ(GroupDigits(50000), "50,000");
  EXPECT_EQ(GroupDigits(-1234567), "-1,234,567");
  EXPECT_EQ(GroupDigits(-123), "-123");
  EXPECT_EQ(HumanBytes(1234567890), "1.2 GB");
  EXPECT_EQ(HumanSeconds(0.0612), "61 ms");
  EXPECT_EQ(HumanSeconds(125), "2 min 5 s");
}

TEST(Text, PercentCoding) {
  bool ok = false;
  EXPECT_EQ(PercentDecode("a%2Fb+c", true, &ok), "a/b c");
  EXPECT_TRUE(ok);
  PercentDecode("a%2", false, &ok);
  EXPECT_FALSE(ok);
  EXPECT_EQ(PercentEncode("a b/\xC3\xA9"), "a%20b%2F%C3%A9");
}

}  // namespace
}  // namespace gyre
