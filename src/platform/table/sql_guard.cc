#include "platform/table/sql_guard.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace gyre::table {

namespace {

// Views and functions of the catalogue by name; those that begin with duckdb_ or pragma_ likewise.
constexpr std::string_view kCatalog[] = {
    "current_setting",    "getenv",     "sqlite_master", "sqlite_schema", "sqlite_temp_master",
    "information_schema", "pg_catalog", "pg_settings",   "pg_views",      "pg_class",
    "which_secret",       "query_table"};

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The text behind a comment or a literal that begins at `at`; `at` itself where none does.
std::size_t Behind(std::string_view sql, std::size_t at) {
  const auto end_of = [&](std::string_view end, std::size_t from) {
    const std::size_t found = sql.find(end, from);
    return found == std::string_view::npos ? sql.size() : found + end.size();
  };
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with("--")) return end_of("\n", at);
  if (rest.starts_with("/*")) return end_of("*/", at + 2);
  if (rest.front() != '\'') return at;
  const bool escapes = at > 0 && (sql[at - 1] == 'e' || sql[at - 1] == 'E');
  std::size_t i = at + 1;
  for (; i < sql.size() && sql[i] != '\''; ++i) {
    if (escapes && sql[i] == '\\') ++i;
  }
  return std::min(i + 1, sql.size());
}

bool IsCalled(std::string_view sql, std::size_t at) {
  for (; at < sql.size(); ++at) {
    const std::size_t behind = Behind(sql, at);
    if (behind != at) {
      at = behind - 1;
    } else if (sql[at] == '(') {
      return true;
    } else if (sql[at] != '"' && sql[at] > ' ') {
      return false;
    }
  }
  return false;
}

bool IsCatalog(std::string_view word) {
  return word.starts_with("duckdb_") || word.starts_with("pragma_") ||
         std::find(std::begin(kCatalog), std::end(kCatalog), word) != std::end(kCatalog);
}

}  // namespace

Result<> CheckSqlWords(std::string_view sql) {
  bool first = true;
  for (std::size_t at = 0; at < sql.size();) {
    if (const std::size_t behind = Behind(sql, at); behind != at) {
      at = behind;
      continue;
    }
    if (!IsWord(sql[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < sql.size() && IsWord(sql[end])) ++end;
    const std::string word = ToLower(sql.substr(at, end - at));
    const bool hidden_sql = word == "query" && IsCalled(sql, end);
    if ((first && (word == "pragma" || word == "show" || word == "call")) || hidden_sql ||
        IsCatalog(word)) {
      return MakeError(Code::kPermissionDenied, "GY2018", "a query may not use `{}`", word)
          .Why("a query reads datasets; settings and the catalogue belong to the server")
          .Fix("gyre datasets ls")
          .Fix("gyre datasets show NAME");
    }
    first = false;
    at = end;
  }
  return {};
}

}  // namespace gyre::table
