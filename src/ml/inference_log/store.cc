#include "ml/inference_log/store.h"

namespace gyre::inference_log {
namespace {

SegmentRow ReadSegment(const db::Row& row) {
  return {.id = row.Str(0),
          .stream_id = row.Str(1),
          .project = row.Str(2),
          .endpoint = row.Str(3),
          .object = {row.Str(4), row.Int(5)},
          .rows = row.Int(6),
          .event_min_us = row.Int(7),
          .event_max_us = row.Int(8),
          .received_max_us = row.Int(9),
          .sealed_us = row.Int(10)};
}

LabelRow ReadLabelRow(const db::Row& row) {
  return {.id = row.Str(0),
          .project = row.Str(1),
          .endpoint = row.Str(2),
          .object = {row.Str(3), row.Int(4)},
          .rows = row.Int(5),
          .received_us = row.Int(6)};
}

Result<> CheckGone(const db::Transaction& tx, const std::string& id) {
  if (tx.changes() == 1) return {};
  return MakeError(Code::kAborted, "GY4605", "file {} of the captures has gone meanwhile", id);
}

}  // namespace

std::string StreamId(const StreamSpec& spec) { return spec.deployment_id + "-" + spec.role; }

Result<> InsertStream(db::Transaction& tx, const StreamSpec& spec, const std::string& facts,
                      std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO inference_stream (id, project, endpoint, role, deployment_id, model, "
      "model_version_id, facts_json, created_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
      "ON CONFLICT (id) DO NOTHING",
      {StreamId(spec), spec.project, spec.endpoint, spec.role, spec.deployment_id, spec.model,
       spec.model_version_id, facts, now_us});
}

Result<> InsertSegment(db::Transaction& tx, const SegmentRow& s) {
  GYRE_DO(tx.Execute(
      "INSERT INTO inference_segment (id, stream_id, project, endpoint, digest, size_bytes, "
      "row_count, event_min_us, event_max_us, received_max_us, sealed_us) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
      {s.id, s.stream_id, s.project, s.endpoint, s.object.digest, s.object.size_bytes, s.rows,
       s.event_min_us, s.event_max_us, s.received_max_us, s.sealed_us}));
  return blob::AddRef(tx, kSegmentKind, s.id, s.object);
}

Result<> InsertLabels(db::Transaction& tx, const LabelRow& l) {
  GYRE_DO(tx.Execute(
      "INSERT INTO inference_label_batch (id, project, endpoint, digest, size_bytes, "
      "row_count, received_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
      {l.id, l.project, l.endpoint, l.object.digest, l.object.size_bytes, l.rows, l.received_us}));
  return blob::AddRef(tx, kLabelKind, l.id, l.object);
}

Result<> AddToCount(db::Transaction& tx, std::string_view project, std::string_view endpoint,
                    std::string_view name, std::int64_t amount) {
  return tx.Execute(
      "INSERT INTO inference_count (project, endpoint, name, amount) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (project, endpoint, name) DO UPDATE SET amount = inference_count.amount + ?4",
      {project, endpoint, name, amount});
}

Result<std::vector<SegmentRow>> ReadSegments(db::Reader& reader, std::string_view project,
                                             std::string_view endpoint, std::int64_t from_us,
                                             std::int64_t to_us) {
  return db::Collect<SegmentRow>(
      reader,
      "SELECT id, stream_id, project, endpoint, digest, size_bytes, row_count, event_min_us, "
      "event_max_us, received_max_us, sealed_us FROM inference_segment "
      "WHERE project = ?1 AND endpoint = ?2 AND event_min_us < ?4 AND event_max_us >= ?3 "
      "ORDER BY event_min_us, id",
      {project, endpoint, from_us, to_us}, ReadSegment);
}

Result<std::vector<SegmentRow>> ReadSegmentsOfProject(db::Reader& reader,
                                                      std::string_view project) {
  return db::Collect<SegmentRow>(
      reader,
      "SELECT id, stream_id, project, endpoint, digest, size_bytes, row_count, event_min_us, "
      "event_max_us, received_max_us, sealed_us FROM inference_segment WHERE project = ?1 "
      "ORDER BY received_max_us DESC, id",
      {project}, ReadSegment);
}

Result<std::vector<LabelRow>> ReadLabels(db::Reader& reader, std::string_view project,
                                         std::string_view endpoint) {
  return db::Collect<LabelRow>(
      reader,
      "SELECT id, project, endpoint, digest, size_bytes, row_count, received_us "
      "FROM inference_label_batch WHERE project = ?1 AND endpoint = ?2 ORDER BY received_us, id",
      {project, endpoint}, ReadLabelRow);
}

Result<SealedSince> ReadSealedSince(db::Reader& reader, std::string_view project,
                                    std::string_view endpoint, std::int64_t sealed_us) {
  SealedSince since;
  GYRE_DO(
      reader.QueryOne("SELECT COALESCE(MAX(sealed_us), 0), COALESCE(MIN(CASE WHEN sealed_us > ?3 "
                      "THEN event_min_us END), ?4) FROM inference_segment WHERE project = ?1 AND "
                      "endpoint = ?2",
                      {project, endpoint, sealed_us, INT64_MAX},
                      [&](const db::Row& row) { since = {row.Int(0), row.Int(1)}; }));
  return since;
}

Result<Totals> ReadTotals(db::Reader& reader, std::string_view project, std::string_view endpoint) {
  Totals totals;
  GYRE_TRY(const bool segments,
           reader.QueryOne("SELECT COUNT(*), SUM(row_count), SUM(size_bytes), MIN(event_min_us), "
                           "MAX(event_max_us), MAX(received_max_us) FROM inference_segment "
                           "WHERE project = ?1 AND endpoint = ?2",
                           {project, endpoint}, [&](const db::Row& row) {
                             totals.segments = row.Int(0);
                             totals.rows = row.Int(1);
                             totals.bytes = row.Int(2);
                             totals.event_min_us = row.Int(3);
                             totals.event_max_us = row.Int(4);
                             totals.received_max_us = row.Int(5);
                           }));
  GYRE_TRY(const bool labels,
           reader.QueryOne("SELECT COUNT(*), SUM(row_count), SUM(size_bytes) "
                           "FROM inference_label_batch WHERE project = ?1 AND endpoint = ?2",
                           {project, endpoint}, [&](const db::Row& row) {
                             totals.label_batches = row.Int(0);
                             totals.labels = row.Int(1);
                             totals.bytes += row.Int(2);
                           }));
  GYRE_CHECK(segments && labels);
  GYRE_DO(
      reader.Query("SELECT name, amount FROM inference_count WHERE project = ?1 AND "
                   "endpoint = ?2",
                   {project, endpoint}, [&](const db::Row& row) -> Result<> {
                     if (row.Text(0) == "dropped") totals.dropped = row.Int(1);
                     if (row.Text(0) == "left_out") totals.left_out = row.Int(1);
                     if (row.Text(0) == "expired") totals.expired = row.Int(1);
                     if (row.Text(0) == "ahead") totals.ahead = row.Int(1);
                     if (row.Text(0) == "forgotten") totals.forgotten = row.Int(1);
                     return {};
                   }));
  return totals;
}

Result<bool> NewestStream(db::Reader& reader, std::string_view project, std::string_view endpoint,
                          std::string* facts) {
  return reader.QueryOne(
      "SELECT facts_json FROM inference_stream WHERE project = ?1 AND "
      "endpoint = ?2 ORDER BY created_us DESC, id LIMIT 1",
      {project, endpoint}, [&](const db::Row& row) { *facts = row.Str(0); });
}

Result<std::vector<EndpointName>> EndpointsWithRows(db::Reader& reader, std::string_view project) {
  return db::Collect<EndpointName>(
      reader,
      "SELECT project, endpoint FROM inference_segment WHERE ?1 = '' OR project = ?1 "
      "UNION SELECT project, endpoint FROM inference_label_batch WHERE ?1 = '' OR project = ?1 "
      "ORDER BY project, endpoint",
      {project}, [](const db::Row& row) { return EndpointName{row.Str(0), row.Str(1)}; });
}

Result<bool> ReadPolicy(db::Reader& reader, std::string_view project, std::string_view endpoint,
                        std::string* policy) {
  return reader.QueryOne(
      "SELECT policy_json FROM inference_policy WHERE project = ?1 AND endpoint = ?2",
      {project, endpoint}, [&](const db::Row& row) { *policy = row.Str(0); });
}

Result<> WritePolicy(db::Transaction& tx, const EndpointName& name, const std::string& policy,
                     std::string_view by, std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO inference_policy (project, endpoint, policy_json, changed_by, changed_us) "
      "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (project, endpoint) DO UPDATE SET "
      "policy_json = ?3, changed_by = ?4, changed_us = ?5",
      {name.project, name.endpoint, policy, by, now_us});
}

Result<> DeleteSegment(db::Transaction& tx, const std::string& id) {
  GYRE_DO(blob::DropRefs(tx, kSegmentKind, id));
  GYRE_DO(tx.Execute("DELETE FROM inference_segment WHERE id = ?1", {id}));
  return CheckGone(tx, id);
}

Result<> DeleteLabels(db::Transaction& tx, const std::string& id) {
  GYRE_DO(blob::DropRefs(tx, kLabelKind, id));
  GYRE_DO(tx.Execute("DELETE FROM inference_label_batch WHERE id = ?1", {id}));
  return CheckGone(tx, id);
}

Result<std::int64_t> Expire(db::Transaction& tx, const EndpointName& name, std::int64_t before_us,
                            int limit) {
  std::vector<std::string> segments, batches;
  std::int64_t rows = 0;
  GYRE_DO(tx.Query(
      "SELECT id, row_count FROM inference_segment WHERE project = ?1 AND "
      "endpoint = ?2 AND received_max_us < ?3 LIMIT ?4",
      {name.project, name.endpoint, before_us, limit}, [&](const db::Row& row) -> Result<> {
        segments.push_back(row.Str(0));
        rows += row.Int(1);
        return {};
      }));
  GYRE_DO(tx.Query(
      "SELECT id FROM inference_label_batch WHERE project = ?1 AND endpoint = ?2 AND "
      "received_us < ?3 LIMIT ?4",
      {name.project, name.endpoint, before_us, limit}, [&](const db::Row& row) -> Result<> {
        batches.push_back(row.Str(0));
        return {};
      }));
  for (const std::string& id : segments) GYRE_DO(DeleteSegment(tx, id));
  for (const std::string& id : batches) GYRE_DO(DeleteLabels(tx, id));
  if (rows > 0) GYRE_DO(AddToCount(tx, name.project, name.endpoint, "expired", rows));
  return static_cast<std::int64_t>(segments.size() + batches.size());
}

Result<std::vector<Counted<std::string>>> StreamsWithSmall(db::Reader& reader,
                                                           std::int64_t rows_max,
                                                           std::int64_t least) {
  std::vector<Counted<std::string>> all;
  GYRE_DO(
      reader.Query("SELECT stream_id, COUNT(*) AS files FROM inference_segment WHERE "
                   "row_count < ?1 GROUP BY stream_id HAVING files >= ?2 ORDER BY files DESC",
                   {rows_max, least}, [&](const db::Row& row) -> Result<> {
                     all.push_back({row.Str(0), row.Int(1)});
                     return {};
                   }));
  return all;
}

Result<std::vector<SegmentRow>> SmallSegments(db::Reader& reader, const std::string& stream,
                                              std::int64_t rows_max) {
  return db::Collect<SegmentRow>(
      reader,
      "SELECT id, stream_id, project, endpoint, digest, size_bytes, row_count, event_min_us, "
      "event_max_us, received_max_us, sealed_us FROM inference_segment "
      "WHERE stream_id = ?1 AND row_count < ?2 ORDER BY sealed_us, id LIMIT 512",
      {stream, rows_max}, ReadSegment);
}

Result<std::vector<Counted<EndpointName>>> EndpointsWithSmall(db::Reader& reader,
                                                              std::int64_t rows_max,
                                                              std::int64_t least) {
  std::vector<Counted<EndpointName>> all;
  GYRE_DO(reader.Query(
      "SELECT project, endpoint, COUNT(*) AS files FROM inference_label_batch WHERE "
      "row_count < ?1 GROUP BY project, endpoint HAVING files >= ?2 ORDER BY files DESC",
      {rows_max, least}, [&](const db::Row& row) -> Result<> {
        all.push_back({{row.Str(0), row.Str(1)}, row.Int(2)});
        return {};
      }));
  return all;
}

Result<std::vector<LabelRow>> SmallLabels(db::Reader& reader, const EndpointName& name,
                                          std::int64_t rows_max) {
  return db::Collect<LabelRow>(
      reader,
      "SELECT id, project, endpoint, digest, size_bytes, row_count, received_us "
      "FROM inference_label_batch WHERE project = ?1 AND endpoint = ?2 AND row_count < ?3 "
      "ORDER BY received_us, id LIMIT 512",
      {name.project, name.endpoint, rows_max}, ReadLabelRow);
}

}  // namespace gyre::inference_log
