#include "ml/pipelines/pipeline_store.h"

#include <algorithm>

#include "base/text.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/expected.h"
#include "ledger/usage/usage.h"
#include "platform/db/in_list.h"

namespace gyre::pipelines {
namespace {

constexpr std::size_t kGroupsOfOneWrite = 400;  // keeps a closure within its 5 ms

constexpr std::string_view kRunColumns =
    "SELECT id, project, pipeline, version, state, reason, params, outputs, triggered_by, "
    "created_by, created_us, ended_us, cpu_us, cancel_asked, retries, error FROM pipeline_run";

Json Parsed(std::string_view text) { return Json::Parse(text, 128).value_or(Json()); }

RunView ViewAt(const db::Row& row) {
  RunView run;
  run.id = row.Str(0);
  run.project = row.Str(1);
  run.pipeline = row.Str(2);
  run.version = row.Int(3);
  run.state = row.Str(4);
  run.reason = row.Str(5);
  run.params = Parsed(row.Text(6));
  run.outputs = Parsed(row.Text(7));
  run.triggered_by = row.Str(8);
  run.created_by = row.Str(9);
  run.created_us = row.Int(10);
  run.ended_us = row.Int(11);
  run.cpu_seconds = static_cast<double>(row.Int(12)) / 1e6;
  run.cancel_asked = row.Bool(13);
  run.retries = static_cast<int>(row.Int(14));
  run.error = row.Str(15);
  return run;
}

std::int64_t Micros(double seconds) { return static_cast<std::int64_t>(seconds * 1e6); }

// What a step began is a part of a run that was admitted.
Result<> Admit(db::Transaction& tx, std::string_view project, std::string_view created_by,
               std::int64_t now_us) {
  if (created_by.contains('>')) return {};
  return usage::Admit(tx, {.project = project, .subject_kind = "pipeline_run", .user = created_by},
                      now_us);
}

}  // namespace

std::string CacheOwnerId(std::string_view project, std::string_view key) {
  return fmt::format("{}/{}", project, key);
}

Result<> PipelineStore::InsertRun(const RunRecord& run, std::string_view plan, std::string_view key,
                                  const runners::Estimate& expected) {
  const std::string params = run.params.Dump();
  const std::string label = fmt::format("{} {}", run.pipeline, run.id.substr(0, 8));
  const std::string payload =
      Json::Obj({{"pipeline", run.pipeline}, {"triggered_by", run.triggered_by}}).Dump();
  const std::optional<std::string_view> start_key =
      key.empty() ? std::nullopt : std::optional<std::string_view>(key);
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(Admit(tx, run.project, run.created_by, run.created_us));
    GYRE_DO(tx.Execute(
        "INSERT INTO pipeline_run (id, project, pipeline, version, state, reason, params, outputs, "
        "plan, triggered_by, start_key, created_by, created_us, ended_us, cpu_us, cancel_asked, "
        "retries, trace) VALUES (?1, ?2, ?3, ?4, 'running', '', ?5, 'null', ?6, ?7, ?8, ?9, ?10, "
        "0, 0, 0, 0, ?11)",
        {run.id, run.project, run.pipeline, run.version, params, plan, run.triggered_by, start_key,
         run.created_by, run.created_us, run.trace}));
    if (expected.known)
      GYRE_DO(
          usage::Expect(tx, run.id,
                        {.quantities = usage::QuantitiesOf(
                             expected.cpu_seconds, expected.wall_seconds, expected.memory_bytes, 0),
                         .at_us = run.created_us,
                         .measured = expected.measured,
                         .how = expected.how}));
    GYRE_DO(lineage::AddNode(tx, {.id = run.id,
                                  .kind = "pipeline_run",
                                  .label = label,
                                  .project = run.project,
                                  .created_us = run.created_us}));
    return events_.Publish(tx, {.kind = "pipeline.run.started",
                                .project = run.project,
                                .subject = run.id,
                                .payload = payload});
  });
}

Result<> PipelineStore::AdmitAgain(const RunView& run, std::int64_t now_us) {
  return database_.Write(
      [&](db::Transaction& tx) { return Admit(tx, run.project, run.created_by, now_us); });
}

namespace {

// The memory that it held on average, so that memory over its time is what was booked.
runners::Measured MeasuredOf(const usage::Quantities& used, std::int64_t wall_us) {
  constexpr double kBytesPerMib = 1 << 20;
  const double held_mib =
      static_cast<double>(used.memory_mib_ms) * 1000 / std::max(1.0, static_cast<double>(wall_us));
  return {.cpu_seconds = static_cast<double>(used.cpu_us) / 1e6,
          .wall_seconds = static_cast<double>(wall_us) / 1e6,
          .memory_bytes_peak = static_cast<std::int64_t>(held_mib * kBytesPerMib)};
}

}  // namespace

Result<runners::Estimate> PipelineStore::Expected(std::string_view project,
                                                  std::string_view pipeline) {
  constexpr int kRunsMax = 20;
  using Ended = std::pair<std::string, std::int64_t>;  // and how long it took
  std::vector<runners::Measured> before;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto runs,
             db::Collect<Ended>(
                 reader,
                 "SELECT id, ended_us - created_us FROM pipeline_run WHERE project = ?1 AND "
                 "pipeline = ?2 AND state = 'succeeded' ORDER BY created_us DESC LIMIT ?3",
                 {project, pipeline, kRunsMax},
                 [](const db::Row& row) { return Ended(row.Str(0), row.Int(1)); }));
    for (const auto& [id, wall_us] : runs) {
      GYRE_TRY(const usage::Quantities used, usage::UsedByRun(reader, id));
      before.push_back(MeasuredOf(used, wall_us));
    }
    return {};
  }));
  return runners::EstimateFrom(before, 0, {});
}

Result<std::optional<std::string>> PipelineStore::RunOfKey(std::string_view key) {
  std::optional<std::string> id;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT id FROM pipeline_run WHERE start_key = ?1", {key},
                             [&](const db::Row& row) { id = row.Str(0); }));
    return {};
  }));
  return id;
}

Result<RunView> PipelineStore::GetRun(std::string_view id) {
  static const std::string sql =
      std::string(kRunColumns) + " WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 2";
  constexpr std::size_t kPrefixMin = 4;
  std::vector<RunView> found;
  const std::string beyond = db::BeyondPrefix(id);
  if (id.size() >= kPrefixMin) {
    GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(found, db::Collect<RunView>(reader, sql, {id, beyond}, ViewAt));
      return {};
    }));
  }
  if (found.size() == 1) return std::move(found[0]);
  if (found.size() > 1)
    return InvalidArgument("GY4712", "`{}` begins more than one run", id).Fix("give more of it");
  return NotFound("GY4712", "there is no pipeline run `{}`", id).Fix("gyre pipelines runs");
}

Result<std::vector<RunView>> PipelineStore::ListRuns(const RunQuery& query) {
  std::vector<RunView> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    std::int64_t before_us = INT64_MAX;
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT created_us FROM pipeline_run WHERE id = ?1", {query.after},
                             [&](const db::Row& row) { before_us = row.Int(0); }));
    std::vector<db::Value> values = {before_us, query.after, query.pipeline, query.state,
                                     query.limit};
    const std::string among = db::AmongText("project", query.projects, &values);
    const std::string sql = fmt::format(
        "{} WHERE (created_us < ?1 OR (created_us = ?1 AND id < ?2)) AND (?3 = '' OR pipeline = "
        "?3) "
        "AND (?4 = '' OR state = ?4) AND {} ORDER BY created_us DESC, id DESC LIMIT ?5",
        kRunColumns, among);
    return reader.QueryList(sql, values, [&](const db::Row& row) -> Result<> {
      found.push_back(ViewAt(row));
      return {};
    });
  }));
  return found;
}

Result<std::vector<std::string>> PipelineStore::Unfinished() {
  constexpr int kMax = 100'000;
  std::vector<std::string> ids;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(ids, db::Collect<std::string>(
                      reader,
                      "SELECT id FROM pipeline_run WHERE state = 'running' ORDER BY created_us "
                      "LIMIT ?1",
                      {kMax}, [](const db::Row& row) { return row.Str(0); }));
    return {};
  }));
  return ids;
}

namespace {

TaskRecord TaskAt(const db::Row& row) {
  TaskRecord task;
  task.step = static_cast<int>(row.Int(0));
  task.item = row.Int(1);
  task.value = Parsed(row.Text(2));
  task.state = StateFromName(row.Text(3));
  task.reason = row.Str(4);
  task.attempts = static_cast<int>(row.Int(5));
  task.tries = static_cast<int>(row.Int(6));
  task.losses = static_cast<int>(row.Int(7));
  task.ready_us = row.Int(8);
  task.outputs = Parsed(row.Text(9));
  task.cache_key = row.Str(10);
  task.cached_from = row.Str(11);
  task.started_us = row.Int(12);
  task.ended_us = row.Int(13);
  task.cpu_seconds = static_cast<double>(row.Int(14)) / 1e6;
  task.memory_bytes_peak = row.Int(15);
  task.error = row.Str(16);
  return task;
}

AttemptRecord AttemptAt(const db::Row& row) {
  AttemptRecord attempt;
  attempt.step = static_cast<int>(row.Int(0));
  attempt.item = row.Int(1);
  attempt.number = static_cast<int>(row.Int(2));
  attempt.nonce = row.Str(3);
  attempt.state = StateFromName(row.Text(4));
  attempt.reason = row.Str(5);
  attempt.reference = row.Str(6);
  attempt.exit_code = static_cast<int>(row.Int(7));
  attempt.started_us = row.Int(8);
  attempt.ended_us = row.Int(9);
  attempt.cpu_seconds = static_cast<double>(row.Int(10)) / 1e6;
  attempt.memory_bytes_peak = row.Int(11);
  return attempt;
}

constexpr std::string_view kAttemptsOfRun =
    "SELECT step, item, number, nonce, state, reason, reference, exit_code, started_us, ended_us, "
    "cpu_us, memory_bytes_peak FROM pipeline_attempt WHERE run_id = ?1 AND (?2 = '' OR state = ?2) "
    "ORDER BY step, item, number LIMIT ?3";
constexpr std::int64_t kAttemptsMax = 10'000'000;

}  // namespace

Result<StoredRun> PipelineStore::Load(std::string_view id, Which attempts) {
  StoredRun stored;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    static const std::string run_sql =
        std::string(kRunColumns.substr(0, kRunColumns.find(" FROM"))) +
        ", plan, trace FROM pipeline_run WHERE id = ?1";
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne(run_sql, {id}, [&](const db::Row& row) {
               const RunView view = ViewAt(row);
               stored.run = {view.id,
                             view.project,
                             view.pipeline,
                             view.version,
                             StateFromName(view.state),
                             view.reason,
                             view.error,
                             view.params,
                             view.outputs,
                             view.triggered_by,
                             view.created_by,
                             view.created_us,
                             view.ended_us,
                             view.cpu_seconds,
                             view.cancel_asked,
                             view.retries,
                             row.Str(17)};
               stored.plan = row.Str(16);
             }));
    GYRE_TRY(stored.tasks,
             db::Collect<TaskRecord>(
                 reader,
                 "SELECT step, item, value, state, reason, attempts, tries, losses, ready_us, "
                 "outputs, cache_key, cached_from, started_us, ended_us, cpu_us, "
                 "memory_bytes_peak, error FROM pipeline_task WHERE run_id = ?1 ORDER BY step, "
                 "item LIMIT ?2",
                 {id, kAttemptsMax}, TaskAt));
    GYRE_TRY(stored.running,
             db::Collect<AttemptRecord>(
                 reader, kAttemptsOfRun,
                 {id, attempts == Which::kRunning ? "running" : "", kAttemptsMax}, AttemptAt));
    return {};
  }));
  return stored;
}

Result<PipelineStore::RunSums> PipelineStore::Sums(std::string_view id) {
  RunSums sums;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT plan FROM pipeline_run WHERE id = ?1", {id},
                             [&](const db::Row& row) { sums.plan = row.Str(0); }));
    GYRE_TRY(sums.steps,
             db::Collect<StepSum>(
                 reader,
                 "SELECT step, state, COUNT(*), MIN(CASE WHEN started_us = 0 THEN NULL ELSE "
                 "started_us END), MAX(ended_us), SUM(cpu_us), MAX(reason) FROM pipeline_task "
                 "WHERE run_id = ?1 GROUP BY step, state ORDER BY step, state",
                 {id}, [](const db::Row& row) {
                   return StepSum{static_cast<int>(row.Int(0)),
                                  StateFromName(row.Text(1)),
                                  row.Int(2),
                                  row.Int(3),
                                  row.Int(4),
                                  static_cast<double>(row.Int(5)) / 1e6,
                                  row.Str(6)};
                 }));
    return {};
  }));
  return sums;
}

Result<> PipelineStore::SetReference(std::string_view run_id, const AttemptRecord& attempt) {
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE pipeline_attempt SET reference = ?5 WHERE run_id = ?1 AND step = ?2 AND item = ?3 "
        "AND number = ?4",
        {run_id, attempt.step, attempt.item, attempt.number, attempt.reference});
  });
}

namespace {

Result<> WriteAttempt(db::Transaction& tx, const RunChange& change, const AttemptRecord& attempt) {
  // The fence: a result counts only for the attempt that runs, and only once.
  GYRE_DO(tx.Execute(
      "INSERT INTO pipeline_attempt (run_id, step, item, number, nonce, state, reason, reference, "
      "exit_code, started_us, ended_us, cpu_us, memory_bytes_peak) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (run_id, step, item, number) DO UPDATE SET "
      "state = excluded.state, reason = excluded.reason, exit_code = excluded.exit_code, "
      "ended_us = excluded.ended_us, cpu_us = excluded.cpu_us, memory_bytes_peak = "
      "excluded.memory_bytes_peak WHERE pipeline_attempt.nonce = excluded.nonce AND "
      "pipeline_attempt.state = 'running'",
      {change.run_id, attempt.step, attempt.item, attempt.number, attempt.nonce,
       StateName(attempt.state), attempt.reason, attempt.reference, attempt.exit_code,
       attempt.started_us, attempt.ended_us, Micros(attempt.cpu_seconds),
       attempt.memory_bytes_peak}));
  if (tx.changes() == 0)
    return MakeError(Code::kAborted, "GY4722", "attempt {} of run {} has ended before",
                     attempt.number, change.run_id.substr(0, 8));
  return {};
}

Result<> BookUsage(db::Transaction& tx, const RunChange& change, const TaskGroup& group,
                   const AttemptRecord& attempt, std::int64_t now_us) {
  const double wall = static_cast<double>(attempt.ended_us - attempt.started_us) / 1e6;
  return usage::Record(tx,
                       {.project = change.project,
                        .subject_kind = "pipeline_run",
                        .subject_id = change.run_id,
                        .subject_label = change.label,
                        .at_us = now_us,
                        .quantities = usage::QuantitiesOf(attempt.cpu_seconds, std::max(wall, 0.0),
                                                          attempt.memory_bytes_peak, 0),
                        .user = change.user,
                        .run = change.run_id,
                        .run_label = change.label,
                        .step = group.step});
}

Result<> WriteLink(db::Transaction& tx, const RunChange& change, const LinkRow& link,
                   std::int64_t now_us) {
  GYRE_DO(lineage::EnsureNode(tx, {.id = link.id,
                                   .kind = link.kind,
                                   .label = link.label,
                                   .project = change.project,
                                   .created_us = now_us}));
  return link.made ? lineage::AddEdge(tx, change.run_id, link.id, "produced")
                   : lineage::AddEdge(tx, link.id, change.run_id, "read");
}

Result<> WriteCache(db::Transaction& tx, const RunChange& change, const CacheRow& cache,
                    const std::vector<blob::Object>& files, std::int64_t now_us) {
  const std::string owner = CacheOwnerId(change.project, cache.key);
  GYRE_DO(blob::DropRefs(tx, kCacheOwner, owner));
  for (const blob::Object& object : files) GYRE_DO(blob::AddRef(tx, kCacheOwner, owner, object));
  return tx.Execute(
      "INSERT INTO pipeline_cache (project, cache_key, pipeline, step, run_id, outputs, parts, "
      "created_us, expires_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (project, "
      "cache_key) DO UPDATE SET run_id = excluded.run_id, outputs = excluded.outputs, created_us = "
      "excluded.created_us, expires_us = excluded.expires_us",
      {change.project, cache.key, change.pipeline, cache.step, change.run_id, cache.outputs,
       cache.parts, now_us, cache.keep_us == 0 ? 0 : now_us + cache.keep_us});
}

Result<> WriteTask(db::Transaction& tx, const RunChange& change, const TaskRow& row) {
  const TaskRecord& task = row.task;
  return tx.Execute(
      "INSERT INTO pipeline_task (run_id, step, item, value, state, reason, attempts, tries, "
      "losses, ready_us, outputs, cache_key, cached_from, started_us, ended_us, cpu_us, "
      "memory_bytes_peak, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
      "?14, ?15, ?16, ?17, ?18) ON CONFLICT (run_id, step, item) DO UPDATE SET value = "
      "excluded.value, state "
      "= excluded.state, reason = excluded.reason, attempts = excluded.attempts, tries = "
      "excluded.tries, losses = excluded.losses, ready_us = excluded.ready_us, outputs = "
      "excluded.outputs, cache_key = excluded.cache_key, cached_from = excluded.cached_from, "
      "started_us = excluded.started_us, ended_us = excluded.ended_us, cpu_us = excluded.cpu_us, "
      "memory_bytes_peak = excluded.memory_bytes_peak, error = excluded.error",
      {change.run_id, task.step, task.item, row.value, StateName(task.state), task.reason,
       task.attempts, task.tries, task.losses, task.ready_us, row.outputs, task.cache_key,
       task.cached_from, task.started_us, task.ended_us, Micros(task.cpu_seconds),
       task.memory_bytes_peak, task.error});
}

Result<> WriteGroup(db::Transaction& tx, const RunChange& change, const TaskGroup& group,
                    std::int64_t now_us) {
  for (const AttemptRecord& attempt : group.attempts) {
    GYRE_DO(WriteAttempt(tx, change, attempt));
    if (group.books_usage && HasEnded(attempt.state))
      GYRE_DO(BookUsage(tx, change, group, attempt, now_us));
  }
  for (const blob::Object& object : group.blobs)
    GYRE_DO(blob::AddRef(tx, kRunOwner, change.run_id, object));
  for (const LinkRow& link : group.links) GYRE_DO(WriteLink(tx, change, link, now_us));
  if (group.cache) GYRE_DO(WriteCache(tx, change, *group.cache, group.blobs, now_us));
  return group.task ? WriteTask(tx, change, *group.task) : Result<>{};
}

Result<> WriteRun(db::Transaction& tx, events::Events& events, const RunChange& change) {
  const RunRecord& run = *change.run;
  GYRE_DO(tx.Execute(
      "UPDATE pipeline_run SET state = ?2, reason = ?3, outputs = ?4, ended_us = ?5, cpu_us = ?6, "
      "cancel_asked = ?7, retries = ?8, error = ?9 WHERE id = ?1",
      {run.id, StateName(run.state), run.reason, change.outputs, run.ended_us,
       Micros(run.cpu_seconds), run.cancel_asked, run.retries, run.error}));
  if (change.event.empty()) return {};
  return events.Publish(tx, {.kind = change.event,
                             .project = run.project,
                             .subject = run.id,
                             .payload = change.event_payload});
}

struct Part {
  const RunChange* change;
  const TaskGroup* group;  // null = the run's own row, which comes after its tasks
};

std::vector<Part> PartsOf(const std::vector<RunChange>& changes) {
  std::vector<Part> parts;
  for (const RunChange& change : changes) {
    for (const TaskGroup& group : change.groups) parts.push_back({&change, &group});
    if (change.run) parts.push_back({&change, nullptr});
  }
  return parts;
}

bool Passes(const Error& error) {
  const Code code = error.code();  // exhausted: the writer's queue is full
  return code == Code::kOutOfSpace || code == Code::kUnavailable ||
         code == Code::kResourceExhausted;
}

}  // namespace

Result<> PipelineStore::Write(WrittenTurn* turn, std::int64_t now_us) {
  const std::vector<Part> parts = PartsOf(turn->changes);
  const auto write = [&](std::size_t to) {
    return database_.Write([&, to](db::Transaction& tx) -> Result<> {
      for (std::size_t i = turn->written; i < to; ++i) {
        const Part& part = parts[i];
        if (turn->broken.contains(part.change->run_id)) continue;
        GYRE_DO(part.group != nullptr ? WriteGroup(tx, *part.change, *part.group, now_us)
                                      : WriteRun(tx, events_, *part.change));
      }
      return {};
    });
  };
  while (turn->written < parts.size()) {
    const std::size_t to = std::min(parts.size(), turn->written + kGroupsOfOneWrite);
    const Result<> together = write(to);
    if (!together && Passes(together.error())) return together;
    while (!together && turn->written < to) {  // each run by itself: whose fault is it?
      const RunChange* const change = parts[turn->written].change;
      std::size_t end = turn->written;
      while (end < to && parts[end].change == change) ++end;
      const Result<> alone = write(end);
      if (!alone && Passes(alone.error())) return alone;
      if (!alone) turn->broken.emplace(change->run_id, alone.error());
      turn->written = end;
    }
    turn->written = to;
  }
  return {};
}

Result<> PipelineStore::Fail(const RunChange& change, std::string_view reason,
                             std::int64_t now_us) {
  const std::string payload =
      Json::Obj({{"pipeline", change.pipeline}, {"state", "failed"}, {"reason", reason}}).Dump();
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(
        tx.Execute("UPDATE pipeline_attempt SET state = 'failed', ended_us = ?2 WHERE run_id = "
                   "?1 AND state = 'running'",
                   {change.run_id, now_us}));
    GYRE_DO(
        tx.Execute("UPDATE pipeline_task SET state = CASE state WHEN 'running' THEN 'failed' "
                   "ELSE 'cancelled' END, reason = ?3, ended_us = ?2 WHERE run_id = ?1 AND "
                   "state IN ('waiting', 'running')",
                   {change.run_id, now_us, reason}));
    GYRE_DO(tx.Execute(
        "UPDATE pipeline_run SET state = 'failed', reason = ?3, ended_us = ?2 WHERE id = ?1",
        {change.run_id, now_us, reason}));
    return events_.Publish(tx, {.kind = "pipeline.run.failed",
                                .project = change.project,
                                .subject = change.run_id,
                                .payload = payload});
  });
}

Result<bool> PipelineStore::HasFile(std::string_view project, std::string_view digest) {
  bool has = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(has, reader.QueryOne("SELECT 1 FROM blob_ref AS b JOIN pipeline_run AS r ON r.id = "
                                  "b.owner_id WHERE b.digest = ?1 AND b.owner_kind = ?2 AND "
                                  "r.project = ?3 LIMIT 1",
                                  {digest, kRunOwner, project}, [](const db::Row&) {}));
    if (has) return {};
    // Or a result that is kept: its run may be forgotten.
    const std::string from = CacheOwnerId(project, ""), to = CacheOwnerId(project, "g");
    GYRE_TRY(has, reader.QueryOne("SELECT 1 FROM blob_ref WHERE digest = ?1 AND owner_kind = ?2 "
                                  "AND owner_id >= ?3 AND owner_id < ?4 LIMIT 1",
                                  {digest, kCacheOwner, from, to}, [](const db::Row&) {}));
    return {};
  }));
  return has;
}

Result<std::optional<CacheHit>> PipelineStore::FindCached(std::string_view project,
                                                          std::string_view key,
                                                          std::int64_t after_us) {
  std::optional<CacheHit> hit;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT run_id, outputs, parts, created_us FROM pipeline_cache WHERE "
                             "project = ?1 AND cache_key = ?2 AND created_us >= ?3",
                             {project, key, after_us}, [&](const db::Row& row) {
                               hit = CacheHit{row.Str(0), Parsed(row.Text(1)), Parsed(row.Text(2)),
                                              row.Int(3)};
                             }));
    return {};
  }));
  return hit;
}

Result<std::optional<CacheHit>> PipelineStore::NewestOfStep(std::string_view project,
                                                            std::string_view pipeline,
                                                            std::string_view step) {
  std::optional<CacheHit> hit;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool any,
             reader.QueryOne("SELECT run_id, outputs, parts, created_us FROM pipeline_cache WHERE "
                             "project = ?1 AND pipeline = ?2 AND step = ?3 ORDER BY created_us "
                             "DESC LIMIT 1",
                             {project, pipeline, step}, [&](const db::Row& row) {
                               hit = CacheHit{row.Str(0), Parsed(row.Text(1)), Parsed(row.Text(2)),
                                              row.Int(3)};
                             }));
    return {};
  }));
  return hit;
}

}  // namespace gyre::pipelines
