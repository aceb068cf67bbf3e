// The pages of docs/, compiled in, and what `gyre help WORDS` answers.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/grammar.h"
#include "cli/markdown.h"

namespace gyre::cli {

struct HelpPage {
  std::string_view name;   // "guide/first-model", "captures": its path below docs/
  std::string_view title;  // its first heading
  std::string_view text;   // Markdown
};

std::span<const HelpPage> HelpPages();  // guides first
// By name, also without "guide/" and behind "docs/"; null when there is none.
const HelpPage* FindHelpPage(std::string_view name);

// Commands, short topics and pages share their names: what a command and a topic say comes
// together, and names the page of that name, which `gyre help docs/NAME` shows. Errors: GY4008
// nothing is called so, with a guess.
Result<std::string> HelpAbout(const Grammar& grammar, const std::string& words, bool everything,
                              const TextLook& look);
// Pages and what they are about.
std::string PageList(const Grammar& grammar, bool with_titles);
// Every name that `gyre help` knows beside those of commands.
std::vector<std::string> HelpNames();
// Lines of commands, topics and pages that have all the words. Errors: GY4008 none has.
Result<std::string> SearchHelp(const Grammar& grammar, const std::string& words);

}  // namespace gyre::cli
