#include "ledger/notices/notice_store.h"

#include "ledger/notices/channel.h"
#include "ledger/trash/parcel.h"

namespace gyre::notices {
namespace {

constexpr std::string_view kNoticeColumns =
    "sequence, id, project, kind, severity, title, body, dedupe_key, links, payload, created_us";

Notice MakeNotice(const db::Row& row) {
  Notice notice;
  notice.sequence = row.Int(0);
  notice.id = row.Str(1);
  notice.project = row.Str(2);
  notice.kind = row.Str(3);
  notice.severity = static_cast<Severity>(row.Int(4));
  notice.title = row.Str(5);
  notice.text = row.Str(6);
  notice.dedupe_key = row.Str(7);
  notice.links = row.Str(8);
  notice.payload = row.Str(9);
  notice.created_us = row.Int(10);
  return notice;
}

Result<std::int64_t> Number(db::Reader& reader, std::string_view sql, db::Params params) {
  std::int64_t number = 0;
  GYRE_DO(reader.QueryOne(sql, params, [&](const db::Row& row) { number = row.Int(0); }));
  return number;
}

Result<> InsertDelivery(db::Transaction& tx, const Draft& draft, std::int64_t sequence,
                        std::string_view channel, bool exists, std::int64_t now_us) {
  GYRE_TRY(const std::int64_t waiting,
           Number(tx,
                  "SELECT count(*) FROM (SELECT 1 FROM notice_delivery WHERE project = ?1 AND "
                  "channel = ?2 AND state = 'waiting' LIMIT ?3)",
                  {draft.project, channel, kWaitingMax}));
  const bool waits = exists && waiting < kWaitingMax;
  const std::string error =
      waits    ? ""
      : exists ? fmt::format("{} notices wait for this channel already", kWaitingMax)
               : fmt::format("project {} has no channel `{}`", draft.project, channel);
  return tx.Execute(
      "INSERT INTO notice_delivery (notice, project, channel, state, attempts, next_us, error, "
      "answer, changed_us) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, '', ?5) ON CONFLICT DO NOTHING",
      {sequence, draft.project, channel, waits ? "waiting" : "dead", now_us, error});
}

Result<> InsertDeliveries(db::Transaction& tx, const Draft& draft, std::int64_t sequence,
                          std::int64_t now_us) {
  GYRE_TRY(const std::vector<ChannelRow> channels, ReadChannels(tx, draft.project));
  if (draft.channels.empty()) {
    for (const ChannelRow& channel : channels) {
      if (channel.severity_min <= draft.severity && !channel.only_named)
        GYRE_DO(InsertDelivery(tx, draft, sequence, channel.name, true, now_us));
    }
    return {};
  }
  for (const std::string& name : draft.channels) {
    bool exists = false;
    for (const ChannelRow& channel : channels) exists |= channel.name == name;
    GYRE_DO(InsertDelivery(tx, draft, sequence, name, exists, now_us));
  }
  return {};
}

Result<> AddDeliveries(db::Reader& reader, std::vector<Notice>* notices) {
  for (Notice& notice : *notices) {
    GYRE_TRY(notice.deliveries,
             db::Collect<Delivery>(
                 reader,
                 "SELECT channel, state, attempts, next_us, changed_us, error, answer FROM "
                 "notice_delivery WHERE notice = ?1 ORDER BY channel",
                 {notice.sequence}, [](const db::Row& row) {
                   return Delivery{row.Str(0), row.Str(1), static_cast<int>(row.Int(2)),
                                   row.Int(3), row.Int(4), row.Str(5),
                                   row.Str(6)};
                 }));
  }
  return {};
}

}  // namespace

Result<Published> InsertNotice(db::Transaction& tx, const Draft& draft, std::int64_t now_us) {
  const std::optional<std::string_view> key =
      draft.dedupe_key.empty() ? std::nullopt : std::optional<std::string_view>(draft.dedupe_key);
  GYRE_DO(tx.Execute(
      "INSERT INTO notice (id, project, kind, severity, title, body, dedupe_key, links, payload, "
      "created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (project, "
      "dedupe_key) DO NOTHING",
      {draft.id, draft.project, draft.kind, static_cast<int>(draft.severity), draft.title,
       draft.text, key, draft.links, draft.payload, now_us}));
  if (tx.changes() == 0) {
    Published before{.id = "", .fresh = false};
    GYRE_DO(tx.QueryOne("SELECT id FROM notice WHERE project = ?1 AND dedupe_key = ?2",
                        {draft.project, draft.dedupe_key},
                        [&](const db::Row& row) { before.id = row.Str(0); }));
    return before;
  }
  GYRE_DO(InsertDeliveries(tx, draft, tx.last_insert_id(), now_us));
  return Published{draft.id, true};
}

Result<bool> PutChannel(db::Transaction& tx, const ChannelRow& row, bool replace) {
  GYRE_TRY(const auto before, ReadChannels(tx, row.project, row.name));
  if (!before.empty() && !replace) return false;
  GYRE_DO(tx.Execute(
      "INSERT INTO notice_channel (project, name, settings, severity_min, created_us, changed_us, "
      "changed_by, only_named) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7) ON CONFLICT (project, name) "
      "DO UPDATE SET settings = excluded.settings, severity_min = excluded.severity_min, "
      "changed_us = excluded.changed_us, changed_by = excluded.changed_by, only_named = "
      "excluded.only_named",
      {row.project, row.name, row.settings, static_cast<int>(row.severity_min), row.changed_us,
       row.changed_by, row.only_named}));
  // What failed at the old settings need not wait for its next turn.
  GYRE_DO(tx.Execute(
      "UPDATE notice_delivery SET next_us = ?3 WHERE project = ?1 AND channel = ?2 AND state = "
      "'waiting'",
      {row.project, row.name, row.changed_us}));
  return true;
}

Error NoChannel(std::string_view project, std::string_view name) {
  return NotFound("GY4402", "project {} has no channel `{}`", project, name)
      .Fix(fmt::format("gyre channels --project {}", project));
}

Result<> RemoveChannel(db::Transaction& tx, const trash::Asked& asked, std::int64_t now_us) {
  GYRE_TRY(const auto rows, ReadChannels(tx, asked.project, asked.name));
  if (rows.empty() || asked.name.empty()) return NoChannel(asked.project, asked.name);
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "channel",
                                                           .project = asked.project,
                                                           .name = asked.name,
                                                           .by = asked.by,
                                                           .now_us = now_us}));
  GYRE_DO(parcel.Take("notice_channel", "project = ?1 AND name = ?2", {asked.project, asked.name}));
  return tx.Execute(
      "UPDATE notice_delivery SET state = 'dead', error = 'the channel was removed', changed_us = "
      "?3 WHERE project = ?1 AND channel = ?2 AND state = 'waiting'",
      {asked.project, asked.name, now_us});
}

Result<std::vector<ChannelRow>> ReadChannels(db::Reader& reader, std::string_view project,
                                             std::string_view name) {
  return db::Collect<ChannelRow>(
      reader,
      "SELECT project, name, severity_min, settings, changed_by, created_us, changed_us, "
      "only_named FROM notice_channel WHERE project = ?1 AND (?2 = '' OR name = ?2) ORDER BY name",
      {project, name}, [](const db::Row& row) {
        return ChannelRow{row.Str(0), row.Str(1), static_cast<Severity>(row.Int(2)),
                          row.Str(3), row.Str(4), row.Int(5),
                          row.Int(6), row.Bool(7)};
      });
}

Result<> CountDeliveries(db::Reader& reader, Channel* channel) {
  const std::string &project = channel->settings.project, &name = channel->settings.name;
  GYRE_DO(reader.Query(
      "SELECT state, count(*) FROM notice_delivery WHERE project = ?1 AND channel = ?2 GROUP BY "
      "state",
      {project, name}, [&](const db::Row& row) -> Result<> {
        (row.Text(0) == "waiting"     ? channel->waiting
         : row.Text(0) == "delivered" ? channel->delivered
                                      : channel->dead) = row.Int(1);
        return {};
      }));
  GYRE_DO(reader.QueryOne(
      "SELECT error FROM notice_delivery WHERE project = ?1 AND channel = ?2 AND state IN "
      "('waiting', 'dead') AND error <> '' ORDER BY changed_us DESC LIMIT 1",
      {project, name}, [&](const db::Row& row) { channel->last_error = row.Str(0); }));
  return {};
}

Result<std::vector<Notice>> ReadNotices(db::Reader& reader, const NoticeFilter& filter) {
  GYRE_TRY(std::vector<Notice> notices,
           db::Collect<Notice>(
               reader,
               fmt::format(
                   "SELECT {} FROM notice n WHERE project = ?1 AND (?2 = 0 OR sequence < ?2) AND "
                   "(?3 = '' OR (?3 = 'unsent' AND NOT EXISTS (SELECT 1 FROM notice_delivery d "
                   "WHERE d.notice = n.sequence)) OR EXISTS (SELECT 1 FROM notice_delivery d WHERE "
                   "d.notice = n.sequence AND d.state = ?3)) ORDER BY sequence DESC LIMIT ?4",
                   kNoticeColumns),
               {filter.project, filter.before, filter.state, filter.limit}, MakeNotice));
  GYRE_DO(AddDeliveries(reader, &notices));
  return notices;
}

Result<std::vector<Notice>> ReadNoticesBeginning(db::Reader& reader, std::string_view project,
                                                 std::string_view id, int limit) {
  GYRE_TRY(
      std::vector<Notice> notices,
      db::Collect<Notice>(reader,
                          fmt::format("SELECT {} FROM notice WHERE project = ?1 AND substr(id, "
                                      "1, length(?2)) = ?2 ORDER BY sequence DESC LIMIT ?3",
                                      kNoticeColumns),
                          {project, id, limit}, MakeNotice));
  GYRE_DO(AddDeliveries(reader, &notices));
  return notices;
}

Result<std::int64_t> Revive(db::Transaction& tx, std::int64_t notice, std::int64_t now_us) {
  GYRE_DO(tx.Execute(
      "UPDATE notice_delivery SET state = 'waiting', attempts = 0, next_us = ?2, changed_us = ?2 "
      "WHERE notice = ?1 AND state = 'dead' AND EXISTS (SELECT 1 FROM notice_channel c WHERE "
      "c.project = notice_delivery.project AND c.name = notice_delivery.channel)",
      {notice, now_us}));
  return tx.changes();
}

Result<std::int64_t> DeleteOld(db::Transaction& tx, std::int64_t before_us) {
  constexpr std::string_view kOld =
      "created_us < ?1 AND NOT EXISTS (SELECT 1 FROM notice_delivery d WHERE d.notice = "
      "notice.sequence AND d.state = 'waiting')";
  GYRE_DO(tx.Execute(
      fmt::format("DELETE FROM notice_delivery WHERE notice IN (SELECT sequence FROM notice WHERE "
                  "{})",
                  kOld),
      {before_us}));
  GYRE_DO(tx.Execute(fmt::format("DELETE FROM notice WHERE {}", kOld), {before_us}));
  return tx.changes();
}

Result<std::vector<Due>> ReadDue(db::Reader& reader, std::int64_t since_us) {
  return db::Collect<Due>(
      reader,
      "SELECT c.project, c.name, d.notice, d.attempts, d.next_us FROM notice_channel c JOIN "
      "notice_delivery d ON d.channel = c.name AND d.notice = (SELECT w.notice FROM "
      "notice_delivery w WHERE w.project = c.project AND w.channel = c.name AND w.state = "
      "'waiting' AND w.changed_us >= ?1 ORDER BY w.next_us, w.notice LIMIT 1) ORDER BY d.next_us, "
      "d.notice",
      {since_us}, [](const db::Row& row) {
        return Due{row.Str(0), row.Str(1), row.Int(2), static_cast<int>(row.Int(3)), row.Int(4)};
      });
}

Result<std::optional<Parcel>> ReadParcel(db::Reader& reader, const Due& due) {
  GYRE_TRY(const auto channels, ReadChannels(reader, due.project, due.channel));
  GYRE_TRY(auto notices,
           db::Collect<Notice>(
               reader,
               fmt::format("SELECT {} FROM notice WHERE sequence = ?1 AND EXISTS (SELECT 1 FROM "
                           "notice_delivery d WHERE d.notice = sequence AND d.channel = ?2 AND "
                           "d.state = 'waiting')",
                           kNoticeColumns),
               {due.notice, due.channel}, MakeNotice));
  if (channels.empty() || notices.empty()) return std::optional<Parcel>();
  const ChannelRow& row = channels.front();
  GYRE_TRY(NewChannel channel,
           SettingsFromText(row.project, row.name, row.severity_min, row.settings));
  return std::optional<Parcel>(Parcel{due, std::move(channel), std::move(notices.front())});
}

Result<bool> WriteAttempt(db::Transaction& tx, const Due& due, const Attempted& attempted,
                          std::int64_t now_us) {
  GYRE_DO(tx.Execute(
      "UPDATE notice_delivery SET state = ?3, attempts = ?4, next_us = ?5, error = ?6, answer = "
      "?7, changed_us = ?8 WHERE notice = ?1 AND channel = ?2 AND state = 'waiting'",
      {due.notice, due.channel, attempted.state, attempted.attempts, attempted.next_us,
       attempted.error, attempted.answer, now_us}));
  return tx.changes() > 0;
}

Result<std::int64_t> CountWaiting(db::Reader& reader) {
  return Number(reader, "SELECT count(*) FROM notice_delivery WHERE state = 'waiting'", {});
}

}  // namespace gyre::notices
