#include "platform/db/sqlite_checks.h"

#include <filesystem>

#include "base/shell.h"

namespace gyre::db {

Result<std::vector<std::string>> Problems(SqliteConnection& connection, std::string_view check) {
  std::vector<std::string> problems;
  auto checked =
      connection.Query(fmt::format("PRAGMA {}", check), {}, [&](const Row& row) -> Result<> {
        if (row.Text(0) != "ok") problems.push_back(row.Str(0));
        return {};
      });
  if (!checked && checked.error().code() == Code::kDataLoss) {
    problems.push_back(checked.error().message());
  } else if (!checked) {
    return std::move(checked).error();
  }
  return problems;
}

Error DamagedError(const std::string& path, std::string_view problem) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return Error(Code::kDataLoss, "GY1405",
               fmt::format("the database {} is damaged or no database: {}", path, problem))
      .Why("something other than gyre has changed the file: a disk, a copy that was cut short")
      .Fix("gyre restore BACKUP --data NEW    (makes a new data directory of a backup)")
      .Fix(fmt::format("gyre fsck --repair --data {}    (mends what only indexes have lost)",
                       ShellWord(directory)));
}

Result<std::vector<std::string>> WholeIntegrityProblems(SqliteConnection& connection) {
  GYRE_TRY(auto problems, Problems(connection, "integrity_check"));
  if (!problems.empty()) return problems;
  GYRE_DO(connection.Query("PRAGMA foreign_key_check", {}, [&](const Row& row) -> Result<> {
    problems.push_back(fmt::format("row {} of {} refers to a row of {} that is not there",
                                   row.Int(1), row.Text(0), row.Text(2)));
    return {};
  }));
  return problems;
}

}  // namespace gyre::db
