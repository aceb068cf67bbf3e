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
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBeyondAscii(char c) { return static_cast<unsigned char>(c) >= 0x80; }

enum class Kind : unsigned char { kWord, kName, kText, kComment, kOther, kUnclear };

struct Token {
  Kind kind;
  std::size_t begin, end;
};

// Cuts SQL as DuckDB does. Where DuckDB may cut otherwise than it looks (`1e'`, `a$$`, `U&"`), the
// token is unclear and the query is refused: a text that ends elsewhere would hide words.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : sql_(sql) {}

  Token At(std::size_t at) const {
    const std::string_view rest = sql_.substr(at);
    if (rest.starts_with("--"))
      return {Kind::kComment, at, std::min(sql_.find_first_of("\r\n", at), sql_.size())};
    if (rest.starts_with("/*")) return {Kind::kComment, at, BehindComment(at)};
    if (rest[0] == '\'') return Text(at, at, false);
    if (rest[0] == '"') return {Kind::kName, at, BehindQuote(at, '"', false)};
    if (rest[0] == '$') return Dollar(at);
    if (IsWord(rest[0])) return Word(at);
    return {Kind::kOther, at, at + 1};
  }

 private:
  char CharAt(std::size_t at) const { return at < sql_.size() ? sql_[at] : '\0'; }

  std::size_t BehindComment(std::size_t at) const {
    int depth = 0;
    while (at < sql_.size()) {
      const std::string_view pair = sql_.substr(at, 2);
      if (pair == "/*") ++depth;
      if (pair == "*/") --depth;
      at += pair == "/*" || pair == "*/" ? 2 : 1;
      if (depth == 0) break;
    }
    return std::min(at, sql_.size());
  }

  std::size_t BehindQuote(std::size_t at, char quote, bool escapes) const {
    for (++at; at < sql_.size(); ++at) {
      if (escapes && sql_[at] == '\\') {
        ++at;
      } else if (sql_[at] == quote) {
        if (CharAt(at + 1) != quote) return at + 1;
        ++at;
      }
    }
    return sql_.size();
  }

  Token Dollar(std::size_t at) const {
    std::size_t end = at + 1;
    while (end < sql_.size() && (IsWord(sql_[end]) || IsBeyondAscii(sql_[end]))) ++end;
    const bool joined = at > 0 && (IsWord(sql_[at - 1]) || IsBeyondAscii(sql_[at - 1]));
    if (joined || CharAt(end) != '$' || IsDigit(sql_[at + 1])) return {Kind::kUnclear, at, at + 1};
    const std::string_view tag = sql_.substr(at, end + 1 - at);
    const std::size_t closed = sql_.find(tag, end + 1);
    return {Kind::kText, at, closed == std::string_view::npos ? sql_.size() : closed + tag.size()};
  }

  Token Word(std::size_t at) const {
    std::size_t end = at;
    while (end < sql_.size() && IsWord(sql_[end])) ++end;
    const char last = sql_[end - 1], next = CharAt(end);
    const bool quoted = next == '\'';
    const bool joined = IsDigit(sql_[at]) || (at > 0 && IsBeyondAscii(sql_[at - 1]));
    const bool names_unicode = (last == 'u' || last == 'U') && next == '&' &&
                               (CharAt(end + 1) == '"' || CharAt(end + 1) == '\'');
    const bool escapes = quoted && (last == 'e' || last == 'E');
    if (names_unicode || (joined && escapes)) return {Kind::kUnclear, at, end};
    if (!escapes || end != at + 1) return {Kind::kWord, at, end};
    return Text(at, end, true);
  }

  // Unclear where what it says is not what it looks like: DuckDB goes on with a text behind a line
  // break, and `\x5f` is a letter too.
  Token Text(std::size_t at, std::size_t quote, bool escapes) const {
    const std::size_t behind = BehindQuote(quote, '\'', escapes);
    for (std::size_t i = quote; escapes && i < behind; ++i) {
      if (sql_[i] != '\\') continue;
      ++i;
      if (std::string_view("\\'\"nrtbf").find(CharAt(i)) == std::string_view::npos)
        return {Kind::kUnclear, at, behind};
    }
    std::size_t more = behind;
    while (more < sql_.size()) {
      const bool comment = sql_.substr(more, 2) == "--" || sql_.substr(more, 2) == "/*";
      const bool blank = (sql_[more] >= '\0' && sql_[more] <= ' ') || IsBeyondAscii(sql_[more]);
      if (!comment && !blank) break;
      more = comment ? At(more).end : more + 1;
    }
    return {CharAt(more) == '\'' ? Kind::kUnclear : Kind::kText, at, behind};
  }

  std::string_view sql_;
};

bool IsCalled(std::string_view sql, std::size_t at) {
  const Tokens tokens(sql);
  while (at < sql.size()) {
    const Token token = tokens.At(at);
    const char c = sql[at];
    const bool blank = token.kind == Kind::kOther && (c <= ' ' || IsBeyondAscii(c));
    if (token.kind != Kind::kComment && !blank) return c == '(';
    at = token.end;
  }
  return false;
}

bool IsCatalog(std::string_view word) {
  return word.starts_with("duckdb_") || word.starts_with("pragma_") ||
         std::find(std::begin(kCatalog), std::end(kCatalog), word) != std::end(kCatalog);
}

Error Refusal(std::string_view word) {
  return MakeError(Code::kPermissionDenied, "GY2018", "a query may not use `{}`", word)
      .Why("a query reads datasets; settings and the catalogue belong to the server")
      .Fix("gyre datasets ls")
      .Fix("gyre datasets show NAME");
}

// Each word of a token; a quoted name may hold several.
Result<> CheckToken(std::string_view sql, const Token& token, bool first) {
  for (std::size_t at = token.begin; at < token.end;) {
    std::size_t end = at;
    while (end < token.end && IsWord(sql[end])) ++end;
    const std::string word = ToLower(sql.substr(at, end - at));
    const bool statement = word == "pragma" || word == "show" || word == "call";
    const bool hidden_sql = word == "query" && IsCalled(sql, token.end);
    if ((first && statement) || hidden_sql || IsCatalog(word)) return Refusal(word);
    at = std::max(end, at + 1);
  }
  return {};
}

// DuckDB takes a text for the name of a table: FROM 'duckdb_views'. Only a text that is nothing but
// a name can be one.
bool MayBeName(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return IsWord(c) || std::string_view(".'\"$").find(c) != std::string_view::npos;
  });
}

}  // namespace

Result<> CheckSqlWords(std::string_view sql) {
  const Tokens tokens(sql);
  bool first = true;
  for (std::size_t at = 0; at < sql.size();) {
    const Token token = tokens.At(at);
    if (token.kind == Kind::kUnclear)
      return Refusal(sql.substr(token.begin, token.end - token.begin));
    const bool name =
        token.kind == Kind::kText && MayBeName(sql.substr(token.begin, token.end - token.begin));
    if (token.kind == Kind::kWord || token.kind == Kind::kName || name) {
      GYRE_DO(CheckToken(sql, token, first));
      first = false;
    }
    at = token.end;
  }
  return {};
}

}  // namespace gyre::table
