// What workers compute for datasets. Private; AddTasks in datasets.h offers them.
#pragma once

#include "ml/runners/tasks.h"

namespace gyre::data {

// {"path", "name", "format", "bad", "types", "suite", "target", "known": {"name", "columns"}} ->
// {"schema", "rows", "content_hash", "parts": [{"file", "rows"}], ...}
Result<Json> ImportTask(runners::TaskContext& context);
// {"paths", "suite"} -> the result of SuiteCheck, and "bad_rows": the first 100 rows that break a
// row-by-row expectation
Result<Json> CheckTask(runners::TaskContext& context);
// {"tables": [{"name", "paths"}], "sql", "rows_max", "bytes_max", "timeout_ms"} -> {"columns",
// "rows", "truncated"}
Result<Json> QueryTask(runners::TaskContext& context);
// {"paths", "format": csv | jsonl | parquet} -> {"file"}
Result<Json> ExportTask(runners::TaskContext& context);
// {"paths", "target"} -> {"associations": [...], "warnings": [...]}
Result<Json> AssociateTask(runners::TaskContext& context);

}  // namespace gyre::data
