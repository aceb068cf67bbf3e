// Neptune's exports: the Parquet parts and files that neptune-exporter writes, in the layout that
// its README describes under "Data layout on disk" and "Parquet schema"
// (github.com/neptune-ai/neptune-exporter): DATA/PROJECT/RUN_part_N.parquet, one row for each value
// of each attribute; FILES/PROJECT/... for what was downloaded. Parquet is read where DuckDB is:
// each part is sent to the API, a worker answers with its rows, and nothing of it is kept.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "cli/imports/importer.h"
#include "cli/imports/neptune_run.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/exec/files.h"

namespace gyre::cli::imports {
namespace {

constexpr std::size_t kFilesMax = 1'000'000;
constexpr int kRowsAtOnce = 50'000;

// Of all columns only the one that the type of the row fills.
constexpr std::string_view kSelect =
    "SELECT project_id, run_id, attribute_path, attribute_type, "
    "CAST(CAST(step AS DECIMAL(18,6)) * 1000000 AS BIGINT), epoch_us(timestamp), "
    "CASE attribute_type WHEN 'float' THEN CAST(float_value AS VARCHAR) "
    "WHEN 'float_series' THEN CAST(float_value AS VARCHAR) "
    "WHEN 'int' THEN CAST(int_value AS VARCHAR) WHEN 'bool' THEN CAST(bool_value AS VARCHAR) "
    "WHEN 'datetime' THEN CAST(epoch_us(datetime_value) AS VARCHAR) "
    "WHEN 'string_set' THEN array_to_string(string_set_value, ', ') "
    "WHEN 'histogram_series' THEN '' ELSE coalesce(string_value, file_value.path) END "
    "FROM file WHERE attribute_path IS NOT NULL OFFSET ";

struct Part {
  std::string path;     // below the folder of the data
  std::string of;       // what the parts of a run have in common: "PROJECT/RUN_"
  std::int64_t number;  // from 0; the export is whole when that one is there
};

std::optional<Part> PartOf(const std::string& path) {
  constexpr std::string_view kWord = "part_", kEnding = ".parquet";
  const std::size_t word = path.rfind(kWord);
  if (word == std::string::npos || !path.ends_with(kEnding)) return std::nullopt;
  const std::size_t digits = word + kWord.size();
  const auto number =
      ParseInt(std::string_view(path).substr(digits, path.size() - digits - kEnding.size()));
  if (!number || *number < 0) return std::nullopt;
  return Part{path, path.substr(0, word), *number};
}

// A hint, without reading the file: the end of a Parquet file holds the names of its columns.
bool NamesOurColumns(const std::string& file) {
  constexpr std::int64_t kEndMax = 1 << 20;
  const std::int64_t size = exec::FileSize(file), from = std::max<std::int64_t>(0, size - kEndMax);
  const auto end = exec::ReadFilePart(file, from, kEndMax);
  return end && end->ends_with("PAR1") && end->find("attribute_path") != std::string::npos &&
         end->find("attribute_type") != std::string::npos;
}

struct Folders {
  std::string data, files;  // files: empty where there are none
};

Folders FoldersOf(const Work& work) {
  Folders folders{work.path, ""};
  if (exec::FolderExists(work.path + "/data")) folders.data = work.path + "/data";
  if (work.in.Has("files")) {
    folders.files = work.in.Get("files");
  } else if (exec::FolderExists(work.path + "/files")) {
    folders.files = work.path + "/files";
  } else if (work.path.substr(work.path.rfind('/') + 1) == "data" &&
             exec::FolderExists(work.path + "/../files")) {
    folders.files = work.path + "/../files";
  }
  while (folders.files.size() > 1 && folders.files.ends_with('/')) folders.files.pop_back();
  return folders;
}

// What was downloaded. Only plain files below the folder: a path of the export leads nowhere else.
class Downloads {
 public:
  static Result<Downloads> List(const std::string& folder) {
    Downloads downloads;
    downloads.folder_ = folder;
    if (folder.empty()) return downloads;
    GYRE_TRY(const auto entries, exec::ListFiles(folder, kFilesMax));
    for (const exec::FileEntry& entry : entries) downloads.unnamed_.insert(entry.path);
    downloads.all_ = downloads.unnamed_;
    return downloads;
  }
  // Adds what the path names, a file or a folder of files; false when there is nothing.
  bool Take(const std::string& artifact, const std::string& path,
            std::map<std::string, std::string>* files) {
    if (all_.contains(path)) {
      const std::size_t dot = path.rfind('.');
      const std::string ending =
          dot == std::string::npos || path.find('/', dot) != std::string::npos ? ""
                                                                               : path.substr(dot);
      Add(ArtifactPath("", artifact, artifact.ends_with(ending) ? "" : ending), path, files);
      return true;
    }
    const std::string below = path + "/";
    bool found = false;
    for (auto it = all_.lower_bound(below); it != all_.end() && it->starts_with(below); ++it) {
      Add(ArtifactPath("", artifact + "/" + it->substr(below.size()), ""), *it, files);
      found = true;
    }
    return found;
  }
  const std::set<std::string>& unnamed() const { return unnamed_; }

 private:
  void Add(const std::string& artifact, const std::string& path,
           std::map<std::string, std::string>* files) {
    (*files)[artifact] = folder_ + "/" + path;
    unnamed_.erase(path);
  }

  std::string folder_;
  std::set<std::string> all_, unnamed_;
};

std::optional<std::int64_t> WholeOf(const Json& cell) {
  if (cell.is_null()) return std::nullopt;
  return cell.AsInt();
}

using Runs = std::map<std::pair<std::string, std::string>, NeptuneRun>;

void AddRow(const Json& cells, Runs* runs) {
  const auto text = [&](std::size_t i) { return cells.items()[i].AsString(); };
  if (cells.items()[6].is_null()) return;  // an attribute that other runs of its table have
  const NeptuneRow row{.project = text(0),
                       .run = text(1),
                       .attribute = text(2),
                       .type = text(3),
                       .value = text(6),
                       .step = WholeOf(cells.items()[4]),
                       .time_us = WholeOf(cells.items()[5])};
  (*runs)[{row.project, row.run}].Add(row);
}

// Page by page: a part may hold more rows than one answer.
Result<> ReadPart(Work& work, const std::string& file, Runs* runs) {
  for (std::size_t from = 0;;) {
    const std::string sql = fmt::format("{}{}", kSelect, from);
    GYRE_TRY(const Json answer,
             work.session.Upload(fmt::format("{}/query/file?limit={}&sql={}", work.project_path(),
                                             kRowsAtOnce, PercentEncode(sql)),
                                 file, work.out));
    for (const Json& cells : answer["rows"].items()) AddRow(cells, runs);
    from += answer["rows"].size();
    if (!answer["truncated"].AsBool() || answer["rows"].size() == 0) return {};
  }
}

// "workspace/churn" -> "churn"
std::string ExperimentOf(const Work& work, const std::string& project) {
  if (work.in.Has("name")) return work.in.Get("name");
  const std::string last = project.substr(project.rfind('/') + 1);
  return last.empty() ? work.name() : last;
}

Result<> BringOne(Work& work, const std::string& folder, const std::string& project,
                  NeptuneRun& run, Downloads* downloads) {
  RunSource source = run.Finish(ExperimentOf(work, project));
  for (const auto& [artifact, path] : run.files) {
    const bool found = downloads->Take(artifact, folder + path, &source.files) ||
                       downloads->Take(artifact, path, &source.files);
    if (!found)
      work.report.NotTaken(fmt::format("run {}, `{}`", source.name, artifact),
                           fmt::format("its file {} is not beside the export", path));
  }
  GYRE_DO(BringRun(work, source));
  for (const auto& [what, count] : run.not_taken)
    work.report.NotTaken(fmt::format("run {}, {} {}", source.name, count, what),
                         "gyre keeps numbers, params, texts and files of runs");
  return {};
}

// The runs of these parts: one, as the exporter writes today. A run that misses a part would look
// whole, so that all its parts are read or none.
Result<> BringParts(Work& work, const std::string& data, std::vector<Part>& parts,
                    Downloads* downloads) {
  std::ranges::sort(parts, {}, &Part::number);
  if (parts[0].number != 0) {
    work.report.NotTaken(parts[0].path, "its export was not finished: part 0 is missing");
    return {};
  }
  Runs runs;
  for (const Part& part : parts) {
    const auto read = ReadPart(work, data + "/" + part.path, &runs);
    if (read) continue;
    if (read.error().code() != Code::kInvalidArgument) return read.error();
    work.report.Failed(part.path, read.error());
    return {};
  }
  const std::string& path = parts[0].path;
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  for (auto& [id, run] : runs) GYRE_DO(BringOne(work, folder, id.first, run, downloads));
  return {};
}

}  // namespace

bool IsNeptune(const std::string& path) {
  if (!exec::FolderExists(path)) return false;
  const auto entries = exec::ListFiles(path, kFilesMax);
  if (!entries) return false;
  const auto part = std::ranges::find_if(
      *entries, [](const exec::FileEntry& entry) { return PartOf(entry.path).has_value(); });
  return part != entries->end() && NamesOurColumns(path + "/" + part->path);
}

Result<> BringNeptune(Work& work) {
  const Folders folders = FoldersOf(work);
  GYRE_TRY(const auto entries, exec::ListFiles(folders.data, kFilesMax));
  GYRE_TRY(Downloads downloads, Downloads::List(folders.files));
  std::map<std::string, std::vector<Part>> runs;
  const bool together = folders.files.starts_with(folders.data + "/");
  for (const exec::FileEntry& entry : entries) {
    if (auto part = PartOf(entry.path)) {
      runs[part->of].push_back(*std::move(part));
    } else if (!together || !(folders.data + "/" + entry.path).starts_with(folders.files + "/")) {
      work.report.NotTaken(entry.path, "no Parquet part of the export");
    }
  }
  if (runs.empty())
    return NotFound("GY4958", "{} holds no parts of neptune's export", folders.data)
        .Why("neptune-exporter names them PROJECT/RUN_part_0.parquet")
        .Fix("gyre import neptune exports/    (the folder above `data` and `files`)");
  for (auto& [of, parts] : runs) GYRE_DO(BringParts(work, folders.data, parts, &downloads));
  for (const std::string& path : downloads.unnamed())
    work.report.NotTaken("files/" + path, "no run of the export names it");
  return {};
}

}  // namespace gyre::cli::imports
