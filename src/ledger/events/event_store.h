// The SQL of this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/events/events.h"

namespace gyre::events {

// Exact, or by a prefix that ends with a dot; an empty list matches everything.
bool KindMatches(const std::vector<std::string>& kinds, std::string_view kind);

Result<> InsertEvent(db::Transaction& tx, const NewEvent& event, std::int64_t now_us);
Result<std::int64_t> LastSequence(db::Reader& reader);
Result<std::vector<Event>> ReadEvents(db::Reader& reader, const EventFilter& filter);
Result<std::vector<Event>> ReadEventsAfter(db::Reader& reader, std::int64_t sequence,
                                           int limit);  // oldest first
Result<std::optional<Event>> ReadEvent(db::Reader& reader, std::int64_t sequence);

// A subscriber that has none gets a cursor at the present.
Result<std::int64_t> EnsureCursor(db::Transaction& tx, std::string_view subscriber,
                                  std::int64_t now_us);
Result<> MoveCursor(db::Transaction& tx, std::string_view subscriber, std::int64_t sequence,
                    std::int64_t now_us);

Result<> Park(db::Transaction& tx, std::string_view subscriber, std::int64_t sequence,
              std::string_view error, int attempts, std::int64_t now_us);
// False when it was not parked.
Result<bool> Unpark(db::Transaction& tx, std::string_view subscriber, std::int64_t sequence);
Result<std::vector<Parked>> ReadParked(db::Reader& reader);
Result<std::int64_t> DeleteOld(db::Transaction& tx, std::int64_t before_us);

}  // namespace gyre::events
