#include "ml/tracking/run_transfer.h"

#include <utility>
#include <vector>

#include "base/id.h"
#include "ledger/lineage/lineage.h"
#include "ml/tracking/experiment_store.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

// What a run read, and its tags as text.
using Inputs = std::vector<std::pair<DatasetInput, std::string>>;
Result<Inputs> ReadInputs(db::Reader& reader, std::int64_t run) {
  using Input = std::pair<DatasetInput, std::string>;
  return db::Collect<Input>(
      reader,
      "SELECT d.name, d.digest, d.source_type, d.source, d.schema_text, d.profile, u.context, "
      "u.tags FROM tracking_run_dataset u JOIN tracking_dataset d ON d.number = u.dataset WHERE "
      "u.run = ?1 ORDER BY d.number",
      {run}, [](const db::Row& row) {
        return Input{DatasetInput{row.Str(0),
                                  row.Str(1),
                                  row.Str(2),
                                  row.Str(3),
                                  row.Str(4),
                                  row.Str(5),
                                  row.Str(6),
                                  {}},
                     row.Str(7)};
      });
}

// A data set is of one experiment: a run in another one reads one of that.
Result<> PutInputs(db::Transaction& tx, const RunKey& run, const Inputs& inputs) {
  for (const auto& [input, tags] : inputs) GYRE_DO(PutDataset(tx, run, input, tags));
  return {};
}

Result<> MoveRows(db::Transaction& tx, const RunKey& run, std::string_view run_id,
                  std::int64_t experiment) {
  GYRE_TRY(const Inputs inputs, ReadInputs(tx, run.number));
  GYRE_DO(tx.Execute("DELETE FROM tracking_run_dataset WHERE run = ?1", {run.number}));
  GYRE_DO(tx.Execute("UPDATE tracking_run SET experiment = ?2 WHERE number = ?1",
                     {run.number, experiment}));
  for (const std::string_view table : {"tracking_run_param", "tracking_run_tag", "tracking_metric"})
    GYRE_DO(tx.Execute(fmt::format("UPDATE {} SET experiment = ?2 WHERE run = ?1", table),
                       {run.number, experiment}));
  GYRE_DO(tx.Execute("UPDATE tracking_logged_model SET experiment = ?2 WHERE run_id = ?1",
                     {run_id, experiment}));
  return PutInputs(tx, {run.number, experiment, 0, run.project}, inputs);
}

// --- copies --------------------------------------------------------------------------------------
struct Copied {
  RunKey from, to;
  std::string from_id, to_id;
};

Result<> InsertCopy(db::Transaction& tx, const Copied& run, const RunCopy& copy,
                    std::string_view source, std::int64_t now_us) {
  return tx.Execute(
      "INSERT INTO tracking_run (number, id, project, experiment, name, kind, job, parent, "
      "created_by, user_name, status, seed, error, created_us, started_us, ended_us, "
      "artifact_root, source, code, inputs, environment, resources) SELECT ?2, ?3, ?4, ?5, "
      "CASE WHEN ?6 = '' THEN name ELSE ?6 END, kind, '', "
      "CASE WHEN project = ?4 THEN parent ELSE '' END, ?7, user_name, "
      "CASE WHEN status IN ('scheduled', 'running') THEN 'killed' ELSE status END, seed, "
      "CASE WHEN status IN ('scheduled', 'running') THEN 'copied while it ran' ELSE error END, "
      "?8, started_us, CASE WHEN ended_us = 0 THEN ?8 ELSE ended_us END, artifact_root, ?9, code, "
      "inputs, environment, resources FROM tracking_run WHERE number = ?1",
      {run.from.number, run.to.number, run.to_id, run.to.project, run.to.experiment, copy.name,
       copy.by, now_us, source});
}

Result<> CopyRows(db::Transaction& tx, const Copied& run) {
  constexpr std::string_view kStatements[] = {
      "INSERT INTO tracking_run_param (run, name, experiment, value) SELECT ?2, name, ?3, value "
      "FROM tracking_run_param WHERE run = ?1",
      // What tells an imported run from others stays with that one.
      "INSERT INTO tracking_run_tag (run, name, experiment, value) SELECT ?2, name, ?3, value FROM "
      "tracking_run_tag WHERE run = ?1 AND name NOT IN (SELECT id FROM tracking_name WHERE name IN "
      "('import.key', 'import.position'))",
      "INSERT INTO tracking_metric (run, name, experiment, value, step, time_us, points, least, "
      "most) SELECT ?2, name, ?3, value, step, time_us, points, least, most FROM tracking_metric "
      "WHERE run = ?1"};
  constexpr std::string_view kOfPoints[] = {
      "INSERT INTO tracking_metric_tail (run, sequence, points) SELECT ?2, sequence, points FROM "
      "tracking_metric_tail WHERE run = ?1",
      "INSERT INTO tracking_metric_unsettled (run, first) SELECT ?2, first FROM "
      "tracking_metric_unsettled WHERE run = ?1",
      "INSERT INTO tracking_metric_segment (run, name, sequence, first_step, last_step, "
      "point_count, least, most, points) SELECT ?2, name, sequence, first_step, last_step, "
      "point_count, least, most, points FROM tracking_metric_segment WHERE run = ?1",
      "INSERT INTO tracking_metric_block (run, name, sequence, whole, blocks) SELECT ?2, name, "
      "sequence, whole, blocks FROM tracking_metric_block WHERE run = ?1"};
  for (const std::string_view sql : kStatements)
    GYRE_DO(tx.Execute(sql, {run.from.number, run.to.number, run.to.experiment}));
  for (const std::string_view sql : kOfPoints)
    GYRE_DO(tx.Execute(sql, {run.from.number, run.to.number}));
  GYRE_TRY(const Inputs inputs, ReadInputs(tx, run.from.number));
  return PutInputs(tx, run.to, inputs);
}

Result<> ShareFiles(db::Transaction& tx, const Copied& run) {
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_file (owner, path, digest, size_bytes, media_type) SELECT "
                 "?2, path, digest, size_bytes, media_type FROM tracking_file WHERE owner = ?1",
                 {run.from_id, run.to_id}));
  GYRE_TRY(
      const auto objects,
      db::Collect<blob::Object>(
          tx, "SELECT DISTINCT digest, size_bytes FROM tracking_file WHERE owner = ?1",
          {run.from_id}, [](const db::Row& row) { return blob::Object{row.Str(0), row.Int(1)}; }));
  for (const blob::Object& object : objects)
    GYRE_DO(blob::AddRef(tx, kRefOwner, run.to_id, object));
  return {};
}

Result<> LinkToOrigin(db::Transaction& tx, const Run& from, const Copied& run,
                      std::int64_t now_us) {
  const auto node = [&](const std::string& id, const std::string& project, std::int64_t us) {
    return lineage::Node{
        .id = id, .kind = "run", .label = from.name, .project = project, .created_us = us};
  };
  GYRE_DO(lineage::EnsureNode(tx, node(from.id, from.project, from.created_us)));
  GYRE_DO(lineage::AddNode(tx, node(run.to_id, run.to.project, now_us)));
  return lineage::AddEdge(tx, from.id, run.to_id, "copied");
}

}  // namespace

Result<> RunTransfer::Move(std::string_view run_id, std::int64_t experiment_number) {
  std::int64_t left = 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const RunKey run, FindActiveRun(tx, run_id));
    left = run.experiment;
    GYRE_DO(ReadActiveExperiment(tx, run.project, experiment_number));
    return MoveRows(tx, run, run_id, experiment_number);
  }));
  stamps_.Leave(run_id, left);
  return {};
}

Result<std::string> RunTransfer::Copy(const RunCopy& copy) {
  Run from;
  GYRE_DO(database_.Read([&](db::Reader& reader) { return ReadRun(reader, copy.run_id, &from); }));
  Json source = from.source.is_object() ? from.source : Json::Obj();
  source.Set("copied_from", Json::Obj({{"run", from.id}, {"project", from.project}}));
  const std::string source_text = source.Dump();
  const std::int64_t now_us = clock_.NowMicros();
  Copied run{.from_id = from.id, .to_id = NewId()};
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(run.from, FindActiveRun(tx, from.id));
    GYRE_DO(ReadActiveExperiment(tx, copy.project, copy.experiment_number));
    run.to = {.experiment = copy.experiment_number, .project = copy.project};
    GYRE_TRY(run.to.number, NextNumber(tx, "run"));
    GYRE_DO(InsertCopy(tx, run, copy, source_text, now_us));
    GYRE_DO(CopyRows(tx, run));
    GYRE_DO(ShareFiles(tx, run));
    return LinkToOrigin(tx, from, run, now_us);
  }));
  stamps_.Touch(run.to_id);
  return run.to_id;
}

}  // namespace gyre::tracking
