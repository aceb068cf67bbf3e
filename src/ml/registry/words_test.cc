#include "ml/registry/words.h"

#include <gtest/gtest.h>

namespace gyre::registry {
namespace {

TEST(Words, TitlesAreAnyTextThatIsNoPathAndNoCode) {
  for (const std::string_view title :
       {"churn", "My model (EU)", "Überschuss", "模型", "a.b", "x y"})
    EXPECT_TRUE(CheckTitle(title)) << title;
  EXPECT_TRUE(CheckTitle(std::string(256, 'a')));
  for (const std::string_view title : {"", " ", "a/b", "a:b", "a%2eb", "a\nb", ".", "..", "\xff"})
    EXPECT_EQ(CheckTitle(title).error().gy(), "GY3631") << title;
  EXPECT_FALSE(CheckTitle(std::string(257, 'a')));
}

TEST(Words, ANameIsTheTitleWhereItFits) {
  EXPECT_EQ(NameOfTitle("churn.v2_x"), "churn.v2_x");
  EXPECT_EQ(NameOfTitle("My model (EU)"), "My-model-EU");
  EXPECT_EQ(NameOfTitle("_private"), "private");
  EXPECT_EQ(NameOfTitle("模型"), "model");
  EXPECT_EQ(NameOfTitle(std::string(200, 'a')), std::string(128, 'a'));
}

TEST(Words, AliasesAreWordsOfAnyScript) {
  for (const std::string_view alias :
       {"champion", "prod-eu_1", "größte", "冠军", "-", "a.b", "v3x"})
    EXPECT_TRUE(CheckAlias(alias)) << alias;
  EXPECT_TRUE(CheckAlias(std::string(255, 'a')));
  for (const std::string_view alias : {"", "a b", "a/b", "a@b", "latest", "LATEST", "v3", "V12",
                                       "a\xe2\x80\x8b", "\xf0\x9f\x98\x80"})
    EXPECT_EQ(CheckAlias(alias).error().gy(), "GY3634") << alias;
  EXPECT_FALSE(CheckAlias(std::string(256, 'a')));
}

TEST(Words, TagsAndDescriptionsHaveLimits) {
  EXPECT_TRUE(CheckTag("team/owner: x", ""));
  EXPECT_TRUE(CheckTag(std::string(250, 'k'), std::string(100'000, 'v')));
  std::string umlauts;
  for (int i = 0; i < 250; ++i) umlauts += "\xc3\xbc";
  EXPECT_TRUE(CheckTag(umlauts, "v")) << "characters are counted, not bytes";
  EXPECT_EQ(CheckTag("", "x").error().gy(), "GY3633");
  EXPECT_FALSE(CheckTag(std::string(251, 'k'), "x"));
  EXPECT_FALSE(CheckTag("k", std::string(100'001, 'v')));
  EXPECT_FALSE(CheckTag("k\n", "v"));
  EXPECT_TRUE(CheckDescription(std::string(5'000, 'd')));
  EXPECT_EQ(CheckDescription(std::string(5'001, 'd')).error().gy(), "GY3632");
}

}  // namespace
}  // namespace gyre::registry
