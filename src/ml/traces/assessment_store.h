// The rows of assessments. Private.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/traces/traces.h"

namespace gyre::traces {

// One of that id is replaced.
Result<> PutAssessment(db::Transaction& tx, std::int64_t trace, const Assessment& assessment);
Result<std::optional<Assessment>> FindAssessment(db::Reader& reader, std::int64_t trace,
                                                 std::string_view id);
Result<std::vector<Assessment>> ReadAssessments(db::Reader& reader, std::int64_t trace);
Result<std::int64_t> CountAssessments(db::Reader& reader, std::int64_t trace);
Result<bool> SetValid(db::Transaction& tx, std::int64_t trace, std::string_view id, bool valid);
Result<> RemoveAssessment(db::Transaction& tx, std::int64_t trace, std::string_view id);

}  // namespace gyre::traces
