#include "cli/grammar.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "cli/completion.h"
#include "cli/error_text.h"
#include "cli/help.h"
#include "cli/parser.h"

namespace gyre::cli {
namespace {

constexpr Positional kItem[] = {{"ITEM", "an item", true, false, "items"}};
constexpr Positional kMany[] = {{"FIRST", "the first"}, {"REST", "the rest", false, true}};
constexpr Option kOptions[] = {
    {"-n,--limit", "N", "how many", "20"},
    {"--tag", "K=V", "a tag", {}, true},
    {"--force", "", "without asking"},
    {"-o,--out", "FILE", "where to", {}, false, "file"},
};
constexpr Command kRows[] = {
    {"things ls", "list", "gyre things", {}, kOptions, nullptr},
    {"things show", "show", "gyre things show a", kItem, {}, nullptr},
    {"do", "do it", "gyre do a b", kMany, kOptions, nullptr},
    {"launch", "run a program", "gyre launch --limit 3 python x.py --limit 4", kMany, kOptions,
     nullptr, true},
};

class GrammarTest : public testing::Test {
 protected:
  Result<Parsed> Parse(std::vector<std::string> words) {
    auto match = grammar_.Find(words);
    if (!match) return std::move(match).error();
    path_ = match->command->path;
    return ParseArguments(*match->command, match->arguments);
  }
  Grammar grammar_{kRows};
  std::string path_;
};

TEST_F(GrammarTest, ABareNounIsItsList) {
  ASSERT_TRUE(Parse({"things"}));
  EXPECT_EQ(path_, "things ls");
  ASSERT_TRUE(Parse({"--project", "things", "things", "show",
                     "x"}));  // an option's value is no word of the command
  EXPECT_EQ(path_, "things show");
}

// Whoever looks for help sees a line to copy first, and no file is replaced unasked.
TEST_F(GrammarTest, EachCommandShowsAnExampleAndReplacesNoFileUnasked) {
  for (const Command& command : grammar_.commands()) {
    if (IsHidden(command)) continue;
    EXPECT_NE(command.examples.find("gyre "), command.examples.npos) << command.path;
    const auto has = [&](std::string_view name) {
      return std::ranges::any_of(
          command.options, [&](const Option& option) { return NamesOf(option).longer == name; });
    };
    EXPECT_TRUE(!has("out") || has("force")) << command.path;
  }
}

TEST_F(GrammarTest, OptionsAndPositionalsMix) {
  const auto parsed =
      Parse({"do", "--tag", "a=1", "one", "-n", "5", "two", "--tag=b=2", "three", "--force"});
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->Get("FIRST"), "one");
  EXPECT_EQ(Join(parsed->List("REST"), "|"), "two|three");
  EXPECT_EQ(Join(parsed->List("tag"), "|"), "a=1|b=2");
  EXPECT_EQ(parsed->Get("limit"), "5");
  EXPECT_TRUE(parsed->Has("force"));
  EXPECT_FALSE(parsed->Has("yes"));
  EXPECT_EQ(Parse({"do", "x"})->Get("limit"), "20");
  EXPECT_FALSE(Parse({"do", "x"})->Has("limit"));
}

TEST_F(GrammarTest, TheShortNameOfACommandWinsOverTheGlobalOne) {
  const auto parsed = Parse({"do", "x", "-o", "file.csv", "--output", "json"});
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->Get("out"), "file.csv");
  EXPECT_EQ(parsed->Get("output"), "json");
}

TEST_F(GrammarTest, WhatFollowsDashesIsNoOption) {
  const auto parsed = Parse({"do", "-", "--", "--force", "-5"});
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->Get("FIRST"), "-");
  EXPECT_EQ(Join(parsed->List("REST"), "|"), "--force|-5");
  EXPECT_FALSE(parsed->Has("force"));
  EXPECT_EQ(Parse({"do", "-7"})->Get("FIRST"), "-7");
}

TEST_F(GrammarTest, AProgramKeepsItsOwnOptions) {
  const auto parsed =
      Parse({"launch", "--limit", "3", "python", "x.py", "--limit", "4", "-o", "json"});
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->Get("limit"), "3");
  EXPECT_EQ(parsed->Get("FIRST"), "python");
  EXPECT_EQ(Join(parsed->List("REST"), "|"), "x.py|--limit|4|-o|json");
}

TEST_F(GrammarTest, MistakesAreUsageErrorsWithAGuess) {
  const struct {
    std::vector<std::string> words;
    const char *code, *guess;
  } kCases[] = {
      {{"thigns"}, "GY4001", "things"},
      {{"things", "shwo", "x"}, "GY4001", "things show"},
      {{"do", "x", "--froce"}, "GY4003", "--force"},
      {{"do", "x", "--limit"}, "GY4004", ""},
      {{"do"}, "GY4005", "gyre do a b"},
      {{"things", "show", "a", "b"}, "GY4006", ""},
      {{"things", "show"}, "GY4005", ""},
      {{"projects", "lss"}, "GY4001", "projects ls"},
      {{}, "GY4001", "gyre help"},
      {{"--nonsense", "things"}, "GY4003", ""},
  };
  for (const auto& c : kCases) {
    const auto parsed = Parse(c.words);
    ASSERT_FALSE(parsed) << Join(c.words, " ");
    EXPECT_EQ(parsed.error().gy(), c.code) << Join(c.words, " ");
    EXPECT_EQ(ExitCodeOf(parsed.error()), 2);
    EXPECT_NE(Join(parsed.error().fixes(), "\n").find(c.guess), std::string::npos)
        << Join(parsed.error().fixes(), "\n");
  }
}

TEST_F(GrammarTest, HelpHasExamplesFirstAndFits) {
  for (const Command& command : grammar_.commands()) {
    const std::string help = CommandHelp(command);
    EXPECT_LT(Split(help, '\n').size(), 26u) << help;
    if (command.examples.empty()) continue;
    EXPECT_LT(help.find(command.examples.substr(0, command.examples.find('\n'))),
              help.find("usage:"))
        << help;
  }
}

TEST_F(GrammarTest, CompletionKnowsWordsOptionsAndLiveNames) {
  const auto names = [](std::string_view noun) {
    return noun == "items" ? std::vector<std::string>{"apple", "avocado", "pear"}
                           : std::vector<std::string>{};
  };
  const auto complete = [&](std::vector<std::string> words) {
    return Complete(grammar_, words, names);
  };
  EXPECT_EQ(Join(complete({"thi"}).candidates, " "), "things");
  EXPECT_EQ(Join(complete({"things", "s"}).candidates, " "), "show");
  EXPECT_EQ(Join(complete({"things", "show", "a"}).candidates, " "), "apple avocado");
  EXPECT_EQ(Join(complete({"do", "--fo"}).candidates, " "), "--force");
  EXPECT_TRUE(complete({"do", "x", "--out", ""}).files);
  EXPECT_TRUE(complete({"things", "show", "x", ""}).candidates.empty());
}

TEST(ErrorText, ReadsLikeTheManual) {
  const Error error = InvalidArgument("GY2041", "column `age` is not a number in 12 of 50,000 rows")
                          .Why("age was read as DOUBLE")
                          .Where("sales.csv:1842:7")
                          .Fix("gyre add sales.csv --bad null")
                          .Fix("gyre add sales.csv --type age=text");
  EXPECT_EQ(ErrorText(error, {}),
            "error[GY2041]: column `age` is not a number in 12 of 50,000 rows\n"
            "  --> sales.csv:1842:7\n"
            "  why: age was read as DOUBLE\n"
            "  fix: gyre add sales.csv --bad null\n"
            "       gyre add sales.csv --type age=text\n"
            "  more: gyre explain GY2041\n");
  EXPECT_EQ(Json::Parse(ErrorJson(error))->operator[]("fix").size(), 2u);
}

TEST(ErrorText, EachKindOfErrorHasItsExitCode) {
  const auto code = [](Code c, std::string_view gy) { return ExitCodeOf(Error(c, gy, "x")); };
  EXPECT_EQ(code(Code::kInvalidArgument, "GY2041"), 1);
  EXPECT_EQ(code(Code::kInvalidArgument, "GY4003"), 2);
  EXPECT_EQ(code(Code::kInvalidArgument, "GY1060"), 2);  // --log-level
  EXPECT_EQ(code(Code::kInvalidArgument, "GY1612"), 2);  // --listen
  EXPECT_EQ(code(Code::kNotFound, "GY3902"), 3);
  EXPECT_EQ(code(Code::kUnauthenticated, "GY1701"), 4);
  EXPECT_EQ(code(Code::kAlreadyExists, "GY3901"), 6);
  EXPECT_EQ(code(Code::kDeadlineExceeded, "GY1621"), 7);
  EXPECT_EQ(code(Code::kResourceExhausted, "GY3301"), 8);
  EXPECT_EQ(code(Code::kCancelled, "GY4020"), 130);
  EXPECT_EQ(code(Code::kInternal, "GY1000"), 1);
}

}  // namespace
}  // namespace gyre::cli
