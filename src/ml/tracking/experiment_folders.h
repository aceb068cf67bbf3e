// Folders of experiments: all SQL that goes by the beginnings of titles. Private.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/experiments.h"

namespace gyre::tracking {

// "/team/churn/" -> "/team/churn".
std::string_view TrimFolder(std::string_view folder);

Result<FolderPage> ReadFolder(db::Reader& reader, const FolderQuery& query);  // GY3435
Result<std::vector<std::int64_t>> ReadBelow(db::Reader& reader, std::string_view project,
                                            std::string_view folder);
Result<int> RenameFolder(db::Transaction& tx, std::string_view project, std::string_view from,
                         std::string_view to, std::int64_t now_us);

}  // namespace gyre::tracking
