#include "ml/runners/job_store.h"

#include <utility>

#include "ledger/usage/budgets.h"
#include "ledger/usage/expected.h"
#include "ledger/usage/usage.h"
#include "ml/runners/expected_use.h"
#include "ml/runners/wire.h"
#include "platform/db/in_list.h"
#include "platform/telemetry/log.h"

namespace gyre::runners {

namespace {

constexpr telemetry::Logger kLog{"runners"};
constexpr std::string_view kColumns =
    "id, kind, project, title, state, input, result, progress, progress_text, error, created_by, "
    "created_us, started_us, ended_us, "
    "cpu_slots, memory_bytes, cpu_seconds, memory_bytes_peak, cancel_asked, part_run, part_label, "
    "part_step, trace, cancelled_by";

std::string Select(std::string_view rest) {
  return fmt::format("SELECT {} FROM job {}", kColumns, rest);
}

Json ParseOwn(std::string_view text) {
  if (text.empty()) return Json();
  auto json = Json::Parse(text, 96);
  return json ? *std::move(json) : Json();
}

void FillError(const Json& error, Job* job) {
  job->error_kind = error["kind"].AsString();
  job->error_code = error["code"].AsString();
  job->error_message = error["message"].AsString();
  job->error_why = error["why"].AsString();
  job->error_where = error["where"].AsString();
  job->error_fixes.clear();
  for (const Json& fix : error["fix"].items()) job->error_fixes.push_back(fix.AsString());
}

QueuedJob FromRow(const db::Row& row) {
  QueuedJob queued;
  Job& job = queued.job;
  job.id = row.Str(0);
  job.kind = row.Str(1);
  job.project = row.Str(2);
  job.title = row.Str(3);
  job.state = row.Str(4);
  job.input = ParseOwn(row.Text(5));
  job.result = ParseOwn(row.Text(6));
  job.progress = row.Real(7);
  job.progress_text = row.Str(8);
  FillError(ParseOwn(row.Text(9)), &job);
  job.created_by = row.Str(10);
  job.created_us = row.Int(11);
  job.started_us = row.Int(12);
  job.ended_us = row.Int(13);
  queued.cpu_slots = row.Real(14);
  queued.memory_bytes = row.Int(15);
  job.cpu_seconds = row.Real(16);
  job.memory_bytes_peak = row.Int(17);
  queued.cancel_asked = row.Bool(18);
  queued.part = {row.Str(19), row.Str(20), row.Str(21)};
  queued.trace = row.Str(22);
  job.cancelled_by = row.Str(23);
  return queued;
}

usage::Expected ToExpect(const Estimate& estimate, std::int64_t at_us) {
  return {.quantities = usage::QuantitiesOf(estimate.cpu_seconds, estimate.wall_seconds,
                                            estimate.memory_bytes, 0),
          .at_us = at_us,
          .measured = estimate.measured,
          .how = estimate.how};
}

// What a job that succeeds is booked as: a training is its run.
std::string_view BooksAs(std::string_view kind) { return kind == "training.train" ? "run" : "job"; }

// What the job's children used goes into the books in the transaction that ends it.
Result<> RecordUse(db::Transaction& tx, std::string_view id, std::string_view run,
                   const Ending& ending) {
  std::string project, title, user;
  PartOf part;
  std::int64_t started_us = 0;
  GYRE_TRY([[maybe_unused]] const bool found,
           tx.QueryOne("SELECT project, title, started_us, created_by, part_run, part_label, "
                       "part_step FROM job WHERE id = ?1",
                       {id}, [&](const db::Row& row) {
                         project = row.Str(0);
                         title = row.Str(1);
                         started_us = row.Int(2);
                         user = usage::UserOf(row.Text(3));
                         part = {row.Str(4), row.Str(5), row.Str(6)};
                       }));
  if (started_us == 0 || ending.cpu_seconds <= 0) return {};
  const double wall_seconds = static_cast<double>(ending.ended_us - started_us) / 1e6;
  return usage::Record(
      tx, {.project = project,
           .subject_kind = run.empty() ? "job" : "run",
           .subject_id = run.empty() ? id : run,
           .subject_label = title,
           .at_us = ending.ended_us,
           .quantities = usage::QuantitiesOf(ending.cpu_seconds, wall_seconds,
                                             ending.memory_bytes_peak, ending.io_bytes),
           .user = user,
           .run = part.run,
           .run_label = part.label,
           .step = part.step});
}

}  // namespace

void TakeEnding(const Ending& ending, Job* job) {
  job->state = ending.state;
  job->result = ending.result;
  job->progress = ending.progress;
  job->ended_us = ending.ended_us;
  FillError(ending.error, job);
}

Result<> JobStore::Insert(const QueuedJob& queued, std::string_view key) {
  const std::optional<std::string_view> submit_key =
      key.empty() ? std::nullopt : std::optional<std::string_view>(key);
  const std::string input = queued.job.input.Dump();
  Estimate estimate;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(estimate, EstimateOf(reader, queued.job));
    return {};
  }));
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    const Job& j = queued.job;
    // A step's run was admitted whole; what nobody asked for is gyre's own housekeeping.
    if (queued.part.run.empty() && !j.created_by.empty())
      GYRE_DO(usage::Admit(tx,
                           {.project = j.project,
                            .subject_kind = BooksAs(j.kind),
                            .user = usage::UserOf(j.created_by)},
                           j.created_us));
    if (estimate.known) GYRE_DO(usage::Expect(tx, j.id, ToExpect(estimate, j.created_us)));
    return tx.Execute(
        "INSERT INTO job (id, kind, project, title, state, input, result, progress, progress_text, "
        "error, created_by, created_us, "
        "started_us, ended_us, cpu_slots, memory_bytes, cpu_seconds, memory_bytes_peak, "
        "submit_key, part_run, part_label, part_step, trace) VALUES (?1, ?2, ?3, ?4, 'queued', ?5, "
        "'', "
        "0.0, '', '', ?6, ?7, 0, 0, ?8, ?9, 0.0, 0, ?10, ?11, ?12, ?13, ?14)",
        {j.id, j.kind, j.project, j.title, input, j.created_by, j.created_us, queued.cpu_slots,
         queued.memory_bytes, submit_key, queued.part.run, queued.part.label, queued.part.step,
         queued.trace});
  });
}

Result<std::optional<Job>> JobStore::OfKey(std::string_view key) {
  std::optional<Job> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.Query(Select("WHERE submit_key = ?1"), {key}, [&](const db::Row& row) {
      found = FromRow(row).job;
      return Result<>();
    });
  }));
  return found;
}

Result<> JobStore::MarkRunning(std::string_view id, std::int64_t started_us) {
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute("UPDATE job SET state = 'running', started_us = ?2 WHERE id = ?1",
                      {id, started_us});
  });
}

Result<> JobStore::MarkQueued(std::string_view id) {
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE job SET state = 'queued', started_us = 0, progress = 0.0, progress_text = '' WHERE "
        "id = ?1",
        {id});
  });
}

Result<> JobStore::MarkEnded(std::string_view id, const Ending& ending) {
  const auto ended = WriteEnd(id, ending, true);
  if (ended || ended.error().code() != Code::kDataLoss) return ended;
  GYRE_DO(WriteEnd(id, ending, false));
  kLog.Failed(fmt::format("the use of job {} is not booked", id), ended.error());
  return {};
}

Result<> JobStore::WriteEnd(std::string_view id, const Ending& ending, bool booked) {
  const std::string result = ending.result.is_null() ? "" : ending.result.Dump();
  const std::string error = ending.error.is_null() ? "" : ending.error.Dump();
  const std::string& run = ending.result["run"].AsString();  // a training's use is its run's
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    if (booked) GYRE_DO(RecordUse(tx, id, run, ending));
    if (booked && !run.empty()) GYRE_DO(usage::ExpectAlso(tx, id, run));
    return tx.Execute(
        "UPDATE job SET state = ?2, result = ?3, error = ?4, ended_us = ?5, cpu_seconds = ?6, "
        "memory_bytes_peak = ?7, progress = ?8 "
        "WHERE id = ?1",
        {id, ending.state, result, error, ending.ended_us, ending.cpu_seconds,
         ending.memory_bytes_peak, ending.progress});
  });
}

Result<> JobStore::AskToCancel(std::string_view id, std::string_view by) {
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE job SET cancelled_by = CASE WHEN cancel_asked = 0 THEN ?2 ELSE cancelled_by END, "
        "cancel_asked = 1 WHERE id = ?1 AND state IN ('queued', 'running')",
        {id, by});
  });
}

Result<> JobStore::SaveProgress(std::string_view id, double progress, std::string_view text) {
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE job SET progress = ?2, progress_text = ?3 WHERE id = ?1 AND state = 'running'",
        {id, progress, text});
  });
}

Result<Job> JobStore::Get(std::string_view id_or_prefix) {
  std::vector<Job> found;
  const std::string upper = db::BeyondPrefix(id_or_prefix);
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.Query(Select("WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 2"),
                        {id_or_prefix, upper}, [&](const db::Row& row) {
                          found.push_back(FromRow(row).job);
                          return Result<>();
                        });
  }));
  if (found.size() == 1 || (!found.empty() && found[0].id == id_or_prefix))
    return std::move(found[0]);
  if (found.empty() || id_or_prefix.empty()) {
    return NotFound("GY3302", "there is no job `{}`", id_or_prefix)
        .Fix("gyre jobs            (lists them)");
  }
  return InvalidArgument("GY3313", "`{}` is the beginning of more than one job's id", id_or_prefix)
      .Fix("give more digits of the id");
}

Result<std::vector<Job>> JobStore::List(const JobQuery& query) {
  std::vector<Job> jobs;
  std::vector<db::Value> values = {query.limit};
  std::string where = fmt::format("WHERE {} ", db::AmongText("project", query.projects, &values));
  if (!query.state.empty()) {
    values.emplace_back(std::string_view(query.state));
    where += fmt::format("AND state = ?{} ", values.size());
  }
  if (!query.after.empty()) {
    values.emplace_back(std::string_view(query.after));
    where += fmt::format(
        "AND (-created_us, id) > (SELECT -created_us, id FROM job WHERE id = ?{}) ", values.size());
  }
  const std::string sql = Select(where + "ORDER BY created_us DESC, id LIMIT ?1");
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.QueryList(sql, values, [&](const db::Row& row) {
      jobs.push_back(FromRow(row).job);
      return Result<>();
    });
  }));
  return jobs;
}

Result<std::vector<QueuedJob>> JobStore::Unfinished() {
  std::vector<QueuedJob> jobs;
  GYRE_DO(database_.Read([&](db::Reader& reader) {
    return reader.Query(Select("WHERE state IN ('queued', 'running') ORDER BY created_us, id"), {},
                        [&](const db::Row& row) {
                          jobs.push_back(FromRow(row));
                          return Result<>();
                        });
  }));
  return jobs;
}

namespace {

Json ErrorDocument(const Job& job) {
  if (job.error_code.empty()) return Json();
  Json fixes = Json::Arr();
  for (const std::string& fix : job.error_fixes) fixes.Push(fix);
  return Json::Obj({{"kind", job.error_kind},
                    {"code", job.error_code},
                    {"message", job.error_message},
                    {"why", job.error_why},
                    {"where", job.error_where},
                    {"fix", std::move(fixes)}});
}

}  // namespace

Error ErrorOf(const Job& job) {
  if (!job.error_code.empty()) return ErrorFromJson(ErrorDocument(job));
  const std::string by = job.cancelled_by.empty() ? "" : " by " + job.cancelled_by;
  return MakeError(Code::kCancelled, "GY3317", "the job was cancelled{}: {}", by, job.title)
      .Where("job " + job.id);
}

Json JobToJson(const Job& job) {
  const auto time = [](std::int64_t time_us) {
    return time_us == 0 ? Json() : Json(FormatTime(time_us));
  };
  return Json::Obj({{"id", job.id},
                    {"kind", job.kind},
                    {"project", job.project},
                    {"title", job.title},
                    {"state", job.state},
                    {"progress", job.progress},
                    {"progress_text", job.progress_text},
                    {"input", job.input},
                    {"result", job.result},
                    {"error", ErrorDocument(job)},
                    {"created_by", job.created_by},
                    {"cancelled_by", job.cancelled_by},
                    {"created_at", time(job.created_us)},
                    {"started_at", time(job.started_us)},
                    {"ended_at", time(job.ended_us)},
                    {"cpu_seconds", job.cpu_seconds},
                    {"memory_bytes_peak", job.memory_bytes_peak}});
}

Json JobItem(const Job& job) {
  constexpr std::size_t kInputBytesMax = 2'048;
  Json item = JobToJson(job);
  if (job.input.Dump().size() > kInputBytesMax) item.Set("input", Json());
  return item;
}

Error StopNotWritten(Error error) {
  return std::move(error).Context(
      "the job was stopped, but may come back after a restart, as this could not be written");
}

Result<std::vector<std::string>> JobStore::Forget(std::string_view kind, std::int64_t before_us) {
  std::vector<std::string> ids;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    constexpr std::string_view kOld = "kind = ?1 AND ended_us > 0 AND ended_us < ?2";
    GYRE_TRY(ids, db::Collect<std::string>(tx, fmt::format("SELECT id FROM job WHERE {}", kOld),
                                           {kind, before_us},
                                           [](const db::Row& row) { return row.Str(0); }));
    return tx.Execute(fmt::format("DELETE FROM job WHERE {}", kOld), {kind, before_us});
  }));
  return ids;
}

}  // namespace gyre::runners
