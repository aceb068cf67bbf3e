// A folder: each table a dataset, a folder that is partitioned by its names one dataset of many
// files, all of them one with --one; each model file a model.
#include <filesystem>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/datasets_text.h"
#include "cli/imports/importer.h"
#include "cli/output.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::cli::imports {
namespace {

constexpr std::int64_t kFilesMax = 1'000'000;

struct Group {
  std::string path;  // a file, or the folder that its files share
  std::vector<table::SourceFile> files;
  bool partitioned = false;  // by the names of its folders, which give it columns
};

// "sales/year=2024/a.parquet": the files of "sales" are parts of one table.
std::string PartitionedFolder(const std::string& name) {
  std::string folder;
  bool found = false;
  const std::size_t slash = name.rfind('/');
  const std::string_view folders =
      std::string_view(name).substr(0, slash == std::string::npos ? 0 : slash);
  for (const std::string_view part : Split(folders, '/')) {
    const std::size_t equals = part.find('=');
    const bool is_partition = equals != std::string_view::npos && equals > 0;
    found = found || is_partition;
    if (!found) folder += (folder.empty() ? "" : "/") + std::string(part);
  }
  return found ? (folder.empty() ? "." : folder) : "";
}

std::vector<Group> GroupsOf(const Work& work, const std::vector<table::SourceFile>& files) {
  std::map<std::string, Group> groups;
  const bool one = work.in.Has("one");
  for (const table::SourceFile& file : files) {
    const std::string folder = PartitionedFolder(file.name);
    const std::string path = one ? "." : folder.empty() ? file.name : folder;
    Group& group = groups[path];
    group.path = path;
    group.files.push_back(file);
    group.partitioned = group.partitioned || !folder.empty();
  }
  std::vector<Group> sorted;
  for (auto& [path, group] : groups) sorted.push_back(std::move(group));
  return sorted;
}

std::string NameOf(const Work& work, const Group& group, std::set<std::string>* used) {
  if (work.in.Has("one")) return work.in.Get("one");
  return NameOfPath(group.path == "." ? work.name() : group.path, 0, used);
}

Result<std::int64_t> NewestChange(const std::string& directory, const Group& group) {
  std::int64_t newest_us = 0;
  GYRE_TRY(const auto entries, exec::ListFiles(directory, kFilesMax));
  for (const exec::FileEntry& entry : entries) {
    for (const table::SourceFile& file : group.files) {
      if (file.name == entry.path) newest_us = std::max(newest_us, entry.modified_us);
    }
  }
  return newest_us;
}

// Of many files: their names and contents. Only what is in them counts, not when they were written.
Result<std::string> KeyOf(const Group& group) {
  if (group.files.size() == 1 && !group.partitioned) {
    GYRE_TRY(const std::string hash, HashOf(group.files[0].path));
    return "file:" + hash;
  }
  Sha256 hash;
  for (const table::SourceFile& file : group.files) {
    GYRE_TRY(const std::string one, HashOf(file.path));
    hash.Update(fmt::format("{}\n{}\n", file.name, one));
  }
  return (group.partitioned ? "parts:" : "files:") + hash.FinishHex();
}

Result<> BringGroup(Work& work, const Group& group, std::set<std::string>* used) {
  DatasetSource source;
  source.name = group.path == "." ? fmt::format("{} files", group.files.size()) : group.path;
  source.dataset = work.NameHere(group.path, NameOf(work, group, used));
  GYRE_DO(CheckName("dataset", source.dataset));
  GYRE_TRY(source.key, KeyOf(group));
  GYRE_TRY(const std::int64_t changed_us, NewestChange(work.path, group));
  source.origin = {"import.from", group.path};
  source.tags = {{"file.modified", FormatTime(changed_us)}};
  const std::string& file = group.files[0].name;
  source.filename = file.substr(file.rfind('/') + 1);
  source.upload = group.files[0].path;
  if (group.files.size() > 1 || group.partitioned) {
    source.upload = work.scratch + "/files.tar";
    source.filename = source.dataset + ".tar";
    source.format = "tar";
    GYRE_DO(table::WriteTar(group.files, source.upload));
  }
  return BringDataset(work, source);
}

// LightGBM's text and XGBoost's JSON are tables by their names.
struct Contents {
  std::vector<table::SourceFile> tables;
  std::vector<std::string> models, others;
};

Result<Contents> ContentsOf(const std::string& folder) {
  Contents contents;
  GYRE_TRY(const auto entries, exec::ListFiles(folder, kFilesMax));
  for (const exec::FileEntry& entry : entries) {
    const std::string path = folder + "/" + entry.path;
    if (LooksLikeModel(path))
      contents.models.push_back(entry.path);
    else if (table::IsTable(entry.path))
      contents.tables.push_back({path, entry.path});
    else
      contents.others.push_back(entry.path);
  }
  return contents;
}

}  // namespace

bool IsFolder(const std::string& path) {
  if (!exec::FolderExists(path)) return false;
  const auto contents = ContentsOf(path);
  return contents && !(contents->tables.empty() && contents->models.empty());
}

Result<> BringFolder(Work& work) {
  GYRE_TRY(const Contents contents, ContentsOf(work.path));
  if (contents.tables.empty() && contents.models.empty())
    return table::ListTables(work.path).error();
  std::set<std::string> used;
  for (const Group& group : GroupsOf(work, contents.tables))
    GYRE_DO(BringGroup(work, group, &used));
  GYRE_DO(BringModelFiles(work, contents.models));
  for (const std::string& name : contents.others)
    work.report.NotTaken(name, "no table and no model by its name");
  return ReportLinks(work);
}

std::string NameOfPath(std::string path, std::size_t ending, std::set<std::string>* used) {
  for (char& c : path) c = c == '/' ? '-' : c;
  std::string name = DatasetNameOf(path.substr(0, path.size() - ending));
  if (used->insert(name).second) return name;
  for (char& c : path) c = c == '.' ? '-' : c;
  name = DatasetNameOf(path);
  used->insert(name);
  return name;
}

Result<> ReportLinks(Work& work) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> links;
  std::error_code error;
  fs::recursive_directory_iterator it(work.path, fs::directory_options::skip_permission_denied,
                                      error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored))
      links[it->path().lexically_relative(work.path).generic_string()] =
          fs::read_symlink(it->path(), ignored).generic_string();
  }
  if (error) return SystemError("listing " + work.path, error.value());
  for (const auto& [name, target] : links)
    work.report.NotTaken(name, fmt::format("a link to {}; links are not followed", target));
  return {};
}

}  // namespace gyre::cli::imports
