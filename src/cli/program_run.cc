#include "cli/program_run.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/config/environment.h"
#include "platform/exec/capture.h"
#include "platform/exec/files.h"
#include "platform/exec/signals.h"

namespace gyre::cli {
namespace {

constexpr std::string_view kOutputs = "outputs";

// Collects what is printed, and prints it.
class Tee {
 public:
  explicit Tee(std::string file) : file_(std::move(file)) {}
  void operator()(int stream, std::string_view bytes) {
    std::FILE* to = stream == 1 ? stdout : stderr;
    std::fwrite(bytes.data(), 1, bytes.size(), to);
    std::fflush(to);
    written_ += bytes.size();
    if (const auto appended = exec::AppendFile(file_, bytes); !appended && problem_.empty())
      problem_ = appended.error().message();
  }
  std::size_t written() const { return written_; }
  const std::string& problem() const { return problem_; }

 private:
  std::string file_, problem_;
  std::size_t written_ = 0;
};

class Recorder {
 public:
  Recorder(const ProgramRequest& request, Session& session, Output& out)
      : request_(request), session_(session), out_(out) {}

  Result<ProgramResult> Run() {
    GYRE_TRY(scratch_, exec::MakeTemporaryDirectory());
    auto result = RunIn();
    (void)exec::RemoveTree(scratch_);
    return result;
  }

 private:
  std::string RunPath() const {
    return fmt::format("/api/v1/projects/{}/runs/{}", PercentEncode(request_.project),
                       PercentEncode(run_));
  }

  Result<> Begin() {
    Json command = Json::Arr();
    for (const std::string& word : request_.command) command.Push(word);
    Json environment = Json::Obj();
    for (const auto& [name, value] : config::RedactedEnvironment()) environment.Set(name, value);
    Json body = Json::Obj({{"source", Json::Obj({{"command", std::move(command)},
                                                 {"directory", request_.directory},
                                                 {"cpus", request_.cpus},
                                                 {"memory_bytes_max", request_.memory_bytes_max}})},
                           {"code", request_.code.facts},
                           {"environment", Json::Obj({{"variables", std::move(environment)}})},
                           {"params", request_.params},
                           {"process", static_cast<int>(::getpid())}});
    if (!request_.name.empty()) body.Set("name", request_.name);
    if (!request_.experiment.empty()) body.Set("experiment", request_.experiment);
    if (!request_.rerun_of.empty())
      body.Set("rerun_of", request_.rerun_of).Set("pin_data", request_.pin_data);
    GYRE_TRY(const Json answer, session_.Post(fmt::format("/api/v1/projects/{}/programs",
                                                          PercentEncode(request_.project)),
                                              body));
    run_ = answer["run"]["id"].AsString();
    token_ = answer["token"].AsString();
    url_ = answer["url"].AsString();
    if (answer["several_users"].AsBool() && session_.is_local()) {
      GYRE_DO(EndAs("killed", "not started: several people use this data directory", Json::Obj()));
      return FailedPrecondition(
                 "GY4027",
                 "programs are not run here, because several people use this data directory")
          .Why(
              "a program with your rights on the machine could read the database and everybody's "
              "files")
          .Fix(
              "run it as a user of the machine that does not own the data directory: "
              "GYRE_SERVER=URL gyre run CMD...");
    }
    return {};
  }

  // With these, mlflow.start_run() of a program that knows nothing of gyre goes on in its run.
  void AddMlflow(exec::SpawnOptions* spawn) const {
    std::string url = session_.url().empty() ? url_ : session_.url();
    if (url.empty()) return;
    while (url.ends_with('/')) url.pop_back();
    if (request_.project != "default") url += "/p/" + PercentEncode(request_.project);
    auto& environment = spawn->environment;
    environment["MLFLOW_TRACKING_URI"] = url;
    environment["MLFLOW_TRACKING_TOKEN"] = token_;
    environment["MLFLOW_RUN_ID"] = run_;
    // MLflow would rather send these, which are of another server.
    spawn->environment_removed = {"MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"};
  }

  exec::SpawnOptions Spawn() const {
    exec::SpawnOptions spawn;
    spawn.argv = request_.command;
    spawn.working_directory = request_.directory;
    spawn.environment = {{"GYRE_RUN_ID", run_},
                         {"GYRE_PROJECT", request_.project},
                         {"GYRE_TOKEN", token_},
                         {"PYTHONUNBUFFERED", "1"},
                         {"ORT_DISABLE_TELEMETRY", "1"}};
    if (!session_.url().empty()) spawn.environment["GYRE_SERVER"] = session_.url();
    AddMlflow(&spawn);
    if (request_.cpus > 0) {
      for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) {
        spawn.environment[name] = fmt::format("{}", request_.cpus);
      }
    }
    spawn.cpus = request_.cpus;
    spawn.own_process_group = false;  // it stays in the foreground, where it may read the terminal
                                      // and hears Ctrl-C itself
    return spawn;
  }

  Result<ProgramResult> RunIn() {
    GYRE_DO(Begin());
    out_.Note(fmt::format("run {}   gyre runs show {}", run_.substr(0, 8), run_.substr(0, 8)));
    const std::int64_t start_us = SystemClock().NowMicros();
    const std::string log = scratch_ + "/output.log";
    Tee tee(log);
    exec::CaptureOptions capture;
    capture.spawn = Spawn();
    capture.memory_bytes_max = request_.memory_bytes_max;
    capture.on_output = [&](int stream, std::string_view bytes) { tee(stream, bytes); };
    Result<exec::ExitStatus> ended = exec::ExitStatus();
    {
      const exec::InterruptCounter
          interrupts;  // the program hears them; we stay to write down how it ended
      ended = exec::RunCapturing(std::move(capture));
    }
    if (!ended) {
      GYRE_DO(EndAs("failed", ended.error().message(), Json::Obj()));
      return ended.error();
    }
    if (tee.written() > 0) Keep("output.log", log);
    if (!tee.problem().empty()) out_.Warn("the output was not kept whole: " + tee.problem());
    NoteFailure("the uncommitted changes", StoreDiff());
    NoteFailure("the files under outputs/", StoreOutputs(start_us));
    auto result = Finish(*ended);
    if (not_kept_ > 1) failure_ += fmt::format(" (and {} more)", not_kept_ - 1);
    if (not_kept_ > 0) out_.Warn("not kept: " + failure_);
    return result;
  }

  // What cannot be kept does not change how the program ended: the first failure becomes a warning.
  void NoteFailure(std::string_view what, const Result<>& stored) {
    if (stored) return;
    if (++not_kept_ == 1) failure_ = fmt::format("{}: {}", what, stored.error().message());
    unreachable_ = unreachable_ || stored.error().code() == Code::kUnavailable;
  }

  // Does not wait again and again for a server that went away.
  void Keep(const std::string& path, const std::string& file) {
    if (unreachable_) {
      ++not_kept_;
      return;
    }
    const auto stored = Store(path, file);
    NoteFailure(path, stored);
    if (stored && path.starts_with(kOutputs)) ++outputs_;
  }

  Result<> Store(const std::string& path, const std::string& file) {
    std::string encoded;
    for (const std::string_view part : Split(path, '/')) encoded += "/" + PercentEncode(part);
    GYRE_TRY([[maybe_unused]] const Json stored,
             session_.Upload(RunPath() + "/artifacts" + encoded, file, out_));
    return {};
  }

  Result<> StoreDiff() {
    if (request_.code.diff.empty()) return {};
    const std::string file = scratch_ + "/changes.diff";
    GYRE_DO(exec::WriteFile(file, request_.code.diff));
    return Store("code/changes.diff", file);
  }

  // Files that the program wrote: those that were there before and did not change are not its own.
  Result<> StoreOutputs(std::int64_t start_us) {
    const std::string folder = request_.directory + "/" + std::string(kOutputs);
    GYRE_TRY(const auto files, exec::ListFiles(folder));
    for (const exec::FileEntry& file : files) {
      constexpr std::int64_t kClockGrain = 20'000;  // of file times
      if (file.modified_us + kClockGrain < start_us) continue;
      Keep(fmt::format("{}/{}", kOutputs, file.path), folder + "/" + file.path);
    }
    return {};
  }

  Result<Json> EndAs(std::string_view status, std::string_view error, Json resources) {
    return session_.Post(
        RunPath() + "/end",
        Json::Obj({{"status", status}, {"error", error}, {"resources", std::move(resources)}}));
  }

  Result<ProgramResult> Finish(const exec::ExitStatus& status) {
    const Json resources = Json::Obj({{"exit_code", status.code},
                                      {"signal", status.signal},
                                      {"cpu_seconds", status.cpu_seconds},
                                      {"wall_seconds", status.wall_seconds},
                                      {"memory_bytes_peak", status.memory_bytes_peak},
                                      {"read_bytes", status.read_bytes},
                                      {"written_bytes", status.written_bytes}});
    std::string_view name = "finished";
    std::string error;
    if (status.over_memory) {
      name = "killed";
      error =
          fmt::format("it used more than the {} of --mem", HumanBytes(request_.memory_bytes_max));
    } else if (status.signal != 0) {
      name = "killed";
      error = fmt::format("killed by signal {}", status.signal);
    } else if (status.code != 0) {
      name = "failed";
      error = fmt::format("exit code {}", status.code);
    }
    GYRE_TRY(Json document, EndAs(name, error, resources));
    out_.Note(fmt::format("run {} {}{}   {}, {} of CPU, {} at most, {} files kept",
                          run_.substr(0, 8), name, error.empty() ? "" : " (" + error + ")",
                          HumanSeconds(status.wall_seconds), HumanSeconds(status.cpu_seconds),
                          HumanBytes(status.memory_bytes_peak), outputs_));
    return ProgramResult{run_, status.code, std::move(document)};
  }

  const ProgramRequest& request_;
  Session& session_;
  Output& out_;
  std::string scratch_, run_, token_, url_;
  std::string failure_;  // the first thing that could not be kept
  std::size_t outputs_ = 0, not_kept_ = 0;
  bool unreachable_ = false;
};

}  // namespace

Result<ProgramResult> RunProgram(const ProgramRequest& request, Session& session, Output& out) {
  return Recorder(request, session, out).Run();
}

}  // namespace gyre::cli
