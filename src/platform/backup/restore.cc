#include "platform/backup/restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <deque>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "platform/backup/coming_folder.h"
#include "platform/backup/reader.h"
#include "platform/blob/blob_store.h"
#include "platform/config/data_directory.h"
#include "platform/db/database_file.h"
#include "platform/exec/files.h"

namespace gyre::backup {
namespace {

constexpr std::int64_t kPage = 1'000;

Error DoNotFit(std::string_view what) {
  return MakeError(Code::kDataLoss, "GY1908", "the parts of the backup do not fit: {}", what)
      .Fix("use another backup")
      .Fix("gyre fsck    (of the data directory that it was made of)");
}

Result<std::unique_ptr<blob::WritableFile>> NewFile(const std::string& path) {
  return blob::RealFileSystem().Create(path);
}

// Nothing of a folder that nobody knows yet need be durable by itself: the whole is, before it gets
// its name (Folder::MoveTo).
class LaterDurable : public blob::FileSystem {
 public:
  Result<std::unique_ptr<blob::WritableFile>> Create(const std::string& path) override {
    GYRE_TRY(auto file, files_.Create(path));
    return std::unique_ptr<blob::WritableFile>(new File(std::move(file)));
  }
  Result<std::unique_ptr<blob::ReadableFile>> Open(const std::string& path) override {
    return files_.Open(path);
  }
  Result<std::optional<blob::FileInfo>> Stat(const std::string& path) override {
    return files_.Stat(path);
  }
  Result<std::vector<std::string>> List(const std::string& directory) override {
    return files_.List(directory);
  }
  Result<> MakeDirectory(const std::string& path) override { return files_.MakeDirectory(path); }
  Result<> Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  Result<> Remove(const std::string& path) override { return files_.Remove(path); }
  Result<> Touch(const std::string& path) override { return files_.Touch(path); }
  Result<> SyncDirectory(const std::string& /*path*/) override { return {}; }

 private:
  class File : public blob::WritableFile {
   public:
    explicit File(std::unique_ptr<blob::WritableFile> file) : file_(std::move(file)) {}
    Result<> Append(std::string_view bytes) override { return file_->Append(bytes); }
    Result<> Sync() override { return {}; }

   private:
    std::unique_ptr<blob::WritableFile> file_;
  };
  blob::FileSystem& files_ = blob::RealFileSystem();
};

// Takes the parts as they come into a folder, or only looks at them: then the folder holds nothing
// but the database.
class PartsToFolder : public PartSink {
 public:
  PartsToFolder(std::string folder, const RestoreSettings& settings, Restored* restored)
      : folder_(std::move(folder)), settings_(settings), restored_(*restored) {}

  Result<> Prepare() {
    if (settings_.directory.empty()) return {};
    GYRE_TRY(store_, blob::OpenLocalStore(folder_ + "/blobs", files_));
    return {};
  }

  Result<> Begin(const Part& part) override {
    if (part.kind == PartKind::kDatabase) {
      GYRE_TRY(file_, NewFile(folder_ + "/gyre.db"));
    } else if (part.kind == PartKind::kFile && store_) {
      GYRE_TRY(file_, NewFile(fmt::format("{}/{}", folder_, part.name)));
      if (::chmod(fmt::format("{}/{}", folder_, part.name).c_str(), 0600) != 0)
        return SystemError("closing a file to others", errno);
    } else if (part.kind == PartKind::kBlob && store_) {
      GYRE_TRY(blob_, store_->NewWriter());
    }
    return {};
  }

  Result<> Data(std::string_view bytes) override {
    if (file_) return file_->Append(bytes);
    return blob_ ? blob_->Append(bytes) : Result<>();
  }

  Result<> End(const Part& part, std::int64_t size) override {
    file_.reset();
    if (blob_) {
      GYRE_TRY([[maybe_unused]] const blob::Object object, blob_->Commit());
      blob_.reset();
    }
    if (part.kind == PartKind::kDatabase) return CheckDatabase();
    if (part.kind == PartKind::kBlob) return Expect(part.name, size);
    return {};
  }

  // All parts have come.
  Result<> CompareWith(const Json& manifest) {
    Json tables = Json::Obj();
    for (const db::TableRows& table : counts_) tables.Set(table.table, table.rows);
    if (!(tables == manifest["database"]["tables"]))
      return DoNotFit("the database has not the rows that were counted");
    GYRE_DO(SkipTo({}));
    std::set<std::string> said;
    for (const Json& one : manifest["missing"].items()) said.insert(one["digest"].AsString());
    for (const std::string& digest : absent_) {
      if (!said.contains(digest)) return DoNotFit("blob " + digest + " is not in it");
    }
    return {};
  }

 private:
  Result<> CheckDatabase() {
    GYRE_TRY(database_, db::OpenDatabaseFile(folder_ + "/gyre.db"));
    GYRE_TRY(const auto problems, database_->IntegrityProblems());
    if (!problems.empty()) return DoNotFit("the database is damaged: " + problems.front());
    GYRE_TRY(restored_.pending, database_->Pending(settings_.schemas));
    GYRE_TRY(counts_, database_->CountRows());
    restored_.tables = std::ssize(counts_);
    for (const db::TableRows& table : counts_) restored_.rows += table.rows;
    return settings_.look ? settings_.look(*database_) : Result<>();
  }

  // What rows refer to comes in the order of the archive.
  Result<bool> Next(blob::Object* object) {
    if (expected_.empty()) {
      std::vector<blob::Object> page;
      GYRE_DO(database_->Read([&](db::Reader& reader) -> Result<> {
        GYRE_TRY(page, blob::ReferencedAfter(reader, last_, kPage));
        return {};
      }));
      if (page.empty()) return false;
      last_ = page.back().digest;
      expected_.assign(page.begin(), page.end());
    }
    *object = expected_.front();
    return true;
  }

  // Those before `digest`, or all when it is empty, are not in the archive.
  Result<> SkipTo(const std::string& digest) {
    for (blob::Object next;;) {
      GYRE_TRY(const bool more, Next(&next));
      if (!more || (!digest.empty() && next.digest >= digest)) return {};
      absent_.push_back(next.digest);
      expected_.pop_front();
    }
  }

  Result<> Expect(const std::string& digest, std::int64_t size) {
    GYRE_DO(SkipTo(digest));
    blob::Object next;
    GYRE_TRY(const bool more, Next(&next));
    if (!more || next.digest != digest) return DoNotFit("no row refers to blob " + digest);
    if (next.size_bytes != size)
      return DoNotFit(fmt::format("blob {} has {} bytes, not {}", digest, size, next.size_bytes));
    expected_.pop_front();
    return {};
  }

  const std::string folder_;
  const RestoreSettings& settings_;
  Restored& restored_;
  LaterDurable files_;
  std::unique_ptr<blob::Store> store_;  // null when we only look
  std::unique_ptr<blob::WritableFile> file_;
  std::unique_ptr<blob::Writer> blob_;
  std::unique_ptr<db::DatabaseFile> database_;
  std::vector<db::TableRows> counts_;
  std::deque<blob::Object> expected_;
  std::string last_;
  std::vector<std::string> absent_;
};

// Without a slash at its end, and where a link points to.
std::string Resolved(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  char resolved[PATH_MAX];
  return ::realpath(directory.c_str(), resolved) != nullptr ? std::string(resolved) : directory;
}

Result<> ReadAll(const RestoreSettings& settings, const std::string& folder, Restored* restored) {
  PartsToFolder parts(folder, settings, restored);
  GYRE_DO(parts.Prepare());
  BackupReader reader(parts);
  GYRE_DO(ReadBackup(settings.file, reader, [&]() -> Result<> {
    return settings.progress ? settings.progress(reader.unpacked_bytes()) : Result<>();
  }));
  restored->about = reader.about();
  restored->manifest = reader.manifest();
  return parts.CompareWith(reader.manifest());
}

}  // namespace

Result<> CheckEmpty(const std::string& directory) {
  const auto names = blob::RealFileSystem().List(directory);
  if (!names && names.error().code() == Code::kNotFound) return {};
  if (!names) return std::move(names).error();
  // With the mark of a restore that has not ended, what is there is of that one.
  const bool half = std::ranges::find(*names, config::kRestoringFolder) != names->end();
  if (half || std::ranges::all_of(*names, [](const auto& name) { return name == kOfTheDisk; }))
    return {};
  return MakeError(Code::kAlreadyExists, "GY1905", "{} is not empty", directory)
      .Why("a restore writes nothing over what is there")
      .Fix("name a new folder: --data DIR")
      .Fix(fmt::format("mv {0} {0}-old    (keeps what is there)", directory));
}

Result<Restored> Restore(const RestoreSettings& settings) {
  Restored restored;
  const auto named = [&](Error error) {
    return settings.file == "-" ? error : std::move(error).Context(settings.file);
  };
  if (settings.directory.empty()) {
    GYRE_TRY(const std::string temporary, exec::MakeTemporaryDirectory());
    const auto read = ReadAll(settings, temporary, &restored);
    static_cast<void>(exec::RemoveTree(temporary).has_value());
    if (!read) return named(read.error());
    return restored;
  }
  const std::string directory = Resolved(settings.directory);
  GYRE_TRY(const auto folder, ComingFolder::Make(directory));
  if (auto read = ReadAll(settings, folder->path(), &restored); !read)
    return named(std::move(read).error());
  GYRE_DO(folder->Become());
  return restored;
}

}  // namespace gyre::backup
