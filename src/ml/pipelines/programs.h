// The kinds of steps that are programs: command, shell, script and code from git. What a shim must
// run for an attempt, and what its end means. Private.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/pipelines/machine.h"
#include "ml/pipelines/pipelines.h"
#include "platform/blob/blob_store.h"
#include "platform/exec/shims.h"

namespace gyre::pipelines {

std::span<const KindFacts> ProgramKinds();
bool IsProgram(std::string_view kind);
bool IsVerbatim(std::string_view kind, std::string_view key);

Json InterpreterWords(const Json& with);  // of a script: a text or a list

struct ProgramRooms {
  blob::Store& blobs;
  std::string directory;                 // of all attempts
  std::vector<std::string> environment;  // "NAME=value", of every program
  std::int64_t log_bytes_max = 0;        // of each program; 0 = no limit
  FindSecret find_secret;
  std::vector<std::string> gpus;  // of the machine, as kVisibleGpus names them
};
inline constexpr std::string_view kVisibleGpus = "CUDA_VISIBLE_DEVICES";

// Where an attempt lives: it is the program's working directory, with outputs/; what begins with
// .gyre- is ours (claim, status, log) and stays.
std::string TaskName(const Step& step, std::int64_t item);  // "train", "train[3]"
std::string AttemptFolder(const std::string& directory, std::string_view run_id, const Step& step,
                          std::int64_t item, int attempt);
std::string LogFile(const std::string& folder);
// For effects outside: the same for all attempts of a task.
std::string EffectKey(std::string_view run_id, const Step& step, std::int64_t item);

// Makes the folder and fills in whatever the step refers to. Errors: GY4707, GY4708 a value that no
// word can be; those of files.
// `gpus`: that it sees; where the machine has some and it asked for none, it sees none. They are
// noted in its folder, so that whoever adopts it gives them to nobody else.
Result<exec::ShimOptions> PrepareProgram(const ProgramRooms& rooms, const Machine& machine,
                                         const Intent& intent,
                                         const std::vector<std::string>& gpus);
std::vector<std::string> GpusOf(const std::string& folder);
// The options as far as an attempt that was begun is found by them.
exec::ShimOptions FoundProgram(const ProgramRooms& rooms, const Machine& machine,
                               const Intent& intent);

// Reads what a program that succeeded has written; files go into the store. Runs on a pool.
struct ReadOutputs {
  Json values = Json::Obj();
  std::vector<blob::Object> blobs;
};
Result<ReadOutputs> CollectOutputs(const ProgramRooms& rooms, const std::string& folder,
                                   const std::vector<OutputSpec>& outputs,
                                   std::span<const std::string> secrets);
// What the task's next attempt may use: its limit, grown past what it has run out of. 0 = no limit.
std::int64_t MemoryLimitOf(const Step& step, const TaskRecord& task);
Outcome OutcomeOf(const exec::ShimEnd& end, const Step& step, const TaskRecord& task,
                  const std::string& folder, std::span<const std::string> secrets);

// The file that a value "sha256:..." means; nothing for other values and when it is not there.
std::optional<blob::Object> FileOf(blob::Store& blobs, const Json& value);
// Every "sha256:..." in a text or document as the path of that file.
Result<Json> WithLocalFiles(blob::Store& blobs, const Json& document);

}  // namespace gyre::pipelines
