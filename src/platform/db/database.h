// The metadata store. One interface; SQLite behind it, PostgreSQL plugs in beside it.
//
// Writes are closures that run on the one writer thread inside a transaction shared with other
// waiting callers (group commit): each closure stands in its own savepoint, so that a failing one
// does not sink its neighbours. Write() returns after the fsync that covers the closure: an answer
// means durable. A closure does no file, network, JSON or numeric work and stays under 5 ms. Reads
// run on the caller's thread on a read-only connection with one snapshot per Read(). Thread-safe. A
// closure must not call Write or Read of the same database (GYRE_CHECK).
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "platform/db/schema.h"

namespace gyre::db {

struct Bytes {  // a blob parameter
  std::string_view data;
};

// A bound parameter; points at the caller's text. Text must be valid UTF-8 (GY1409).
// std::optional<...> empty, nullptr and NaN bind NULL.
class Value {
 public:
  Value(std::nullptr_t) {}                                    // NOLINT(google-explicit-constructor)
  Value(bool v) : v_(std::int64_t{v}) {}                      // NOLINT
  Value(int v) : v_(std::int64_t{v}) {}                       // NOLINT
  Value(std::int64_t v) : v_(v) {}                            // NOLINT
  Value(std::size_t v) : v_(static_cast<std::int64_t>(v)) {}  // NOLINT
  Value(double v) : v_(v) {}                                  // NOLINT
  Value(std::string_view v) : v_(v) {}                        // NOLINT
  Value(const std::string& v) : v_(std::string_view(v)) {}    // NOLINT
  Value(const char* v) : v_(std::string_view(v)) {}           // NOLINT
  Value(Bytes v) : v_(v) {}                                   // NOLINT
  template <class T>
  Value(const std::optional<T>& v) {  // NOLINT
    if (v) *this = Value(*v);
  }
  using Variant = std::variant<std::monostate, std::int64_t, double, std::string_view, Bytes>;
  const Variant& variant() const { return v_; }

 private:
  Variant v_;
};
using Params = std::initializer_list<Value>;

// One result row, valid during the callback only. Columns count from 0. NULL reads as 0, 0.0, "".
class Row {
 public:
  virtual ~Row() = default;
  virtual bool IsNull(int column) const = 0;
  virtual std::int64_t Int(int column) const = 0;
  virtual double Real(int column) const = 0;
  virtual std::string_view Text(int column) const = 0;  // also blobs, as bytes
  std::string Str(int column) const { return std::string(Text(column)); }
  bool Bool(int column) const { return Int(column) != 0; }
};

// SQL uses ?1, ?2, ... for parameters; never build it from user text. Statements are prepared once
// and kept by their text.
class Reader {
 public:
  virtual ~Reader() = default;
  using RowCallback = std::function<Result<>(const Row&)>;
  // Calls back per row, stops at the first error and returns it.
  virtual Result<> Query(std::string_view sql, Params params, const RowCallback& row) = 0;
  virtual Result<> QueryList(std::string_view sql, std::span<const Value> params,
                             const RowCallback& row) = 0;
  // The first row through `row`; false when there is none.
  Result<bool> QueryOne(std::string_view sql, Params params,
                        const std::function<void(const Row&)>& row);
};

class Transaction : public Reader {
 public:
  // Errors: kAlreadyExists GY1402 for a broken UNIQUE or primary key, kFailedPrecondition GY1403
  // for a broken FOREIGN KEY or CHECK.
  virtual Result<> Execute(std::string_view sql, Params params) = 0;
  virtual Result<> ExecuteList(std::string_view sql, std::span<const Value> params) = 0;
  virtual std::int64_t last_insert_id() const = 0;  // integer primary key of the last INSERT
  virtual std::int64_t changes() const = 0;         // rows of the last Execute
  // Runs after this transaction is durable, on the writer thread; must be quick (wake somebody up).
  virtual void AfterCommit(std::move_only_function<void()> then) = 0;
};

struct Settings {
  std::string path = {};        // file; its directory must exist and be on a local file system
  int readers_max = 8;          // read-only connections
  int queue_length_max = 4096;  // waiting writers; beyond: kResourceExhausted GY1401
  int batch_length_max = 1024;  // closures in one commit
  std::string vfs = {};         // name of an SQLite VFS, for fault injection
  bool snapshot_before_migration = true;
};

class Database {
 public:
  virtual ~Database() = default;
  using WriteBody = std::move_only_function<Result<>(Transaction&)>;
  // Errors: those of the closure; kResourceExhausted GY1401 queue full; kOutOfSpace GY1003 disk
  // full (the database goes on reading); an fsync error aborts the process, because what the kernel
  // kept is unknown.
  virtual Result<> Write(WriteBody body) = 0;
  // The same without waiting. `done` is told the outcome once: by the writer thread when the change
  // is durable or failed, by this one when it cannot be tried. It must be quick, must not throw,
  // and must not write or read (GYRE_CHECK); nothing may ride along (write_companion.h,
  // GYRE_CHECK).
  using WriteDone = std::move_only_function<void(Result<>)>;
  virtual void WriteLater(WriteBody body, WriteDone done) = 0;
  virtual Result<> Read(const std::function<Result<>(Reader&)>& body) = 0;

  // Brings every module to its newest schema; a verified snapshot (DIR/snapshots/) is made before
  // the first change of a database that holds data. Errors: kFailedPrecondition GY1410 when the
  // database has a migration this program does not know (named), kDataLoss GY1411 when an applied
  // migration's text has changed.
  virtual Result<> Migrate(std::span<const ModuleSchema> schemas) = 0;
  virtual Result<> BackupTo(const std::string& path) = 0;            // online
  virtual Result<std::vector<std::string>> IntegrityProblems() = 0;  // empty = sound
};

// Errors: kFailedPrecondition GY1404 on a network file system, kDataLoss GY1405 when the file is no
// database or is damaged, kPermissionDenied GY1415 when it cannot be opened.
Result<std::unique_ptr<Database>> OpenSqlite(Settings settings);

// Text of a transaction's values that outlives the closure: helpers for callers.
template <class T>
Result<std::vector<T>> Collect(Reader& reader, std::string_view sql, Params params,
                               const std::function<T(const Row&)>& make) {
  std::vector<T> items;
  GYRE_DO(reader.Query(sql, params, [&](const Row& row) -> Result<> {
    items.push_back(make(row));
    return {};
  }));
  return items;
}

}  // namespace gyre::db
