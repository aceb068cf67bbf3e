#include "cli/reference.h"

#include <map>

#include "base/text.h"
#include "cli/help.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kOrigin =
    "<!-- Written by `make docs` from the rows that --help shows: do not edit. -->\n";

// Text in the cell of a table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string CodeCell(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", Cell(text));
}

std::string Row(std::string_view head, std::string_view text) {
  return fmt::format("| {} | {} |\n", CodeCell(head), Cell(text));
}

std::string OptionRows(std::span<const Option> options) {
  std::string rows;
  for (const Option& option : options) {
    const std::string fallback =
        option.default_value.empty() ? "" : fmt::format(" (default `{}`)", option.default_value);
    rows += Row(OptionHead(option), std::string(option.help) + fallback);
  }
  return rows;
}

std::string CommandSection(const Command& command) {
  std::string text = fmt::format("\n## gyre {}\n\n{}\n\n", command.path, command.summary);
  for (std::string_view example : Split(Trim(command.examples), '\n'))
    text += fmt::format("    {}\n", Trim(example));
  text += fmt::format("\nusage: `{}`\n", Usage(command));
  std::string rows;
  for (const Positional& p : command.positionals)
    rows += Row(std::string(p.name) + (p.repeated ? "..." : ""), p.help);
  rows += OptionRows(command.options);
  return rows.empty() ? text : text + "\n| | |\n|---|---|\n" + rows;
}

std::string SettingsPage(const config::Settings& settings) {
  std::string text = fmt::format(
      "# Settings\n\n{}\nIn `/etc/gyre/config.yaml` and the other places that `gyre help config` "
      "names. `gyre config show --origin` prints the values that hold and where each comes from. A "
      "server reads them when it starts; those marked * again on SIGHUP.\n\n| setting | variable | "
      "type | default | what |\n|---|---|---|---|---|\n",
      kOrigin);
  const Json rows = settings.ToJson();
  for (const Json& row : rows.items()) {
    text += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", row["name"].AsString(),
                        row["hot"].AsBool() ? " *" : "", CodeCell(row["variable"].AsString()),
                        row["type"].AsString(), CodeCell(row["default"].AsString()),
                        Cell(row["doc"].AsString()));
  }
  return text;
}

}  // namespace

Result<int> WriteReference(const Grammar& grammar, const config::Settings& settings,
                           const std::string& directory) {
  std::map<std::string, std::string> sections;
  std::string index = fmt::format("# Commands\n\n{}\n| | |\n|---|---|\n", kOrigin);
  for (const Command& command : grammar.commands()) {
    if (IsHidden(command)) continue;
    const std::string word(command.path.substr(0, command.path.find(' ')));
    sections[word] += CommandSection(command);
    index +=
        fmt::format("| [`gyre {}`]({}.md) | {} |\n", command.path, word, Cell(command.summary));
  }
  index += "\n## Options of every command\n\n| | |\n|---|---|\n" + OptionRows(GlobalOptions());
  GYRE_DO(config::MakeDirectories(directory + "/commands"));
  for (const auto& [word, text] : sections) {
    GYRE_DO(config::WriteSmallFile(fmt::format("{}/commands/{}.md", directory, word),
                                   fmt::format("# gyre {}\n\n{}{}", word, kOrigin, text)));
  }
  GYRE_DO(config::WriteSmallFile(directory + "/commands/README.md", index));
  GYRE_DO(config::WriteSmallFile(directory + "/settings.md", SettingsPage(settings)));
  return static_cast<int>(sections.size()) + 2;
}

}  // namespace gyre::cli
