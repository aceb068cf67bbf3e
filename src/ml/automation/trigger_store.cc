#include "ml/automation/trigger_store.h"

#include "base/hash.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/parcel.h"
#include "platform/db/in_list.h"

namespace gyre::automation {
namespace {

constexpr std::string_view kTriggerColumns =
    "SELECT id, project, spec, created_by, created_us, updated_us FROM automation_trigger ";
constexpr std::string_view kFiringColumns =
    "SELECT f.id, f.trigger_id, t.name, t.project, f.occurrence_key, f.cause, f.subject, "
    "f.source_id, f.text, f.fired_by, f.state, f.guard, f.reason, f.checks, f.run_id, "
    "f.approved_by, f.outcome_kind, f.outcome, f.cpu_seconds, f.created_us, f.again_us, "
    "f.started_us, f.ended_us, f.since_us, f.labelled, f.answered_us "
    "FROM automation_firing f JOIN automation_trigger t ON t.id = f.trigger_id ";

// What was stored was read once before, so it can be read again.
Trigger TriggerAt(const db::Row& row) {
  Trigger trigger;
  trigger.id = row.Str(0);
  trigger.project = row.Str(1);
  if (const auto json = Json::Parse(row.Text(2))) {
    if (auto spec = TriggerSpecFromJson(*json)) trigger.spec = *std::move(spec);
  }
  trigger.created_by = row.Str(3);
  trigger.created_us = row.Int(4);
  trigger.updated_us = row.Int(5);
  return trigger;
}

Firing FiringAt(const db::Row& row) {
  Firing f;
  int column = 0;
  for (std::string* text :
       {&f.id, &f.trigger_id, &f.trigger, &f.project, &f.key, &f.cause, &f.subject, &f.source_id,
        &f.text, &f.fired_by, &f.state, &f.guard, &f.reason}) {
    *text = row.Str(column++);
  }
  f.checks = Json::Parse(row.Text(column++)).value_or(Json::Arr());
  f.run_id = row.Str(column++);
  f.approved_by = row.Str(column++);
  f.outcome = {row.Str(column), row.Str(column + 1)};
  column += 2;
  f.cpu_seconds = row.Real(column++);
  for (std::int64_t* number : {&f.created_us, &f.again_us, &f.started_us, &f.ended_us, &f.since_us,
                               &f.labelled, &f.answered_us})
    *number = row.Int(column++);
  return f;
}

Result<std::vector<Firing>> CollectFirings(db::Reader& reader, std::string_view sql,
                                           db::Params params) {
  GYRE_TRY(std::vector<Firing> firings, db::Collect<Firing>(reader, sql, params, FiringAt));
  for (Firing& firing : firings) {
    GYRE_TRY(firing.joined, JoinedTo(reader, firing.id));
  }
  return firings;
}

Result<std::optional<Firing>> First(Result<std::vector<Firing>> firings) {
  GYRE_TRY(std::vector<Firing> found, std::move(firings));
  if (found.empty()) return std::optional<Firing>();
  return std::optional<Firing>(std::move(found.front()));
}

}  // namespace

Result<> InsertTrigger(db::Transaction& tx, const Trigger& trigger, std::string_view spec) {
  return tx.Execute(
      "INSERT INTO automation_trigger (id, project, name, spec, created_by, created_us, "
      "updated_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      {trigger.id, trigger.project, trigger.spec.name, spec, trigger.created_by, trigger.created_us,
       trigger.updated_us});
}

Result<> UpdateTrigger(db::Transaction& tx, const Trigger& trigger, std::string_view spec) {
  return tx.Execute("UPDATE automation_trigger SET spec = ?2, updated_us = ?3 WHERE id = ?1",
                    {trigger.id, spec, trigger.updated_us});
}

Result<std::optional<std::int64_t>> LookedAt(db::Reader& reader, std::string_view trigger_id) {
  std::optional<std::int64_t> looked_us;
  GYRE_DO(reader.QueryOne("SELECT looked_us FROM automation_schedule WHERE trigger_id = ?1",
                          {trigger_id}, [&](const db::Row& row) { looked_us = row.Int(0); }));
  return looked_us;
}

Result<> SetLookedAt(db::Transaction& tx, std::string_view trigger_id, std::int64_t looked_us) {
  return tx.Execute(
      "INSERT INTO automation_schedule (trigger_id, looked_us) VALUES (?1, ?2) "
      "ON CONFLICT (trigger_id) DO UPDATE SET looked_us = excluded.looked_us",
      {trigger_id, looked_us});
}

Result<> RemoveTrigger(db::Transaction& tx, const Trigger& trigger, std::string_view by,
                       std::int64_t now_us) {
  GYRE_TRY(const std::string run, RunOf(tx, trigger.id));
  if (!run.empty()) {
    const std::string id = run == kStartsNow ? "RUN" : run.substr(0, 8);
    return FailedPrecondition("GY4816", "a run of trigger {} goes on: {}", trigger.spec.name, run)
        .Why("what comes of it is told by the trigger, and stands in its firing")
        .Fix(fmt::format("gyre pipelines status {} --wait    (then remove the trigger)", id))
        .Fix(fmt::format("gyre pipelines cancel {}", id))
        .Fix(
            fmt::format("gyre triggers disable {}    (it starts nothing more)", trigger.spec.name));
  }
  GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "trigger",
                                                           .project = trigger.project,
                                                           .name = trigger.spec.name,
                                                           .what = trigger.spec.pipeline,
                                                           .by = by,
                                                           .now_us = now_us}));
  for (const std::string_view table :
       {"automation_schedule", "automation_joined", "automation_firing"})
    GYRE_DO(parcel.Take(table, "trigger_id = ?1", {trigger.id}));
  return parcel.Take("automation_trigger", "id = ?1", {trigger.id});
}

Result<std::optional<Trigger>> FindTrigger(db::Reader& reader, std::string_view project,
                                           std::string_view name) {
  static const std::string sql = std::string(kTriggerColumns) + "WHERE project = ?1 AND name = ?2";
  std::optional<Trigger> found;
  GYRE_DO(
      reader.QueryOne(sql, {project, name}, [&](const db::Row& row) { found = TriggerAt(row); }));
  return found;
}

Result<std::vector<Trigger>> ListTriggers(db::Reader& reader, std::string_view project) {
  static const std::string sql =
      std::string(kTriggerColumns) + "WHERE (?1 = '' OR project = ?1) ORDER BY project, name";
  return db::Collect<Trigger>(reader, sql, {project}, TriggerAt);
}

Result<> AskAnew(db::Transaction& tx, std::string_view trigger_id) {
  return tx.Execute(
      "UPDATE automation_firing SET state = 'open', approved_by = '', again_us = 0 "
      "WHERE trigger_id = ?1 AND state IN ('open', 'waiting', 'approval')",
      {trigger_id});
}

Result<bool> InsertFiring(db::Transaction& tx, const Firing& f) {
  GYRE_DO(tx.Execute(
      "INSERT INTO automation_firing (id, trigger_id, occurrence_key, cause, subject, source_id, "
      "text, fired_by, state, guard, reason, checks, run_id, approved_by, cpu_seconds, created_us, "
      "again_us, started_us, ended_us, since_us) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, '', "
      "'', "
      "'[]', '', '', 0, ?10, ?11, 0, 0, ?12 WHERE NOT EXISTS (SELECT 1 FROM automation_joined "
      "WHERE "
      "trigger_id = ?2 AND occurrence_key = ?3) ON CONFLICT (trigger_id, occurrence_key) DO "
      "NOTHING",
      {f.id, f.trigger_id, f.key, f.cause, f.subject, f.source_id, f.text, f.fired_by, f.state,
       f.created_us, f.again_us, f.since_us}));
  return tx.changes() > 0;
}

Result<bool> JoinFiring(db::Transaction& tx, const Firing& occurrence, std::string_view firing_id) {
  GYRE_DO(tx.Execute(
      "INSERT INTO automation_joined (trigger_id, occurrence_key, firing_id, cause, source_id, "
      "text, joined_us) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM "
      "automation_firing WHERE trigger_id = ?1 AND occurrence_key = ?2) "
      "ON CONFLICT (trigger_id, occurrence_key) DO NOTHING",
      {occurrence.trigger_id, occurrence.key, firing_id, occurrence.cause, occurrence.source_id,
       occurrence.text, occurrence.created_us}));
  return tx.changes() > 0;
}

Result<std::optional<Firing>> FindUnderWay(db::Reader& reader, const Firing& firing) {
  static const std::string sql =
      std::string(kFiringColumns) +
      "WHERE f.trigger_id = ?1 AND f.subject = ?2 AND f.state IN ('open', 'waiting', 'approval', "
      "'starting', 'running') ORDER BY f.created_us, f.id LIMIT 1";
  return First(CollectFirings(reader, sql, {firing.trigger_id, firing.subject}));
}

// The oldest becomes a firing unless one is there that it can join; the others join it.
Result<int> PassOn(db::Transaction& tx, const Firing& ended, bool starts,
                   const std::function<void(Firing*)>& begin) {
  std::vector<Firing> left;
  GYRE_DO(tx.Query(
      "SELECT occurrence_key, cause, source_id, text FROM automation_joined WHERE firing_id = ?1 "
      "ORDER BY joined_us, occurrence_key",
      {ended.id}, [&](const db::Row& row) -> Result<> {
        Firing& firing = left.emplace_back();
        firing.trigger_id = ended.trigger_id;
        firing.subject = ended.subject;
        firing.key = row.Str(0);
        firing.cause = row.Str(1);
        firing.source_id = row.Str(2);
        firing.text = row.Str(3);
        return {};
      }));
  int passed = 0;
  for (Firing& firing : left) {
    GYRE_TRY(auto next, FindUnderWay(tx, ended));
    if (!next && !starts) continue;
    GYRE_DO(
        tx.Execute("DELETE FROM automation_joined WHERE trigger_id = ?1 AND occurrence_key = ?2",
                   {firing.trigger_id, firing.key}));
    begin(&firing);
    ++passed;
    if (next) {
      GYRE_DO(JoinFiring(tx, firing, next->id));
      continue;
    }
    GYRE_DO(InsertFiring(tx, firing));
    GYRE_DO(UpdateFiring(tx, firing, "[]"));
  }
  return passed;
}

Result<std::vector<Joined>> JoinedTo(db::Reader& reader, std::string_view firing_id) {
  return db::Collect<Joined>(
      reader,
      "SELECT cause, source_id, text, joined_us FROM automation_joined WHERE firing_id = ?1 "
      "ORDER BY joined_us, occurrence_key",
      {firing_id},
      [](const db::Row& row) { return Joined{row.Str(0), row.Str(1), row.Str(2), row.Int(3)}; });
}

Result<> LinkCause(db::Transaction& tx, std::string_view project, const Joined& cause,
                   std::string_view run_id, std::int64_t now_us) {
  if (cause.source_id.empty()) return {};
  lineage::Node node{.id = cause.source_id,
                     .kind = cause.cause,
                     .label = cause.text,
                     .project = std::string(project),
                     .created_us = now_us};
  // A commit is no id of ours: others may push the same one, or one that is called like a node.
  if (cause.cause == CauseName(Cause::kPush)) {
    node.id =
        Sha256Hex(fmt::format("{}\n{}\n{}", project, cause.text, cause.source_id)).substr(0, 32);
    node.label = fmt::format("{} at {}", cause.text, cause.source_id);
  }
  GYRE_DO(lineage::EnsureNode(tx, node));
  return lineage::AddEdge(tx, node.id, run_id, "triggered");
}

Result<> UpdateFiring(db::Transaction& tx, const Firing& f, std::string_view checks) {
  return tx.Execute(
      "UPDATE automation_firing SET state = ?2, guard = ?3, reason = ?4, checks = ?5, run_id = ?6, "
      "approved_by = ?7, cpu_seconds = ?8, again_us = ?9, started_us = ?10, ended_us = ?11, "
      "outcome_kind = ?12, outcome = ?13, labelled = ?14, answered_us = ?15 "
      "WHERE id = ?1",
      {f.id, f.state, f.guard, f.reason, checks, f.run_id, f.approved_by, f.cpu_seconds, f.again_us,
       f.started_us, f.ended_us, f.outcome.kind, f.outcome.text, f.labelled, f.answered_us});
}

Result<std::optional<Firing>> FindFiring(db::Reader& reader, std::string_view id_or_beginning) {
  static const std::string sql =
      std::string(kFiringColumns) + "WHERE f.id >= ?1 AND f.id < ?2 ORDER BY f.id LIMIT 2";
  std::vector<Firing> found;
  const std::string end = db::BeyondPrefix(id_or_beginning);
  GYRE_TRY(found, CollectFirings(reader, sql, {id_or_beginning, end}));
  if (found.size() != 1) return std::optional<Firing>();
  return std::optional<Firing>(std::move(found.front()));
}

Result<std::optional<Firing>> FindFiringOf(db::Reader& reader, std::string_view trigger_id,
                                           std::string_view key) {
  static const std::string sql =
      std::string(kFiringColumns) +
      "WHERE f.trigger_id = ?1 AND (f.occurrence_key = ?2 OR f.id = (SELECT firing_id FROM "
      "automation_joined WHERE trigger_id = ?1 AND occurrence_key = ?2))";
  return First(CollectFirings(reader, sql, {trigger_id, key}));
}

Result<std::int64_t> ForgetFirings(db::Transaction& tx, std::int64_t ended_before_us, int limit) {
  constexpr std::string_view kOld =
      "(SELECT id FROM automation_firing WHERE ended_us > 0 AND ended_us < ?1 ORDER BY ended_us, "
      "id LIMIT ?2)";
  GYRE_DO(tx.Execute(fmt::format("DELETE FROM automation_joined WHERE firing_id IN {}", kOld),
                     {ended_before_us, limit}));
  GYRE_DO(tx.Execute(fmt::format("DELETE FROM automation_firing WHERE id IN {}", kOld),
                     {ended_before_us, limit}));
  return tx.changes();
}

Result<std::vector<Firing>> ListFirings(db::Reader& reader, const FiringQuery& query) {
  static const std::string sql =
      std::string(kFiringColumns) +
      "WHERE (?1 = '' OR t.project = ?1) AND (?2 = '' OR t.name = ?2) AND (?3 = '' OR f.state = "
      "?3) AND (?4 = '' OR (f.created_us, f.id) < (SELECT created_us, id FROM automation_firing "
      "WHERE id = ?4)) ORDER BY f.created_us DESC, f.id DESC LIMIT ?5";
  return CollectFirings(reader, sql,
                        {query.project, query.trigger, query.state, query.after, query.limit});
}

// Of those that wait for the same run the oldest asks for all.
Result<std::vector<Firing>> DueFirings(db::Reader& reader, std::int64_t now_us, int limit) {
  static const std::string sql =
      "WITH due AS (SELECT d.id, ROW_NUMBER() OVER (PARTITION BY d.trigger_id ORDER BY CASE WHEN "
      "d.state IN ('starting', 'running') THEN 0 ELSE 1 END, d.again_us, d.created_us, d.id) AS "
      "turn FROM automation_firing d WHERE d.state IN ('open', 'waiting', 'approval', 'starting', "
      "'running') AND d.again_us <= ?1 AND NOT (d.state = 'waiting' AND d.guard = 'one at a time' "
      "AND EXISTS (SELECT 1 FROM automation_firing o WHERE o.trigger_id = d.trigger_id AND o.state "
      "= 'waiting' AND o.guard = 'one at a time' AND (o.created_us, o.id) < (d.created_us, "
      "d.id)))) " +
      std::string(kFiringColumns) +
      "JOIN due ON due.id = f.id ORDER BY due.turn, f.again_us, f.created_us, f.id LIMIT ?2";
  return CollectFirings(reader, sql, {now_us, limit});
}

Result<std::int64_t> CountUnderWay(db::Reader& reader, std::string_view trigger_id) {
  std::int64_t count = 0;
  GYRE_DO(reader.QueryOne(
      "SELECT COUNT(*) FROM automation_firing WHERE trigger_id = ?1 AND state IN ('open', "
      "'waiting', 'approval', 'starting', 'running')",
      {trigger_id}, [&](const db::Row& row) { count = row.Int(0); }));
  return count;
}

Result<std::optional<Firing>> FindAnswer(db::Reader& reader, std::string_view trigger_id,
                                         std::string_view subject) {
  static const std::string sql =
      std::string(kFiringColumns) +
      "WHERE f.trigger_id = ?1 AND f.subject = ?2 AND f.cause IN ('drift', 'performance', 'kpi', "
      "'quality') AND f.source_id <> '' ORDER BY f.created_us DESC, f.id DESC LIMIT 1";
  return First(CollectFirings(reader, sql, {trigger_id, subject}));
}

Result<std::string> RunOf(db::Reader& reader, std::string_view trigger_id) {
  std::string run;
  GYRE_DO(reader.QueryOne(
      "SELECT run_id FROM automation_firing WHERE trigger_id = ?1 AND state IN ('starting', "
      "'running') LIMIT 1",
      {trigger_id},
      [&](const db::Row& row) { run = row.Text(0).empty() ? kStartsNow : row.Text(0); }));
  return run;
}

Result<> ForgetTheFuture(db::Transaction& tx, std::int64_t now_us, std::int64_t approval_us_max) {
  GYRE_DO(
      tx.Execute("UPDATE automation_firing SET started_us = ?1 WHERE started_us > ?1", {now_us}));
  GYRE_DO(tx.Execute(
      "UPDATE automation_firing SET again_us = ?1 WHERE state = 'waiting' AND again_us > ?1",
      {now_us}));
  GYRE_DO(tx.Execute(
      "UPDATE automation_firing SET again_us = ?1 WHERE state = 'approval' AND again_us > ?1",
      {now_us + approval_us_max}));
  return tx.Execute("UPDATE automation_schedule SET looked_us = ?1 WHERE looked_us > ?1", {now_us});
}

Result<std::string> RunningBeside(db::Reader& reader, const Firing& firing) {
  std::string running;
  GYRE_DO(reader.QueryOne(
      "SELECT f.run_id FROM automation_firing f JOIN automation_trigger t ON t.id = f.trigger_id "
      "WHERE f.state IN ('starting', 'running') AND f.id <> ?1 AND (f.trigger_id = ?2 OR "
      "(t.project = ?3 AND f.subject = ?4 AND f.subject <> '')) LIMIT 1",
      {firing.id, firing.trigger_id, firing.project, firing.subject}, [&](const db::Row& row) {
        running = row.IsNull(0) || row.Text(0).empty() ? std::string(kStartsNow) : row.Str(0);
      }));
  return running;
}

Result<History> HistoryOf(db::Reader& reader, std::string_view trigger_id, std::int64_t since_us) {
  History history;
  bool counting = true;  // failures from the newest backwards, until one succeeded
  GYRE_DO(reader.Query(
      "SELECT state, started_us, cpu_seconds, guard FROM automation_firing "
      "WHERE trigger_id = ?1 AND started_us >= ?2 AND started_us > 0 ORDER BY started_us DESC",
      {trigger_id, since_us}, [&](const db::Row& row) -> Result<> {
        const std::string_view state = row.Text(0);
        history.starts_us.push_back(row.Int(1));
        history.cpu_seconds += row.Real(2);
        if (state == "succeeded") counting = false;
        // Whoever cancelled a run found no fault with what it runs, nor did one that was refused:
        // the data is not as the model sees it.
        const bool faultless = row.Text(3) == kCancelled || row.Text(3) == kRefused;
        if (counting && state == "failed" && !faultless) ++history.failures_in_a_row;
        return {};
      }));
  return history;
}

}  // namespace gyre::automation
