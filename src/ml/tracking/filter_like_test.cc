#include <gtest/gtest.h>

#include <ctime>

#include "ml/tracking/filter.h"
#include "ml/tracking/filter_fields.h"

namespace gyre::tracking {
namespace {

TEST(Like, Matches) {
  struct LikeCase {
    std::string_view text, pattern;
    bool like, ilike;
  };
  constexpr LikeCase kCases[] = {
      {"", "", true, true},
      {"", "%", true, true},
      {"", "_", false, false},
      {"a", "", false, false},
      {"abc", "abc", true, true},
      {"abc", "ABC", false, true},
      {"abc", "a%", true, true},
      {"abc", "%C", false, true},
      {"abc", "%b%", true, true},
      {"abc", "_b_", true, true},
      {"abc", "__", false, false},
      {"abc", "%%%%c", true, true},
      {"aXbXc", "a%X_", true, true},
      {"ab", "a_b", false, false},
      {"é", "_", true, true},
      {"日本語", "__", false, false},
      {"日本語", "_本%", true, true},
      {"É", "é", false, true},
      {"значение", "ЗНАЧ%", false, true},
      {"Ÿ", "ÿ", false, false},
      {"ΆΣ", "άσ", false, true},
      {"a%b", "a%b", true, true},
      {"[x]", "[x]", true, true},
      {"a\nb", "a%b", true, true},
      {"@", "`", false, false},
  };
  for (const LikeCase& one : kCases) {
    EXPECT_EQ(Matches(one.text, one.pattern, false), one.like) << one.text << " " << one.pattern;
    EXPECT_EQ(Matches(one.text, one.pattern, true), one.ilike) << one.text << " " << one.pattern;
  }
}

// One way after the other, as the definition says it.
bool IsLikePlainly(std::u32string_view text, std::u32string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == U'%')
    return IsLikePlainly(text, pattern.substr(1)) ||
           (!text.empty() && IsLikePlainly(text.substr(1), pattern));
  return !text.empty() && (pattern[0] == U'_' || pattern[0] == text[0]) &&
         IsLikePlainly(text.substr(1), pattern.substr(1));
}

TEST(Like, FindsWhatItsDefinitionFinds) {
  constexpr std::u32string_view kLetters = U"abé%_%";
  std::uint32_t seed = 1;
  const auto letter = [&](std::size_t among) {
    seed = seed * 1664525 + 1013904223;
    return kLetters[(seed >> 16U) % among];
  };
  const auto narrow = [](std::u32string_view wide) {
    std::string text;
    for (const char32_t c : wide) text += c == U'é' ? "é" : std::string(1, static_cast<char>(c));
    return text;
  };
  for (int i = 0; i < 20'000; ++i) {
    std::u32string text, pattern;
    for (int n = i % 9; n > 0; --n) text += letter(3);
    for (int n = i % 7; n > 0; --n) pattern += letter(kLetters.size());
    const std::string padding(i % 10 == 0 ? 8'000 : 0, 'c');  // long texts go another way
    EXPECT_EQ(Matches(padding + narrow(text), (i % 10 == 0 ? "%" : "") + narrow(pattern), false),
              IsLikePlainly((i % 10 == 0 ? U"ccccccc" : U"") + text,
                            (i % 10 == 0 ? U"%" : U"") + pattern))
        << narrow(text) << " " << narrow(pattern);
  }
}

TEST(Like, TakesTimeThatGrowsWithTheTextAlone) {
  const std::string text(1'000'000, 'a'), piece(900, 'a');
  std::string many;
  for (int i = 0; i < 450; ++i) many += "a%";
  const std::clock_t begun = std::clock();
  for (const std::string& pattern : {"%" + piece + "b%", "%" + piece + "_b%", "%_" + piece + "b%",
                                     "%b" + piece, many + "b", many + "_b%"}) {
    EXPECT_FALSE(Matches(text, pattern, false)) << pattern;
    EXPECT_FALSE(Matches(text, pattern, true)) << pattern;
  }
  EXPECT_LT(static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC, 8);
}

TEST(Like, APatternHasABound) {
  const auto filter = [](std::size_t bytes, std::string_view compare) {
    return fmt::format("tags.a {} '{}'", compare, std::string(bytes, 'a'));
  };
  for (const std::string_view compare : {"LIKE", "ILIKE"}) {
    EXPECT_TRUE(ParseFilter(filter(kLikeBytesMax, compare), kRunFields));
    const auto refused = ParseFilter(filter(kLikeBytesMax + 1, compare), kRunFields);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(),
              fmt::format("A pattern of {} has at most 1,000 bytes", compare));
  }
  EXPECT_TRUE(ParseFilter(filter(kLikeBytesMax + 1, "="), kRunFields));
}

}  // namespace
}  // namespace gyre::tracking
