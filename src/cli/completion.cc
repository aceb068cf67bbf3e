#include "cli/completion.h"

#include <algorithm>

namespace gyre::cli {
namespace {

constexpr std::string_view kBash = R"(# gyre completion for bash:  source <(gyre completion bash)
_gyre() {
  local IFS=$'\n' line words=("${COMP_WORDS[@]:1:COMP_CWORD}") cur="${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  while read -r line; do
    if [[ $line == :files ]]; then compopt -o default 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur"))
    else COMPREPLY+=("$line"); fi
  done < <(gyre __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _gyre gyre
)";
constexpr std::string_view kZsh = R"(#compdef gyre
# gyre completion for zsh:  source <(gyre completion zsh)
_gyre() {
  local -a lines candidates
  lines=("${(@f)$(gyre __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("${(@)lines:#:files}")
  (( ${#candidates} )) && compadd -- "${candidates[@]}"
  (( ${lines[(I):files]} )) && _files
}
compdef _gyre gyre
)";
constexpr std::string_view kFish = R"(# gyre completion for fish:  gyre completion fish | source
function __gyre_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (gyre __complete -- $words[2..-1] 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c gyre -f -a '(__gyre_complete)'
)";

void KeepPrefix(std::vector<std::string>& candidates, const std::string& prefix) {
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const std::string& c) { return !c.starts_with(prefix); }),
                   candidates.end());
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
}

std::vector<std::string> OptionWords(const Command& command) {
  std::vector<std::string> words;
  for (const auto& options : {command.options, GlobalOptions()}) {
    for (const Option& option : options) words.push_back("--" + NamesOf(option).longer);
  }
  return words;
}

// What the word being typed stands for: the value of an option, or a positional.
std::string_view Expected(const Command& command, const std::vector<std::string>& done) {
  std::size_t position = 0;
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (!done[i].starts_with('-')) {
      ++position;
      continue;
    }
    const Option* option = FindOption(&command, done[i]);
    if (option == nullptr || option->value_name.empty() || done[i].find('=') != std::string::npos)
      continue;
    if (i + 1 == done.size()) return option->completes.empty() ? "nothing" : option->completes;
    ++i;
  }
  if (command.positionals.empty()) return "";
  const Positional& positional =
      command.positionals[std::min(position, command.positionals.size() - 1)];
  if (position >= command.positionals.size() && !positional.repeated) return "";
  return positional.completes;
}

}  // namespace

std::string_view CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return {};
}

CompletionAnswer Complete(
    const Grammar& grammar, const std::vector<std::string>& words,
    const std::function<std::vector<std::string>(std::string_view noun)>& names) {
  CompletionAnswer answer;
  const std::string typed = words.empty() ? "" : words.back();
  const std::vector<std::string> before(words.begin(),
                                        words.empty() ? words.end() : words.end() - 1);
  std::vector<std::string> plain;
  for (const std::string& word : before) {
    if (!word.starts_with('-')) plain.push_back(word);
  }
  if (plain.empty() && !typed.starts_with('-')) {
    for (const Command& command : grammar.commands()) {
      if (!IsHidden(command))
        answer.candidates.emplace_back(command.path.substr(0, command.path.find(' ')));
    }
    KeepPrefix(answer.candidates, typed);
    return answer;
  }
  const auto match = grammar.Find(before);
  const Option* last =
      before.empty() ? nullptr : FindOption(match ? match->command : nullptr, before.back());
  const bool types_a_value =
      last != nullptr && !last->value_name.empty() && before.back().find('=') == std::string::npos;
  if (!types_a_value && plain.size() == 1 && !typed.starts_with('-')) {
    for (const Command& command : grammar.commands()) {
      if (command.path.starts_with(plain[0] + " "))
        answer.candidates.emplace_back(command.path.substr(plain[0].size() + 1));
    }
  }
  if (match && typed.starts_with('-')) {
    answer.candidates = OptionWords(*match->command);
  } else if (match) {
    const std::string_view noun = Expected(*match->command, match->arguments);
    if (noun == "file") {
      answer.files = true;
    } else if (!noun.empty()) {
      for (std::string& name : names(noun)) answer.candidates.push_back(std::move(name));
    }
  }
  KeepPrefix(answer.candidates, typed);
  return answer;
}

}  // namespace gyre::cli
