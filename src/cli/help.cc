#include "cli/help.h"

#include <algorithm>

#include "base/text.h"
#include "cli/help_pages.h"

namespace gyre::cli {
namespace {

struct Topic {
  std::string_view name, text;
};
constexpr Topic kTopics[] = {
    {"exit-codes", R"(exit codes
  0    done
  1    failed
  2    the command line, a name or a setting is wrong
  3    not found
  4    login needed, or not allowed
  5    a gate said no, or a check has findings
  6    conflict: it exists already, or its state does not allow this
  7    a time limit passed
  8    a limit, quota or budget is used up
  130  Ctrl-C
)"},
    {"output", R"(output: data on stdout, everything else on stderr
  -o table     for people; the default on a terminal      -o wide   with all columns
  -o tsv       the default in a pipe                      -o csv
  -o json      whole documents                            --json a,b.c   only these members
  -o ndjson    one document per line                      -o yaml
  -o name      names only
  --jq '.[].name'   what libjq makes of the json document, when libjq1 is installed
  --columns NAME,ROWS   --no-headers   --quiet   --progress auto|plain|json|none
  NO_COLOR, CLICOLOR_FORCE and TERM=dumb are honoured.
)"},
    {"references", R"(references
  churn              the newest version of churn
  churn:v3           version 3
  churn@champion     whatever the alias champion points at
  sales/churn:v3     of another project
  4f2a               a run or job, by any unique beginning of its id
  -                  standard input or output, where a file is expected
)"},
    {"config", R"(settings, each source overriding the ones above it
  built-in defaults
  /etc/gyre/config.yaml
  ~/.config/gyre/config.yaml
  gyre.yaml              of this folder or the nearest above it: its `settings:` part
  --config FILE
  GYRE_* variables       GYRE_SERVER_IDLE_TIMEOUT for server.idle_timeout
  flags
A server takes up log.level and its TLS certificate again on SIGHUP; the others need a restart.
`gyre config show --origin` prints every value and where it came from.
)"},
    {"environment", R"(environment
  GYRE_DATA      data directory
  GYRE_SERVER    URL of a server elsewhere         GYRE_TOKEN     token for it
  GYRE_CONTEXT   a place kept by `gyre config use`
  GYRE_PROJECT   project                           GYRE_LISTEN    address of `gyre server`
  GYRE_LIB_DIR   folder of libduckdb.so and lib_lightgbm.so
  NO_COLOR, CLICOLOR_FORCE, TERM, COLUMNS, LC_ALL
)"},
};

struct Row {
  std::string head, text;
};

std::vector<std::string> Aligned(const std::vector<Row>& rows) {
  std::size_t width = 0;
  for (const Row& row : rows) width = std::max(width, std::min<std::size_t>(row.head.size(), 26));
  std::vector<std::string> lines;
  for (const Row& row : rows)
    lines.push_back(fmt::format("  {:<{}}  {}", row.head, width, row.text));
  return lines;
}

std::vector<Row> Rows(const Command& command) {
  std::vector<Row> rows;
  for (const Positional& p : command.positionals)
    rows.push_back({std::string(p.name) + (p.repeated ? "..." : ""), std::string(p.help)});
  for (const Option& option : command.options) {
    const std::string fallback =
        option.default_value.empty() ? "" : fmt::format(" (default {})", option.default_value);
    rows.push_back({OptionHead(option), std::string(option.help) + fallback});
  }
  return rows;
}

}  // namespace

std::string Usage(const Command& command) {
  std::string usage = fmt::format("gyre {}", command.path);
  for (const Positional& p : command.positionals) {
    const std::string name = std::string(p.name) + (p.repeated ? "..." : "");
    usage += p.required ? " " + name : " [" + name + "]";
  }
  if (!command.options.empty()) usage += " [options]";
  return usage;
}

std::string OptionHead(const Option& option) {
  const OptionName names = NamesOf(option);
  std::string head =
      names.shorter.empty() ? "--" + names.longer : "-" + names.shorter + ", --" + names.longer;
  if (!option.value_name.empty()) head += " " + std::string(option.value_name);
  return head;
}

std::string CommandHelp(const Command& command, bool everything) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("gyre {}: {}", command.path, command.summary));
  if (!command.examples.empty()) {
    lines.emplace_back();
    int shown = 0;
    for (std::string_view example : Split(Trim(command.examples), '\n')) {
      if (everything || ++shown <= 5) lines.push_back("  " + std::string(Trim(example)));
    }
  }
  lines.emplace_back();
  lines.push_back("usage: " + Usage(command));
  std::vector<std::string> rows = Aligned(Rows(command));
  const std::string closing =
      "  also: -o FORMAT, --project, --data, --server, --yes, --quiet   (gyre help options)";
  const std::size_t room = static_cast<std::size_t>(kHelpLinesMax) - lines.size() - 1;
  if (!everything && rows.size() > room) {
    const std::size_t hidden = rows.size() - (room - 1);
    rows.resize(room - 1);
    rows.push_back(fmt::format("  and {} more: gyre help {} --all", hidden, command.path));
  }
  lines.insert(lines.end(), rows.begin(), rows.end());
  lines.push_back(closing);
  return Join(lines, "\n") + "\n";
}

std::string NounHelp(const Grammar& grammar, std::string_view noun) {
  constexpr std::size_t kExamplesMax = 4;
  std::vector<Row> rows;
  std::vector<std::string> examples;
  for (const Command& command : grammar.commands()) {
    if (!command.path.starts_with(std::string(noun) + " ")) continue;
    rows.push_back({fmt::format("gyre {}", command.path), std::string(command.summary)});
    const std::string_view example = Trim(command.examples).substr(0, command.examples.find('\n'));
    if (!example.empty() && examples.size() < kExamplesMax)
      examples.push_back("  " + std::string(Trim(example)));
  }
  if (rows.empty()) return "";
  return fmt::format("gyre {}, for example\n{}\n\nit has\n{}\n", noun, Join(examples, "\n"),
                     Join(Aligned(rows), "\n"));
}

std::string SubVerbs(const Grammar& grammar, std::string_view path) {
  std::vector<std::string> words;
  for (const Command& command : grammar.commands()) {
    if (command.path.starts_with(std::string(path) + " "))
      words.emplace_back(command.path.substr(path.size() + 1));
  }
  return words.empty() ? "" : fmt::format("  and gyre {} {}\n", path, Join(words, ", "));
}

std::string Overview(const Grammar& grammar, std::string_view version) {
  static constexpr std::string_view kFirst[] = {"demo",   "add",     "train",
                                                "deploy", "predict", "server"};
  std::vector<std::string> lines = {
      fmt::format("gyre {}: from data to a live model, and back again", version),
      "",
      "  gyre demo                                  the whole loop on generated data",
      "  gyre add sales.csv                         a file becomes a versioned dataset",
      "  gyre train sales --target qty              tries models, registers the best",
      "  gyre deploy sales@champion                 answers over HTTP",
      "  gyre init --template tabular shop          all of it as a file: gyre.yaml, gyre apply",
      ""};
  std::vector<std::string> verbs, nouns;
  for (const Command& command : grammar.commands()) {
    if (IsHidden(command)) continue;
    std::string word(command.path.substr(0, command.path.find(' ')));
    // A word that does something by itself is a verb, even when it has sub-verbs (`server stop`).
    const Command* bare = grammar.FindPath(word);
    auto& list = bare != nullptr && bare->path == word ? verbs : nouns;
    if (std::find(list.begin(), list.end(), word) == list.end()) list.push_back(std::move(word));
  }
  std::stable_partition(verbs.begin(), verbs.end(), [](const std::string& verb) {
    return std::find(std::begin(kFirst), std::end(kFirst), verb) != std::end(kFirst);
  });
  const auto wrapped = [&](std::string_view label, const std::vector<std::string>& words) {
    std::string line(label);
    for (const std::string& word : words) {
      if (line.size() + word.size() > 96) {
        lines.push_back(line);
        line = std::string(label.size(), ' ');
      }
      line += " " + word;
    }
    lines.push_back(line);
  };
  wrapped("verbs: ", verbs);
  wrapped("nouns: ", nouns);
  lines.emplace_back();
  lines.push_back("gyre COMMAND --help   ·   gyre NOUN lists   ·   gyre help options, " +
                  Join(HelpTopics(), ", "));
  lines.push_back("guides: gyre help " + PageList(grammar, false));
  lines.emplace_back("all pages: gyre help topics   ·   gyre help --search WORD");
  return Join(lines, "\n") + "\n";
}

std::vector<std::string> HelpTopics() {
  std::vector<std::string> names;
  for (const Topic& topic : kTopics) names.emplace_back(topic.name);
  return names;
}

std::string_view HelpTopic(std::string_view name) {
  for (const Topic& topic : kTopics) {
    if (topic.name == name) return topic.text;
  }
  if (name == "options") {
    static const std::string text = [] {
      std::vector<Row> rows;
      for (const Option& option : GlobalOptions())
        rows.push_back({OptionHead(option), std::string(option.help)});
      return "options of every command\n" + Join(Aligned(rows), "\n") + "\n";
    }();
    return text;
  }
  return {};
}

}  // namespace gyre::cli
