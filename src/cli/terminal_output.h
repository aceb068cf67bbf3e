// Output on this process's stdout and stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/output.h"

namespace gyre::cli {

struct OutputSettings {
  std::string format;                // "" = table on a terminal, tsv when piped
  std::vector<std::string> fields;   // --json a,b,c
  std::string jq;                    // --jq EXPRESSION
  std::vector<std::string> columns;  // --columns a,b
  bool headers = true;
  bool quiet = false;
  std::string progress = "auto";  // auto, plain, json, none
};

// Error: GY4007 for an unknown format or progress mode.
Result<std::unique_ptr<Output>> NewTerminalOutput(OutputSettings settings);
bool ColourWanted(int descriptor);  // terminal, NO_COLOR, CLICOLOR_FORCE, TERM=dumb
bool AsciiOnly();

}  // namespace gyre::cli
