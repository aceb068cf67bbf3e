#include "ml/tracking/run_store.h"

#include <utility>

#include "base/text.h"
#include "ledger/trash/parcel.h"
#include "ml/tracking/names.h"

namespace gyre::tracking {

namespace {

Json ParseOwn(std::string_view text) {
  if (text.empty()) return Json();
  auto json = Json::Parse(text, 96);
  return json ? *std::move(json) : Json();
}

// The first string after every one that begins with `prefix`.
std::string PrefixEnd(std::string_view prefix) { return std::string(prefix) + "\xf4\x8f\xbf\xbf"; }

constexpr std::string_view kRunColumns =
    "r.id, r.number, r.project, r.experiment, e.name, r.name, r.kind, r.job, r.parent, "
    "r.created_by, r.user_name, r.status, r.seed, r.error, r.created_us, r.started_us, r.ended_us, "
    "r.deleted_us, r.artifact_root, r.source, r.code, r.inputs, r.environment, r.resources";

Run RunFromRow(const db::Row& row) {
  Run run;
  run.id = row.Str(0);
  run.number = row.Int(1);
  run.project = row.Str(2);
  run.experiment_number = row.Int(3);
  run.experiment = row.Str(4);
  run.name = row.Str(5);
  run.kind = row.Str(6);
  run.job = row.Str(7);
  run.parent = row.Str(8);
  run.created_by = row.Str(9);
  run.user_name = row.Str(10);
  run.status = ParseRunStatus(row.Text(11)).value_or(RunStatus::kFailed);
  if (const auto seed = ParseInt(row.Text(12))) run.seed = static_cast<std::uint64_t>(*seed);
  run.error = row.Str(13);
  run.created_us = row.Int(14);
  run.started_us = row.Int(15);
  run.ended_us = row.Int(16);
  run.deleted_us = row.Int(17);
  run.artifact_root = row.Str(18);
  run.source = ParseOwn(row.Text(19));
  run.code = ParseOwn(row.Text(20));
  run.inputs = ParseOwn(row.Text(21));
  run.environment = ParseOwn(row.Text(22));
  run.resources = ParseOwn(row.Text(23));
  return run;
}

Error NoRun(std::string_view run_id) {
  return NotFound("GY3401", "there is no run `{}`", run_id.substr(0, 100))
      .Fix("gyre runs            (lists them)");
}

Result<std::map<std::string, std::string>> ReadTexts(db::Reader& reader, std::string_view sql,
                                                     std::int64_t run) {
  std::map<std::string, std::string> texts;
  GYRE_DO(reader.Query(sql, {run}, [&](const db::Row& row) -> Result<> {
    texts.emplace(row.Str(0), row.Str(1));
    return {};
  }));
  return texts;
}

}  // namespace

Result<std::int64_t> NextNumber(db::Transaction& tx, std::string_view noun) {
  std::int64_t number = 1;
  GYRE_TRY([[maybe_unused]] const bool found,
           tx.QueryOne("INSERT INTO tracking_counter AS c (noun, newest) VALUES (?1, 1) ON "
                       "CONFLICT (noun) DO UPDATE SET newest = c.newest + 1 RETURNING newest",
                       {noun}, [&](const db::Row& row) { number = row.Int(0); }));
  return number;
}

Result<> InsertRun(db::Transaction& tx, const Run& run, const RunTexts& texts,
                   std::string_view import_key) {
  const std::string seed = run.seed ? fmt::format("{}", static_cast<std::int64_t>(*run.seed)) : "";
  return tx.Execute(
      "INSERT INTO tracking_run (number, id, project, experiment, name, kind, job, parent, "
      "created_by, user_name, status, seed, error, created_us, started_us, ended_us, "
      "artifact_root, source, code, inputs, environment, resources, import_key) VALUES (?1, ?2, "
      "?3, ?4, ?5, "
      "?6, ?7, ?8, ?9, ?10, ?11, ?12, '', ?13, ?14, 0, ?15, ?16, ?17, ?18, ?19, '', ?20)",
      {run.number,
       run.id,
       run.project,
       run.experiment_number,
       run.name,
       run.kind,
       run.job,
       run.parent,
       run.created_by,
       run.user_name,
       RunStatusName(run.status),
       seed,
       run.created_us,
       run.started_us,
       run.artifact_root,
       texts.source,
       texts.code,
       texts.inputs,
       texts.environment,
       import_key});
}

Result<std::string> FindImportedRun(db::Reader& reader, std::string_view project,
                                    std::string_view import_key) {
  std::string id;
  GYRE_TRY([[maybe_unused]] const bool found,
           reader.QueryOne("SELECT id FROM tracking_run WHERE project = ?1 AND import_key = ?2 AND "
                           "import_key <> '' AND deleted_us = 0 ORDER BY number DESC LIMIT 1",
                           {project, import_key}, [&](const db::Row& row) { id = row.Str(0); }));
  return id;
}

Result<> PutParams(db::Transaction& tx, const RunKey& run, std::string_view run_id,
                   const NamedTexts& params, std::vector<ParamConflict>* conflicts) {
  std::optional<Error> first;
  for (const NamedText& param : params) {
    GYRE_DO(
        tx.Execute("INSERT INTO tracking_run_param (run, name, experiment, value) VALUES (?1, ?2, "
                   "?3, ?4) ON CONFLICT (run, name) DO NOTHING",
                   {run.number, param.name, run.experiment, param.value}));
    if (tx.changes() == 1) continue;
    std::string before;
    GYRE_TRY(
        const bool found,
        tx.QueryOne("SELECT value FROM tracking_run_param WHERE run = ?1 AND name = ?2",
                    {run.number, param.name}, [&](const db::Row& row) { before = row.Str(0); }));
    if (found && before == param.value) continue;
    if (conflicts != nullptr)
      conflicts->push_back({std::string(param.key), before, std::string(param.value)});
    if (first) continue;
    first = FailedPrecondition("GY3404", "the param `{}` of run {} is `{}` already", param.key,
                               run_id.substr(0, kShortIdLength), before)
                .Why("a param is written once, so that a run always says what it ran with")
                .Fix("use a tag for what changes, or start another run");
  }
  if (first) return *std::move(first);
  return {};
}

Result<> PutTags(db::Transaction& tx, const RunKey& run, const NamedTexts& tags) {
  for (const NamedText& tag : tags) {
    GYRE_DO(
        tx.Execute("INSERT INTO tracking_run_tag (run, name, experiment, value) VALUES (?1, ?2, "
                   "?3, ?4) ON CONFLICT (run, name) DO UPDATE SET value = excluded.value",
                   {run.number, tag.name, run.experiment, tag.value}));
  }
  return {};
}

Result<std::string> ReadTag(db::Reader& reader, const RunKey& run, std::int64_t name) {
  std::string value;
  GYRE_DO(reader.QueryOne("SELECT value FROM tracking_run_tag WHERE run = ?1 AND name = ?2",
                          {run.number, name}, [&](const db::Row& row) { value = row.Str(0); }));
  return value;
}

Result<bool> RemoveTag(db::Transaction& tx, const RunKey& run, std::string_view key) {
  GYRE_TRY(const std::int64_t name, NameBook::Find(tx, key));
  GYRE_DO(
      tx.Execute("DELETE FROM tracking_run_tag WHERE run = ?1 AND name = ?2", {run.number, name}));
  return tx.changes() > 0;
}

Result<> UpdateInputs(db::Transaction& tx, std::string_view run_id, std::string_view inputs) {
  return tx.Execute("UPDATE tracking_run SET inputs = ?2 WHERE id = ?1", {run_id, inputs});
}

Result<> UpdateEnd(db::Transaction& tx, std::string_view run_id, const RunEnd& end,
                   std::string_view resources) {
  return tx.Execute(
      "UPDATE tracking_run SET status = ?2, error = ?3, ended_us = ?4, resources = ?5 WHERE id = "
      "?1",
      {run_id, RunStatusName(end.status), end.error, end.ended_us, resources});
}

// A column that is not named leaves its indexes alone.
Result<> UpdateRun(db::Transaction& tx, const RunKey& run, const RunChange& change) {
  if (change.name)
    GYRE_DO(tx.Execute("UPDATE tracking_run SET name = ?2 WHERE number = ?1",
                       {run.number, *change.name}));
  if (!change.status && !change.ended_us) return {};
  const auto status = change.status ? std::optional(RunStatusName(*change.status)) : std::nullopt;
  return tx.Execute(
      "UPDATE tracking_run SET status = COALESCE(?2, status), ended_us = COALESCE(?3, ended_us) "
      "WHERE number = ?1",
      {run.number, status, change.ended_us});
}

Result<> SetRunDeleted(db::Transaction& tx, const RunKey& run, std::int64_t deleted_us) {
  return tx.Execute("UPDATE tracking_run SET deleted_us = ?2 WHERE number = ?1",
                    {run.number, deleted_us});
}

Result<std::string> RemoveRun(db::Transaction& tx, std::string_view run_id, std::string_view by,
                              std::int64_t now_us) {
  GYRE_TRY(const RunKey run, FindRun(tx, run_id));
  std::string project, what;
  GYRE_TRY([[maybe_unused]] const bool found,
           tx.QueryOne("SELECT project, kind, name FROM tracking_run WHERE number = ?1",
                       {run.number}, [&](const db::Row& row) {
                         project = row.Str(0);
                         what = fmt::format("{} {}", row.Text(1), row.Text(2));
                       }));
  std::string name(run_id.substr(0, kShortIdLength));
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "run",
                                                           .project = project,
                                                           .name = name,
                                                           .what = what,
                                                           .by = by,
                                                           .now_us = now_us}));
  for (const std::string_view table : kTablesOfRuns)
    GYRE_DO(parcel.Take(table, "run = ?1", {run.number}));
  GYRE_DO(parcel.Take("tracking_file", "owner = ?1", {run_id}));
  GYRE_DO(parcel.Take("tracking_run_output", "run_id = ?1", {run_id}));
  GYRE_DO(parcel.Take("tracking_run", "number = ?1", {run.number}));
  GYRE_DO(parcel.TakeBlobs(kRefOwner, run_id));
  return name;
}

Result<RunKey> FindRun(db::Reader& reader, std::string_view run_id) {
  RunKey key;
  GYRE_TRY(const bool found,
           reader.QueryOne(
               "SELECT number, experiment, deleted_us, project FROM tracking_run WHERE id = ?1",
               {run_id}, [&](const db::Row& row) {
                 key = {row.Int(0), row.Int(1), row.Int(2), row.Str(3)};
               }));
  if (!found) return NoRun(run_id);
  return key;
}

Result<RunKey> FindActiveRun(db::Reader& reader, std::string_view run_id,
                             std::string_view project) {
  GYRE_TRY(RunKey key, FindRun(reader, run_id));
  return ActiveOf(std::move(key), run_id, project);
}

Result<RunKey> ActiveOf(RunKey key, std::string_view run_id, std::string_view project) {
  if (!project.empty() && key.project != project) return NoRun(run_id);
  if (key.deleted_us == 0) return key;
  return FailedPrecondition("GY3426", "run {} is deleted", run_id.substr(0, kShortIdLength))
      .Why("a deleted run does not change")
      .Fix("restore it first");
}

Result<std::vector<std::string>> FindRunIds(db::Reader& reader, std::string_view project,
                                            std::string_view reference) {
  const auto id = [](const db::Row& row) { return row.Str(0); };
  if (reference == "-") {
    return db::Collect<std::string>(
        reader, "SELECT id FROM tracking_run WHERE project = ?1 ORDER BY number DESC LIMIT 1",
        {project}, id);
  }
  GYRE_TRY(
      auto ids,
      db::Collect<std::string>(
          reader, "SELECT id FROM tracking_run WHERE id >= ?1 AND id < ?2 AND project = ?3 LIMIT 2",
          {reference, PrefixEnd(reference), project}, id));
  if (!ids.empty()) return ids;
  return db::Collect<std::string>(
      reader,
      "SELECT id FROM tracking_run WHERE project = ?1 AND name = ?2 ORDER BY number DESC LIMIT 1",
      {project, reference}, id);
}

Result<> ReadRunAlone(db::Reader& reader, std::string_view run_id, Run* run) {
  GYRE_TRY(const bool found,
           reader.QueryOne(fmt::format("SELECT {} FROM tracking_run r JOIN tracking_experiment e "
                                       "ON e.number = r.experiment WHERE r.id = ?1",
                                       kRunColumns),
                           {run_id}, [&](const db::Row& row) { *run = RunFromRow(row); }));
  if (!found) return NoRun(run_id);
  return {};
}

Result<> ReadRun(db::Reader& reader, std::string_view run_id, Run* run) {
  GYRE_DO(ReadRunAlone(reader, run_id, run));
  GYRE_TRY(run->params, ReadTexts(reader,
                                  "SELECT n.name, p.value FROM tracking_run_param p JOIN "
                                  "tracking_name n ON n.id = p.name WHERE p.run = ?1",
                                  run->number));
  GYRE_TRY(run->tags, ReadTexts(reader,
                                "SELECT n.name, t.value FROM tracking_run_tag t JOIN "
                                "tracking_name n ON n.id = t.name WHERE t.run = ?1",
                                run->number));
  GYRE_TRY(run->metrics, ReadLatest(reader, run->number));
  return {};
}

Result<std::vector<std::string>> RunningRuns(db::Reader& reader) {
  return db::Collect<std::string>(
      reader,
      "SELECT id FROM tracking_run WHERE status IN ('scheduled', 'running') AND kind NOT IN (?1, "
      "?2) LIMIT 100000",
      {kClientKind, kImportedKind}, [](const db::Row& row) { return row.Str(0); });
}

}  // namespace gyre::tracking
