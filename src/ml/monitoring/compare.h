// Two tables side by side: has the distribution of a column moved from the reference to the current
// one? Works on Parquet parts column by column, so that no table is held as a whole. The answer
// holds aggregates only, never a row.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/statistics/drift.h"
#include "platform/table/frame.h"

namespace gyre::monitoring {

struct TableSide {
  std::string name;  // shown: "sales.csv", "sales:v3"
  std::vector<std::string> paths;
  table::Schema schema;
  std::int64_t rows = 0;
};

struct CompareOptions {
  statistics::DriftOptions drift = {};
  std::vector<std::string> columns = {};  // only these; none = all
  int threads = 1;                        // at most, and one for so many cells
  std::int64_t cells_per_thread = 50'000'000;
  std::string scratch_directory = {};
  std::function<bool()> cancelled = {};
  std::function<void(double fraction, const std::string& column)> progress = {};
};

// {"schema": "gyre.comparison.v1", "reference": {"name", "rows"}, "current", "rows": {"reference",
// "current"}, "method", "drifted", "drifted_columns", "compared_columns", "schema_changed",
// "columns": [...]}
//
// A column: {"name", "type", "kind": number | category | text, "status": compared | reference_empty
// | current_empty | both_empty | only_in_reference | only_in_current | type_changed |
// not_comparable, "method", "statistic", "p_value", "p_corrected", "effect": {"method", "value",
// "threshold"}, "threshold", "drifted", "reason", "rows", "missing" and "summary" of both sides,
// "histogram" or "values"}. Columns in the order of the reference; what was not compared has null
// numbers, and `drifted` null.
//
// Errors: kInvalidArgument GY4521 no column in common, GY4522 a table without rows, GY4523 a wanted
// column that neither has; those of the reader; kCancelled GY2003.
Result<Json> CompareTables(const TableSide& reference, const TableSide& current,
                           const CompareOptions& options);

}  // namespace gyre::monitoring
