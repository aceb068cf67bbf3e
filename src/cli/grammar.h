// What the rows mean: which row a command line names, and what each option of it is called.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace gyre::cli {

// Every row, sorted by path.
class Grammar {
 public:
  explicit Grammar(std::span<const Command> program_commands);

  struct Match {
    const Command* command = nullptr;
    std::vector<std::string> arguments;  // without the command's own words
  };
  // Errors: GY4001 unknown command, with did you mean.
  Result<Match> Find(const std::vector<std::string>& arguments) const;
  const std::vector<Command>& commands() const { return commands_; }
  // "datasets show" or, for a bare noun, its ls.
  const Command* FindPath(std::string_view path) const;

 private:
  std::vector<Command> commands_;
};

// Run by the program itself, never by people: left out of help and completion.
bool IsHidden(const Command& command);

// Options that every command takes.
std::span<const Option> GlobalOptions();

struct OptionName {
  std::string longer;   // "limit"
  std::string shorter;  // "n" or ""
};
OptionName NamesOf(const Option& option);
// The option that "-n", "--limit" or "--limit=5" names in the command or globally.
const Option* FindOption(const Command* command, std::string_view word);

}  // namespace gyre::cli
