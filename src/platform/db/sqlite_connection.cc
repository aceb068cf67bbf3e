#include "platform/db/sqlite_connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "platform/db/read_budget.h"
#include "platform/db/sqlite_checks.h"

namespace gyre::db {
namespace {

constexpr std::size_t kStatementsKeptMax = 512;
constexpr int kReaderBusyTimeoutMs = 5'000;

class SqliteRow : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool IsNull(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  std::int64_t Int(int column) const override { return sqlite3_column_int64(statement_, column); }
  double Real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view Text(int column) const override {
    const void* data = sqlite3_column_type(statement_, column) == SQLITE_BLOB
                           ? sqlite3_column_blob(statement_, column)
                           : sqlite3_column_text(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return data ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size))
                : std::string_view();
  }

 private:
  sqlite3_stmt* statement_;
};

bool IsSyncFailure(int rc) { return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC; }

// After a failed fsync the kernel may have dropped the pages and called them clean: whatever we
// would say next could be a lie.
[[noreturn]] void AbortOnSyncFailure(const std::string& path, std::string_view message) {
  fmt::print(stderr,
             "GY1414 fsync of the database {} failed ({}): what reached the disk is unknown, so "
             "this process "
             "ends; start it again and it continues from what is durable\n",
             path, message);
  std::fflush(stderr);
  std::abort();
}

int BindValue(sqlite3_stmt* statement, int index, const Value& value) {
  struct Visitor {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t v) const { return sqlite3_bind_int64(statement, index, v); }
    int operator()(double v) const { return sqlite3_bind_double(statement, index, v); }
    int operator()(std::string_view v) const {
      return sqlite3_bind_text64(statement, index, v.data() ? v.data() : "", v.size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
    }
    int operator()(const Bytes& v) const {
      if (v.data.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
      return sqlite3_bind_blob64(statement, index, v.data.data(), v.data.size(), SQLITE_STATIC);
    }
  };
  return std::visit(Visitor{statement, index}, value.variant());
}

}  // namespace

std::string_view NetworkFileSystemName(std::int64_t statfs_type) {
  switch (statfs_type & 0xFFFFFFFF) {
    case 0x6969:
      return "NFS";
    case 0x517B:
      return "SMB";
    case 0xFF534D42:
      return "CIFS";
    case 0xFE534D42:
      return "SMB2";
    case 0x01021997:
      return "9P";
    case 0x5346414F:
      return "AFS";
    case 0x00C36400:
      return "Ceph";
    case 0x73757245:
      return "Coda";
    case 0x7461636F:
      return "OCFS2";
    case 0x0BD00BD0:
      return "Lustre";
    case 0x47504653:
      return "GPFS";
    case 0x65735546:
      return "FUSE";
    default:
      return {};
  }
}

// --- one statement in use ----------------------------------------------------------------------

// Gives a kept statement back clean, and ends one that was made for this use only.
class SqliteConnection::Lease {
 public:
  Lease(sqlite3_stmt* statement, bool kept) : statement_(statement), kept_(kept) {}
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (kept_) {
      sqlite3_reset(statement_);
      sqlite3_clear_bindings(statement_);
    } else {
      sqlite3_finalize(statement_);
    }
  }

 private:
  sqlite3_stmt* statement_;
  bool kept_;
};

// --- connection ----------------------------------------------------------------------------------

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path, Mode mode,
                                                                 const std::string& vfs) {
  static const int configured =
      sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // a lock per allocation less
  static_cast<void>(configured);
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, mode));
  const int flags =
      SQLITE_OPEN_NOMUTEX |
      (mode == Mode::kReader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  const int rc = sqlite3_open_v2(path.c_str(), &connection->handle_, flags,
                                 vfs.empty() ? nullptr : vfs.c_str());
  if (rc != SQLITE_OK) return connection->Fail(rc, "opening the database");
  sqlite3_extended_result_codes(connection->handle_, 1);
  GYRE_DO(connection->Configure());
  return connection;
}

Result<> SqliteConnection::Configure() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  GYRE_DO(Run("PRAGMA cell_size_check=ON"));
  GYRE_DO(Run("PRAGMA mmap_size=0"));
  GYRE_DO(Run("PRAGMA temp_store=MEMORY"));
  if (mode_ == Mode::kReader) {
    sqlite3_busy_timeout(handle_, kReaderBusyTimeoutMs);
    EndWhen([] { return ReadBudget::Spent(); });
    GYRE_DO(Run("PRAGMA cache_size=-4096"));
    return Run("PRAGMA query_only=ON");
  }
  if (mode_ == Mode::kBackup) {
    GYRE_DO(Run("PRAGMA synchronous=FULL"));
    return {};
  }
  std::string journal;
  GYRE_DO(Query("PRAGMA journal_mode=WAL", {}, [&](const Row& row) -> Result<> {
    journal = row.Str(0);
    return {};
  }));
  if (journal != "wal") {
    return FailedPrecondition("GY1404", "{} cannot be used with a write-ahead log here", path_)
        .Why("the file system does not support shared memory between connections")
        .Fix("put the data directory on a local disk");
  }
  GYRE_DO(Run("PRAGMA synchronous=FULL"));
  GYRE_DO(Run("PRAGMA cache_size=-24576"));
  GYRE_DO(Run("PRAGMA journal_size_limit=67108864"));
  GYRE_DO(Query("PRAGMA page_size", {}, [&](const Row& row) -> Result<> {
    page_bytes_ = row.Int(0);
    return {};
  }));
  // The hook takes the place of automatic checkpoints: the writer decides when.
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteConnection*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return {};
}

SqliteConnection::~SqliteConnection() {
  for (auto& [text, kept] : statements_) sqlite3_finalize(kept.statement);
  sqlite3_close_v2(handle_);
}

Error SqliteConnection::Fail(int rc, std::string_view doing) const {
  const std::string message = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(rc);
  if (IsSyncFailure(rc) && mode_ == Mode::kWriter) AbortOnSyncFailure(path_, message);
  const int system_errno = handle_ ? sqlite3_system_errno(handle_) : 0;
  if ((rc & 0xFF) == SQLITE_FULL ||
      ((rc & 0xFF) == SQLITE_IOERR && (system_errno == EDQUOT || system_errno == ENOSPC))) {
    return Error(Code::kOutOfSpace, "GY1003",
                 fmt::format("no space left for the database {}", path_))
        .Why("nothing of this change was kept; reading goes on")
        .Fix("free disk space, then try again; no restart is needed");
  }
  switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return Error(Code::kAlreadyExists, "GY1402", "it exists already: " + message);
    default:
      break;
  }
  switch (rc & 0xFF) {
    case SQLITE_CONSTRAINT:
      return FailedPrecondition("GY1403", "the change breaks a rule of the database: {}", message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return DamagedError(path_, message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Code::kUnavailable, "GY1406",
                   fmt::format("the database {} is used by another program", path_));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return Error(Code::kPermissionDenied, "GY1415",
                   fmt::format("the database {} cannot be opened for {}: {}", path_,
                               (rc & 0xFF) == SQLITE_READONLY ? "writing" : "use", message))
          .Fix("check that its folder exists and that you may write there");
    case SQLITE_IOERR:
      return Internal(
          "GY1408", "reading or writing the database {} failed: {}{}", path_, message,
          system_errno
              ? fmt::format(" ({})", SystemError("the system says", system_errno).message())
              : "");
    default:
      return Internal("GY1407", "{}: {}", doing, message);
  }
}

Result<sqlite3_stmt*> SqliteConnection::Prepare(std::string_view sql, bool keep) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int rc = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                    keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, &tail);
  if (rc != SQLITE_OK) return Fail(rc, sql);
  const std::string_view rest = Trim(sql.substr(static_cast<std::size_t>(tail - sql.data())));
  if (!statement || !(rest.empty() || rest == ";")) {
    sqlite3_finalize(statement);
    return Internal("GY1407", "one statement at a time: {}", sql);
  }
  return statement;
}

Result<> SqliteConnection::Bind(sqlite3_stmt* statement, std::span<const Value> params,
                                std::string_view sql) {
  if (std::ssize(params) != sqlite3_bind_parameter_count(statement)) {
    return Internal("GY1407", "{} values for {} parameters: {}", params.size(),
                    sqlite3_bind_parameter_count(statement), sql);
  }
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto* text = std::get_if<std::string_view>(&params[i].variant());
    if (text && !IsValidUtf8(*text)) {
      return InvalidArgument("GY1409", "text that is to be stored is not valid UTF-8");
    }
    const int rc = BindValue(statement, static_cast<int>(i) + 1, params[i]);
    if (rc != SQLITE_OK) return Fail(rc, sql);
  }
  return {};
}

// Searches come in ever new shapes; what is asked all the time stays.
void SqliteConnection::ForgetLongestUnused() {
  auto oldest = statements_.end();
  for (auto i = statements_.begin(); i != statements_.end(); ++i) {
    if (sqlite3_stmt_busy(i->second.statement)) continue;
    if (oldest == statements_.end() || i->second.used < oldest->second.used) oldest = i;
  }
  if (oldest == statements_.end()) return;
  sqlite3_finalize(oldest->second.statement);
  statements_.erase(oldest);
}

Result<> SqliteConnection::Step(std::string_view sql, std::span<const Value> params,
                                const Reader::RowCallback* row) {
  sqlite3_stmt* statement = nullptr;
  const auto kept = statements_.find(sql);
  bool keep = true;
  if (kept != statements_.end() && !sqlite3_stmt_busy(kept->second.statement)) {
    statement = kept->second.statement;
    kept->second.used = ++uses_;
  } else {
    // The kept one may be being read by a caller further up: then this one is for once.
    keep = kept == statements_.end();
    GYRE_TRY(statement, Prepare(sql, keep));
    if (keep) {
      if (statements_.size() >= kStatementsKeptMax) ForgetLongestUnused();
      statements_.emplace(sql, Kept{.statement = statement, .used = ++uses_});
    }
  }
  const Lease lease(statement, keep);
  GYRE_DO(Bind(statement, params, sql));
  const SqliteRow current(statement);
  constexpr std::uint64_t kRowsBetween = 16;
  for (std::uint64_t rows = 0;; ++rows) {
    if (row && mode_ == Mode::kReader && rows % kRowsBetween == 0) GYRE_DO(ReadBudget::Check());
    const int rc = sqlite3_step(statement);
    if (rc == SQLITE_DONE) return {};
    if (rc == SQLITE_INTERRUPT) GYRE_DO(ReadBudget::Check());
    if (rc != SQLITE_ROW) return Fail(rc, sql);
    if (row) GYRE_DO((*row)(current));
  }
}

Result<> SqliteConnection::Query(std::string_view sql, std::span<const Value> params,
                                 const Reader::RowCallback& row) {
  return Step(sql, params, &row);
}

Result<> SqliteConnection::Execute(std::string_view sql, std::span<const Value> params) {
  return Step(sql, params, nullptr);
}

void SqliteConnection::EndWhen(std::function<bool()> stop) {
  constexpr int kStepsBetween = 1'000;
  stop_ = std::move(stop);
  if (!stop_) return sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
  sqlite3_progress_handler(
      handle_, kStepsBetween,
      [](void* self) { return static_cast<SqliteConnection*>(self)->stop_() ? 1 : 0; }, this);
}

std::int64_t SqliteConnection::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t SqliteConnection::changes() const { return sqlite3_changes64(handle_); }
bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Result<> SqliteConnection::CopyTo(SqliteConnection& target) {
  sqlite3_backup* backup = sqlite3_backup_init(target.handle_, "main", handle_, "main");
  if (!backup) return target.Fail(sqlite3_extended_errcode(target.handle_), "copying the database");
  const int rc = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (rc != SQLITE_DONE) return target.Fail(rc, "copying the database");
  return target.Run("PRAGMA journal_mode=DELETE");  // one file, without a log beside it
}

Result<> SqliteConnection::RunCheckpoint(Checkpoint kind) {
  int log_pages = 0, done_pages = 0;
  const int rc = sqlite3_wal_checkpoint_v2(
      handle_, "main",
      kind == Checkpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE,
      &log_pages, &done_pages);
  if (rc == SQLITE_OK || rc == SQLITE_BUSY) {  // busy: readers still need the rest; later
    if (log_pages == done_pages) wal_pages_ = 0;
    return {};
  }
  return Fail(rc, "moving the log into the database");
}

}  // namespace gyre::db
