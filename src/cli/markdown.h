// Markdown as a terminal shows it: headings, paragraphs, lists, code, tables, links. As much of it
// as docs/ uses.
#pragma once

#include <string>
#include <string_view>

namespace gyre::cli {

struct TextLook {
  int columns = 80;
  bool colour = false;
};

// Links to other pages become `gyre help PAGE`; ends with a line break.
std::string TerminalMarkdown(std::string_view markdown, const TextLook& look);

}  // namespace gyre::cli
