// How pipelines and their runs look to people.
#pragma once

#include <string>

#include "base/json.h"

namespace gyre::cli {

class Output;

// The graph of a checked pipeline, one line a step, indented below what it waits for.
std::string GraphText(const Json& spec, const Output& out);
// A run with its steps; with `why`, what each task says of itself.
std::string PipelineRunText(const Json& run, const Output& out, bool why);
// "3 of 7 steps, train[2] running".
std::string PipelineProgress(const Json& run);

}  // namespace gyre::cli
