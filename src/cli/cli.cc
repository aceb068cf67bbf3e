#include "cli/cli.h"

#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "cli/completion.h"
#include "cli/connect.h"
#include "cli/contexts.h"
#include "cli/dry_run.h"
#include "cli/error_text.h"
#include "cli/grammar.h"
#include "cli/help.h"
#include "cli/help_pages.h"
#include "cli/man.h"
#include "cli/parser.h"
#include "cli/reference.h"
#include "cli/terminal_output.h"
#include "platform/config/environment.h"
#include "platform/config/settings.h"
#include "platform/config/yaml.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kCompletionTimeoutMillis = 200;
constexpr std::int64_t kAskTimeoutMillis = 2'000;

void Write(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

std::vector<std::string> CommaList(const std::string& text) {
  std::vector<std::string> items;
  for (std::string_view item : Split(text, ',')) {
    if (!Trim(item).empty()) items.emplace_back(Trim(item));
  }
  return items;
}

// Of the gyre.yaml that counts here, which is told in `file`.
std::string ProjectOfFile(std::string* file) {
  *file = config::FindProjectFile();
  if (file->empty()) return {};
  const auto text = config::ReadSmallFile(*file);
  if (!text || !*text) return {};
  const auto json = config::ParseYaml(**text, *file);
  return json ? (*json)["project"].AsString() : std::string();
}

class CommandInvocation : public Invocation {
 public:
  CommandInvocation(const Command& command, Parsed parsed, std::unique_ptr<Output> output,
                    const Host& host)
      : command_(command), parsed_(std::move(parsed)), output_(std::move(output)), host_(host) {}

  bool Has(std::string_view name) const override { return parsed_.Has(name); }
  std::string Get(std::string_view name) const override { return parsed_.Get(name); }
  std::vector<std::string> List(std::string_view name) const override { return parsed_.List(name); }

  Result<std::int64_t> GetInt(std::string_view name) const override {
    const auto value = ParseInt(Get(name));
    if (!value) return Wrong(name, "a whole number");
    return *value;
  }
  Result<double> GetDouble(std::string_view name) const override {
    const auto value = ParseDouble(Get(name));
    if (!value) return Wrong(name, "a number");
    return *value;
  }
  Result<double> GetSeconds(std::string_view name) const override {
    const auto value = config::ParseSeconds(Get(name));
    if (!value) return Wrong(name, "a time like 90, 60s, 5m or 1h");
    return *value;
  }

  std::string project() const override { return SaidProject().text; }
  Json place() const override {
    Json rows = Json::Arr();
    const auto add = [&](std::string_view name, Said said, std::string_view fallback,
                         std::string_view doc, std::string_view variable) {
      rows.Push(Json::Obj({{"name", name},
                           {"value", said.text},
                           {"origin", said.origin},
                           {"default", fallback},
                           {"type", "text"},
                           {"variable", variable},
                           {"doc", doc},
                           {"hot", false}}));
    };
    const Said server = SaidServer();
    add("project", SaidProject(), "default", "Project of commands that name none.", "GYRE_PROJECT");
    add("server", server, "", "Server that commands talk to; empty = that of the data directory.",
        "GYRE_SERVER");
    if (server.text.empty())
      add("data", SaidData(), "~/.local/share/gyre", "Directory that keeps everything.",
          "GYRE_DATA");
    return rows;
  }
  Result<config::Settings> LoadSettings() const override {
    return host_.load_settings(Get("config"));
  }

  Result<Session*> session() override {
    if (session_) return session_.get();
    ConnectSettings where = Where();
    // To look into a directory that is not there yet would make it.
    if (dry_run() && where.server_url.empty() && !config::IsDataDirectory(where.data_directory)) {
      GYRE_TRY(where.data_directory, ScratchDirectory());
    }
    GYRE_TRY(session_, Connect(where));
    if (dry_run()) session_ = NewDryRunSession(std::move(session_), &planned_);
    return session_.get();
  }
  Result<Json> Ask(std::string_view path) const override {
    return QuickGet(Where(), path, kAskTimeoutMillis);
  }
  std::string data_directory() const override { return Where().data_directory; }
  Result<Session*> scratch_session() override {
    if (scratch_session_) return scratch_session_.get();
    ConnectSettings where = Where();
    where.server_url.clear();
    where.is_scratch = true;
    GYRE_TRY(where.data_directory, ScratchDirectory());
    GYRE_TRY(scratch_session_, Connect(where));
    return scratch_session_.get();
  }
  Output& out() override { return *output_; }
  bool dry_run() const override { return Has("dry-run"); }

  Result<> Confirm(std::string_view what, std::string_view name) override {
    if (Has("yes") || dry_run()) return {};
    const bool ask = !Has("no-input") && config::TerminalOf(STDIN_FILENO).is_terminal &&
                     config::TerminalOf(STDERR_FILENO).is_terminal;
    if (!ask)
      return InvalidArgument("GY4062", "this would {}", what)
          .Fix("say --yes")
          .Fix("--dry-run shows what would go");
    Write(stderr, fmt::format("this will {}; type `{}` to go on: ", what, name));
    char line[512];
    if (std::fgets(line, sizeof line, stdin) != nullptr && Trim(line) == name) return {};
    return Error(Code::kCancelled, "GY4063", "nothing was changed: the answer was another one");
  }

  Result<> Prepare() {
    if (dry_run()) GYRE_DO(CheckHasDryRun(command_.path));
    // What changes the contexts must work when the current one is broken.
    const bool manages = command_.path.starts_with("config ") && command_.path != "config show";
    if (!manages && !Has("server") && !Has("data")) {
      GYRE_TRY(context_, ChooseContext(Get("context")));
    }
    return {};
  }
  const Json& planned() const { return planned_; }

  ConnectSettings Where() const {
    ConnectSettings where;
    where.server_url = SaidServer().text;
    where.data_directory = SaidData().text;
    where.config_file = Get("config");
    where.host = &host_;
    where.may_be_left = command_.may_be_left;
    where.may_be_damaged = command_.path == "fsck";
    return where;
  }
  void Close() {
    session_.reset();
    scratch_session_.reset();
    for (const std::string& directory : scratch_) (void)exec::RemoveTree(directory).has_value();
  }

 private:
  // A value, and who said it.
  struct Said {
    std::string text, origin;
  };
  std::string ContextName() const { return "context " + context_.name; }

  Said SaidProject() const {
    std::string file;
    const std::string of_file = ProjectOfFile(&file);
    for (const Said& said : {Said{Get("project"), "--project"},
                             Said{context_.named ? context_.project : "", ContextName()},
                             Said{config::Environment("GYRE_PROJECT").value_or(""), "GYRE_PROJECT"},
                             Said{of_file, file}, Said{context_.project, ContextName()}}) {
      if (!said.text.empty()) return said;
    }
    return {"default", "default"};
  }
  bool ContextSaysWhere() const {
    return !Has("server") && !Has("data") && (!context_.server.empty() || !context_.data.empty());
  }
  Said SaidServer() const {
    if (ContextSaysWhere() && !context_.server.empty()) return {context_.server, ContextName()};
    if (ContextSaysWhere()) return {"", "default"};
    if (Has("server")) return {Get("server"), "--server"};
    const auto variable = config::Environment("GYRE_SERVER");
    return variable && !Has("data") ? Said{*variable, "GYRE_SERVER"} : Said{"", "default"};
  }
  Said SaidData() const {
    if (ContextSaysWhere() && !context_.data.empty())
      return {config::AbsolutePath(context_.data), ContextName()};
    if (Has("data")) return {config::AbsolutePath(Get("data")), "--data"};
    const char* const origin = config::Environment("GYRE_DATA")       ? "GYRE_DATA"
                               : config::Environment("XDG_DATA_HOME") ? "XDG_DATA_HOME"
                                                                      : "default";
    return {config::DefaultDataDirectory(), origin};
  }

  Result<std::string> ScratchDirectory() {
    GYRE_TRY(std::string directory, exec::MakeTemporaryDirectory());
    scratch_.push_back(directory);
    return directory;
  }

  Error Wrong(std::string_view name, std::string_view what) const {
    return InvalidArgument("GY4002", "`{}` of `gyre {}` must be {}, not `{}`", name, command_.path,
                           what, Get(name))
        .Fix(fmt::format("gyre {} --help", command_.path));
  }

  const Command& command_;
  Parsed parsed_;
  std::unique_ptr<Output> output_;
  const Host& host_;
  ChosenContext context_;
  std::unique_ptr<Session> session_, scratch_session_;
  std::vector<std::string> scratch_;  // directories that go with the command
  Json planned_ = Json::Arr();
};

// As if SIGPIPE had ended us: whoever reads has seen enough.
constexpr int kBrokenPipeExit = 141;

int Fail(const Error& error, bool as_json) {
  if (error.gy() == "GY4024") return kBrokenPipeExit;
  std::fflush(stdout);
  const TextStyle style{ColourWanted(STDERR_FILENO), AsciiOnly()};
  Write(stderr, as_json ? ErrorJson(error) : ErrorText(error, style));
  return ExitCodeOf(error);
}

Result<std::unique_ptr<Output>> OutputFor(const Parsed& parsed) {
  OutputSettings settings;
  settings.format = parsed.Get("output");
  settings.fields = CommaList(parsed.Get("json"));
  settings.jq = parsed.Get("jq");
  settings.columns = CommaList(parsed.Get("columns"));
  settings.headers = !parsed.Has("no-headers");
  settings.quiet = parsed.Has("quiet") || parsed.Has("dry-run");  // nothing was done
  settings.progress = parsed.Get("progress");
  return NewTerminalOutput(std::move(settings));
}

int RunCommand(const Grammar& grammar, const Command& command,
               const std::vector<std::string>& arguments, const Host& host) {
  auto parsed = ParseArguments(command, arguments);
  if (!parsed) return Fail(parsed.error(), false);
  if (parsed->Has("help")) {
    Write(stdout, CommandHelp(command) + SubVerbs(grammar, command.path));
    return 0;
  }
  const std::string format = parsed->Get("output");
  const bool as_json =
      format == "json" || format == "ndjson" || parsed->Has("json") || parsed->Has("jq");
  auto output = OutputFor(*parsed);
  if (!output) return Fail(output.error(), as_json);
  CommandInvocation invocation(command, *std::move(parsed), *std::move(output), host);
  Result<int> code = 0;
  if (const auto ready = invocation.Prepare(); !ready) {
    code = ready.error();
  } else {
    code = command.run(invocation);
  }
  invocation.out().EndProgress();
  if (code ? invocation.planned().size() > 0 : EndsDryRun(code.error())) {
    invocation.out().Document(Json::Obj({{"dry_run", true}, {"requests", invocation.planned()}}),
                              PlanText(invocation.planned()));
    code = 0;
  }
  if (const auto written = invocation.out().Written(); code && !written) code = written.error();
  // The error stands before the wait for other users of our socket, if there are any.
  const int exit_code = code ? *code : Fail(code.error(), as_json);
  invocation.Close();
  return exit_code;
}

// Where the names of a noun are listed; empty for nouns without live names.
std::string ListPath(std::string_view noun, const std::string& project) {
  if (noun == "projects") return "/api/v1/projects?limit=200";
  if (noun == "jobs") return "/api/v1/jobs?limit=50";
  for (std::string_view known : {"datasets", "models", "endpoints", "experiments", "runs",
                                 "recipes", "channels", "monitors", "alerts", "pipelines"}) {
    if (noun == known)
      return fmt::format("/api/v1/projects/{}/{}?limit=200", PercentEncode(project), noun);
  }
  return {};
}

std::vector<std::string> FixedNames(std::string_view noun) {
  if (noun == "formats") return {"table", "wide", "json", "ndjson", "yaml", "csv", "tsv", "name"};
  if (noun == "shells") return {"bash", "zsh", "fish"};
  if (noun == "topics") return HelpNames();
  if (noun == "contexts") {
    std::vector<std::string> names;
    if (const auto contexts = Contexts::Load()) {
      for (const auto& [name, context] : contexts->by_name) names.push_back(name);
    }
    return names;
  }
  return {};
}

int RunComplete(const Grammar& grammar, const std::vector<std::string>& words, const Host& host) {
  const auto names = [&](std::string_view noun) {
    std::vector<std::string> found = FixedNames(noun);
    ConnectSettings where;
    where.host = &host;
    where.server_url = config::Environment("GYRE_SERVER").value_or("");
    where.data_directory = config::DefaultDataDirectory();
    std::string file;
    std::string project = config::Environment("GYRE_PROJECT").value_or(ProjectOfFile(&file));
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == "--data") where.data_directory = config::AbsolutePath(words[i + 1]);
      if (words[i] == "--server") where.server_url = words[i + 1];
      if (words[i] == "--project" || words[i] == "-p") project = words[i + 1];
    }
    const std::string path = ListPath(noun, project.empty() ? "default" : project);
    if (path.empty()) return found;
    if (const auto list = QuickGet(where, path, kCompletionTimeoutMillis)) {
      for (const Json& item : (*list)["items"].items()) {
        found.push_back(item.Has("name") && noun != "runs" ? item["name"].AsString()
                                                           : item["id"].AsString().substr(0, 12));
      }
    }
    return found;
  };
  const CompletionAnswer answer = Complete(grammar, words, names);
  for (const std::string& candidate : answer.candidates) Write(stdout, candidate + "\n");
  if (answer.files) Write(stdout, ":files\n");
  return 0;
}

TextLook HelpLook() {
  const config::Terminal terminal = config::TerminalOf(STDOUT_FILENO);
  return {terminal.columns, ColourWanted(STDOUT_FILENO)};
}

Result<int> WriteHelp(const Grammar& grammar, const std::string& how, const std::string& directory,
                      const Host& host) {
  if (how == "--man") return WriteManPages(grammar, host.version, directory);
  GYRE_TRY(const config::Settings settings, host.load_settings(""));
  return WriteReference(grammar, settings, directory);
}

int RunHelp(const Grammar& grammar, std::vector<std::string> words, const Host& host) {
  const bool everything = !words.empty() && words.back() == "--all";
  if (everything) words.pop_back();
  if (words.size() == 2 && (words[0] == "--man" || words[0] == "--markdown")) {
    const auto written = WriteHelp(grammar, words[0], words[1], host);
    if (!written) return Fail(written.error(), false);
    Write(stdout, fmt::format("wrote {} pages into {}\n", *written, words[1]));
    return 0;
  }
  if (words.size() > 1 && words[0] == "--search") {
    const auto found = SearchHelp(grammar, Join({words.begin() + 1, words.end()}, " "));
    if (!found) return Fail(found.error(), false);
    Write(stdout, *found);
    return 0;
  }
  if (words.size() == 1 && words[0] == "topics") {
    Write(stdout, PageList(grammar, true));
    return 0;
  }
  if (words.empty() || words[0].starts_with('-')) {
    Write(stdout, Overview(grammar, host.version));
    return 0;
  }
  const auto text = HelpAbout(grammar, Join(words, " "), everything, HelpLook());
  if (!text) return Fail(text.error(), false);
  Write(stdout, *text);
  return 0;
}

}  // namespace

int Main(int argc, char** argv, const Host& host) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && (words[0] == "--version" || words[0] == "-V" || words[0] == "version")) {
    Write(stdout, fmt::format("gyre {}\n", host.version));
    return 0;
  }
  const Grammar grammar(host.commands);
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    if (!words.empty()) words.erase(words.begin());
    return RunHelp(grammar, std::move(words), host);
  }
  if (words[0] == "__complete") {
    words.erase(words.begin(), words.begin() + (words.size() > 1 && words[1] == "--" ? 2 : 1));
    return RunComplete(grammar, words, host);
  }
  // A noun alone that lists nothing, or is asked for help, says what it has.
  const bool asks = words.size() == 2 && (words[1] == "--help" || words[1] == "-h");
  const Command* named = grammar.FindPath(words[0]);
  if ((words.size() == 1 && named == nullptr) ||
      (asks && (named == nullptr || named->path != words[0]))) {
    if (const std::string noun = NounHelp(grammar, words[0]); !noun.empty()) {
      Write(stdout, noun);
      return 0;
    }
  }
  const auto match = grammar.Find(words);
  if (!match) return Fail(match.error(), false);
  return RunCommand(grammar, *match->command, match->arguments, host);
}

}  // namespace gyre::cli
