// TensorBoard: each folder with event files is a run. Scalars keep their step and time, the hparams
// plugin gives params, texts become artifacts; the rest is counted.
#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/text.h"
#include "cli/imports/event_file.h"
#include "cli/imports/event_log.h"
#include "cli/imports/importer.h"
#include "cli/output.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::size_t kFilesMax = 1'000'000;

bool IsEventFile(std::string_view path) {
  return path.substr(path.rfind('/') + 1).find("tfevents") != std::string_view::npos;
}

// By folder, relative to the one that was given; a file alone is a run too.
Result<std::map<std::string, std::vector<std::string>>> RunsOf(const std::string& path) {
  std::map<std::string, std::vector<std::string>> runs;
  if (!exec::FolderExists(path)) {
    runs["."].push_back(path);
    return runs;
  }
  GYRE_TRY(const auto entries, exec::ListFiles(path, kFilesMax));
  for (const exec::FileEntry& entry : entries) {
    if (!IsEventFile(entry.path)) continue;
    const std::size_t slash = entry.path.rfind('/');
    runs[slash == std::string::npos ? "." : entry.path.substr(0, slash)].push_back(path + "/" +
                                                                                   entry.path);
  }
  // Their names carry the second they were begun in.
  for (auto& [name, files] : runs) std::ranges::sort(files);
  return runs;
}

// `first`: the first event of all, which no other run has: it holds the moment it was begun.
Result<> ReadFiles(Work& work, const std::string& run, const std::vector<std::string>& files,
                   EventLog* log, std::string* first) {
  for (const std::string& path : files) {
    GYRE_TRY(EventFile file, EventFile::Open(path));
    const std::string name = path.substr(path.rfind('/') + 1);
    std::string event;
    std::int64_t strange = 0;
    while (file.Next(&event)) {
      if (first->empty()) *first = event;
      if (!log->Add(event)) ++strange;
    }
    if (file.end() == EventFile::End::kCutOff)
      work.report.NotTaken(fmt::format("run {}, end of {}", run, name),
                           fmt::format("the last record is cut off at byte {}", file.offset()));
    if (file.end() == EventFile::End::kDamaged)
      work.report.NotTaken(fmt::format("run {}, rest of {}", run, name),
                           fmt::format("the record at byte {} is damaged", file.offset()));
    if (strange > 0)
      work.report.NotTaken(fmt::format("run {}, {} records of {}", run, strange, name),
                           "they hold no event");
  }
  return {};
}

void ReportLeftOver(Work& work, const std::string& run, const EventLog& log) {
  for (const auto& [what, count] : log.not_taken)
    work.report.NotTaken(fmt::format("run {}, {} {}", run, count, what),
                         "gyre keeps numbers, params and texts of runs");
}

Result<> BringOne(Work& work, const std::string& folder, const std::vector<std::string>& files) {
  const std::string run = folder == "." ? work.name() : folder;
  EventLog log;
  std::string first;
  GYRE_DO(ReadFiles(work, run, files, &log, &first));
  if (first.empty()) {
    work.report.NotTaken("run " + run, "its files hold no whole event");
    return {};
  }
  RunSource source;
  // By what its first event says and its folder within the log: the whole log may move.
  source.key = fmt::format("tensorboard:{}:{}", folder, Sha256Hex(first).substr(0, 16));
  source.name = run.size() > 250 ? run.substr(run.size() - 250) : run;
  source.experiment = work.name();
  source.importer = "tensorboard";
  source.origin = folder;
  source.created_us = log.first_us;
  source.ended_us = log.last_us;
  source.status = log.status;
  source.params = log.params;
  source.tags = {{"import.from", "tensorboard:" + folder}};
  for (const auto& [tag, text] : log.texts) source.texts[ArtifactPath("text", tag, ".md")] += text;
  source.metrics = std::move(log.metrics);
  source.points = std::move(log.points);
  GYRE_DO(BringRun(work, source));
  ReportLeftOver(work, run, log);
  return {};
}

}  // namespace

bool IsTensorBoard(const std::string& path) {
  if (!exec::FolderExists(path)) return IsEventFile(path);
  const auto entries = exec::ListFiles(path, kFilesMax);
  return entries && std::ranges::any_of(*entries, [](const exec::FileEntry& entry) {
           return IsEventFile(entry.path);
         });
}

Result<> BringTensorBoard(Work& work) {
  GYRE_TRY(const auto runs, RunsOf(work.path));
  if (runs.empty())
    return NotFound("GY4953", "{} holds no event files", work.path)
        .Why("their names have `tfevents` in them");
  for (const auto& [folder, files] : runs) GYRE_DO(BringOne(work, folder, files));
  return {};
}

}  // namespace gyre::cli::imports
