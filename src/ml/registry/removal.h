// What of a model goes into the trash. Private.
#pragma once

#include "ledger/events/events.h"
#include "ledger/trash/parcel.h"
#include "ml/registry/registry.h"

namespace gyre::registry {

struct Removal {
  std::string_view by;
  bool force = false;  // although an alias points at it, which goes along
  std::int64_t now_us = 0;
  events::Events* events = nullptr;
};
// Errors: GY3603, GY3609. Its name in the trash.
Result<std::string> RemoveVersion(db::Transaction& tx, std::string_view version_id,
                                  const Removal& removal);
// Errors: GY3602, GY3609. Its name in the trash.
Result<std::string> RemoveModel(db::Transaction& tx, std::string_view project,
                                std::string_view name, const Removal& removal);

}  // namespace gyre::registry
