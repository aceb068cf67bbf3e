#include "cli/markdown.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace gyre::cli {
namespace {

TEST(Markdown, HeadingsParagraphsAndLists) {
  EXPECT_EQ(TerminalMarkdown("# Title\n\nOne line\nand another, long enough to be wrapped here.\n\n"
                             "<!-- unseen -->\n- an item of\n  two lines\n- `code` and **bold**\n",
                             {40, false}),
            "Title\n=====\n\nOne line and another, long enough to be\nwrapped here.\n\n"
            "- an item of two lines\n- `code` and bold\n");
}

TEST(Markdown, CodeStaysAsItIs) {
  EXPECT_EQ(
      TerminalMarkdown("So:\n\n    gyre  add\n\n```console\n$ gyre  train | # no heading\n```\n",
                       {80, false}),
      "So:\n\n    gyre  add\n\n    $ gyre  train | # no heading\n");
}

TEST(Markdown, LinksNameWhatCanBeReadHere) {
  EXPECT_EQ(TerminalMarkdown("[watch](guide/monitor.md#x), [cost.md](cost.md), "
                             "[there](https://example.org) ![a graph](p.svg)",
                             {100, false}),
            "watch (`gyre help monitor`), `gyre help cost`, there <https://example.org> "
            "[picture: a graph]\n");
}

TEST(Markdown, TablesFitTheTerminal) {
  const std::string wide = TerminalMarkdown(
      "| a | what it is |\n|---|---|\n| `x|y` | short |\n| b | many words that do "
      "not fit into one line of it |\n",
      {40, false});
  EXPECT_TRUE(wide.starts_with("a      what it is")) << wide;
  EXPECT_NE(wide.find("\n`x|y`  short\n"), std::string::npos) << wide;
  EXPECT_NE(wide.find("\n       "), std::string::npos) << wide;
  for (std::string_view line : Split(wide, '\n')) EXPECT_LE(line.size(), 40u) << line;
}

TEST(Markdown, ColourIsForTerminalsThatWantIt) {
  EXPECT_EQ(TerminalMarkdown("## T\n\n`c`", {80, true}), "\x1b[1mT\x1b[0m\n\n\x1b[36mc\x1b[0m\n");
}

}  // namespace
}  // namespace gyre::cli
