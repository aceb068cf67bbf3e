#include "cli/parser.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "base/text.h"
#include "cli/grammar.h"

namespace gyre::cli {
namespace {

std::string HelpOf(const Command& command) { return fmt::format("gyre {} --help", command.path); }

void DeclareOption(CLI::App& app, const Option& option, Parsed::Entry& entry) {
  const OptionName names = NamesOf(option);
  std::string text = "--" + names.longer;
  if (!names.shorter.empty()) text += ",-" + names.shorter;
  entry.fallback = std::string(option.default_value);
  if (option.value_name.empty()) {
    app.add_flag_callback(text, [&entry] { entry.given = true; });
    return;
  }
  CLI::Option* declared = app.add_option(text, entry.values);
  declared->type_size(1)->expected(1)->allow_extra_args(false);
  declared->multi_option_policy(option.repeated ? CLI::MultiOptionPolicy::TakeAll
                                                : CLI::MultiOptionPolicy::TakeLast);
}

// `gyre run [options] CMD ARGS...`: what belongs to the program is cut off before CLI11 sees it.
std::vector<std::string> CutRest(const Command& command, std::vector<std::string>& arguments) {
  std::size_t own = 0;
  for (const Positional& p : command.positionals) own += p.repeated ? 0 : 1;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    std::size_t rest_from = i;
    if (word == "--") {
      rest_from = i + 1;
    } else if (word.starts_with('-') && word != "-") {
      const Option* option = FindOption(&command, word);
      if (option != nullptr && !option->value_name.empty() && word.find('=') == std::string::npos)
        ++i;
      continue;
    } else if (own > 0) {
      --own;
      continue;
    }
    std::vector<std::string> rest(arguments.begin() + static_cast<std::ptrdiff_t>(rest_from),
                                  arguments.end());
    arguments.resize(i);
    return rest;
  }
  return {};
}

Error UnknownOption(const Command& command, const std::string& word) {
  std::vector<std::string> names;
  for (const auto& options : {command.options, GlobalOptions()}) {
    for (const Option& option : options) names.push_back("--" + NamesOf(option).longer);
  }
  const std::string bare = word.substr(0, word.find('='));
  Error error = InvalidArgument("GY4003", "`gyre {}` has no option `{}`", command.path, bare);
  if (const auto close = ClosestMatch(bare, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close)).Fix(HelpOf(command));
  return std::move(error).Fix(HelpOf(command));
}

// Words in order: one for each positional, the rest for the one that repeats.
Result<> AssignPositionals(const Command& command, const std::vector<std::string>& words,
                           Parsed& parsed) {
  std::size_t next = 0;
  for (const Positional& positional : command.positionals) {
    Parsed::Entry& entry = parsed.entries[std::string(positional.name)];
    if (command.passes_rest && positional.repeated) continue;
    for (; next < words.size() && (positional.repeated || entry.values.empty()); ++next)
      entry.values.push_back(words[next]);
  }
  if (next == words.size()) return {};
  const std::size_t most = command.positionals.size();
  return InvalidArgument("GY4006", "`gyre {}` does not know what to do with `{}`", command.path,
                         words[next])
      .Why(most == 0 ? "it takes no arguments"
                     : fmt::format("it takes at most {}",
                                   most == 1 ? "one argument" : fmt::format("{} arguments", most)))
      .Fix(HelpOf(command));
}

Result<> RunParser(const Command& command, std::vector<std::string> arguments, Parsed& parsed) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  const std::vector<std::string> after_dashes(dashes == arguments.end() ? dashes : dashes + 1,
                                              arguments.end());
  arguments.erase(dashes, arguments.end());
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  for (const auto& options : {command.options, GlobalOptions()}) {
    for (const Option& option : options) {
      const std::string name = NamesOf(option).longer;
      if (parsed.entries.contains(name)) continue;  // the command's own option of that name wins
      Option declared = option;
      const std::string shorter = "-" + NamesOf(option).shorter;
      const Option* owner = shorter.size() > 1 ? FindOption(&command, shorter) : nullptr;
      const std::string long_only = "--" + name;
      if (owner != nullptr && owner->name != option.name)
        declared.name = long_only;  // the command uses the short name otherwise
      DeclareOption(app, declared, parsed.entries[name]);
    }
  }
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(arguments);
  } catch (const CLI::ArgumentMismatch& e) {
    return InvalidArgument("GY4004", "`gyre {}`: {}", command.path, e.what()).Fix(HelpOf(command));
  } catch (const CLI::ParseError& e) {
    return InvalidArgument("GY4004", "`gyre {}`: {}", command.path, e.what()).Fix(HelpOf(command));
  }
  std::vector<std::string> words;
  for (const std::string& word : app.remaining()) {
    if (word.starts_with('-') && word != "-" && !ParseDouble(word))
      return UnknownOption(command, word);
    words.push_back(word);
  }
  words.insert(words.end(), after_dashes.begin(), after_dashes.end());
  return AssignPositionals(command, words, parsed);
}

}  // namespace

bool Parsed::Has(std::string_view name) const {
  const auto found = entries.find(name);
  return found != entries.end() && (found->second.given || !found->second.values.empty());
}

std::string Parsed::Get(std::string_view name) const {
  const auto found = entries.find(name);
  if (found == entries.end()) return {};
  if (!found->second.values.empty()) return found->second.values.back();
  return found->second.given ? "true" : found->second.fallback;
}

std::vector<std::string> Parsed::List(std::string_view name) const {
  const auto found = entries.find(name);
  return found == entries.end() ? std::vector<std::string>{} : found->second.values;
}

Result<Parsed> ParseArguments(const Command& command, std::vector<std::string> arguments) {
  Parsed parsed;
  std::vector<std::string> rest;
  if (command.passes_rest) rest = CutRest(command, arguments);
  GYRE_DO(RunParser(command, std::move(arguments), parsed));
  if (command.passes_rest) {
    for (const Positional& positional : command.positionals) {
      if (positional.repeated) parsed.entries[std::string(positional.name)].values = rest;
    }
    parsed.entries["rest"].values = std::move(rest);
  }
  if (parsed.Has("help")) return parsed;
  for (const Positional& positional : command.positionals) {
    if (!positional.required || parsed.Has(positional.name)) continue;
    return InvalidArgument("GY4005", "`gyre {}` needs {}", command.path, positional.name)
        .Why(std::string(positional.help))
        .Fix(std::string(command.examples.substr(0, command.examples.find('\n'))))
        .Fix(HelpOf(command));
  }
  return parsed;
}

}  // namespace gyre::cli
