#include "ml/tracking/run_select.h"

#include <fmt/format.h>

namespace gyre::tracking {

std::string_view TableName(ValueTable table) {
  switch (table) {
    case ValueTable::kMetric:
      return "tracking_metric";
    case ValueTable::kParam:
      return "tracking_run_param";
    case ValueTable::kTag:
      return "tracking_run_tag";
  }
  return "";
}

std::string IndexedValue(ValueTable table, std::string_view alias) {
  return table == ValueTable::kMetric
             ? fmt::format("{}.value", alias)
             : fmt::format("substr({}.value, 1, {})", alias, kIndexedCharacters);
}

std::string RunSelect::Keep(const db::Value& value) {
  params_.push_back(value);
  return fmt::format("?{}", params_.size());
}

void RunSelect::WhereViewed(View view) {
  if (view == View::kActive) Where("r.deleted_us = 0");
  if (view == View::kDeleted) Where("r.deleted_us > 0");
}

std::string RunSelect::Join(ValueTable table, std::int64_t name) {
  const auto [there, is_new] = joined_.insert({{table, name}, fmt::format("j{}", joined_.size())});
  const std::string& alias = there->second;
  if (is_new) {
    from_ += fmt::format(" LEFT JOIN {0} {1} ON {1}.run = r.number AND {1}.name = {2}",
                         TableName(table), alias, Param(name));
  }
  return alias;
}

int RunSelect::Column(std::string_view expression) {
  if (column_count_ > 0) columns_ += ", ";
  columns_ += expression;
  return column_count_++;
}

std::string RunSelect::Text() const {
  return fmt::format("SELECT {} FROM {}{}{}", columns_, from_, where_, order_);
}

std::string RunSelect::CountText(std::int64_t most) {
  const std::string limit = Param(most);
  return fmt::format("SELECT COUNT(*) FROM (SELECT 1 FROM {}{} LIMIT {}) AS some", from_, where_,
                     limit);
}

}  // namespace gyre::tracking
