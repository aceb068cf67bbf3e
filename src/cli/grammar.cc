#include "cli/grammar.h"

#include <algorithm>

#include "base/text.h"
#include "cli/nouns.h"

namespace gyre::cli {
namespace {

// One a line: nouns are added side by side.
constexpr std::span<const Command> (*kNouns[])() = {
    AccessCommands,       //
    ApiCommands,          //
    ApplyCommands,        //
    BackupCommands,       //
    CapturesCommands,     //
    ConfigCommands,       //
    CostCommands,         //
    AddCommands,          //
    DatasetsCommands,     //
    QueryCommands,        //
    DemoCommands,         //
    DoctorCommands,       //
    EndpointsCommands,    //
    EvaluateCommands,     //
    ExperimentsCommands,  //
    ImportCommands,       //
    InspectionsCommands,  //
    JobsCommands,         //
    KpiCommands,          //
    LedgerCommands,       //
    LineageCommands,      //
    LoopCommands,         //
    MaintenanceCommands,  //
    ModelsCommands,       //
    MonitorsCommands,     //
    NoticesCommands,      //
    PipelinesCommands,    //
    PredictCommands,      //
    ProgramsCommands,     //
    ProjectsCommands,     //
    RecipesCommands,      //
    ReportCommands,       //
    RunsCommands,         //
    SourcesCommands,      //
    TrainCommands,
    TriggersCommands,  //
};

constexpr Option kGlobalOptions[] = {
    {"-o,--output",
     "FORMAT",
     "table, wide, json, ndjson, yaml, csv, tsv or name",
     {},
     false,
     "formats"},
    {"--json", "A,B", "json with these members only"},
    {"--jq", "EXPR", "what jq makes of the json document (needs libjq1)"},
    {"--columns", "A,B", "columns of a table, in this order"},
    {"--no-headers", "", "leave out the header line"},
    {"-p,--project",
     "NAME",
     "project (GYRE_PROJECT, gyre.yaml here or above, else `default`)",
     {},
     false,
     "projects"},
    {"--data", "DIR", "data directory (GYRE_DATA, else ~/.local/share/gyre)", {}, false, "file"},
    {"--server", "URL",
     "a server elsewhere (GYRE_SERVER); token in GYRE_TOKEN or from `gyre login`"},
    {"--context",
     "NAME",
     "a place kept by `gyre config use` (GYRE_CONTEXT)",
     {},
     false,
     "contexts"},
    {"--config", "FILE", "settings file", {}, false, "file"},
    {"--progress", "MODE", "auto, plain, json or none", "auto"},
    {"--dry-run", "", "say what would be changed; change nothing"},
    {"-y,--yes", "", "answer yes to every question"},
    {"--no-input", "", "never ask; fail instead"},
    {"-q,--quiet", "", "only data and errors"},
    {"--debug", "", "say more about errors"},
    {"-h,--help", "", "show help"},
};

std::vector<std::string> FirstWords(const std::vector<Command>& commands) {
  std::vector<std::string> words;
  for (const Command& command : commands) {
    if (IsHidden(command)) continue;
    std::string word(command.path.substr(0, command.path.find(' ')));
    if (words.empty() || words.back() != word) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

Grammar::Grammar(std::span<const Command> program_commands)
    : commands_(program_commands.begin(), program_commands.end()) {
  for (const auto noun : kNouns) {
    const auto rows = noun();
    commands_.insert(commands_.end(), rows.begin(), rows.end());
  }
  std::sort(commands_.begin(), commands_.end(),
            [](const Command& a, const Command& b) { return a.path < b.path; });
}

const Command* Grammar::FindPath(std::string_view path) const {
  const std::string ls = std::string(path) + " ls";
  const Command* bare_noun = nullptr;
  for (const Command& command : commands_) {
    if (command.path == path) return &command;
    if (command.path == ls) bare_noun = &command;
  }
  return bare_noun;
}

Result<Grammar::Match> Grammar::Find(const std::vector<std::string>& arguments) const {
  std::vector<std::size_t> words;  // places of the first two words that are no options
  for (std::size_t i = 0; i < arguments.size() && words.size() < 2; ++i) {
    const std::string& word = arguments[i];
    if (word == "--") break;
    if (!word.starts_with('-') || word == "-") {
      words.push_back(i);
      continue;
    }
    const Option* option = FindOption(nullptr, word);
    if (option == nullptr && !words.empty())
      break;  // an option of the command: its words are complete
    if (option != nullptr && !option->value_name.empty() && word.find('=') == std::string::npos)
      ++i;
  }
  if (words.empty()) return InvalidArgument("GY4001", "no command given").Fix("gyre help");
  const std::string& first = arguments[words[0]];
  Match match;
  match.arguments = arguments;
  if (words.size() == 2) {
    const std::string two = first + " " + arguments[words[1]];
    const auto found = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const Command& c) { return c.path == two; });
    if (found != commands_.end()) {
      match.command = &*found;
      match.arguments.erase(match.arguments.begin() + static_cast<std::ptrdiff_t>(words[1]));
      match.arguments.erase(match.arguments.begin() + static_cast<std::ptrdiff_t>(words[0]));
      return match;
    }
  }
  match.command = FindPath(first);
  std::vector<std::string> subs;
  for (const Command& command : commands_) {
    if (command.path.starts_with(first + " "))
      subs.emplace_back(command.path.substr(first.size() + 1));
  }
  // `gyre datasets shwo x`: a noun takes a sub-verb, and its ls takes no arguments.
  if (words.size() == 2 && !subs.empty() &&
      (match.command == nullptr || match.command->positionals.empty())) {
    const std::string& second = arguments[words[1]];
    Error error = InvalidArgument("GY4001", "there is no command `gyre {} {}`", first, second);
    if (const auto close = ClosestMatch(second, subs))
      return Error(std::move(error).Fix(fmt::format("did you mean `gyre {} {}`?", first, *close)));
    return Error(std::move(error).Fix(fmt::format("gyre {} has: {}", first, Join(subs, ", "))));
  }
  if (match.command == nullptr) {
    Error error = InvalidArgument("GY4001", "there is no command `gyre {}`", first);
    if (const auto close = ClosestMatch(first, FirstWords(commands_)))
      return Error(std::move(error).Fix(fmt::format("did you mean `gyre {}`?", *close)));
    return Error(std::move(error).Fix("gyre help   (lists the commands)"));
  }
  match.arguments.erase(match.arguments.begin() + static_cast<std::ptrdiff_t>(words[0]));
  return match;
}

bool IsHidden(const Command& command) {
  return command.path == "worker" || command.path == "keeper" || command.path == "faults";
}

std::span<const Option> GlobalOptions() { return kGlobalOptions; }

OptionName NamesOf(const Option& option) {
  OptionName names;
  for (std::string_view name : Split(option.name, ',')) {
    if (name.starts_with("--"))
      names.longer = std::string(name.substr(2));
    else if (name.starts_with('-'))
      names.shorter = std::string(name.substr(1));
  }
  return names;
}

const Option* FindOption(const Command* command, std::string_view word) {
  const std::string_view bare = word.substr(0, word.find('='));
  const auto matches = [&](const Option& option) {
    const OptionName names = NamesOf(option);
    return bare == "--" + names.longer || (!names.shorter.empty() && bare == "-" + names.shorter);
  };
  if (command != nullptr) {
    for (const Option& option : command->options) {
      if (matches(option)) return &option;
    }
  }
  for (const Option& option : kGlobalOptions) {
    if (matches(option)) return &option;
  }
  return nullptr;
}

}  // namespace gyre::cli
