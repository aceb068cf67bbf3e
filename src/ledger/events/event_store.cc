#include "ledger/events/event_store.h"

#include <algorithm>

#include "platform/db/in_list.h"

namespace gyre::events {
namespace {

Event MakeEvent(const db::Row& row) {
  return {row.Int(0), row.Str(1), row.Str(2), row.Str(3), row.Str(4), row.Int(5)};
}

constexpr std::string_view kColumns = "sequence, kind, project, subject, payload, created_us";
constexpr std::string_view kMatches =
    "(?1 = '' OR (?2 = 0 AND kind = ?1) OR (?2 = 1 AND substr(kind, 1, length(?1)) = ?1))";

}  // namespace

bool KindMatches(const std::vector<std::string>& kinds, std::string_view kind) {
  return kinds.empty() || std::ranges::any_of(kinds, [&](const std::string& wanted) {
           return wanted == kind || (wanted.ends_with('.') && kind.starts_with(wanted));
         });
}

Result<> InsertEvent(db::Transaction& tx, const NewEvent& event, std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO event (kind, project, subject, payload, created_us) VALUES (?1, ?2, ?3, ?4, ?5)",
      {event.kind, event.project, event.subject, event.payload, now_us});
}

Result<std::int64_t> LastSequence(db::Reader& reader) {
  std::int64_t last = 0;
  GYRE_DO(reader.QueryOne("SELECT sequence FROM event ORDER BY sequence DESC LIMIT 1", {},
                          [&](const db::Row& row) { last = row.Int(0); }));
  return last;
}

Result<std::vector<Event>> ReadEvents(db::Reader& reader, const EventFilter& filter) {
  const bool prefix = filter.kind.ends_with('.');
  const bool forward = filter.after && filter.before == 0;
  std::vector<db::Value> values = {filter.kind, prefix, filter.after.value_or(0), filter.before,
                                   filter.limit};
  const std::string sql = fmt::format(
      "SELECT {} FROM event WHERE {} AND {} AND sequence > ?3 AND (?4 = 0 OR sequence "
      "< ?4) ORDER BY sequence {} LIMIT ?5",
      kColumns, kMatches, db::AmongText("project", filter.projects, &values),
      forward ? "" : "DESC");
  std::vector<Event> events;
  GYRE_DO(reader.QueryList(sql, values, [&](const db::Row& row) -> Result<> {
    events.push_back(MakeEvent(row));
    return {};
  }));
  return events;
}

Result<std::vector<Event>> ReadEventsAfter(db::Reader& reader, std::int64_t sequence, int limit) {
  return db::Collect<Event>(
      reader,
      fmt::format("SELECT {} FROM event WHERE sequence > ?1 ORDER BY sequence LIMIT ?2", kColumns),
      {sequence, limit}, MakeEvent);
}

Result<std::optional<Event>> ReadEvent(db::Reader& reader, std::int64_t sequence) {
  std::optional<Event> event;
  GYRE_DO(reader.QueryOne(fmt::format("SELECT {} FROM event WHERE sequence = ?1", kColumns),
                          {sequence}, [&](const db::Row& row) { event = MakeEvent(row); }));
  return event;
}

Result<std::int64_t> EnsureCursor(db::Transaction& tx, std::string_view subscriber,
                                  std::int64_t now_us) {
  GYRE_TRY(std::int64_t sequence, LastSequence(tx));
  GYRE_DO(
      tx.Execute("INSERT INTO event_cursor (subscriber, sequence, changed_us) VALUES (?1, ?2, ?3) "
                 "ON CONFLICT DO NOTHING",
                 {subscriber, sequence, now_us}));
  GYRE_DO(tx.QueryOne("SELECT sequence FROM event_cursor WHERE subscriber = ?1", {subscriber},
                      [&](const db::Row& row) { sequence = row.Int(0); }));
  return sequence;
}

Result<> MoveCursor(db::Transaction& tx, std::string_view subscriber, std::int64_t sequence,
                    std::int64_t now_us) {
  return tx.Execute("UPDATE event_cursor SET sequence = ?2, changed_us = ?3 WHERE subscriber = ?1",
                    {subscriber, sequence, now_us});
}

Result<> Park(db::Transaction& tx, std::string_view subscriber, std::int64_t sequence,
              std::string_view error, int attempts, std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO event_parked (subscriber, sequence, error, attempts, parked_us) VALUES (?1, ?2, "
      "?3, ?4, ?5) "
      "ON CONFLICT (subscriber, sequence) DO UPDATE SET error = excluded.error, attempts = "
      "event_parked.attempts + excluded.attempts, "
      "parked_us = excluded.parked_us",
      {subscriber, sequence, error, attempts, now_us});
}

Result<bool> Unpark(db::Transaction& tx, std::string_view subscriber, std::int64_t sequence) {
  GYRE_DO(tx.Execute("DELETE FROM event_parked WHERE subscriber = ?1 AND sequence = ?2",
                     {subscriber, sequence}));
  return tx.changes() > 0;
}

Result<std::vector<Parked>> ReadParked(db::Reader& reader) {
  return db::Collect<Parked>(reader,
                             "SELECT e.sequence, e.kind, e.project, e.subject, e.payload, "
                             "e.created_us, p.subscriber, p.error, p.attempts, p.parked_us "
                             "FROM event_parked p JOIN event e ON e.sequence = p.sequence ORDER BY "
                             "p.sequence, p.subscriber",
                             {}, [](const db::Row& row) {
                               return Parked{row.Str(6), MakeEvent(row), row.Str(7),
                                             static_cast<int>(row.Int(8)), row.Int(9)};
                             });
}

Result<std::int64_t> DeleteOld(db::Transaction& tx, std::int64_t before_us) {
  // The newest stays, so that its number is never given twice.
  GYRE_DO(tx.Execute(
      "DELETE FROM event WHERE created_us < ?1 AND sequence < (SELECT max(sequence) FROM event) "
      "AND NOT EXISTS (SELECT 1 FROM event_cursor c WHERE c.sequence < event.sequence) "
      "AND NOT EXISTS (SELECT 1 FROM event_parked p WHERE p.sequence = event.sequence)",
      {before_us}));
  return tx.changes();
}

}  // namespace gyre::events
