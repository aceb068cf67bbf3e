#include "gyre/maintenance.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/text.h"
#include "gyre/compose.h"
#include "gyre/repair.h"
#include "gyre/retention.h"
#include "ml/data/queries.h"
#include "ml/monitoring/retention.h"
#include "platform/backup/backup.h"

namespace gyre {
namespace {

constexpr std::size_t kOwnersNamed = 5;

// As a person knows it.
std::string NameOf(const blob::Owner& owner, data::Datasets& datasets,
                   registry::Registry& registry) {
  if (owner.kind == "dataset_version") {
    if (const auto version = datasets.GetVersionById(owner.id))
      return fmt::format("dataset {}/{}", version->project, version->reference());
  }
  if (owner.kind == "model_version") {
    if (const auto version = registry.GetVersion(owner.id))
      return fmt::format("model {}/{}", version->project, version->name());
  }
  return owner.kind + " " + owner.id;
}

// Everything is checked; what can be made anew is, when that was asked for.
class Checker {
 public:
  Checker(db::Database& database, blob::Store& blobs, data::Datasets& datasets,
          registry::Registry& registry, std::string directory, bool repair)
      : database_(database),
        blobs_(blobs),
        datasets_(datasets),
        registry_(registry),
        directory_(std::move(directory)),
        repair_(repair) {}

  Result<Json> Run(runners::JobRun& run) {
    const bool contents = !run.job().input["quick"].AsBool();
    run.Progress(-1, "the database");
    GYRE_DO(CheckDatabase());
    const auto progress = [&](std::int64_t done, std::int64_t all) -> Result<> {
      if (run.cancelled()) return MakeError(Code::kCancelled, "GY3316", "the check was cancelled");
      run.Progress(static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(all, 1)),
                   fmt::format("reading blobs  {} of {}", HumanBytes(done), HumanBytes(all)));
      return {};
    };
    GYRE_TRY(const blob::CheckResult checked,
             blob::Check(database_, blobs_, {.contents = contents, .progress = progress}));
    for (const blob::Damage& damage : checked.problems) GYRE_DO(Take(damage));
    return Json::Obj({{"sound", problems_.size() == 0},
                      {"database_sound", database_sound_},
                      {"contents", contents},
                      {"blobs", checked.objects},
                      {"bytes_read", checked.bytes_read},
                      {"repaired", std::move(repaired_)},
                      {"problems", std::move(problems_)},
                      {"damaged", std::move(damaged_)}});
  }

 private:
  Result<> CheckDatabase() {
    GYRE_TRY(std::vector<std::string> found, database_.IntegrityProblems());
    if (repair_ && !found.empty()) {
      const std::string done = RepairDatabase(database_, directory_);
      if (!done.empty()) repaired_.Push(done);
      GYRE_TRY(found, database_.IntegrityProblems());
    }
    for (const std::string& problem : found) problems_.Push(problem);
    database_sound_ = found.empty();
    return {};
  }

  Result<> Take(const blob::Damage& damage) {
    if (repair_ && !damage.owners.empty()) {
      GYRE_TRY(const bool mended, blobs_.Mend(damage.object.digest));
      if (mended) {
        repaired_.Push(
            fmt::format("blob {}: its block checksums were made anew of its bytes, "
                        "which are sound",
                        damage.object.digest));
        return {};
      }
    }
    Json needed_by = Json::Arr();
    std::vector<std::string> names;
    for (const blob::Owner& owner : damage.owners) {
      if (names.size() == kOwnersNamed) break;
      names.push_back(NameOf(owner, datasets_, registry_));
      needed_by.Push(names.back());
    }
    const std::size_t more = damage.owners.size() - names.size();
    const std::string problem = fmt::format(
        "{}; {}{}", damage.what,
        names.empty() ? "nobody needs it: gyre gc removes it" : "needed by " + Join(names, ", "),
        more > 0 ? fmt::format(" and {} more", more) : "");
    problems_.Push(problem);
    if (names.empty()) return {};
    damaged_.Push(Json::Obj({{"digest", damage.object.digest},
                             {"size_bytes", damage.object.size_bytes},
                             {"needed_by", std::move(needed_by)},
                             {"problem", problem}}));
    return {};
  }

  db::Database& database_;
  blob::Store& blobs_;
  data::Datasets& datasets_;
  registry::Registry& registry_;
  const std::string directory_;
  const bool repair_;
  bool database_sound_ = true;
  Json repaired_ = Json::Arr(), problems_ = Json::Arr(), damaged_ = Json::Arr();
};

// Those that somebody has said, without where: that is of this machine.
Json SaidSettings(const Json& settings) {
  Json said = Json::Arr();
  for (const Json& one : settings.items()) {
    if (one["origin"].AsString() != "default")
      said.Push(Json::Obj({{"name", one["name"]}, {"value", one["value"]}}));
  }
  return said;
}

}  // namespace

void AddBackup(native::Maintenance& maintenance, db::Database& database, blob::Store& blobs,
               std::string directory, std::function<Json()> settings, const Clock& clock) {
  maintenance.backup_size = [&database, directory]() -> Result<Json> {
    GYRE_TRY(const backup::BackupSize size, backup::SizeOfBackup(database, directory));
    return Json::Obj({{"database_bytes", size.database_bytes},
                      {"blobs", size.blobs},
                      {"blob_bytes", size.blob_bytes}});
  };
  auto busy = std::make_shared<std::atomic_flag>();
  maintenance.backup =
      [&database, &blobs, &clock, directory, settings = std::move(settings),
       busy](bool keys) -> Result<std::move_only_function<Result<>(net::BodyWriter&)>> {
    if (busy->test_and_set())
      return Error(Code::kResourceExhausted, "GY1910", "a backup is being made already")
          .Fix("wait for its end, then try again");
    // Held until the last byte has gone, or the client.
    const std::shared_ptr<void> turn(nullptr, [busy](void*) { busy->clear(); });
    GYRE_TRY(std::unique_ptr<backup::Backup> taken,
             backup::Backup::Take(database, blobs,
                                  {.directory = directory,
                                   .version = std::string(Version()),
                                   .keys = keys,
                                   .settings = SaidSettings(settings()),
                                   .now_us = clock.NowMicros()}));
    return [turn, made = std::move(taken)](net::BodyWriter& out) {
      return made->Write([&](std::string_view bytes) { return out.Write(bytes); });
    };
  };
}

namespace {

constexpr std::size_t kDigestLength = 64;

// What jobs that have not ended were given: uploads, to which no row refers yet.
Result<std::vector<blob::Pin>> PinUploads(db::Database& database, blob::Store& blobs) {
  std::vector<blob::Pin> pins;
  GYRE_DO(database.Read([&](db::Reader& reader) -> Result<> {
    return reader.Query("SELECT input FROM job WHERE state IN ('queued', 'running')", {},
                        [&](const db::Row& row) -> Result<> {
                          for (const std::string_view word : Split(row.Text(0), '"')) {
                            if (word.size() == kDigestLength)
                              pins.push_back(blobs.PinObject(std::string(word)));
                          }
                          return {};
                        });
  }));
  return pins;
}

// Of every kind but queries, which go sooner.
Result<std::int64_t> ForgetJobs(const KeptRooms& rooms, std::int64_t before_us) {
  std::vector<std::string> kinds;
  GYRE_DO(rooms.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(kinds, db::Collect<std::string>(
                        reader, "SELECT DISTINCT kind FROM job WHERE kind <> ?1 LIMIT 1000",
                        {data::kQueryJob}, [](const db::Row& row) { return row.Str(0); }));
    return {};
  }));
  std::int64_t all = 0;
  for (const std::string& kind : kinds) {
    GYRE_TRY(const std::int64_t gone, rooms.jobs.Forget(kind, before_us));
    all += gone;
  }
  return all;
}

// What grows by itself. First what refers to blobs; what others look after stands last.
std::vector<RetentionRule> RulesOf(const KeptRooms& rooms, const Keeping& keep) {
  return {
      {"trash", "retention.trash", keep.trash_us,
       "SELECT COUNT(*), COALESCE(MIN(removed_us), 0) FROM trash_item",
       [rooms](std::int64_t before_us) -> Result<std::int64_t> {
         GYRE_TRY(const trash::Purged purged, rooms.trash.Purge({before_us}));
         return purged.items;
       }},
      {"deleted runs", "retention.deleted", keep.deleted_us,
       "SELECT COUNT(*), COALESCE(MIN(deleted_us), 0) FROM tracking_run WHERE deleted_us > 0",
       [rooms](std::int64_t before_us) -> Result<std::int64_t> {
         GYRE_TRY(const tracking::Ending ended, rooms.deleted.End({.before_us = before_us}));
         return static_cast<std::int64_t>(ended.runs.size());
       }},
      {"events", "retention.events", keep.events_us,
       "SELECT COUNT(*), COALESCE(MIN(created_us), 0) FROM event",
       [rooms](std::int64_t before_us) { return rooms.events.Trim(before_us); }},
      {"notices", "retention.notices", keep.notices_us,
       "SELECT COUNT(*), COALESCE(MIN(created_us), 0) FROM notice",
       [rooms](std::int64_t before_us) { return rooms.notices.Trim(before_us); }},
      {"firings", "retention.firings", keep.firings_us,
       "SELECT COUNT(*), COALESCE(MIN(NULLIF(ended_us, 0)), 0) FROM automation_firing",
       [rooms](std::int64_t before_us) { return rooms.automation.Forget(before_us); }},
      {"queries", "retention.queries", keep.queries_us,
       "SELECT COUNT(*), COALESCE(MIN(NULLIF(ended_us, 0)), 0) FROM job WHERE kind = "
       "'dataset.query'",
       [rooms](std::int64_t before_us) { return rooms.jobs.Forget(data::kQueryJob, before_us); }},
      {"jobs", "retention.jobs", keep.jobs_us,
       "SELECT COUNT(*), COALESCE(MIN(NULLIF(ended_us, 0)), 0) FROM job WHERE kind <> "
       "'dataset.query'",
       [rooms](std::int64_t before_us) { return ForgetJobs(rooms, before_us); }},
      {"windows", "retention.windows", keep.windows_us,
       "SELECT COUNT(*), COALESCE(MIN(end_us), 0) FROM monitoring_window",
       [rooms](std::int64_t before_us) {
         return monitoring::ForgetWindows(rooms.database, before_us);
       }},
      {"pipeline runs", "retention.pipelines", keep.pipelines_us,
       "SELECT COUNT(*), COALESCE(MIN(NULLIF(ended_us, 0)), 0) FROM pipeline_run"},
      {"KPI readings", "retention.kpis", keep.kpis_us,
       "SELECT COUNT(*), COALESCE(MIN(at_us), 0) FROM monitoring_kpi_reading"},
      {"captured rows", "gyre captures policy", 0,
       "SELECT COALESCE(SUM(row_count), 0), COALESCE(MIN(received_max_us), 0) FROM "
       "inference_segment"},
      {"runs", "gyre runs rm", 0,
       "SELECT COUNT(*), COALESCE(MIN(created_us), 0) FROM tracking_run"},
      {"audit log", "", 0, "SELECT COUNT(*), COALESCE(MIN(at_us), 0) FROM audit_entry"},
  };
}

}  // namespace

native::Maintenance HouseKeeping(const KeptRooms& rooms, const Clock& clock, const Keeping& keeping,
                                 std::function<std::int64_t()> next_run_us) {
  const auto retention =
      std::make_shared<const Retention>(rooms.database, clock, RulesOf(rooms, keeping));
  native::Maintenance maintenance;
  maintenance.retention = [retention, next_run_us = std::move(next_run_us)] {
    return retention->Report(next_run_us());
  };
  maintenance.collect = [rooms, retention, &clock,
                         kept_us = keeping.pipelines_us](std::int64_t grace_us) -> Result<Json> {
    // First what refers to blobs, then the blobs.
    GYRE_TRY(const pipelines::Pipelines::Forgotten forgotten,
             rooms.pipelines.Forget(kept_us == 0 ? 0 : clock.NowMicros() - kept_us));
    GYRE_TRY(Json result, retention->Forget());
    GYRE_TRY(const std::vector<blob::Pin> uploads, PinUploads(rooms.database, rooms.blobs));
    GYRE_TRY(const blob::CollectResult collected,
             blob::Collect(rooms.database, rooms.blobs, grace_us, clock.NowMicros()));
    return result.Set("blobs_removed", collected.removed)
        .Set("bytes_removed", collected.removed_bytes)
        .Set("blobs_kept", collected.kept)
        .Set("pipeline_runs_removed", forgotten.runs)
        .Set("pipeline_results_removed", forgotten.results)
        .Set("pipeline_folders_removed", forgotten.folders);
  };
  return maintenance;
}

void AddCheckJob(runners::Jobs& jobs, db::Database& database, blob::Store& blobs,
                 data::Datasets& datasets, registry::Registry& registry, std::string directory) {
  jobs.Register({.name = std::string(native::kCheckJob),
                 .execute =
                     [&, directory = std::move(directory)](runners::JobRun& run) {
                       return Checker(database, blobs, datasets, registry, directory,
                                      run.job().input["repair"].AsBool())
                           .Run(run);
                     },
                 .requeue_after_restart = true});
}

}  // namespace gyre
