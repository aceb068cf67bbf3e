// One SELECT over runs while it is put together. Table `r` is tracking_run; what people wrote
// becomes parameters, never SQL. Private.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ml/tracking/experiments.h"
#include "platform/db/database.h"

namespace gyre::tracking {

// Where values of a name stand beside the run: PRIMARY KEY (run, name), and an index by value.
enum class ValueTable : unsigned char { kMetric, kParam, kTag };
std::string_view TableName(ValueTable table);
// What an index holds of a text.
inline constexpr std::size_t kIndexedCharacters = 64;
// By which its index orders values: the value, or what a text begins with.
std::string IndexedValue(ValueTable table, std::string_view alias);

class RunSelect {
 public:
  RunSelect() = default;
  RunSelect(RunSelect&&) = default;  // what parameters point to stays where it is
  RunSelect& operator=(RunSelect&&) = default;

  std::string Param(std::int64_t value) { return Keep(value); }
  std::string Param(double value) { return Keep(value); }
  std::string Param(std::string_view value) {
    return Keep(std::string_view(kept_.emplace_back(value)));
  }

  void From(std::string_view table) { from_ += table; }
  void Where(std::string_view condition) {
    where_ += where_.empty() ? " WHERE " : " AND ";
    where_ += condition;
  }
  void OrderBy(std::string_view order) { order_ = order; }
  void WhereViewed(View view);

  // The alias under which the value of a name stands beside the run; joined at the first call.
  std::string Join(ValueTable table, std::int64_t name);
  void Joined(ValueTable table, std::int64_t name, std::string_view alias) {
    joined_.insert({{table, name}, std::string(alias)});
  }
  // Its place among the columns.
  int Column(std::string_view expression);

  std::string Text() const;
  // How many rows there are, up to `most`.
  std::string CountText(std::int64_t most);
  std::span<const db::Value> params() const { return params_; }

 private:
  std::string Keep(const db::Value& value);

  std::string columns_, from_, where_, order_;
  int column_count_ = 0;
  std::map<std::pair<ValueTable, std::int64_t>, std::string> joined_;
  std::deque<std::string> kept_;  // texts stay where they are
  std::vector<db::Value> params_;
};

}  // namespace gyre::tracking
