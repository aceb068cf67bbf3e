// One SQLite connection: the wall in front of sqlite3.h. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/db/database.h"

struct sqlite3;
struct sqlite3_stmt;

namespace gyre::db {

// What is under `path` when it is a network or user-space file system, on which the write-ahead log
// corrupts; else empty.
std::string_view NetworkFileSystemName(std::int64_t statfs_type);

class SqliteConnection {
 public:
  enum class Mode { kWriter, kReader, kBackup };
  static Result<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Mode mode,
                                                        const std::string& vfs);
  ~SqliteConnection();

  Result<> Query(std::string_view sql, std::span<const Value> params,
                 const Reader::RowCallback& row);
  Result<> Execute(std::string_view sql, std::span<const Value> params);
  Result<> Run(std::string_view sql) { return Execute(sql, {}); }
  std::int64_t last_insert_id() const;
  std::int64_t changes() const;
  bool in_transaction() const;
  void EndWhen(std::function<bool()> stop);  // asked while a statement runs; may be empty

  // Copies the whole database as of one moment into `target`, which must be empty.
  Result<> CopyTo(SqliteConnection& target);
  enum class Checkpoint { kPassive, kTruncate };
  Result<> RunCheckpoint(Checkpoint kind);
  std::int64_t wal_bytes() const { return wal_pages_ * page_bytes_; }

 private:
  SqliteConnection(std::string path, Mode mode) : path_(std::move(path)), mode_(mode) {}
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  class Lease;

  Result<> Configure();
  Result<sqlite3_stmt*> Prepare(std::string_view sql, bool keep);
  void ForgetLongestUnused();
  Result<> Bind(sqlite3_stmt* statement, std::span<const Value> params, std::string_view sql);
  Result<> Step(std::string_view sql, std::span<const Value> params,
                const Reader::RowCallback* row);
  Error Fail(int rc, std::string_view doing) const;

  std::string path_;
  Mode mode_;
  sqlite3* handle_ = nullptr;
  struct Kept {
    sqlite3_stmt* statement = nullptr;
    std::uint64_t used = 0;  // when, counted in uses
  };
  std::unordered_map<std::string, Kept, TextHash, std::equal_to<>> statements_;
  std::uint64_t uses_ = 0;
  std::function<bool()> stop_;
  std::int64_t wal_pages_ = 0;
  std::int64_t page_bytes_ = 4096;
};

}  // namespace gyre::db
