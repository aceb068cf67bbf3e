// The rows of traces themselves. Private.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/traces/traces.h"

namespace gyre::traces {

// What the row of a trace holds; labels and assessments stand in rows of their own.
struct TraceRow {
  std::int64_t number = 0;
  Trace trace;
  bool told = false;
  std::int64_t span_bytes = 0, span_batches = 0;
};

Result<std::optional<TraceRow>> FindTrace(db::Reader& reader, std::string_view project,
                                          std::string_view id);
Result<TraceRow> ReadTrace(db::Reader& reader, std::string_view project,
                           std::string_view id);                             // GY3452
Result<std::int64_t> InsertTrace(db::Transaction& tx, const TraceRow& row);  // its number
Result<> UpdateTrace(db::Transaction& tx, const TraceRow& row);

// Rows of a SELECT that ends with `conditions` ("WHERE ... LIMIT ?3").
Result<> QueryTraces(db::Reader& reader, const std::string& conditions,
                     std::span<const db::Value> values,
                     const std::function<void(TraceRow&&)>& take);

struct NumberedTrace {
  std::int64_t number = 0;
  std::string id;
};
// At most `count` of them, the oldest first.
Result<std::vector<NumberedTrace>> TracesToDelete(db::Reader& reader, const TraceDeletion& which,
                                                  std::int64_t count);
Result<> RemoveTrace(db::Transaction& tx, std::int64_t number);

}  // namespace gyre::traces
