// What is asked of a connection in more than one place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/db/sqlite_connection.h"

namespace gyre::db {

inline constexpr std::string_view kSnapshotFolder = "snapshots";

class ConnectionReader : public Reader {
 public:
  explicit ConnectionReader(SqliteConnection& connection) : connection_(connection) {}
  Result<> Query(std::string_view sql, Params params, const RowCallback& row) override {
    return connection_.Query(sql, {params.begin(), params.size()}, row);
  }
  Result<> QueryList(std::string_view sql, std::span<const Value> params,
                     const RowCallback& row) override {
    return connection_.Query(sql, params, row);
  }

 private:
  SqliteConnection& connection_;
};

// `check`: "quick_check(5)", "integrity_check". Damage is an answer, not an error.
Result<std::vector<std::string>> Problems(SqliteConnection& connection, std::string_view check);
// GY1405, and what to do about it.
Error DamagedError(const std::string& path, std::string_view problem);
// Every page, every index, every reference between rows.
Result<std::vector<std::string>> WholeIntegrityProblems(SqliteConnection& connection);

}  // namespace gyre::db
