#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "base/mutex.h"
#include "base/time.h"
#include "platform/db/database_file.h"
#include "platform/db/dialect.h"
#include "platform/db/migrate.h"
#include "platform/db/sqlite_checks.h"
#include "platform/db/sqlite_connection.h"
#include "platform/db/sqlite_writer.h"
#include "platform/db/write_companion.h"

namespace gyre::db {
namespace {

constexpr std::size_t kSnapshotsKept = 3;

// Databases that this thread is reading just now: a nested call would wait for itself.
thread_local std::vector<const Database*> reading_on_this_thread;

Result<> SyncPath(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return SystemError("opening " + path, errno);
  const bool ok = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!ok) return SystemError("fsync of " + path, error);
  return {};
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(Settings settings, std::unique_ptr<SqliteConnection> writer)
      : settings_(std::move(settings)), writer_(std::move(writer), settings_) {}

  Result<> Write(WriteBody body) override {
    CheckNotInside();
    return WriteCompanion::Write(
        std::move(body), [this](WriteBody whole) { return writer_.Write(std::move(whole)); });
  }

  void WriteLater(WriteBody body, WriteDone done) override {
    CheckNotInside();
    GYRE_CHECK(!WriteCompanion::Waits());
    writer_.WriteLater(std::move(body), std::move(done));
  }

  Result<> Read(const std::function<Result<>(Reader&)>& body) override;
  Result<> Migrate(std::span<const ModuleSchema> schemas) override;
  Result<> BackupTo(const std::string& path) override;
  Result<std::vector<std::string>> IntegrityProblems() override;

 private:
  Result<std::unique_ptr<SqliteConnection>> TakeReader();
  void GiveBack(std::unique_ptr<SqliteConnection> connection);
  Result<> Snapshot();
  void CheckNotInside() const {
    GYRE_CHECK(!writer_.OnThisThread());
    GYRE_CHECK(std::ranges::find(reading_on_this_thread, this) == reading_on_this_thread.end());
  }

  const Settings settings_;
  SqliteWriter writer_;
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<SqliteConnection>> idle_readers_
      GYRE_GUARDED_BY(mutex_);  // end before the writer
  int readers_ GYRE_GUARDED_BY(mutex_) = 0;
};

Result<std::unique_ptr<SqliteConnection>> SqliteDatabase::TakeReader() {
  {
    MutexLock lock(mutex_);
    while (idle_readers_.empty() && readers_ >= settings_.readers_max) returned_.Wait(mutex_);
    if (!idle_readers_.empty()) {
      auto connection = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return connection;
    }
    ++readers_;
  }
  auto connection =
      SqliteConnection::Open(settings_.path, SqliteConnection::Mode::kReader, settings_.vfs);
  if (!connection) GiveBack(nullptr);
  return connection;
}

void SqliteDatabase::GiveBack(std::unique_ptr<SqliteConnection> connection) {
  {
    MutexLock lock(mutex_);
    if (connection) {
      idle_readers_.push_back(std::move(connection));
    } else {
      --readers_;
    }
  }
  returned_.NotifyOne();
}

Result<> SqliteDatabase::Read(const std::function<Result<>(Reader&)>& body) {
  CheckNotInside();
  GYRE_TRY(auto connection, TakeReader());
  struct Scope {  // also when the body throws
    SqliteDatabase* database;
    std::unique_ptr<SqliteConnection> connection;
    ~Scope() {
      std::erase(reading_on_this_thread, database);
      // A connection that cannot end its snapshot would hold back every checkpoint.
      if (connection->in_transaction() && !connection->Run("ROLLBACK")) connection.reset();
      database->GiveBack(std::move(connection));
    }
  } scope{this, std::move(connection)};
  reading_on_this_thread.push_back(this);
  GYRE_DO(scope.connection->Run("BEGIN"));
  ConnectionReader reader(*scope.connection);
  return body(reader);
}

Result<> SqliteDatabase::Migrate(std::span<const ModuleSchema> schemas) {
  const std::int64_t now_us = SystemClock().NowMicros();
  std::vector<PendingMigration> pending;
  bool holds_data = false;
  GYRE_DO(Write([&](Transaction& tx) -> Result<> {
    GYRE_TRY(const auto applied, AppliedMigrations(tx, SqliteDialect()));
    GYRE_TRY(pending, PlanMigrations(applied, schemas));
    holds_data = !applied.empty();
    return {};
  }));
  if (pending.empty()) return {};
  if (holds_data && settings_.snapshot_before_migration) GYRE_DO(Snapshot());
  GYRE_DO(Write(
      [&](Transaction& tx) { return ApplyMigrations(tx, SqliteDialect(), pending, now_us); }));
  if (!holds_data) return {};
  GYRE_TRY(const auto problems, IntegrityProblems());
  if (!problems.empty()) {
    return Error(Code::kDataLoss, "GY1405",
                 fmt::format("the database {} is damaged: {}", settings_.path, problems.front()))
        .Fix("restore the snapshot that was made before this start (folder snapshots)");
  }
  return {};
}

Result<> SqliteDatabase::Snapshot() {
  namespace fs = std::filesystem;
  const fs::path directory = fs::path(settings_.path).parent_path() / kSnapshotFolder;
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return SystemError("making " + directory.string(), error.value());
  const std::string stem = fs::path(settings_.path).stem().string() + "-";
  GYRE_DO(BackupTo(directory / fmt::format("{}{}.db", stem, SystemClock().NowMicros())));
  const auto snapshots = SnapshotsOf(settings_.path);
  for (std::size_t i = 0; i + kSnapshotsKept < snapshots.size(); ++i)
    fs::remove(snapshots[i].path, error);
  return {};
}

Result<> SqliteDatabase::BackupTo(const std::string& path) {
  const std::string partial = path + ".partial";
  std::remove(partial.c_str());
  const auto copy = [&]() -> Result<> {
    GYRE_TRY(auto source, SqliteConnection::Open(settings_.path, SqliteConnection::Mode::kReader,
                                                 settings_.vfs));
    GYRE_TRY(auto target, SqliteConnection::Open(partial, SqliteConnection::Mode::kBackup, ""));
    GYRE_DO(source->CopyTo(*target));
    GYRE_TRY(const auto problems, Problems(*target, "quick_check(5)"));
    if (problems.empty()) return {};
    return Error(Code::kDataLoss, "GY1405",
                 fmt::format("the copy {} of the database is damaged: {}", path, problems.front()))
        .Fix("check the database with `gyre fsck`");
  };
  if (auto copied = copy(); !copied) {
    std::remove(partial.c_str());
    return std::move(copied).error();
  }
  GYRE_DO(SyncPath(partial, O_RDONLY));
  if (std::rename(partial.c_str(), path.c_str()) != 0)
    return SystemError("renaming " + partial, errno);
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return SyncPath(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
}

Result<std::vector<std::string>> SqliteDatabase::IntegrityProblems() {
  // A connection of its own: pages that others have cached must not hide what is on the disk.
  GYRE_TRY(auto connection,
           SqliteConnection::Open(settings_.path, SqliteConnection::Mode::kReader, settings_.vfs));
  return WholeIntegrityProblems(*connection);
}

Result<> CheckFileSystem(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  struct statfs info;
  if (statfs(directory.empty() ? "." : directory.c_str(), &info) != 0) {
    return Error(Code::kPermissionDenied, "GY1415",
                 fmt::format("the folder {} cannot be opened: {}", directory,
                             SystemError("statfs", errno).message()));
  }
  const std::string_view name = NetworkFileSystemName(info.f_type);
  if (name.empty()) return {};
  return FailedPrecondition("GY1404", "the database {} would stand on {}", path, name)
      .Why("a write-ahead log is damaged on network and user-space file systems")
      .Fix("put the data directory on a local disk: gyre server --data DIR");
}

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(Settings settings) {
  if (settings.vfs.empty()) GYRE_DO(CheckFileSystem(settings.path));
  GYRE_TRY(auto writer,
           SqliteConnection::Open(settings.path, SqliteConnection::Mode::kWriter, settings.vfs));
  // Reads the header and the list of tables: a file that is no database is told now, not at the
  // first request.
  GYRE_DO(writer->Query("SELECT count(*) FROM sqlite_master", {},
                        [](const Row&) -> Result<> { return {}; }));
  return std::unique_ptr<Database>(
      std::make_unique<SqliteDatabase>(std::move(settings), std::move(writer)));
}

}  // namespace gyre::db
