// SQLite: tables are STRICT, so that a column holds what it says, as in PostgreSQL; 64-bit integers
// are called INTEGER.
#include <cctype>

#include "base/text.h"
#include "platform/db/dialect.h"

namespace gyre::db {
namespace {

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Length of the quoted text, comment, word or single character at the start of `sql`.
std::size_t TokenLength(std::string_view sql) {
  const char first = sql[0];
  if (first == '\'' || first == '"') {
    std::size_t i = 1;
    while (i < sql.size() && sql[i] != first) ++i;
    return std::min(i + 1, sql.size());
  }
  if (sql.starts_with("--")) return std::min(sql.find('\n'), sql.size());
  if (sql.starts_with("/*")) {
    const std::size_t end = sql.find("*/");
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  if (!IsWordCharacter(first)) return 1;
  std::size_t i = 1;
  while (i < sql.size() && IsWordCharacter(sql[i])) ++i;
  return i;
}

bool IsComment(std::string_view token) {
  return token.starts_with("--") || token.starts_with("/*");
}

class SqliteDialectImpl : public Dialect {
 public:
  std::string_view name() const override { return "sqlite"; }

  Result<std::string> Schema(std::string_view statement) const override {
    std::string out;
    int word = 0;
    bool create = false, create_table = false, as_select = false, clustered = false;
    while (!statement.empty()) {
      const std::string_view token = statement.substr(0, TokenLength(statement));
      statement.remove_prefix(token.size());
      if (IsWordCharacter(token[0])) {
        ++word;
        if (word == 1) create = EqualsIgnoreCase(token, "create");
        if (word == 2) create_table = create && EqualsIgnoreCase(token, "table");
        if (create_table && EqualsIgnoreCase(token, "select")) as_select = true;
        if (create && word == 2 && EqualsIgnoreCase(token, "trigger")) {
          return Internal("GY1407", "a migration makes a trigger; triggers are not portable");
        }
        for (const std::string_view foreign : {"deferrable", "rowid", "strict", "autoincrement"}) {
          if (EqualsIgnoreCase(token, foreign)) {
            return Internal("GY1407", "a migration says {}, which is not portable", token);
          }
        }
        if (create_table && EqualsIgnoreCase(token, "clustered")) {
          clustered = true;
          continue;
        }
        if (EqualsIgnoreCase(token, "bigint")) {
          out += "INTEGER";
          continue;
        }
      }
      out += token;
    }
    if (create_table && !as_select) out += clustered ? " WITHOUT ROWID, STRICT" : " STRICT";
    return out;
  }
};

}  // namespace

std::vector<std::string> SplitStatements(std::string_view sql) {
  std::vector<std::string> statements;
  std::string current;
  const auto finish = [&] {
    if (const std::string_view text = Trim(current); !text.empty()) statements.emplace_back(text);
    current.clear();
  };
  while (!sql.empty()) {
    const std::string_view token = sql.substr(0, TokenLength(sql));
    sql.remove_prefix(token.size());
    if (token == ";") {
      finish();
    } else if (IsComment(token)) {
      current += ' ';
    } else {
      current += token;
    }
  }
  finish();
  return statements;
}

const Dialect& SqliteDialect() {
  static const SqliteDialectImpl dialect;
  return dialect;
}

}  // namespace gyre::db
