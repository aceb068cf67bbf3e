// Completion for bash, zsh and fish: a short script that asks `gyre __complete` for the candidates.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/grammar.h"

namespace gyre::cli {

// The script of a shell, or empty for one we do not know.
std::string_view CompletionScript(std::string_view shell);

struct CompletionAnswer {
  std::vector<std::string> candidates;
  bool files = false;  // the shell should offer file names
};
// `words` after "gyre", the last one being typed. `names` gives the live names of a noun
// ("datasets").
CompletionAnswer Complete(
    const Grammar& grammar, const std::vector<std::string>& words,
    const std::function<std::vector<std::string>(std::string_view noun)>& names);

}  // namespace gyre::cli
