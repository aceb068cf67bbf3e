// Arguments of one command, parsed. The only file that knows CLI11 is parser.cc.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace gyre::cli {

struct Parsed {
  struct Entry {
    std::vector<std::string> values;
    std::string fallback;
    bool given = false;
  };
  std::map<std::string, Entry, std::less<>>
      entries;  // by name without dashes; positionals by their name

  bool Has(std::string_view name) const;
  std::string Get(std::string_view name) const;
  std::vector<std::string> List(std::string_view name) const;
};

// Errors: GY4003 unknown option (did you mean), GY4004 a value is missing, GY4005 a positional is
// missing, GY4006 one too many.
Result<Parsed> ParseArguments(const Command& command, std::vector<std::string> arguments);

}  // namespace gyre::cli
