// What a run of a pipeline will use, by its runs so far.
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"

namespace gyre::pipelines {
class Pipelines;
}
namespace gyre::usage {
class Usage;
}

namespace gyre::native {

// As ExpectedToJson: the median of its newest runs that succeeded, with all of their parts.
Result<Json> ExpectedOfPipeline(pipelines::Pipelines& pipelines, const usage::Usage& usage,
                                const std::string& project, const std::string& pipeline);

}  // namespace gyre::native
