// What the registry tells the rest of the house, in the transaction of the change itself:
// references, lineage edges, events.
#pragma once

#include <cstdint>
#include <string_view>

#include "ledger/events/events.h"
#include "ml/registry/registry.h"

namespace gyre::registry {

// Events "model.version.created", "model.alias.moved", "model.version.deleted"; their payloads name
// model (its name), version, alias. `events` may be null.
Result<> TellCreated(db::Transaction& tx, events::Events* events, const NewVersion& version,
                     std::string_view id, int number, std::int64_t now_us);
Result<> TellMoved(db::Transaction& tx, events::Events* events, std::string_view project,
                   std::string_view model, const AliasMove& move);
// Things of the catalog: "model.created", "model.version.tag.set", ... `more` is JSON members, from
// Member().
Result<> TellModel(db::Transaction& tx, events::Events* events, std::string_view kind,
                   std::string_view project, std::string_view subject, std::string_view model,
                   std::string_view more = {});
// ,"key":"text" with the text as JSON has it.
std::string Member(std::string_view key, std::string_view text);
Result<> TellDeleted(db::Transaction& tx, events::Events* events, const ModelVersion& version);

}  // namespace gyre::registry
