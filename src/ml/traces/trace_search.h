// Finding traces: a filter becomes conditions for the database as far as those are cheap and never
// too strict; the rest is held against what comes by. Private.
#pragma once

#include <string>

#include "base/error.h"
#include "ml/traces/traces.h"

namespace gyre::traces {

// The rest of a trace whose row was read.
Result<> Complete(db::Reader& reader, std::int64_t number, Trace* trace);

Result<FoundTraces> FindTraces(db::Reader& reader, const TraceSearch& search);
Result<Correlation> CountTraces(db::Reader& reader, const TraceSearch& search,
                                const tracking::Filter& first, const tracking::Filter& second);

}  // namespace gyre::traces
