// What changed between two versions, from their profiles. Pure. Private.
#pragma once

#include "base/json.h"
#include "ml/data/datasets.h"

namespace gyre::data {

// {"from", "to", "rows": {...}, "schema": {"added", "removed", "changed"}, "columns": [{"name",
// "changes": {...}}]}
Json DiffVersions(const Version& from, const Json& from_profile, const Version& to,
                  const Json& to_profile);

}  // namespace gyre::data
