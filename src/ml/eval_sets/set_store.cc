#include "ml/eval_sets/set_store.h"

#include <optional>

namespace gyre::eval_sets {
namespace {

constexpr std::string_view kColumns =
    "id, project, name, fields, record_count, created_us, updated_us, created_by, updated_by";

EvalSet SetOf(const db::Row& row) {
  EvalSet set;
  set.id = row.Str(0);
  set.project = row.Str(1);
  set.name = row.Str(2);
  set.fields = row.Str(3);
  set.record_count = row.Int(4);
  set.created_us = row.Int(5);
  set.updated_us = row.Int(6);
  set.created_by = row.Str(7);
  set.updated_by = row.Str(8);
  return set;
}

Result<> Complete(db::Reader& reader, EvalSet* set) {
  GYRE_DO(reader.Query("SELECT name, value FROM eval_sets_tag WHERE set_id = ?1", {set->id},
                       [&](const db::Row& row) -> Result<> {
                         set->tags.emplace(row.Str(0), row.Str(1));
                         return {};
                       }));
  return reader.Query("SELECT experiment FROM eval_sets_experiment WHERE set_id = ?1", {set->id},
                      [&](const db::Row& row) -> Result<> {
                        set->experiments.push_back(row.Int(0));
                        return {};
                      });
}

}  // namespace

Result<> InsertSet(db::Transaction& tx, const EvalSet& set) {
  GYRE_DO(tx.Execute(
      fmt::format("INSERT INTO eval_sets_set ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                  kColumns),
      {set.id, set.project, set.name, set.fields, set.record_count, set.created_us, set.updated_us,
       set.created_by, set.updated_by}));
  for (const auto& [name, value] : set.tags) GYRE_DO(PutTag(tx, set.id, name, value));
  for (const std::int64_t experiment : set.experiments)
    GYRE_DO(PutExperiment(tx, set.id, experiment));
  return {};
}

Result<EvalSet> ReadSet(db::Reader& reader, std::string_view project, std::string_view id) {
  std::optional<EvalSet> found;
  GYRE_DO(reader.QueryOne(
      fmt::format("SELECT {} FROM eval_sets_set WHERE id = ?1 AND project = ?2", kColumns),
      {id, project}, [&](const db::Row& row) { found = SetOf(row); }));
  if (!found)
    return NotFound("GY3731", "there is no evaluation set `{}` in project {}", id.substr(0, 100),
                    project);
  GYRE_DO(Complete(reader, &*found));
  return *std::move(found);
}

Result<std::vector<EvalSet>> ReadSets(db::Reader& reader, std::string_view project) {
  GYRE_TRY(auto sets,
           db::Collect<EvalSet>(reader,
                                fmt::format("SELECT {} FROM eval_sets_set WHERE project = ?1 "
                                            "ORDER BY created_us DESC, id DESC",
                                            kColumns),
                                {project}, SetOf));
  for (EvalSet& set : sets) GYRE_DO(Complete(reader, &set));
  return sets;
}

Result<> RemoveSet(db::Transaction& tx, std::string_view id) {
  for (const std::string_view table : {"eval_sets_tag", "eval_sets_experiment", "eval_sets_record"})
    GYRE_DO(tx.Execute(fmt::format("DELETE FROM {} WHERE set_id = ?1", table), {id}));
  return tx.Execute("DELETE FROM eval_sets_set WHERE id = ?1", {id});
}

Result<> UpdateSet(db::Transaction& tx, const EvalSet& set) {
  return tx.Execute(
      "UPDATE eval_sets_set SET fields = ?2, updated_us = ?3, updated_by = ?4, record_count = "
      "(SELECT COUNT(*) FROM eval_sets_record WHERE set_id = ?1) WHERE id = ?1",
      {set.id, set.fields, set.updated_us, set.updated_by});
}

Result<> PutTag(db::Transaction& tx, std::string_view id, std::string_view name,
                std::string_view value) {
  return tx.Execute(
      "INSERT INTO eval_sets_tag (set_id, name, value) VALUES (?1, ?2, ?3) ON "
      "CONFLICT (set_id, name) DO UPDATE SET value = excluded.value",
      {id, name, value});
}

Result<> RemoveTag(db::Transaction& tx, std::string_view id, std::string_view name) {
  return tx.Execute("DELETE FROM eval_sets_tag WHERE set_id = ?1 AND name = ?2", {id, name});
}

Result<> PutExperiment(db::Transaction& tx, std::string_view id, std::int64_t experiment) {
  return tx.Execute(
      "INSERT INTO eval_sets_experiment (set_id, experiment) VALUES (?1, ?2) ON "
      "CONFLICT (set_id, experiment) DO NOTHING",
      {id, experiment});
}

Result<> RemoveExperiment(db::Transaction& tx, std::string_view id, std::int64_t experiment) {
  return tx.Execute("DELETE FROM eval_sets_experiment WHERE set_id = ?1 AND experiment = ?2",
                    {id, experiment});
}

}  // namespace gyre::eval_sets
