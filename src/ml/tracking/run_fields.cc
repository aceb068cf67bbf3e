#include "ml/tracking/run_fields.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "base/text.h"
#include "ml/tracking/names.h"
#include "ml/tracking/run_search.h"

namespace gyre::tracking {
namespace {

constexpr std::int64_t kMicrosPerMilli = 1'000;

std::int64_t FloorMillis(std::int64_t us) {
  return us / kMicrosPerMilli - (us % kMicrosPerMilli < 0 ? 1 : 0);
}

FieldValue TimeValue(std::int64_t us, bool to_order) {
  return static_cast<double>(to_order ? us : FloorMillis(us));
}

// What an attribute is read from, beyond what every row has.
std::string_view AttributeColumn(std::string_view key) {
  if (key == "run_name") return "r.name";
  if (key == "status") return "r.status";
  if (key == "user_id") return "r.user_name";
  if (key == "artifact_uri") return "r.artifact_root";
  if (key == "end_time") return "r.ended_us";
  return "";
}

std::string_view MetricColumn(const RunField& field) {
  switch (field.entity) {
    case Entity::kMetricLeast:
      return "least";
    case Entity::kMetricMost:
      return "most";
    case Entity::kMetricBest:
      return IsLowerBetter(field.key) ? "least" : "most";
    default:
      return "value";
  }
}

}  // namespace

std::optional<ValueTable> RunField::table() const {
  switch (entity) {
    case Entity::kMetric:
    case Entity::kMetricLeast:
    case Entity::kMetricMost:
    case Entity::kMetricBest:
      return ValueTable::kMetric;
    case Entity::kParam:
      return ValueTable::kParam;
    case Entity::kTag:
      return ValueTable::kTag;
    default:
      return std::nullopt;
  }
}

Result<std::size_t> RunFields::Add(db::Reader& reader, Entity entity, std::string_view key,
                                   bool to_order) {
  std::set<std::pair<ValueTable, std::int64_t>> joins;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const RunField& field = fields_[i];
    if (field.entity == entity && field.key == key && field.to_order == to_order) return i;
    if (field.table()) joins.insert({*field.table(), field.name});
  }
  if (joins.size() >= kSearchNamesMax) {
    return InvalidArgument("GY3430", "The search names too many params, tags and metrics")
        .Why(fmt::format("at most {}", kSearchNamesMax));
  }
  RunField field = {.entity = entity, .key = std::string(key), .to_order = to_order};
  if (field.table()) {
    GYRE_TRY(field.name, NameBook::Find(reader, key));
  }
  fields_.push_back(std::move(field));
  return fields_.size() - 1;
}

RunFields::Columns::Columns(const RunFields& fields, RunSelect* select) : fields_(fields) {
  for (const std::string_view column : {"r.number", "r.experiment", "r.started_us", "r.id"})
    select->Column(column);
  for (const RunField& field : fields.fields_) {
    if (const auto table = field.table()) {
      const std::string alias = select->Join(*table, field.name);
      columns_.push_back(select->Column(fmt::format(
          "{}.{}", alias, table == ValueTable::kMetric ? MetricColumn(field) : "value")));
      if (table == ValueTable::kMetric) select->Column(alias + ".run");
      continue;
    }
    const std::string_view column = AttributeColumn(field.key);
    columns_.push_back(column.empty() ? 0 : select->Column(column));
  }
}

FieldValue RunFields::Columns::Read(const db::Row& row, std::size_t place) const {
  const RunField& field = fields_[place];
  const int column = columns_[place];
  const auto table = field.table();
  if (table == ValueTable::kMetric) {
    if (!row.IsNull(column)) return row.Real(column);
    // The last point is NaN; a least or most there is of numbers only.
    if (row.IsNull(column + 1) || field.entity != Entity::kMetric) return {};
    return std::nan("");
  }
  if (table) return row.IsNull(column) ? FieldValue() : FieldValue(row.Str(column));
  if (field.key == "run_id") return Id(row);
  if (field.key == "start_time") return TimeValue(StartedUs(row), field.to_order);
  if (field.key == "end_time")
    return row.Int(column) == 0 ? FieldValue() : TimeValue(row.Int(column), field.to_order);
  if (field.key == "artifact_uri" && row.Text(column).empty())
    return OwnArtifactRoot(Experiment(row), row.Text(3));
  return row.Str(column);
}

std::string OwnArtifactRoot(std::int64_t experiment, std::string_view run_id) {
  return fmt::format("mlflow-artifacts:/{}/{}/artifacts", experiment, run_id);
}

}  // namespace gyre::tracking
