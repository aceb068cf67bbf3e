// A DVC repository: what its .dvc files and dvc.lock named in each commit becomes versions of
// datasets, the oldest first. Data come from the local cache, or from a remote that is a folder.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "base/time.h"
#include "cli/datasets_text.h"
#include "cli/git.h"
#include "cli/imports/importer.h"
#include "cli/output.h"
#include "platform/config/yaml.h"
#include "platform/exec/capture.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::cli::imports {
namespace {

constexpr std::string_view kDirectory = ".dir";
constexpr std::size_t kDigits = 32;  // of an MD5

struct Commit {
  std::string id, date, author;
};
// What DVC kept under one path at one time.
struct Out {
  std::string path, md5;
  std::string remote;  // that it names itself
};

Result<std::string> Git(const Work& work, std::vector<std::string> arguments) {
  auto done = exec::RunAndRead(ReadingGit(work.path, std::move(arguments)), std::size_t{256} << 20);
  if (!done && done.error().code() == Code::kNotFound)
    return Error(done.error()).Why("versions are read from the history of git").Fix("install git");
  if (!done) return done.error();
  if (done->status.code == 0) return std::move(done->output);
  return FailedPrecondition("GY4956", "git could not read {}: {}", work.path,
                            Trim(done->errors).substr(0, 300))
      .Why("versions are read from the history of git; nothing is fetched from its remotes")
      .Fix("is this a repository with commits, and are all of them here? git fsck tells");
}

bool NamesOuts(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "dvc.lock" || (name.ends_with(".dvc") && name != ".dvc");
}

bool IsMd5(std::string_view text) {
  if (text.ends_with(kDirectory)) text.remove_suffix(kDirectory.size());
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// "data/raw.dvc" names its outs from "data".
std::string Beside(const std::string& file, const std::string& path) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? path : file.substr(0, slash + 1) + path;
}

void AddOuts(const std::string& file, const Json& outs, std::vector<Out>* all) {
  for (const Json& out : outs.items()) {
    const std::string& md5 = out["md5"].AsString();
    if (IsMd5(md5))
      all->push_back({Beside(file, out["path"].AsString()), md5, out["remote"].AsString()});
  }
}

std::vector<Out> OutsOf(const std::string& file, const Json& document) {
  std::vector<Out> outs;
  AddOuts(file, document["outs"], &outs);
  for (const auto& [stage, facts] : document["stages"].members())
    AddOuts(file, facts["outs"], &outs);
  return outs;
}

Result<std::vector<Commit>> CommitsOf(const Work& work) {
  GYRE_TRY(const std::string log,
           Git(work, {"log", "--no-ext-diff", "--no-textconv", "--reverse",
                      "--format=%H%x09%aI%x09%an <%ae>", "--", "*.dvc", "*dvc.lock"}));
  std::vector<Commit> commits;
  for (const std::string_view line : Split(log, '\n')) {
    const auto parts = Split(line, '\t');
    if (parts.size() == 3)
      commits.push_back({std::string(parts[0]), std::string(parts[1]), std::string(parts[2])});
  }
  return commits;
}

// The files that name outs and that this commit changed.
Result<std::vector<std::string>> FilesOf(const Work& work, const Commit& commit) {
  GYRE_TRY(const std::string listed,
           Git(work, {"diff-tree", "--no-ext-diff", "--no-textconv", "--root", "-m", "-r", "-z",
                      "--name-only", "--no-commit-id", "--diff-filter=AMRT", commit.id}));
  std::set<std::string> files;
  for (const std::string_view name : Split(listed, '\0')) {
    if (NamesOuts(name)) files.insert(std::string(name));
  }
  return std::vector<std::string>(files.begin(), files.end());
}

// [section], ['remote "name"'] and "key = value", as git writes them too.
std::map<std::string, std::string> ReadIni(const std::string& path) {
  std::map<std::string, std::string> values;
  const auto text = exec::ReadFile(path, 1 << 20);
  if (!text) return values;
  std::string section;
  for (const std::string_view raw : Split(*text, '\n')) {
    const std::string_view line = Trim(raw);
    if (line.starts_with('[')) {
      section.clear();
      for (const char c : line.substr(1)) {
        if (c != '\'' && c != '"' && c != ']') section += c;
      }
      continue;
    }
    const std::size_t equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string_view::npos) continue;
    values[section + "." + std::string(Trim(line.substr(0, equals)))] =
        Trim(line.substr(equals + 1));
  }
  return values;
}

bool IsElsewhere(std::string_view url) { return url.find("://") != std::string_view::npos; }

// Folders that hold files by their MD5, and the remotes that are no folders.
struct Stores {
  std::vector<std::string> folders;
  std::set<std::string> out_of_reach;

  static Stores Of(const std::string& repository) {
    Stores stores;
    const std::string dvc = repository + "/.dvc";
    const auto add = [&](const std::string& path) {
      stores.folders.push_back(path.starts_with('/') ? path : dvc + "/" + path);
    };
    add("cache");
    for (const char* const file : {"/config", "/config.local"}) {
      for (const auto& [key, value] : ReadIni(dvc + file)) {
        const bool is_remote = key.starts_with("remote ") && key.ends_with(".url");
        if (is_remote && IsElsewhere(value)) stores.out_of_reach.insert(value);
        if (key == "cache.dir" || (is_remote && !IsElsewhere(value))) add(value);
      }
    }
    return stores;
  }

  // Where a file lies: by the layout of today, by that before version 3. Empty = nowhere.
  std::string Find(const std::string& md5) const {
    for (const std::string& folder : folders) {
      for (const char* const layout : {"/files/md5/", "/"}) {
        std::string path = folder + layout + md5.substr(0, 2) + "/" + md5.substr(2);
        if (exec::FileExists(path)) return path;
      }
    }
    return {};
  }
};

class Repository {
 public:
  explicit Repository(Work& work) : work_(work), stores_(Stores::Of(work.path)) {}

  Result<> Bring(const Commit& commit, const Out& out) {
    const std::string name =
        fmt::format("{} of {} ({})", out.path, commit.date.substr(0, 10), commit.id.substr(0, 8));
    // The same content in a later commit is the same version.
    const auto [first, is_new] = seen_.try_emplace(KeyOf(out.path, out.md5), name);
    Content& content = contents_[out.path];
    const bool changed = std::exchange(content.now, out.md5) != out.md5;
    if (is_new) content.newest = out.md5;
    if (!is_new && changed) work_.report.There(name, "the same bytes as " + first->second);
    if (!is_new) return {};
    const bool is_folder = out.md5.ends_with(kDirectory);
    if (!is_folder && !table::IsTable(out.path)) {
      work_.report.NotTaken(name, "no table by its name");
      return {};
    }
    DatasetSource source;
    source.upload = stores_.Find(out.md5);
    if (source.upload.empty()) {
      work_.report.NotTaken(name, NowhereText(out));
      return {};
    }
    source.name = name;
    source.dataset = NameOf(out.path);
    source.origin = {"dvc.path", out.path};
    source.key = KeyOf(out.path, out.md5);
    source.filename = out.path.substr(out.path.rfind('/') + 1);
    source.tags = {{"dvc.md5", out.md5},
                   {"git.commit", commit.id},
                   {"git.author", commit.author},
                   {"git.date", commit.date}};
    if (!is_folder) return BringDataset(work_, source);
    return BringFolder(std::move(source));
  }

  // Where history went back, a dataset's newest version is not what is checked out.
  Result<> ReportReverts() {
    for (const auto& [path, content] : contents_) {
      if (content.now == content.newest) continue;
      GYRE_TRY(const Json now, VersionOfKey(work_, NameOf(path), KeyOf(path, content.now)));
      GYRE_TRY(const Json newest, VersionOfKey(work_, NameOf(path), KeyOf(path, content.newest)));
      if (now.is_null() || newest.is_null()) continue;
      work_.report.There(path + " as it is checked out",
                         fmt::format("{}; the newest is {}, so name the version",
                                     now["reference"].AsString(), newest["reference"].AsString()));
    }
    return {};
  }

 private:
  struct Content {
    std::string now, newest;  // MD5: of the last commit, and of the last that was new
  };

  static std::string KeyOf(const std::string& path, const std::string& md5) {
    return fmt::format("dvc:{}:{}", path, md5);
  }

  std::string NowhereText(const Out& out) const {
    std::string text = fmt::format("md5 {} is in no local cache", out.md5);
    for (const std::string& url : stores_.out_of_reach) text += fmt::format(", remote {}", url);
    return text + (stores_.out_of_reach.empty() ? "" : ": dvc fetch --all-commits, then again");
  }

  std::string NameOf(const std::string& path) {
    std::string name = path;
    std::ranges::replace(name, '/', '-');
    return work_.NameHere(path, DatasetNameOf(name));
  }

  // A folder is a list of files, each by its MD5.
  Result<> BringFolder(DatasetSource source) {
    const auto text = exec::ReadFile(source.upload, 256 << 20);
    const auto list = text ? Json::Parse(*text) : Result<Json>(text.error());
    if (!list) {
      work_.report.Failed(source.name, list.error());
      return {};
    }
    std::vector<table::SourceFile> files;
    for (const Json& entry : list->items()) {
      const std::string &md5 = entry["md5"].AsString(), &path = entry["relpath"].AsString();
      const std::string found = IsMd5(md5) ? stores_.Find(md5) : "";
      if (!table::IsTable(path)) {
        work_.report.NotTaken(source.name + "/" + path, "no table by its name");
      } else if (found.empty()) {
        // Half a dataset would pass for the whole.
        work_.report.NotTaken(source.name, fmt::format("its file {} is in no local cache", path));
        return {};
      } else {
        files.push_back({found, path});
      }
    }
    if (files.empty()) return {};
    source.upload = work_.scratch + "/files.tar";
    source.filename = source.dataset + ".tar";
    source.format = "tar";
    GYRE_DO(table::WriteTar(files, source.upload));
    return BringDataset(work_, source);
  }

  Work& work_;
  Stores stores_;
  std::map<std::string, std::string> seen_;  // key -> where it was first
  std::map<std::string, Content> contents_;
};

}  // namespace

bool IsDvc(const std::string& path) { return exec::FileExists(path + "/.dvc/config"); }

Result<> BringDvc(Work& work) {
  if (!IsDvc(work.path))
    return NotFound("GY4957", "{} is no DVC repository", work.path)
        .Why("the folder with .dvc/config is one")
        .Fix("gyre import dvc ROOT_OF_THE_REPOSITORY");
  GYRE_TRY(const auto commits, CommitsOf(work));
  Repository repository(work);
  for (const Commit& commit : commits) {
    GYRE_TRY(const auto files, FilesOf(work, commit));
    for (const std::string& file : files) {
      GYRE_TRY(const std::string text, Git(work, {"cat-file", "blob", commit.id + ":" + file}));
      const auto document = config::ParseYaml(text, file);
      if (!document) {
        work.report.Failed(fmt::format("{} of {}", file, commit.id.substr(0, 8)), document.error());
        continue;
      }
      for (const Out& out : OutsOf(file, *document)) GYRE_DO(repository.Bring(commit, out));
    }
  }
  return repository.ReportReverts();
}

}  // namespace gyre::cli::imports
