#include "cli/apply/sql_tables.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::cli::apply {
namespace {

struct Token {
  std::string text;      // in small letters
  bool is_name = false;  // a word, or a name in double quotes
  bool quoted = false;
};

bool InWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Behind a text or a name in quotes, in which two of them are one.
std::size_t EndOfQuoted(std::string_view sql, std::size_t at) {
  const char quote = sql[at];
  for (++at; at < sql.size(); ++at) {
    if (sql[at] != quote) continue;
    if (at + 1 >= sql.size() || sql[at + 1] != quote) return at + 1;
    ++at;
  }
  return sql.size();
}

std::vector<Token> TokensOf(std::string_view sql) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < sql.size();) {
    const std::string_view rest = sql.substr(at);
    std::size_t end = at + 1;
    if (rest.starts_with("--")) {
      end = std::min(sql.find('\n', at), sql.size());
    } else if (rest.starts_with("/*")) {
      end = std::min(sql.find("*/", at + 2), sql.size() - 2) + 2;
    } else if (rest[0] == '\'') {
      end = EndOfQuoted(sql, at);
      tokens.push_back({"'"});
    } else if (rest[0] == '"') {
      end = EndOfQuoted(sql, at);
      tokens.push_back({ToLower(sql.substr(at + 1, end - at - 2)), true, true});
    } else if (InWord(rest[0])) {
      while (end < sql.size() && InWord(sql[end])) ++end;
      tokens.push_back({ToLower(sql.substr(at, end - at)), true});
    } else if (rest[0] != ' ' && rest[0] != '\n' && rest[0] != '\t' && rest[0] != '\r') {
      tokens.push_back({std::string(1, rest[0])});
    }
    at = end;
  }
  return tokens;
}

class Reader {
 public:
  explicit Reader(std::string_view sql) : tokens_(TokensOf(sql)) {}

  std::set<std::string> Read() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) i = Take(i);
    for (const std::string& made : made_) tables_.erase(made);
    return std::move(tables_);
  }

 private:
  // Between two parentheses.
  struct Level {
    bool begun = false, is_query = false;
    bool in_from = false;  // a comma leads to the next table
    bool wants = false;    // a table comes next
  };

  bool Is(std::size_t i, std::string_view text) const {
    return i < tokens_.size() && !tokens_[i].quoted && tokens_[i].text == text;
  }

  // The last token that it has taken.
  std::size_t Take(std::size_t i) {
    Level& level = levels_.back();
    if (!tokens_[i].is_name) return TakeSign(i);
    if (!level.begun && !tokens_[i].quoted)
      level.is_query = IsOneOf(i, {"select", "from", "with", "create", "explain"});
    level.begun = true;
    if (Is(i, "as")) NoteMade(i);
    if (!level.is_query) return i;
    if (IsOneOf(i, {"from", "join"}) && !(i > 0 && Is(i - 1, "distinct"))) {
      level.in_from = level.wants = true;
    } else if (IsOneOf(i, {"select", "where", "group", "order", "having", "limit", "on", "using",
                           "union", "intersect", "except", "window", "qualify"})) {
      level.in_from = level.wants = false;
    } else if (level.wants && !Is(i, "lateral")) {
      level.wants = false;
      while (Is(i + 1, ".") && i + 2 < tokens_.size()) i += 2;
      if (!Is(i + 1, "(")) tables_.insert(tokens_[i].text);
    }
    return i;
  }

  std::size_t TakeSign(std::size_t i) {
    Level& level = levels_.back();
    level.begun = true;
    if (Is(i, ",")) {
      level.wants = level.in_from;
    } else if (Is(i, "(")) {
      level.wants = false;
      levels_.emplace_back();
    } else if (Is(i, ")") && levels_.size() > 1) {
      levels_.pop_back();
    } else {
      level.wants = false;
    }
    return i;
  }

  bool IsOneOf(std::size_t i, std::initializer_list<std::string_view> words) const {
    return std::ranges::any_of(words, [&](std::string_view word) { return Is(i, word); });
  }

  // `name as (` and `name (columns) as (`: a table of the query's own.
  void NoteMade(std::size_t as) {
    std::size_t next = as + 1;
    while (Is(next, "not") || Is(next, "materialized")) ++next;
    if (!Is(next, "(") || as == 0) return;
    std::size_t name = as - 1;
    if (Is(name, ")")) {
      while (name > 0 && !Is(name, "(")) --name;
      if (name > 0) --name;
    }
    if (tokens_[name].is_name) made_.insert(tokens_[name].text);
  }

  const std::vector<Token> tokens_;
  std::vector<Level> levels_ = {Level{}};
  std::set<std::string> tables_, made_;
};

}  // namespace

std::set<std::string> TablesOf(std::string_view sql) { return Reader(sql).Read(); }

std::vector<std::string> CircleFrom(const std::string& dataset, const Reads& reads) {
  std::vector<std::string> way = {dataset};
  std::set<std::string> seen;
  const auto leads_back = [&](auto&& self) -> bool {
    const auto found = reads.find(way.back());
    if (found == reads.end()) return false;
    for (const std::string& table : found->second) {
      const bool back = table == dataset && way.size() > 1;
      if (!back && (table == dataset || !seen.insert(table).second)) continue;
      way.push_back(table);
      if (back || self(self)) return true;
      way.pop_back();
    }
    return false;
  };
  return leads_back(leads_back) ? way : std::vector<std::string>();
}

}  // namespace gyre::cli::apply
