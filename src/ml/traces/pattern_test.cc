#include "ml/traces/pattern.h"

#include <gtest/gtest.h>

namespace gyre::traces {
namespace {

bool Found(std::string_view pattern, std::string_view text) {
  const auto parsed = Pattern::Parse(pattern);
  EXPECT_TRUE(parsed) << pattern << ": " << (parsed ? "" : parsed.error().ToString());
  return parsed && parsed->FoundIn(text);
}

TEST(Pattern, FindsAnywhere) {
  struct Case {
    std::string_view pattern, text;
    bool found;
  };
  constexpr Case kCases[] = {
      {"", "", true},
      {"b", "abc", true},
      {"^b", "abc", false},
      {"c$", "abc", true},
      {"c$", "abc\n", true},
      {"^[xy]$", "x", true},
      {"^[xy]$", "xy", false},
      {"[^a-c]", "abc", false},
      {"[]]", "]", true},
      {"[a-]", "-", true},
      {"^a.c$", "aüc", true},
      {"a.c", "a\nc", false},
      {"^(ab|c)+$", "abcab", true},
      {"^(ab|c)+$", "abb", false},
      {"^a{2,3}$", "aa", true},
      {"^a{2,3}$", "aaaa", false},
      {"^a{2}$", "aaa", false},
      {"^a{2,}$", "aaaaa", true},
      {"a{x", "a{x", true},
      {"^a??b*?$", "abb", true},
      {R"(^\d+\.\d+$)", "3.14", true},
      {R"(\D)", "314", false},
      {R"(^\w+$)", "groß_1", true},
      {R"([\s,])", "a b", true},
      {R"(\bcat\b)", "a cat.", true},
      {R"(\bcat\b)", "concat", false},
      {"(?i)HELLO", "say hello", true},
      {"(?:a|b)|", "zzz", true},
      {"^(a*)*$", "aaab", false},
      {R"(gpt-4|claude)", "model: claude", true},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(Found(c.pattern, c.text), c.found) << c.pattern << " in " << c.text;
}

TEST(Pattern, RefusesWhatItCannotFindInOnePass) {
  for (const std::string_view text : {"(", ")", "[", "a**", "*a", R"(\)", R"((a)\1)", "(?=a)",
                                      "[z-a]", "a{3,2}", "((a{500}){500}){500}", R"(\q)"}) {
    const auto parsed = Pattern::Parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().gy(), "GY3455") << text;
  }
  EXPECT_FALSE(Pattern::Parse(std::string(2'000, 'a')));
  EXPECT_FALSE(Pattern::Parse(std::string(500, '(')));
}

// What takes others time that doubles with each letter.
TEST(Pattern, TakesTimeOfTheLengthOnly) {
  const std::string text(100'000, 'a');
  EXPECT_FALSE(Found("^(a+)+$", text + "b"));
  EXPECT_FALSE(Found("(a|aa)+c", text));
  EXPECT_FALSE(Found("(.*)(.*)(.*)(.*)x", text));
}

}  // namespace
}  // namespace gyre::traces
