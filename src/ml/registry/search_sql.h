// The texts of a search of models or versions, and what stands in a page token. Private.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "ml/registry/model_search.h"
#include "platform/db/database.h"

namespace gyre::registry {

enum class SortBy : unsigned char { kTitle, kUpdated, kVersion, kCreated };
struct SortKey {
  SortBy by = SortBy::kTitle;
  bool ascending = true;
};
using SortValue = std::variant<std::int64_t, std::string>;

// What is ordered by, to the last key that tells any two apart.
std::vector<SortKey> SortKeysOf(const ModelSearch& search, bool versions);

// A condition and what is bound to it. Values point into it.
class Condition {
 public:
  Condition() = default;
  Condition(Condition&&) = default;
  Condition& operator=(Condition&&) = default;
  void And(std::string_view sql) { sql_ += fmt::format("{}{}", sql_.empty() ? "" : " AND ", sql); }
  // "?3" of a value.
  std::string Bind(std::string_view text);
  std::string Bind(std::int64_t number);
  const std::string& sql() const { return sql_; }
  const std::vector<db::Value>& values() const { return values_; }

 private:
  std::string sql_;
  std::deque<std::string> texts_;
  std::vector<db::Value> values_;
};

// A tag that all must have, and where its rows are few: they are walked instead of all models.
struct WalkedTag {
  std::string key, value;
};
std::vector<WalkedTag> TagsDemanded(const ModelSearch& search);
// "AND"ed: rows `w` of the table of tags are of that tag, and of that value or one that begins like
// it where it is long.
void AndIsTag(const WalkedTag& tag, Condition* condition);

// Of the project, alive, what the filter demands by equality (but of the tag that is walked), no
// prompts unless it asks for them.
Condition Demanded(const ModelSearch& search, bool versions, const WalkedTag* walked);
bool AsksForPrompts(const tracking::Filter& filter);
// Behind the last row of the page before.
void AndAfter(const std::vector<SortKey>& keys, const std::vector<SortValue>& last, bool versions,
              Condition* condition);
std::string OrderText(const std::vector<SortKey>& keys, bool versions);

std::string TokenOf(const ModelSearch& search, const std::vector<SortValue>& last);
// Empty for no token. GY3638.
Result<std::vector<SortValue>> ReadToken(const ModelSearch& search,
                                         const std::vector<SortKey>& keys);

}  // namespace gyre::registry
