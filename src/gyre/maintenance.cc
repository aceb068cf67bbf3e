#include "gyre/maintenance.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "base/text.h"
#include "gyre/compose.h"
#include "gyre/repair.h"
#include "ml/data/queries.h"
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

native::Maintenance HouseKeeping(db::Database& database, blob::Store& blobs, events::Events& events,
                                 notices::Notices& notices, runners::Jobs& jobs,
                                 pipelines::Pipelines& pipelines,
                                 automation::Automation& automation, trash::Trash& trash,
                                 const Clock& clock, Retention retention) {
  native::Maintenance maintenance;
  maintenance.collect = [&, retention](std::int64_t grace_us) -> Result<Json> {
    // First what refers to blobs, then the blobs.
    const std::int64_t kept_us = retention.pipelines_us;
    GYRE_TRY(const pipelines::Pipelines::Forgotten forgotten,
             pipelines.Forget(kept_us == 0 ? 0 : clock.NowMicros() - kept_us));
    GYRE_TRY(const trash::Purged purged, trash.PurgeOld());
    GYRE_TRY(const blob::CollectResult collected,
             blob::Collect(database, blobs, grace_us, clock.NowMicros()));
    GYRE_TRY(const std::int64_t trimmed, events.Trim(clock.NowMicros() - retention.events_us));
    GYRE_TRY(const std::int64_t told, notices.Trim(clock.NowMicros() - retention.events_us));
    GYRE_TRY(const std::int64_t firings,
             automation.Forget(clock.NowMicros() - retention.firings_us));
    GYRE_TRY(const std::int64_t queries,
             jobs.Forget(data::kQueryJob, clock.NowMicros() - retention.queries_us));
    return Json::Obj({{"blobs_removed", collected.removed},
                      {"bytes_removed", collected.removed_bytes},
                      {"blobs_kept", collected.kept},
                      {"trash_removed", purged.items},
                      {"events_removed", trimmed},
                      {"notices_removed", told},
                      {"queries_removed", queries},
                      {"firings_removed", firings},
                      {"pipeline_runs_removed", forgotten.runs},
                      {"pipeline_results_removed", forgotten.results},
                      {"pipeline_folders_removed", forgotten.folders}});
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
