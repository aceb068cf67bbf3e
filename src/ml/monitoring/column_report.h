// One column of both tables: its numbers, its verdict and the words for it. Pure. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "ml/statistics/drift.h"
#include "ml/statistics/radix_sort.h"
#include "platform/table/column_values.h"
#include "platform/table/frame.h"

namespace gyre::monitoring {

struct ColumnReport {
  Json document;  // without the verdict
  std::optional<statistics::Drift> drift;
  std::int64_t reference_values = 0, current_values = 0;
};

// Sorts what it is given.
ColumnReport ReportOfNumbers(const table::Field& field, table::NumberColumn* reference,
                             table::NumberColumn* current, const statistics::DriftOptions& options,
                             statistics::SortScratch* scratch);
ColumnReport ReportOfValues(const table::Field& field, const table::ValueCounts& reference,
                            const table::ValueCounts& current,
                            const statistics::DriftOptions& options);
// Not compared, and why.
ColumnReport ReportOfStatus(const table::Field& field, std::string_view status, std::string reason);

// After the correction for the number of columns: writes the verdict into the document.
void WriteVerdict(ColumnReport* report, std::size_t corrected_for);

}  // namespace gyre::monitoring
