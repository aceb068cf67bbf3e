#include "ml/tracking/experiment_store.h"

#include <cctype>

#include "base/id.h"
#include "base/text.h"
#include "ml/tracking/run_store.h"

namespace gyre::tracking {
namespace {

constexpr std::string_view kColumns =
    "e.id, e.project, e.name, e.created_us, e.number, e.title, e.artifact_root, e.updated_us, "
    "e.deleted_us";

Experiment ExperimentOf(const db::Row& row) {
  Experiment e;
  e.id = row.Str(0);
  e.project = row.Str(1);
  e.name = row.Str(2);
  e.created_us = row.Int(3);
  e.number = row.Int(4);
  e.title = row.Str(5);
  e.artifact_root = row.Str(6);
  e.updated_us = row.Int(7);
  e.deleted_us = row.Int(8);
  return e;
}

Result<> ReadTags(db::Reader& reader, Experiment* experiment) {
  return reader.Query("SELECT name, value FROM tracking_experiment_tag WHERE experiment = ?1",
                      {experiment->number}, [&](const db::Row& row) -> Result<> {
                        experiment->tags.emplace(row.Str(0), row.Str(1));
                        return {};
                      });
}

// Without its tags.
Result<std::optional<Experiment>> ReadHead(db::Reader& reader, std::string_view condition,
                                           std::string_view project, const db::Value& value) {
  std::optional<Experiment> experiment;
  GYRE_TRY([[maybe_unused]] const bool found,
           reader.QueryOne(fmt::format("SELECT {} FROM tracking_experiment e WHERE e.project = ?1 "
                                       "AND {} = ?2",
                                       kColumns, condition),
                           {project, value},
                           [&](const db::Row& row) { experiment = ExperimentOf(row); }));
  return experiment;
}

Result<std::optional<Experiment>> ReadWhere(db::Reader& reader, std::string_view condition,
                                            std::string_view project, const db::Value& value) {
  GYRE_TRY(auto experiment, ReadHead(reader, condition, project, value));
  if (experiment) GYRE_DO(ReadTags(reader, &*experiment));
  return experiment;
}

Error NoExperiment(std::string_view project, std::int64_t number) {
  return NotFound("GY3422", "there is no experiment {} in project {}", number, project)
      .Fix("gyre experiments            (lists them)");
}

// A name of our rule that no other experiment of the project has.
Result<std::string> FreeName(db::Reader& reader, std::string_view project, std::string_view title) {
  const std::string wanted = NameOfTitle(title);
  constexpr int kTriesMax = 10'000;
  for (int i = 1; i <= kTriesMax; ++i) {
    std::string name = i == 1 ? wanted : fmt::format("{}-{}", wanted, i);
    GYRE_TRY(const auto taken, ReadWhere(reader, "e.name", project, db::Value(name)));
    if (!taken) return name;
  }
  return MakeError(Code::kResourceExhausted, "GY3420", "too many experiments are called like `{}`",
                   wanted);
}

}  // namespace

std::string NameOfTitle(std::string_view title) {
  if (CheckName("experiment", title)) return std::string(title);
  constexpr std::size_t kBytesMax = 100;
  std::string name;
  for (const char c : title) {
    const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    const char next = fits ? c : '-';
    const bool may_begin = std::isalnum(static_cast<unsigned char>(next)) != 0;
    if (name.empty() ? may_begin : next != '-' || name.back() != '-') name += next;
    if (name.size() == kBytesMax) break;
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() ? "experiment" : name;
}

Result<std::optional<Experiment>> FindExperiment(db::Reader& reader, std::string_view project,
                                                 std::string_view title) {
  return ReadWhere(reader, "e.title", project, db::Value(title));
}

Result<std::optional<Experiment>> FindByTitleOrName(db::Reader& reader, std::string_view project,
                                                    std::string_view text) {
  GYRE_TRY(auto there, FindExperiment(reader, project, text));
  if (there) return there;
  return ReadWhere(reader, "e.name", project, db::Value(text));
}

Result<Experiment> ReadExperiment(db::Reader& reader, std::string_view project,
                                  std::int64_t number) {
  GYRE_TRY(auto experiment, ReadWhere(reader, "e.number", project, db::Value(number)));
  if (experiment) return *std::move(experiment);
  return NoExperiment(project, number);
}

Result<Experiment> ReadActiveExperiment(db::Reader& reader, std::string_view project,
                                        std::int64_t number) {
  GYRE_TRY(auto experiment, ReadHead(reader, "e.number", project, db::Value(number)));
  if (!experiment) return NoExperiment(project, number);
  if (experiment->deleted_us == 0) return *std::move(experiment);
  return FailedPrecondition("GY3423", "the experiment `{}` is deleted", experiment->title)
      .Fix("restore it first, or use another one");
}

Result<Experiment> InsertExperiment(db::Transaction& tx, const NewExperiment& from,
                                    std::int64_t now_us) {
  GYRE_TRY(const auto taken, FindExperiment(tx, from.project, from.title));
  if (taken) {
    Error error = MakeError(Code::kAlreadyExists, "GY3420",
                            "there is an experiment `{}` in project {}", from.title, from.project);
    if (taken->deleted_us == 0) return error;
    return std::move(error)
        .Why("it is deleted, and keeps its name")
        .Fix("restore it, or take another name");
  }
  Experiment e;
  e.id = NewId();
  e.project = from.project;
  e.title = from.title;
  e.artifact_root = from.artifact_root;
  e.created_us = e.updated_us = from.created_us == 0 ? now_us : from.created_us;
  e.tags = from.tags;
  GYRE_TRY(e.name, FreeName(tx, from.project, from.title));
  const bool first = from.project == kDefaultProject && from.title == kDefaultExperiment;
  e.number = first ? 0 : from.number;
  if (e.number < 0) {
    GYRE_TRY(e.number, NextNumber(tx, "experiment"));
  }
  GYRE_DO(tx.Execute(
      "INSERT INTO tracking_experiment (id, project, name, created_us, number, title, "
      "artifact_root, updated_us, deleted_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
      {e.id, e.project, e.name, e.created_us, e.number, e.title, e.artifact_root, e.updated_us}));
  if (from.number > 0)
    GYRE_DO(
        tx.Execute("UPDATE tracking_counter SET newest = ?1 WHERE noun = 'experiment' AND "
                   "newest < ?1",
                   {from.number}));
  for (const auto& [key, value] : e.tags) GYRE_DO(PutExperimentTag(tx, e.number, key, value));
  return e;
}

Result<Experiment> EnsureExperiment(db::Transaction& tx, std::string_view project,
                                    std::string_view title, std::int64_t now_us) {
  GYRE_TRY(auto there, FindByTitleOrName(tx, project, title));
  if (there && there->deleted_us == 0) return *std::move(there);
  if (there) return ReadActiveExperiment(tx, project, there->number);
  return InsertExperiment(tx, {.project = std::string(project), .title = std::string(title)},
                          now_us);
}

Result<> WalkExperiments(db::Reader& reader, std::string_view project, View view,
                         const std::optional<ExperimentPlace>& after,
                         const std::function<bool(Experiment&&)>& take) {
  constexpr std::string_view kViews[] = {" AND e.deleted_us = 0", " AND e.deleted_us > 0", ""};
  const ExperimentPlace from = after.value_or(ExperimentPlace{INT64_MAX, -1});
  // A batch at a time: reading stops where the caller has enough.
  constexpr int kBatch = 500;
  ExperimentPlace place = from;
  while (true) {
    std::vector<Experiment> batch;
    GYRE_DO(reader.Query(
        fmt::format("SELECT {} FROM tracking_experiment e WHERE e.project = ?1{} AND (e.created_us "
                    "< ?2 OR (e.created_us = ?2 AND e.number > ?3)) ORDER BY e.created_us DESC, "
                    "e.number LIMIT ?4",
                    kColumns, kViews[static_cast<std::size_t>(view)]),
        {project, place.created_us, place.number, kBatch}, [&](const db::Row& row) -> Result<> {
          batch.push_back(ExperimentOf(row));
          return {};
        }));
    for (Experiment& experiment : batch) {
      GYRE_DO(ReadTags(reader, &experiment));
      place = {experiment.created_us, experiment.number};
      if (!take(std::move(experiment))) return {};
    }
    if (batch.size() < kBatch) return {};
  }
}

Result<std::vector<DatasetUse>> ReadDatasetUses(db::Reader& reader, std::string_view project,
                                                std::int64_t number, int limit) {
  return db::Collect<DatasetUse>(
      reader,
      "SELECT DISTINCT d.experiment, d.name, d.digest, u.context FROM tracking_experiment e JOIN "
      "tracking_dataset d ON d.experiment = e.number JOIN tracking_run_dataset u ON u.dataset = "
      "d.number WHERE e.number = ?1 AND e.project = ?2 ORDER BY d.name, d.digest, u.context LIMIT "
      "?3",
      {number, project, limit}, [](const db::Row& row) {
        return DatasetUse{row.Int(0), row.Str(1), row.Str(2), row.Str(3)};
      });
}

Result<> RenameExperiment(db::Transaction& tx, const Experiment& experiment, std::string_view title,
                          std::int64_t now_us) {
  GYRE_TRY(const auto taken, FindExperiment(tx, experiment.project, title));
  if (taken && taken->number != experiment.number)
    return MakeError(Code::kAlreadyExists, "GY3420", "there is an experiment `{}` in project {}",
                     title, experiment.project);
  std::string name = experiment.name;
  if (title != experiment.title) {
    GYRE_TRY(name, FreeName(tx, experiment.project, title));
  }
  return tx.Execute(
      "UPDATE tracking_experiment SET title = ?2, name = ?3, updated_us = ?4 WHERE number = ?1",
      {experiment.number, title, name, now_us});
}

Result<> PutExperimentTag(db::Transaction& tx, std::int64_t number, std::string_view key,
                          std::string_view value) {
  return tx.Execute(
      "INSERT INTO tracking_experiment_tag (experiment, name, value) VALUES (?1, ?2, ?3) ON "
      "CONFLICT (experiment, name) DO UPDATE SET value = excluded.value",
      {number, key, value});
}

Result<bool> RemoveExperimentTag(db::Transaction& tx, std::int64_t number, std::string_view key) {
  GYRE_DO(tx.Execute("DELETE FROM tracking_experiment_tag WHERE experiment = ?1 AND name = ?2",
                     {number, key}));
  return tx.changes() > 0;
}

Result<> TouchExperiment(db::Transaction& tx, std::int64_t number, std::int64_t now_us) {
  return tx.Execute("UPDATE tracking_experiment SET updated_us = ?2 WHERE number = ?1",
                    {number, now_us});
}

Result<> MarkExperiment(db::Transaction& tx, std::int64_t number, std::int64_t deleted_us) {
  GYRE_DO(tx.Execute(
      "UPDATE tracking_experiment SET deleted_us = ?2, updated_us = ?2 WHERE number = ?1",
      {number, deleted_us}));
  return tx.Execute(
      "UPDATE tracking_run SET deleted_us = ?2 WHERE experiment = ?1 AND deleted_us = 0",
      {number, deleted_us});
}

Result<> UnmarkExperiment(db::Transaction& tx, const Experiment& experiment) {
  GYRE_DO(tx.Execute("UPDATE tracking_experiment SET deleted_us = 0 WHERE number = ?1",
                     {experiment.number}));
  return tx.Execute("UPDATE tracking_run SET deleted_us = 0 WHERE experiment = ?1",
                    {experiment.number});
}

}  // namespace gyre::tracking
