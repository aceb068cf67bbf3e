#include "ml/tracking/run_store.h"

#include <cmath>
#include <limits>
#include <utility>

#include "base/text.h"
#include "ledger/trash/parcel.h"

namespace gyre::tracking {

namespace {

Json ParseOwn(std::string_view text) {
  if (text.empty()) return Json();
  auto json = Json::Parse(text, 96);
  return json ? *std::move(json) : Json();
}

// The first string after every one that begins with `prefix`.
std::string PrefixEnd(std::string_view prefix) { return std::string(prefix) + "\xf4\x8f\xbf\xbf"; }

Run RunFromRow(const db::Row& row) {
  Run run;
  run.id = row.Str(0);
  run.project = row.Str(1);
  run.experiment_id = row.Str(2);
  run.experiment = row.Str(3);
  run.name = row.Str(4);
  run.kind = row.Str(5);
  run.job = row.Str(6);
  run.parent = row.Str(7);
  run.created_by = row.Str(8);
  run.status = ParseRunStatus(row.Text(9)).value_or(RunStatus::kFailed);
  if (const auto seed = ParseInt(row.Text(10))) run.seed = static_cast<std::uint64_t>(*seed);
  run.error = row.Str(11);
  run.created_us = row.Int(12);
  run.started_us = row.Int(13);
  run.ended_us = row.Int(14);
  run.source = ParseOwn(row.Text(15));
  run.code = ParseOwn(row.Text(16));
  run.inputs = ParseOwn(row.Text(17));
  run.environment = ParseOwn(row.Text(18));
  run.resources = ParseOwn(row.Text(19));
  return run;
}

}  // namespace

Result<std::string> EnsureExperimentIn(db::Transaction& tx, std::string_view project,
                                       std::string_view name, std::string_view new_id,
                                       std::int64_t now_us) {
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_experiment (id, project, name, created_us) VALUES (?1, ?2, "
                 "?3, ?4) ON CONFLICT (project, name) DO NOTHING",
                 {new_id, project, name, now_us}));
  std::string id;
  GYRE_TRY(const bool found,
           tx.QueryOne("SELECT id FROM tracking_experiment WHERE project = ?1 AND name = ?2",
                       {project, name}, [&](const db::Row& row) { id = row.Str(0); }));
  if (!found) return Internal("GY3411", "the experiment `{}` is not there after it was made", name);
  return id;
}

Result<std::vector<Experiment>> ReadExperiments(db::Reader& reader, std::string_view project) {
  return db::Collect<Experiment>(
      reader,
      "SELECT e.id, e.project, e.name, e.created_us, (SELECT COUNT(*) FROM tracking_run r WHERE "
      "r.experiment_id = e.id) FROM tracking_experiment e WHERE e.project = ?1 ORDER BY e.name "
      "LIMIT 1000",
      {project}, [](const db::Row& row) {
        return Experiment{row.Str(0), row.Str(1), row.Str(2), row.Int(3), row.Int(4)};
      });
}

Result<> InsertRun(db::Transaction& tx, const Run& run, const RunTexts& texts) {
  const std::string seed = run.seed ? fmt::format("{}", static_cast<std::int64_t>(*run.seed)) : "";
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_run (id, number, project, experiment_id, name, kind, job, "
                 "parent, created_by, status, seed, error, "
                 "created_us, started_us, ended_us, source, code, inputs, environment, resources) "
                 "VALUES (?1, (SELECT COALESCE(MAX(number), 0) + 1 FROM tracking_run), ?2, ?3, ?4, "
                 "?5, ?6, ?7, ?8, ?9, ?10, '', ?11, ?12, 0, "
                 "?13, ?14, ?15, ?16, '')",
                 {run.id, run.project, run.experiment_id, run.name, run.kind, run.job, run.parent,
                  run.created_by, RunStatusName(run.status), seed, run.created_us, run.started_us,
                  texts.source, texts.code, texts.inputs, texts.environment}));
  GYRE_DO(PutParams(tx, run.id, run.params));
  return PutTags(tx, run.id, run.tags);
}

Result<> PutParams(db::Transaction& tx, std::string_view run_id,
                   const std::map<std::string, std::string>& params) {
  for (const auto& [key, value] : params) {
    GYRE_DO(
        tx.Execute("INSERT INTO tracking_param (run_id, key, value) VALUES (?1, ?2, ?3) ON "
                   "CONFLICT (run_id, key) DO NOTHING",
                   {run_id, key, value}));
    if (tx.changes() == 1) continue;
    std::string before;
    GYRE_TRY(const bool found,
             tx.QueryOne("SELECT value FROM tracking_param WHERE run_id = ?1 AND key = ?2",
                         {run_id, key}, [&](const db::Row& row) { before = row.Str(0); }));
    if (found && before == value) continue;
    return FailedPrecondition("GY3404", "the param `{}` of run {} is `{}` already", key,
                              run_id.substr(0, 8), before)
        .Why("a param is written once, so that a run always says what it ran with")
        .Fix("use a tag for what changes, or start another run");
  }
  return {};
}

Result<> PutTags(db::Transaction& tx, std::string_view run_id,
                 const std::map<std::string, std::string>& tags) {
  for (const auto& [key, value] : tags) {
    GYRE_DO(
        tx.Execute("INSERT INTO tracking_tag (run_id, key, value) VALUES (?1, ?2, ?3) ON CONFLICT "
                   "(run_id, key) DO UPDATE SET value = excluded.value",
                   {run_id, key, value}));
  }
  return {};
}

Result<> PutMetrics(db::Transaction& tx, std::string_view run_id,
                    const std::map<std::string, LatestMetric>& latest,
                    std::string_view encoded_points) {
  GYRE_DO(tx.Execute(
      "INSERT INTO tracking_metric_batch (run_id, number, points) VALUES (?1, "
      "(SELECT COALESCE(MAX(number), 0) + 1 FROM tracking_metric_batch WHERE run_id = ?1), ?2)",
      {run_id, db::Bytes{encoded_points}}));
  for (const auto& [key, m] : latest) {
    // NULL stands for NaN. The later of the two points stays.
    const db::Value value = std::isnan(m.value) ? db::Value(nullptr) : db::Value(m.value);
    GYRE_DO(
        tx.Execute("INSERT INTO tracking_metric_latest (run_id, key, value, step, time_us, points) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
                   "ON CONFLICT (run_id, key) DO UPDATE SET points = tracking_metric_latest.points "
                   "+ excluded.points, "
                   "value = CASE WHEN (excluded.step, excluded.time_us) >= "
                   "(tracking_metric_latest.step, tracking_metric_latest.time_us) "
                   "THEN excluded.value ELSE tracking_metric_latest.value END, "
                   "time_us = CASE WHEN (excluded.step, excluded.time_us) >= "
                   "(tracking_metric_latest.step, tracking_metric_latest.time_us) "
                   "THEN excluded.time_us ELSE tracking_metric_latest.time_us END, "
                   "step = CASE WHEN excluded.step > tracking_metric_latest.step THEN "
                   "excluded.step ELSE tracking_metric_latest.step END",
                   {run_id, key, value, m.step, m.time_us, m.points}));
  }
  return {};
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

Result<std::string> RemoveRun(db::Transaction& tx, std::string_view run_id, std::string_view by,
                              std::int64_t now_us) {
  GYRE_DO(CheckRunExists(tx, run_id));
  std::string project, what;
  GYRE_TRY([[maybe_unused]] const bool found,
           tx.QueryOne("SELECT project, kind, name FROM tracking_run WHERE id = ?1", {run_id},
                       [&](const db::Row& row) {
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
  for (const std::string_view table :
       {"tracking_param", "tracking_tag", "tracking_metric_latest", "tracking_metric_batch",
        "tracking_artifact", "tracking_output"})
    GYRE_DO(parcel.Take(table, "run_id = ?1", {run_id}));
  GYRE_DO(parcel.Take("tracking_run", "id = ?1", {run_id}));
  GYRE_DO(parcel.TakeBlobs(kRefOwner, run_id));
  return name;
}

Result<> CheckRunExists(db::Reader& reader, std::string_view run_id) {
  GYRE_TRY(const bool found, reader.QueryOne("SELECT 1 FROM tracking_run WHERE id = ?1", {run_id},
                                             [](const db::Row&) {}));
  if (!found)
    return NotFound("GY3401", "there is no run `{}`", run_id)
        .Fix("gyre runs            (lists them)");
  return {};
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

Result<> ReadRun(db::Reader& reader, std::string_view run_id, Run* run) {
  GYRE_TRY(const bool found,
           reader.QueryOne("SELECT r.id, r.project, r.experiment_id, e.name, r.name, r.kind, "
                           "r.job, r.parent, r.created_by, r.status, "
                           "r.seed, r.error, r.created_us, r.started_us, r.ended_us, r.source, "
                           "r.code, r.inputs, r.environment, "
                           "r.resources FROM tracking_run r JOIN tracking_experiment e ON e.id = "
                           "r.experiment_id WHERE r.id = ?1",
                           {run_id}, [&](const db::Row& row) { *run = RunFromRow(row); }));
  if (!found)
    return NotFound("GY3401", "there is no run `{}`", run_id)
        .Fix("gyre runs            (lists them)");
  GYRE_DO(reader.Query("SELECT key, value FROM tracking_param WHERE run_id = ?1", {run_id},
                       [&](const db::Row& row) {
                         run->params.emplace(row.Str(0), row.Str(1));
                         return Result<>();
                       }));
  GYRE_DO(reader.Query("SELECT key, value FROM tracking_tag WHERE run_id = ?1", {run_id},
                       [&](const db::Row& row) {
                         run->tags.emplace(row.Str(0), row.Str(1));
                         return Result<>();
                       }));
  return reader.Query(
      "SELECT key, value, step, time_us, points FROM tracking_metric_latest WHERE run_id = ?1",
      {run_id}, [&](const db::Row& row) {
        const double value = row.IsNull(1) ? std::numeric_limits<double>::quiet_NaN() : row.Real(1);
        run->metrics.emplace(row.Str(0), LatestMetric{value, row.Int(2), row.Int(3), row.Int(4)});
        return Result<>();
      });
}

namespace {

// Conditions of a query with their parameters. Values always travel as parameters.
class Conditions {
 public:
  void Equals(std::string_view column, std::string_view value) {
    if (!value.empty()) text_ += fmt::format(" AND {} = ?{}", column, Add(value));
  }
  void Raw(std::string_view text) { text_ += text; }
  std::size_t Add(db::Value value) {
    values_.push_back(value);
    return values_.size();
  }
  const std::string& text() const { return text_; }
  std::span<const db::Value> values() const { return values_; }

 private:
  std::string text_;
  std::vector<db::Value> values_;
};

// Order by what nobody has measured is a slip, unless nothing has been measured yet.
Result<> CheckMeasured(db::Reader& reader, const std::string& project, const std::string& metric) {
  constexpr std::string_view kFrom =
      "FROM tracking_metric_latest m JOIN tracking_run r ON r.id = m.run_id WHERE r.project = ?1";
  GYRE_TRY(const bool there,
           reader.QueryOne(fmt::format("SELECT 1 {} AND m.key = ?2 LIMIT 1", kFrom),
                           {project, metric}, [](const db::Row&) {}));
  if (there) return {};
  GYRE_TRY(const auto names,
           db::Collect<std::string>(
               reader, fmt::format("SELECT DISTINCT m.key {} ORDER BY m.key LIMIT 50", kFrom),
               {project}, [](const db::Row& row) { return row.Str(0); }));
  if (names.empty()) return {};
  Error error = InvalidArgument("GY3415", "no run of project `{}` has a metric `{}`", project,
                                metric.substr(0, 100));
  if (const auto close = ClosestMatch(metric, names))
    error = std::move(error).Fix("did you mean `" + *close + "`?");
  return std::move(error).Fix("there are " + Join(names, ", "));
}

}  // namespace

Result<RunIdPage> FindRuns(db::Reader& reader, const RunQuery& query) {
  Conditions where;
  const std::size_t project = where.Add(query.project);
  where.Equals("e.name", query.experiment);
  where.Equals("r.kind", query.kind);
  where.Equals("r.job", query.job);
  where.Equals("r.parent", query.parent);
  if (query.status) where.Equals("r.status", RunStatusName(*query.status));
  for (const auto& [key, value] : query.tags) {
    const std::size_t k = where.Add(key), v = where.Add(value);
    where.Raw(
        fmt::format(" AND EXISTS (SELECT 1 FROM tracking_tag t WHERE t.run_id = r.id AND t.key = "
                    "?{} AND t.value = ?{})",
                    k, v));
  }
  // Pages go by number (newest first) or, ordered by a metric, by position.
  const bool by_metric = !query.order_by_metric.empty();
  const auto token = ParseInt(query.page_token);
  if (!query.page_token.empty() && (!token || *token < 0)) {
    return InvalidArgument("GY3406", "`{}` is not a page token of this list", query.page_token)
        .Fix("begin without page_token");
  }
  std::string join, order = " ORDER BY r.number DESC", page;
  if (by_metric) {
    GYRE_DO(CheckMeasured(reader, query.project, query.order_by_metric));
    join = fmt::format(" LEFT JOIN tracking_metric_latest m ON m.run_id = r.id AND m.key = ?{}",
                       where.Add(query.order_by_metric));
    order = fmt::format(
        " ORDER BY CASE WHEN m.value IS NULL THEN 1 ELSE 0 END, m.value {}, r.number DESC",
        query.ascending ? "ASC" : "DESC");
    if (token) page = fmt::format(" OFFSET ?{}", where.Add(*token));
  } else if (token) {
    where.Raw(fmt::format(" AND r.number < ?{}", where.Add(*token)));
  }
  const std::size_t limit = where.Add(query.limit + 1);
  const std::string sql = fmt::format(
      "SELECT r.id, r.number FROM tracking_run r JOIN tracking_experiment e ON e.id = "
      "r.experiment_id{} WHERE r.project = ?{}{}{} LIMIT ?{}{}",
      join, project, where.text(), order, limit, page);
  RunIdPage result;
  std::int64_t last_number = 0;
  bool more = false;
  GYRE_DO(reader.QueryList(sql, where.values(), [&](const db::Row& row) -> Result<> {
    if (static_cast<int>(result.ids.size()) == query.limit) {
      more = true;
      return {};
    }
    result.ids.push_back(row.Str(0));
    last_number = row.Int(1);
    return {};
  }));
  if (more)
    result.next_page_token =
        fmt::format("{}", by_metric ? token.value_or(0) + query.limit : last_number);
  return result;
}

Result<std::vector<std::string>> RunningRuns(db::Reader& reader) {
  return db::Collect<std::string>(
      reader, "SELECT id FROM tracking_run WHERE status IN ('running', 'scheduled') LIMIT 100000",
      {}, [](const db::Row& row) { return row.Str(0); });
}

Result<std::vector<std::string>> ReadBatches(db::Reader& reader, std::string_view run_id,
                                             std::vector<std::int64_t>* numbers) {
  return db::Collect<std::string>(
      reader, "SELECT points, number FROM tracking_metric_batch WHERE run_id = ?1 ORDER BY number",
      {run_id}, [&](const db::Row& row) {
        if (numbers != nullptr) numbers->push_back(row.Int(1));
        return row.Str(0);
      });
}

Result<bool> ReplaceBatches(db::Transaction& tx, std::string_view run_id,
                            const std::vector<std::int64_t>& numbers,
                            std::string_view encoded_points) {
  std::int64_t there = 0;
  GYRE_TRY(
      const bool counted,
      tx.QueryOne("SELECT COUNT(*) FROM tracking_metric_batch WHERE run_id = ?1 AND number <= ?2",
                  {run_id, numbers.back()}, [&](const db::Row& row) { there = row.Int(0); }));
  if (!counted || there != static_cast<std::int64_t>(numbers.size())) return false;
  GYRE_DO(tx.Execute("DELETE FROM tracking_metric_batch WHERE run_id = ?1 AND number <= ?2",
                     {run_id, numbers.back()}));
  GYRE_DO(
      tx.Execute("INSERT INTO tracking_metric_batch (run_id, number, points) VALUES (?1, ?2, ?3)",
                 {run_id, numbers.back(), db::Bytes{encoded_points}}));
  return true;
}

Result<> PutArtifact(db::Transaction& tx, std::string_view run_id, const Artifact& artifact) {
  return tx.Execute(
      "INSERT INTO tracking_artifact (run_id, path, digest, size_bytes, media_type) VALUES (?1, "
      "?2, ?3, ?4, ?5) "
      "ON CONFLICT (run_id, path) DO UPDATE SET digest = excluded.digest, size_bytes = "
      "excluded.size_bytes, "
      "media_type = excluded.media_type",
      {run_id, artifact.path, artifact.object.digest, artifact.object.size_bytes,
       artifact.media_type});
}

Result<std::vector<Artifact>> ReadArtifacts(db::Reader& reader, std::string_view run_id,
                                            std::string_view prefix) {
  return db::Collect<Artifact>(reader,
                               "SELECT path, digest, size_bytes, media_type FROM tracking_artifact "
                               "WHERE run_id = ?1 AND path >= ?2 AND path < ?3 ORDER BY path "
                               "LIMIT 10000",
                               {run_id, prefix, PrefixEnd(prefix)}, [](const db::Row& row) {
                                 return Artifact{row.Str(0), blob::Object{row.Str(1), row.Int(2)},
                                                 row.Str(3)};
                               });
}

Result<> PutOutput(db::Transaction& tx, std::string_view run_id, const Output& output) {
  return tx.Execute(
      "INSERT INTO tracking_output (run_id, kind, id, name) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (run_id, kind, id) DO UPDATE SET name = excluded.name",
      {run_id, output.kind, output.id, output.name});
}

Result<std::vector<Output>> ReadOutputs(db::Reader& reader, std::string_view run_id) {
  return db::Collect<Output>(
      reader,
      "SELECT kind, id, name FROM tracking_output WHERE run_id = ?1 ORDER BY kind, name LIMIT 1000",
      {run_id}, [](const db::Row& row) { return Output{row.Str(0), row.Str(1), row.Str(2)}; });
}

}  // namespace gyre::tracking
