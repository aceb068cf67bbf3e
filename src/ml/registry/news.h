// What the registry tells the rest of the house, in the transaction of the change itself: references, lineage edges, events.
#pragma once

#include <cstdint>
#include <string_view>

#include "ml/registry/registry.h"

namespace gyre::registry {

Result<> TellCreated(db::Transaction& tx, const NewVersion& version, std::string_view id, int number, std::int64_t now_us);
Result<> TellMoved(db::Transaction& tx, std::string_view project, std::string_view model, const AliasMove& move);
Result<> TellDeleted(db::Transaction& tx, const ModelVersion& version, std::string_view by, std::int64_t now_us);

}  // namespace gyre::registry
