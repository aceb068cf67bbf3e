#include "ml/tracking/deleted.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "ml/tracking/experiment_store.h"
#include "ml/tracking/files.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

constexpr std::size_t kRunsAtOnce = 50;  // in one transaction, which shall be short

Result<std::vector<DeletedRun>> ReadRuns(db::Reader& reader, const DeletedQuery& query) {
  return db::Collect<DeletedRun>(
      reader,
      "SELECT number, experiment, id, project FROM tracking_run WHERE deleted_us > 0 AND "
      "deleted_us <= ?1 AND (?2 = '' OR project = ?2) ORDER BY number",
      {query.before_us, query.project}, [](const db::Row& row) {
        return DeletedRun{row.Int(0), row.Int(1), row.Str(2), row.Str(3)};
      });
}

Result<std::vector<Experiment>> ReadExperiments(db::Reader& reader, const DeletedQuery& query) {
  GYRE_TRY(const auto found,
           db::Collect<std::pair<std::string, std::int64_t>>(
               reader,
               "SELECT project, number FROM tracking_experiment WHERE deleted_us > 0 AND "
               "deleted_us <= ?1 AND (?2 = '' OR project = ?2) ORDER BY number",
               {query.before_us, query.project},
               [](const db::Row& row) { return std::pair(row.Str(0), row.Int(1)); }));
  std::vector<Experiment> experiments;
  for (const auto& [project, number] : found) {
    GYRE_TRY(Experiment experiment, ReadExperiment(reader, project, number));
    experiments.push_back(std::move(experiment));
  }
  return experiments;
}

Result<std::vector<DeletedModel>> ModelsOf(db::Reader& reader, const Experiment& experiment) {
  return db::Collect<DeletedModel>(
      reader, "SELECT id, project FROM tracking_logged_model WHERE experiment = ?1",
      {experiment.number}, [](const db::Row& row) { return DeletedModel{row.Str(0), row.Str(1)}; });
}

Result<std::vector<DeletedModel>> ReadModels(db::Reader& reader, const DeletedQuery& query) {
  return db::Collect<DeletedModel>(
      reader,
      "SELECT id, project FROM tracking_logged_model WHERE deleted_us > 0 AND deleted_us <= ?1 AND "
      "(?2 = '' OR project = ?2) ORDER BY created_us, id",
      {query.before_us, query.project},
      [](const db::Row& row) { return DeletedModel{row.Str(0), row.Str(1)}; });
}

Result<std::int64_t> CountRuns(db::Reader& reader, const Experiment& experiment) {
  std::int64_t count = 0;
  GYRE_DO(reader.QueryOne("SELECT COUNT(*) FROM tracking_run WHERE experiment = ?1",
                          {experiment.number}, [&](const db::Row& row) { count = row.Int(0); }));
  return count;
}

Result<> AddBytes(db::Reader& reader, const FileOwner& owner, std::int64_t* bytes) {
  const BlobOwner of = BlobOwnerOf(owner);
  GYRE_DO(reader.QueryOne(
      "SELECT COALESCE(SUM(size_bytes), 0) FROM blob_ref WHERE owner_kind = ?1 AND owner_id = ?2",
      {of.kind, of.id}, [&](const db::Row& row) { *bytes += row.Int(0); }));
  return {};
}

FileOwner OwnerOf(const DeletedModel& model) {
  return {FileOwner::Kind::kLoggedModel, model.project, model.id};
}

Result<> EndModel(db::Transaction& tx, const DeletedModel& model) {
  for (const std::string_view table :
       {"tracking_logged_model_param", "tracking_logged_model_tag", "tracking_logged_model_metric"})
    GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE model = ?1", table), {model.id}));
  GYRE_DO(RemoveFiles(tx, OwnerOf(model), ""));
  return tx.Execute("DELETE FROM tracking_logged_model WHERE id = ?1", {model.id});
}

// Data sets that no run of the experiment has read any more.
Result<> DropUnreadDatasets(db::Transaction& tx, std::int64_t experiment) {
  return tx.Execute(
      "DELETE FROM tracking_dataset WHERE experiment = ?1 AND NOT EXISTS (SELECT 1 FROM "
      "tracking_run_dataset u WHERE u.dataset = tracking_dataset.number)",
      {experiment});
}

Result<> EndRun(db::Transaction& tx, const DeletedRun& run) {
  GYRE_TRY(const bool deleted,
           tx.QueryOne("SELECT 1 FROM tracking_run WHERE number = ?1 AND deleted_us > 0",
                       {run.number}, [](const db::Row&) {}));
  if (!deleted) return {};  // restored meanwhile
  for (const std::string_view table : kTablesOfRuns)
    GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE run = ?1", table), {run.number}));
  GYRE_DO(tx.Execute("DELETE FROM tracking_file WHERE owner = ?1", {run.id}));
  GYRE_DO(tx.Execute("DELETE FROM tracking_run_output WHERE run_id = ?1", {run.id}));
  GYRE_DO(tx.Execute("DELETE FROM tracking_run WHERE number = ?1", {run.number}));
  return blob::DropRefs(tx, kRefOwner, run.id);
}

bool Names(const auto& list, const auto& value) {
  return std::ranges::find(list, value) != list.end();
}

// One look at what there is, and what of it may go.
class Finder {
 public:
  Finder(db::Reader& reader, const DeletedQuery& query,
         const std::map<std::string, std::string>& needed)
      : reader_(reader), query_(query), needed_(needed) {}

  Result<Ending> Find() {
    GYRE_DO(TakeRuns());
    if (query_.runs.empty()) {
      GYRE_DO(TakeExperiments());
      if (query_.experiments.empty()) GYRE_DO(TakeModels());
    }
    return std::move(ending_);
  }

 private:
  bool IsNeeded(const std::string& id) {
    const auto found = needed_.find(id);
    if (found == needed_.end()) return false;
    ending_.needed.insert(*found);
    return true;
  }

  bool IsAskedFor(const DeletedRun& run) const {
    if (!query_.runs.empty()) return Names(query_.runs, run.id);
    return query_.experiments.empty() || Names(query_.experiments, run.experiment);
  }

  Result<> TakeRuns() {
    GYRE_TRY(const auto runs, ReadRuns(reader_, query_));
    for (const DeletedRun& run : runs) {
      if (!IsAskedFor(run) || IsNeeded(run.id)) continue;
      GYRE_DO(AddBytes(reader_, {FileOwner::Kind::kRun, run.project, run.id}, &ending_.bytes));
      ++ending_runs_[run.experiment];
      ending_.runs.push_back(run);
    }
    return {};
  }

  // One that has a run or a logged model which stays is there for it.
  Result<> TakeExperiments() {
    GYRE_TRY(const auto experiments, ReadExperiments(reader_, query_));
    for (const Experiment& experiment : experiments) {
      if (!query_.experiments.empty() && !Names(query_.experiments, experiment.number)) continue;
      GYRE_TRY(const std::int64_t runs, CountRuns(reader_, experiment));
      GYRE_TRY(const auto models, ModelsOf(reader_, experiment));
      std::int64_t bytes = 0;
      bool stays = runs != ending_runs_[experiment.number];
      for (const DeletedModel& model : models) {
        stays = IsNeeded(model.id) || stays;
        GYRE_DO(AddBytes(reader_, OwnerOf(model), &bytes));
      }
      if (stays) continue;
      for (const DeletedModel& model : models) with_experiment_.insert(model.id);
      ending_.bytes += bytes;
      ending_.experiments.push_back(experiment);
    }
    return {};
  }

  Result<> TakeModels() {
    GYRE_TRY(const auto models, ReadModels(reader_, query_));
    for (const DeletedModel& model : models) {
      if (with_experiment_.contains(model.id) || IsNeeded(model.id)) continue;
      GYRE_DO(AddBytes(reader_, OwnerOf(model), &ending_.bytes));
      ending_.models.push_back(model);
    }
    return {};
  }

  db::Reader& reader_;
  const DeletedQuery& query_;
  const std::map<std::string, std::string>& needed_;
  Ending ending_;
  std::map<std::int64_t, std::int64_t> ending_runs_;  // by experiment
  std::set<std::string> with_experiment_;
};

}  // namespace

Result<Ending> Deleted::Find(const DeletedQuery& query) {
  Ending ending;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto needed, others_.needed(reader));
    GYRE_TRY(ending, Finder(reader, query, needed).Find());
    return {};
  }));
  return ending;
}

Result<> Deleted::EndRuns(const std::vector<DeletedRun>& runs) {
  std::set<std::int64_t> experiments;
  for (std::size_t from = 0; from < runs.size(); from += kRunsAtOnce) {
    const auto some = std::span(runs).subspan(from, std::min(kRunsAtOnce, runs.size() - from));
    GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
      for (const DeletedRun& run : some) GYRE_DO(EndRun(tx, run));
      return {};
    }));
    for (const DeletedRun& run : some) {
      stamps_.Leave(run.id, run.experiment);
      experiments.insert(run.experiment);
    }
  }
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    for (const std::int64_t experiment : experiments) GYRE_DO(DropUnreadDatasets(tx, experiment));
    return {};
  });
}

Result<> Deleted::EndExperiment(const Experiment& experiment) {
  GYRE_DO(others_.end(experiment));
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const Experiment now, ReadExperiment(tx, experiment.project, experiment.number));
    GYRE_TRY(const std::int64_t runs, CountRuns(tx, experiment));
    if (now.deleted_us == 0 || runs > 0) return {};  // restored meanwhile
    GYRE_TRY(const auto models, ModelsOf(tx, experiment));
    for (const DeletedModel& model : models) GYRE_DO(EndModel(tx, model));
    for (const std::string_view table : {"tracking_dataset", "tracking_experiment_tag"})
      GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE experiment = ?1", table), {now.number}));
    return tx.Execute("DELETE FROM tracking_experiment WHERE number = ?1", {now.number});
  });
}

Result<Ending> Deleted::End(const DeletedQuery& query) {
  GYRE_TRY(Ending ending, Find(query));
  GYRE_DO(EndRuns(ending.runs));
  for (const Experiment& experiment : ending.experiments) GYRE_DO(EndExperiment(experiment));
  for (const DeletedModel& model : ending.models)
    GYRE_DO(database_.Write([&](db::Transaction& tx) { return EndModel(tx, model); }));
  return ending;
}

}  // namespace gyre::tracking
