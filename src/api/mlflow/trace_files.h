// Files that clients put beside a trace, in its folder below the root of its experiment: they go
// with it.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/traces/traces.h"
#include "ml/tracking/experiments.h"
#include "ml/tracking/files.h"

namespace gyre::mlflow {

// Among the files of the project; empty where they lie elsewhere.
std::string TraceFolder(const tracking::Experiment& experiment, std::string_view trace_id);

// All traces of an experiment that ends, and what else lies below its root when nobody shares that.
Result<> RemoveFilesOf(traces::Traces& traces, tracking::Files& files,
                       const tracking::Experiment& experiment);

}  // namespace gyre::mlflow
