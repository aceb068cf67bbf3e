#include "cli/man.h"

#include "base/text.h"
#include "cli/help.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

// Text as roff reads it: no line is a request, no hyphen a dash.
std::string Roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool line_starts = out.empty() || out.back() == '\n';
    if (line_starts && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Heading(std::string_view name, std::string_view version) {
  return fmt::format(".TH \"{}\" 1 \"\" \"gyre {}\" \"gyre\"\n", name, version);
}

std::string Literal(std::string_view text) { return ".nf\n" + Roff(Trim(text)) + "\n.fi\n"; }

std::string PageName(std::string_view path) {
  std::string name = "gyre-" + std::string(path);
  for (char& c : name) c = c == ' ' ? '-' : c;
  return name;
}

std::string Entry(const std::string& head, std::string_view text) {
  return fmt::format(".TP\n.B {}\n{}\n", Roff(head), Roff(text));
}

std::string Options(std::span<const Option> options) {
  std::string text;
  for (const Option& option : options) {
    const std::string fallback =
        option.default_value.empty() ? "" : fmt::format(" (default {})", option.default_value);
    text += Entry(OptionHead(option), std::string(option.help) + fallback);
  }
  return text;
}

std::string MainPage(const Grammar& grammar, std::string_view version) {
  std::string text = Heading("gyre", version);
  text += ".SH NAME\ngyre \\- from data to a live model, and back again\n";
  text += ".SH SYNOPSIS\n.B gyre\nCOMMAND [options]\n.SH COMMANDS\n";
  for (const Command& command : grammar.commands()) {
    if (!IsHidden(command)) text += Entry(std::string(command.path), command.summary);
  }
  text += ".SH OPTIONS OF EVERY COMMAND\n" + Options(GlobalOptions());
  for (const std::string& topic : HelpTopics())
    text += fmt::format(".SH \"{}\"\n{}", topic, Literal(HelpTopic(topic)));
  return text;
}

}  // namespace

std::string ManPage(const Command& command, std::string_view version) {
  const std::string name = PageName(command.path);
  std::string text = Heading(name, version);
  text += fmt::format(".SH NAME\n{} \\- {}\n", Roff(name), Roff(command.summary));
  text += ".SH SYNOPSIS\n" + Literal(Usage(command));
  if (!command.examples.empty()) text += ".SH EXAMPLES\n" + Literal(command.examples);
  if (!command.positionals.empty()) text += ".SH ARGUMENTS\n";
  for (const Positional& p : command.positionals) text += Entry(std::string(p.name), p.help);
  if (!command.options.empty()) text += ".SH OPTIONS\n" + Options(command.options);
  return text + ".SH SEE ALSO\n.BR gyre (1)\n";
}

Result<int> WriteManPages(const Grammar& grammar, std::string_view version,
                          const std::string& directory) {
  GYRE_DO(config::MakeDirectories(directory));
  GYRE_DO(config::WriteSmallFile(directory + "/gyre.1", MainPage(grammar, version)));
  int written = 1;
  for (const Command& command : grammar.commands()) {
    if (IsHidden(command)) continue;
    GYRE_DO(config::WriteSmallFile(fmt::format("{}/{}.1", directory, PageName(command.path)),
                                   ManPage(command, version)));
    ++written;
  }
  return written;
}

}  // namespace gyre::cli
