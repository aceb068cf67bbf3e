#include "ml/pipelines/programs.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "ml/pipelines/plain_text.h"
#include "ml/pipelines/resources.h"
#include "ml/pipelines/step_secrets.h"
#include "ml/pipelines/traces.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

constexpr std::size_t kDigestLength = 64;
constexpr std::size_t kVariableBytesMax = 100'000;  // the system's limit of one is 128 KiB
constexpr std::int64_t kOutputBytesMax = 1 << 20;   // of a value; files may be as large as they are

constexpr KindKey kCommandKeys[] = {
    {"command", true}, {"working_directory"}, {"environment"}, {"files"}};
constexpr KindKey kShellKeys[] = {
    {"shell", true, true}, {"working_directory"}, {"environment"}, {"files"}};
constexpr KindKey kScriptKeys[] = {{"script", true, true}, {"interpreter"}, {"arguments"},
                                   {"working_directory"},  {"environment"}, {"files"}};
constexpr KindKey kGitKeys[] = {{"git", true}, {"commit", true}, {"command", true},
                                {"test"},      {"environment"},  {"files"}};
const OutputSpec kGitOutputs[] = {
    {"remote", ValueType::kText}, {"commit", ValueType::kText}, {"test", ValueType::kText}};

// Fetches one commit (all when the server gives no single ones), tests and runs it. Words come as
// arguments; none is read as code.
constexpr std::string_view kGitProgram = R"(set -eu
remote=$1; commit=$2; tests=$3; shift 3
export GIT_TERMINAL_PROMPT=0 GIT_NO_LAZY_FETCH=1
git init -q code
cd code
if ! git fetch -q --depth 1 -- "$remote" "$commit" 2>/dev/null; then
  git fetch -q --tags -- "$remote" '+refs/heads/*:refs/remotes/origin/*'
  git checkout -q "$commit" 2>/dev/null || git checkout -q "origin/$commit"
else
  git checkout -q FETCH_HEAD
fi
printf %s "$remote" > "$GYRE_OUTPUT_REMOTE"
git rev-parse HEAD > "$GYRE_OUTPUT_COMMIT"
echo "at $(git rev-parse HEAD) of $remote"
# Runs the first words of its list alone.
first_words() {
  wanted=$1; shift
  all=$#; seen=0
  while [ "$seen" -lt "$all" ]; do
    seen=$((seen + 1)); word=$1; shift
    if [ "$seen" -le "$wanted" ]; then set -- "$@" "$word"; fi
  done
  "$@"
}
if [ "$tests" -eq 0 ]; then
  echo none > "$GYRE_OUTPUT_TEST"
elif first_words "$tests" "$@"; then
  echo passed > "$GYRE_OUTPUT_TEST"
else
  echo "the test of this commit failed"
  exit 1
fi
shift "$tests"
exec "$@"
)";

const KindFacts kKinds[] = {{"command", kCommandKeys, {}, true},
                            {"shell", kShellKeys, {}, true},
                            {"script", kScriptKeys, {}, true},
                            {"git", kGitKeys, kGitOutputs, true}};

constexpr std::string_view kGpusFile = "/.gyre-gpus";

std::string VariableName(std::string_view prefix, std::string_view name) {
  std::string variable(prefix);
  for (const char c : name) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    variable += lower ? static_cast<char>(c - 32) : plain ? c : '_';
  }
  return variable;
}

void AddVariable(std::vector<std::string>* environment, std::string_view prefix,
                 std::string_view name, const Json& value) {
  const std::string text = TextOf(value);
  if (text.size() > kVariableBytesMax || text.find('\0') != std::string::npos) return;
  environment->push_back(fmt::format("{}={}", VariableName(prefix, name), text));
}

Result<> AddWords(const Json& list, std::string_view key, std::vector<std::string>* words) {
  const Json::Array one = {list};
  for (const Json& word : list.is_array() ? list.items() : one) {
    if (word.is_null() || word.is_object() || word.is_array())
      return InvalidArgument("GY4708", "a word of `{}` is {}", key, PlainText(word.Dump(), 60))
          .Fix("words are text or numbers");
    words->push_back(TextOf(word));
    if (words->back().find('\0') != std::string::npos)
      return InvalidArgument("GY4708", "a word of `{}` holds a zero byte", key);
  }
  return {};
}

Result<> AddScript(const Json& with, const std::string& folder, std::vector<std::string>* words) {
  const std::string path = folder + "/.gyre-script";
  GYRE_DO(exec::WriteFile(path, with["script"].AsString()));
  GYRE_DO(AddWords(InterpreterWords(with), "interpreter", words));
  words->push_back(path);
  return with.Has("arguments") ? AddWords(with["arguments"], "arguments", words) : Result<>{};
}

Result<> AddGit(const Json& with, std::vector<std::string>* words) {
  words->assign({"/bin/sh", "-c", std::string(kGitProgram), "gyre-git"});
  words->push_back(TextOf(with["git"]));
  words->push_back(TextOf(with["commit"]));
  if (words->back().starts_with('-'))
    return InvalidArgument("GY4708", "`{}` is no commit", words->back());
  std::vector<std::string> test;
  if (with.Has("test")) GYRE_DO(AddWords(with["test"], "test", &test));
  words->push_back(fmt::format("{}", test.size()));
  words->insert(words->end(), test.begin(), test.end());
  return AddWords(with["command"], "command", words);
}

Result<std::vector<std::string>> WordsOf(const Step& step, const Json& with,
                                         const std::string& folder) {
  std::vector<std::string> words;
  if (step.kind == "shell")
    return std::vector<std::string>{"/bin/sh", "-ec", with["shell"].AsString()};
  if (step.kind == "script") {
    GYRE_DO(AddScript(with, folder, &words));
  } else if (step.kind == "git") {
    GYRE_DO(AddGit(with, &words));
  } else {
    GYRE_DO(AddWords(with["command"], "command", &words));
  }
  if (words.empty() || words[0].empty())
    return InvalidArgument("GY4708", "step `{}` names no program", step.name);
  return words;
}

std::string LastLine(const std::string& log, std::span<const std::string> secrets) {
  constexpr std::int64_t kTail = 2000;
  const std::int64_t from = std::max<std::int64_t>(0, exec::FileSize(log) - kTail);
  const auto text = ReadMasked(log, from, kTail, secrets);
  if (!text) return {};
  const std::string_view trimmed = Trim(*text);
  const std::size_t line = trimmed.rfind('\n');
  return PlainText(line == std::string_view::npos ? trimmed : trimmed.substr(line + 1), 200);
}

}  // namespace

std::span<const KindFacts> ProgramKinds() { return kKinds; }

bool IsProgram(std::string_view kind) {
  return std::ranges::find(kKinds, kind, &KindFacts::name) != std::end(kKinds);
}

bool IsVerbatim(std::string_view kind, std::string_view key) {
  const auto facts = std::ranges::find(kKinds, kind, &KindFacts::name);
  if (facts == std::end(kKinds)) return false;
  const auto found = std::ranges::find(facts->keys, key, &KindKey::name);
  return found != facts->keys.end() && found->verbatim;
}

Json InterpreterWords(const Json& with) {
  return with.Has("interpreter") ? with["interpreter"] : Json("python3");
}

std::string LogFile(const std::string& folder) { return folder + "/.gyre-log"; }

std::string TaskName(const Step& step, std::int64_t item) {
  return item < 0 ? step.name : fmt::format("{}[{}]", step.name, item);
}

std::string AttemptFolder(const std::string& directory, std::string_view run_id, const Step& step,
                          std::int64_t item, int attempt) {
  return item < 0 ? fmt::format("{}/{}/{}.{}", directory, run_id, step.name, attempt)
                  : fmt::format("{}/{}/{}.{}.{}", directory, run_id, step.name, item, attempt);
}

std::string EffectKey(std::string_view run_id, const Step& step, std::int64_t item) {
  return fmt::format("{}/{}", run_id, TaskName(step, item));
}

std::optional<blob::Object> FileOf(blob::Store& blobs, const Json& value) {
  const std::string& text = value.AsString();
  std::string bytes;
  if (!text.starts_with(kFilePrefix) || text.size() != kFilePrefix.size() + kDigestLength ||
      !HexDecode(text.substr(kFilePrefix.size()), &bytes))
    return std::nullopt;
  std::string digest = text.substr(kFilePrefix.size());
  const auto stream = blobs.Open(digest);
  if (!stream) return std::nullopt;
  return blob::Object{std::move(digest), (*stream)->size_bytes()};
}

Result<Json> WithLocalFiles(blob::Store& blobs, const Json& document) {
  if (document.is_string()) {
    std::string text = document.AsString();
    std::size_t at = text.find(kFilePrefix);
    if (at == std::string::npos) return document;
    for (; at != std::string::npos; at = text.find(kFilePrefix, at + 1)) {
      const std::string digest = text.substr(at + kFilePrefix.size(), kDigestLength);
      std::string bytes;
      if (digest.size() != kDigestLength || !HexDecode(digest, &bytes)) continue;
      GYRE_TRY(const std::string path, blobs.LocalPath(digest));
      text.replace(at, kFilePrefix.size() + kDigestLength, path);
    }
    return Json(std::move(text));
  }
  if (document.is_array()) {
    Json list = Json::Arr();
    for (const Json& item : document.items()) {
      GYRE_TRY(Json one, WithLocalFiles(blobs, item));
      list.Push(std::move(one));
    }
    return list;
  }
  if (!document.is_object()) return document;
  Json::Object members;
  for (const auto& [key, value] : document.members()) {
    GYRE_TRY(Json one, WithLocalFiles(blobs, value));
    members.emplace_back(key, std::move(one));
  }
  return Json(std::move(members));
}

exec::ShimOptions FoundProgram(const ProgramRooms& rooms, const Machine& machine,
                               const Intent& intent) {
  const TaskRecord& task = machine.tasks()[intent.task];
  const Step& step = machine.step_of(task);
  exec::ShimOptions options;
  options.folder = AttemptFolder(rooms.directory, machine.run().id, step, task.item, intent.number);
  options.nonce = intent.nonce;
  options.memory_bytes_max = MemoryLimitOf(step, task);
  options.log_file = LogFile(options.folder);
  options.log_bytes_max = rooms.log_bytes_max;
  options.claims_durably = step.effects_external;
  return options;
}

namespace {

// A secret is one that the file itself names: a value that is filled in is never looked up.
Result<> AddVariablesOfStep(const ProgramRooms& rooms, const Machine& machine, const Step& step,
                            const Json& filled, exec::ShimOptions* options) {
  for (const auto& [name, value] : filled["environment"].members()) {
    std::string text = TextOf(value);
    if (const Json& written = step.with["environment"][name]; IsSecret(written)) {
      GYRE_TRY(text, rooms.find_secret(machine.run().project, written.AsString()));
      options->masked.push_back(name);
    }
    options->environment.push_back(fmt::format("{}={}", name, text));
  }
  return {};
}

void AddOwnVariables(const Machine& machine, const Intent& intent, const Machine::Filled& filled,
                     const std::string& outputs, std::vector<std::string>* environment) {
  const TaskRecord& task = machine.tasks()[intent.task];
  const Step& step = machine.step_of(task);
  // Code reads its values here; a list of words has them filled in.
  if (step.kind == "shell" || step.kind == "script") {
    for (const auto& [name, value] : machine.run().params.members())
      AddVariable(environment, "GYRE_PARAM_", name, value);
  }
  for (const auto& [name, value] : filled.inputs.members())
    AddVariable(environment, "GYRE_INPUT_", name, value);
  for (const OutputSpec& output : step.outputs)
    AddVariable(environment, "GYRE_OUTPUT_", output.name, Json(outputs + "/" + output.name));
  if (task.item >= 0) {
    AddVariable(environment, "GYRE_", "INDEX", Json(task.item));
    AddVariable(environment, "GYRE_", "ITEM", task.value);
  }
  environment->push_back("GYRE_PIPELINE_RUN=" + machine.run().id);
  environment->push_back("GYRE_STEP=" + step.name);
  environment->push_back("TRACEPARENT=" +
                         telemetry::TraceParentOf(SpanOf(machine.run(), intent.nonce)));
  environment->push_back(fmt::format("GYRE_ATTEMPT={}", intent.number));
  environment->push_back("GYRE_IDEMPOTENCY_KEY=" + EffectKey(machine.run().id, step, task.item));
}

}  // namespace

std::vector<std::string> GpusOf(const std::string& folder) {
  std::vector<std::string> gpus;
  const auto noted = exec::ReadFile(folder + std::string(kGpusFile));
  for (const std::string_view gpu :
       Split(noted ? std::string_view(*noted) : std::string_view(), ','))
    if (!gpu.empty()) gpus.emplace_back(gpu);
  return gpus;
}

namespace {

Result<> ShowGpus(const ProgramRooms& rooms, const std::vector<std::string>& gpus,
                  const std::string& folder, std::vector<std::string>* environment) {
  if (rooms.gpus.empty() && gpus.empty()) return {};
  const std::string prefix = std::string(kVisibleGpus) + "=", list = Join(gpus, ",");
  std::erase_if(*environment,
                [&](const std::string& variable) { return variable.starts_with(prefix); });
  environment->push_back(prefix + list);
  return gpus.empty() ? Result<>() : exec::WriteFile(folder + std::string(kGpusFile), list);
}

}  // namespace

Result<exec::ShimOptions> PrepareProgram(const ProgramRooms& rooms, const Machine& machine,
                                         const Intent& intent,
                                         const std::vector<std::string>& gpus) {
  const Step& step = machine.step_of(machine.tasks()[intent.task]);
  exec::ShimOptions options = FoundProgram(rooms, machine, intent);
  const std::string outputs = options.folder + "/outputs";
  GYRE_TRY(Machine::Filled filled,
           machine.Fill(
               intent.task, [&](std::string_view key) { return IsVerbatim(step.kind, key); },
               [&](std::string_view name) { return fmt::format("{}/{}", outputs, name); }));
  GYRE_TRY(filled.inputs, WithLocalFiles(rooms.blobs, filled.inputs));
  GYRE_TRY(filled.with, WithLocalFiles(rooms.blobs, filled.with));
  GYRE_DO(exec::MakeDirectory(options.folder));
  if (!step.outputs.empty()) GYRE_DO(exec::MakeDirectory(outputs));
  GYRE_TRY(options.argv, WordsOf(step, filled.with, options.folder));
  options.working_directory = filled.with["working_directory"].StringOr(options.folder);
  if (!options.working_directory.starts_with('/'))
    return InvalidArgument("GY4708", "the working_directory `{}` is no full path",
                           options.working_directory)
        .Fix("leave it out for an empty folder, or begin it with a slash");
  options.environment = rooms.environment;
  GYRE_DO(ShowGpus(rooms, gpus, options.folder, &options.environment));
  GYRE_DO(AddVariablesOfStep(rooms, machine, step, filled.with, &options));
  AddOwnVariables(machine, intent, filled, outputs, &options.environment);
  options.timeout_ms = step.timeout_us / 1000;
  options.stall_ms = step.stall_us / 1000;
  options.cpus = step.resources.cpus;
  return options;
}

namespace {

Error SecretIn(std::string_view output) {
  return InvalidArgument("GY4735", "the output `{}` holds a secret", output)
      .Why("outputs are kept and shown")
      .Fix("give the next step the same secret in its environment");
}

}  // namespace

Result<ReadOutputs> CollectOutputs(const ProgramRooms& rooms, const std::string& folder,
                                   const std::vector<OutputSpec>& outputs,
                                   std::span<const std::string> secrets) {
  ReadOutputs read;
  for (const OutputSpec& output : outputs) {
    const std::string path = folder + "/outputs/" + output.name;
    if (!exec::FileExists(path))
      return InvalidArgument("GY4709", "the output `{}` was not written", output.name)
          .Fix(fmt::format("write it to the file \"${}\"",
                           VariableName("GYRE_OUTPUT_", output.name)));
    if (output.type == ValueType::kFile) {
      GYRE_TRY(const bool holds, HoldsSecret(path, secrets));
      if (holds) return SecretIn(output.name);
      GYRE_TRY(blob::Object object, rooms.blobs.PutFile(path));
      read.values.Set(output.name, std::string(kFilePrefix) + object.digest);
      read.blobs.push_back(std::move(object));
      continue;
    }
    GYRE_TRY(const std::string text, exec::ReadFile(path, kOutputBytesMax));
    if (Masked(text, secrets) != text) return SecretIn(output.name);
    if (!IsValidUtf8(text))
      return InvalidArgument("GY4709", "the output `{}` is not UTF-8 text", output.name)
          .Fix("declare it as a file");
    const std::string_view value = output.type == ValueType::kText ? Trim(text) : text;
    GYRE_TRY(Json parsed, ValueFromText(output.type, output.name, value));
    read.values.Set(output.name, std::move(parsed));
  }
  return read;
}

std::int64_t MemoryLimitOf(const Step& step, const TaskRecord& task) {
  const std::int64_t asked = step.resources.memory_bytes;
  if (asked == 0 || step.retries.memory_factor <= 1) return asked;
  const auto most = static_cast<double>(std::max(asked, OfThisMachine().memory_bytes));
  const auto first = static_cast<double>(asked), peak = static_cast<double>(task.memory_bytes_peak);
  if (peak < first) return asked;
  // So many times the factor that it is past the peak.
  const double factor = step.retries.memory_factor;
  const double times = std::floor(std::log(peak / first) / std::log(factor)) + 1;
  const double limit = std::max(first * std::pow(factor, times), peak + 1);
  return static_cast<std::int64_t>(std::min(limit, most));
}

Outcome OutcomeOf(const exec::ShimEnd& end, const Step& step, const TaskRecord& task,
                  const std::string& folder, std::span<const std::string> secrets) {
  Outcome outcome;
  outcome.exit_code = end.code;
  outcome.cpu_seconds = end.cpu_seconds;
  outcome.memory_bytes_peak = end.memory_bytes_peak;
  using Kind = Outcome::Kind;
  outcome.kind = Kind::kFailed;
  if (end.why == "lost") {
    outcome.kind = Kind::kLost;
    outcome.reason = "its process is gone and left no status";
  } else if (end.why == "cancelled") {
    outcome.kind = Kind::kCancelled;
    outcome.reason = "it was stopped";
  } else if (end.why == "start") {
    outcome.kind = Kind::kRefused;
    outcome.reason =
        fmt::format("the program cannot be started: {}", std::strerror(end.start_errno));
  } else if (end.why == "timeout") {
    outcome.reason = fmt::format("it took longer than {}",
                                 HumanSeconds(static_cast<double>(step.timeout_us) / 1e6));
  } else if (end.why == "stall") {
    outcome.reason = fmt::format("it printed nothing for {}",
                                 HumanSeconds(static_cast<double>(step.stall_us) / 1e6));
  } else if (end.why == "memory") {
    // All its processes together had more than the limit; the kernel tells of the largest alone.
    const std::int64_t limit = MemoryLimitOf(step, task);
    outcome.memory_bytes_peak = std::max(outcome.memory_bytes_peak, limit);
    const Error error =
        MakeError(Code::kResourceExhausted, "GY4734", "out of memory: limit {}, peak {}",
                  HumanBytes(limit), HumanBytes(outcome.memory_bytes_peak));
    outcome.reason = fmt::format("{} {}", error.gy(), error.message());
    outcome.error = error.gy();
  } else if (end.signal == SIGKILL) {
    outcome.reason = fmt::format(
        "it was killed by signal 9, perhaps because the machine had no memory left: "
        "peak {}",
        HumanBytes(end.memory_bytes_peak));
  } else if (end.signal != 0) {
    outcome.reason = fmt::format("it was killed by signal {}", end.signal);
  } else if (end.code != 0) {
    const std::string last = LastLine(LogFile(folder), secrets);
    outcome.reason = fmt::format("exit status {}{}{}", end.code, last.empty() ? "" : ": ", last);
  } else {
    outcome.kind = Kind::kSucceeded;
  }
  return outcome;
}

}  // namespace gyre::pipelines
