// The content cache: what makes two executions of a step the same. Private.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ml/pipelines/machine.h"
#include "ml/pipelines/pipeline_store.h"
#include "platform/blob/blob_store.h"

namespace gyre::pipelines {

// The parts by name ("with.command", "inputs.data", "params.p", "files.a.py", "interpreter") with
// the hash of each, and one hash over all.
struct CacheKey {
  std::string key;
  Json parts;
};

// Files are named by their content: references to what other steps made are hashes already.
// `verbatim`: keys of the step that are code; `environment`: of every program, where interpreters
// are found.
Result<CacheKey> CacheKeyOf(const Machine& machine, std::size_t task,
                            const std::function<bool(std::string_view)>& verbatim,
                            const std::vector<std::string>& environment);

struct CacheAnswer {
  std::optional<CacheHit> hit;
  std::string why_not;  // "no earlier result", "inputs.data changed"
};
// A hit whose files are gone is none.
Result<CacheAnswer> AskCache(PipelineStore& store, blob::Store& blobs, const RunRecord& run,
                             const Step& step, const CacheKey& key, std::int64_t now_us);

}  // namespace gyre::pipelines
