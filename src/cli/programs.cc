// gyre run CMD...: any program, recorded; gyre runs rerun: the same again from its own code.
#include <cmath>
#include <map>
#include <optional>

#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/program_run.h"
#include "cli/session.h"
#include "platform/config/environment.h"
#include "platform/exec/capture.h"
#include "platform/exec/files.h"

namespace gyre::cli {
namespace {

// "512M", "4G", "1.5GB", "1000000".
Result<std::int64_t> ParseBytes(std::string_view text) {
  std::string_view digits = text;
  if (digits.ends_with('B') || digits.ends_with('b')) digits.remove_suffix(1);
  double unit = 1;
  static constexpr std::string_view kUnits = "KMGT";
  if (!digits.empty()) {
    const char last =
        digits.back() >= 'a' ? static_cast<char>(digits.back() - 'a' + 'A') : digits.back();
    if (const std::size_t place = kUnits.find(last); place != std::string_view::npos) {
      unit = std::pow(1024, static_cast<double>(place + 1));
      digits.remove_suffix(1);
    }
  }
  const auto number = ParseDouble(digits);
  if (!number || !(*number > 0) || *number * unit > 1e18) {
    return InvalidArgument("GY4002", "--mem `{}` is not an amount of memory", text).Fix("--mem 4G");
  }
  return static_cast<std::int64_t>(*number * unit);
}

Result<int> Run(Invocation& in) {
  ProgramRequest request;
  request.project = in.project();
  request.name = in.Get("name");
  request.experiment = in.Get("experiment");
  request.command = in.List("CMD");
  GYRE_TRY(request.directory, config::CurrentDirectory());
  if (in.Has("cpu")) {
    GYRE_TRY(const double cpus, in.GetDouble("cpu"));
    if (!(cpus > 0)) return InvalidArgument("GY4002", "--cpu must be more than 0").Fix("--cpu 2");
    request.cpus = std::min(static_cast<int>(std::ceil(cpus)), exec::AllowedCpus());
  }
  if (in.Has("mem")) {
    GYRE_TRY(request.memory_bytes_max, ParseBytes(in.Get("mem")));
  }
  request.code = ReadCodeState(request.directory);
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const ProgramResult result, RunProgram(request, *session, in.out()));
  if (in.out().json()) in.out().Document(result.document, "");
  return result.exit_code;
}

// --- rerun ---------------------------------------------------------------------------------------

std::string RunPath(const Invocation& in, std::string_view run) {
  return fmt::format("/api/v1/projects/{}/runs/{}", PercentEncode(in.project()),
                     PercentEncode(run));
}

Result<std::map<std::string, std::string>> DigestsOf(const Invocation& in, Session& session,
                                                     std::string_view run) {
  std::map<std::string, std::string> digests;
  GYRE_TRY(const Json answer, session.Get(RunPath(in, run) + "/artifacts"));
  for (const Json& artifact : answer["items"].items()) {
    const std::string& path = artifact["path"].AsString();
    if (path.starts_with("outputs/") || path == "output.log")
      digests[path] = artifact["digest"].AsString();
  }
  return digests;
}

// What only one of two runs read.
void DataDifferences(const Json& before, const Json& after, std::vector<std::string>* lines) {
  const auto reads = [](const Json& run, const Json& wanted) {
    for (const Json& input : run["inputs"].items()) {
      if (input["id"] == wanted["id"]) return true;
    }
    return false;
  };
  for (const Json& input : after["inputs"].items()) {
    if (!reads(before, input))
      lines->push_back(
          fmt::format("data: also read {}, which the first run did not", input["name"].AsString()));
  }
  for (const Json& input : before["inputs"].items()) {
    if (!reads(after, input))
      lines->push_back(
          fmt::format("data: did not read {}, which the first run read", input["name"].AsString()));
  }
}

// What differs between a run and its repetition, one line each; empty = nothing.
Result<std::vector<std::string>> Differences(const Invocation& in, Session& session,
                                             const Json& before, const Json& after) {
  std::vector<std::string> lines;
  const auto exit_code = [](const Json& run) { return run["resources"]["exit_code"].AsInt(); };
  if (exit_code(before) != exit_code(after))
    lines.push_back(fmt::format("exit code: {} then, {} now", exit_code(before), exit_code(after)));
  DataDifferences(before, after, &lines);
  GYRE_TRY(const auto old_files, DigestsOf(in, session, before["id"].AsString()));
  GYRE_TRY(const auto new_files, DigestsOf(in, session, after["id"].AsString()));
  for (const auto& [path, digest] : old_files) {
    const auto it = new_files.find(path);
    if (it == new_files.end()) lines.push_back(fmt::format("{}: not written now", path));
    if (it != new_files.end() && it->second != digest)
      lines.push_back(fmt::format("{}: other bytes", path));
  }
  for (const auto& [path, digest] : new_files) {
    if (!old_files.contains(path)) lines.push_back(fmt::format("{}: was not written then", path));
  }
  for (const auto& [key, value] : before["metrics"].members()) {
    const Json& now = after["metrics"][key];
    if (!(now == value))
      lines.push_back(fmt::format("metric {}: {} then, {} now", key, value.Dump(),
                                  now.is_null() ? "none" : now.Dump()));
  }
  const Json& old_variables = before["environment"]["variables"];
  for (const auto& [name, value] : after["environment"]["variables"].members()) {
    if (name.starts_with("GYRE_") || name == "PWD" || name == "OLDPWD" || name == "SHLVL" ||
        name == "_")
      continue;
    if (old_variables.Has(name) && !(old_variables[name] == value))
      lines.push_back(fmt::format("variable {}: another value", name));
  }
  return lines;
}

Result<ProgramRequest> RequestLike(const Invocation& in, const Json& before) {
  ProgramRequest request;
  request.project = in.project();
  request.name = "rerun of " + before["name"].AsString();
  request.experiment = before["experiment"].AsString();
  request.rerun_of = before["id"].AsString();
  const Json& source = before["source"];
  for (const Json& word : source["command"].items()) request.command.push_back(word.AsString());
  request.directory = source["directory"].AsString();
  request.cpus = static_cast<int>(source["cpus"].AsInt());
  request.memory_bytes_max = source["memory_bytes_max"].AsInt();
  request.params = before["params"];
  request.pin_data = !in.Has("latest");
  return request;
}

// The recorded code in a folder of its own, which `request` then runs in; nothing without git.
Result<std::optional<CodeCopy>> BringBackCode(Invocation& in, Session& session, const Json& before,
                                              const std::string& scratch, ProgramRequest* request) {
  const Json& code = before["code"];
  if (code["commit"].AsString().empty()) {
    in.out().Warn(
        "the run recorded no code state (its folder was no git repository): the program runs on "
        "what lies there now");
    return std::optional<CodeCopy>();
  }
  std::string diff_file;
  if (code["dirty"].AsBool()) {
    diff_file = scratch + "/changes.diff";
    GYRE_DO(session.Download(RunPath(in, before["id"].AsString()) + "/artifacts/code/changes.diff",
                             diff_file, in.out()));
    GYRE_TRY(request->code.diff, exec::ReadFile(diff_file));
  }
  GYRE_TRY(CodeCopy copy,
           CodeCopy::Make(code["root"].AsString(), code["commit"].AsString(), diff_file));
  request->directory = copy.directory() + "/" + code["folder"].AsString();
  if (request->directory.ends_with('/')) request->directory.pop_back();
  request->code.facts = code;
  in.out().Note(fmt::format("code of commit {}{} in {}", code["commit"].AsString().substr(0, 10),
                            diff_file.empty() ? "" : " with its uncommitted changes",
                            request->directory));
  return std::optional<CodeCopy>(std::move(copy));
}

Result<ProgramResult> RunAgain(Invocation& in, Session& session, const Json& before) {
  GYRE_TRY(ProgramRequest request, RequestLike(in, before));
  GYRE_TRY(const std::string scratch, exec::MakeTemporaryDirectory());
  const auto copy = BringBackCode(in, session, before, scratch, &request);
  auto result = copy ? RunProgram(request, session, in.out()) : copy.error();
  (void)exec::RemoveTree(scratch);
  return result;
}

std::string NamesOf(const Json& items, std::string_view key) {
  std::vector<std::string> names;
  for (const Json& item : items.items())
    names.push_back(key.empty() ? item.AsString() : item[key].AsString());
  return Join(names, ", ");
}

// What a rerun had to go on beside its code.
void TellWhatWasGiven(const Json& before, const Json& after, bool differs, Output& out) {
  const Json& pinned = after["source"]["pinned"];
  if (pinned.size() > 0) out.Note("data as the first run read them: " + NamesOf(pinned, "name"));
  const Json& ignored = before["code"]["ignored"];
  if (differs && ignored.size() > 0) {
    out.Warn(
        "the first run's folder also held files that git ignores, which are not brought back: " +
        NamesOf(ignored, ""));
  }
}

Result<int> Rerun(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json before, session->Get(RunPath(in, in.Get("RUN"))));
  if (before["kind"].AsString() != "program") {
    return FailedPrecondition("GY4023", "run {} is a {}, not a program",
                              before["id"].AsString().substr(0, 8), before["kind"].AsString())
        .Fix("a training is repeated by the same gyre train with the same --seed and --trials");
  }
  GYRE_TRY(const ProgramResult result, RunAgain(in, *session, before));
  GYRE_TRY(const Json after, session->Get(RunPath(in, result.run)));
  GYRE_TRY(const auto lines, Differences(in, *session, before, after));
  TellWhatWasGiven(before, after, !lines.empty() || result.exit_code != 0, in.out());
  if (in.out().json()) {
    Json listed = Json::Arr();
    for (const std::string& line : lines) listed.Push(line);
    in.out().Document(
        Json::Obj({{"run", after}, {"rerun_of", before["id"]}, {"differences", std::move(listed)}}),
        "");
    return result.exit_code;
  }
  if (lines.empty()) in.out().Done("nothing differs: exit code, output and files are the same");
  for (const std::string& line : lines)
    in.out().Print(fmt::format("{} {}\n", in.out().Mark("dot"), line));
  return result.exit_code;
}

constexpr Positional kCommand[] = {
    {.name = "CMD", .help = "the program and its arguments", .repeated = true}};
constexpr Positional kRun[] = {
    {.name = "RUN", .help = "id, its beginning, a name, or - for the newest", .completes = "runs"}};
constexpr Option kRerunOptions[] = {
    {.name = "--latest",
     .value_name = "",
     .help = "read the newest dataset versions, not those that the run read"},
};
constexpr Option kRunOptions[] = {
    {.name = "--cpu", .value_name = "N", .help = "let it use so many CPUs"},
    {.name = "--mem",
     .value_name = "SIZE",
     .help = "let each of its processes map so much memory: 512M, 4G"},
    {.name = "--name", .value_name = "NAME", .help = "name of the run"},
    {.name = "--experiment",
     .value_name = "NAME",
     .help = "experiment of the run (default: programs)"},
};
constexpr Command kCommands[] = {
    {.path = "run",
     .summary = "Run a program unchanged and record it",
     .examples = "gyre run python train.py --lr 0.1\n"
                 "gyre run --cpu 2 --mem 4G ./simulate.sh\n"
                 "gyre run --name night make all",
     .positionals = kCommand,
     .options = kRunOptions,
     .run = Run,
     .passes_rest = true},
    {.path = "runs rerun",
     .summary = "Run a recorded program again from its own code and data, and say what differs",
     .examples = "gyre runs rerun 3f2a\ngyre runs rerun 3f2a --latest",
     .positionals = kRun,
     .options = kRerunOptions,
     .run = Rerun},
};

}  // namespace

std::span<const Command> ProgramsCommands() { return kCommands; }

}  // namespace gyre::cli
