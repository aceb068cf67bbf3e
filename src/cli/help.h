// Help: examples first, below 25 lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/grammar.h"

namespace gyre::cli {

constexpr int kHelpLinesMax = 24;

std::string Usage(const Command& command);     // "gyre train DATA [options]"
std::string OptionHead(const Option& option);  // "-t, --target COLUMN"
// `everything` lists every option, however many lines that takes.
std::string CommandHelp(const Command& command, bool everything = false);
// The sub-verbs of a noun, one line each; empty when there are none.
std::string NounHelp(const Grammar& grammar, std::string_view noun);
// A line with the words that may follow a command that does something by itself; "" without any.
std::string SubVerbs(const Grammar& grammar, std::string_view path);
std::string Overview(const Grammar& grammar, std::string_view version);
std::vector<std::string> HelpTopics();
// A topic's text, or empty: exit-codes, output, references, config, environment.
std::string_view HelpTopic(std::string_view name);

}  // namespace gyre::cli
