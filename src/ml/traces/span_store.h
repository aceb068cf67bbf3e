// The spans of traces, as they are stored. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/traces/trace_store.h"

namespace gyre::traces {

// One more batch (span_codec) of `bytes` of text; `row` counts it, and is not written. Error:
// GY3454 the trace would hold too much.
Result<> AddBatch(db::Transaction& tx, TraceRow* row, std::string_view batch, std::int64_t bytes);
// All batches in one row.
Result<> JoinBatches(db::Transaction& tx, TraceRow* row);
Result<std::string> ReadBatches(db::Reader& reader, std::int64_t trace);

}  // namespace gyre::traces
