#include "ml/registry/news.h"

#include "base/hash.h"
#include "ledger/lineage/lineage.h"

namespace gyre::registry {
namespace {

// An edge from something that another room made to the new version; its own room knows its label
// better than we do.
Result<> From(db::Transaction& tx, std::string_view kind, const std::string& source,
              std::string_view version_id, std::string_view role, const NewVersion& version,
              std::int64_t now_us) {
  GYRE_DO(lineage::EnsureNode(tx, {.id = source,
                                   .kind = std::string(kind),
                                   .label = source.substr(0, 12),
                                   .project = version.project,
                                   .created_us = now_us}));
  return lineage::AddEdge(tx, source, version_id, role);
}

// A recipe as it was fitted: one text fitted on other data is another node, or a model would seem
// to come from data that it never saw. Its id begins with the hash of the text.
Result<> TellRecipe(db::Transaction& tx, const NewVersion& version, std::string_view version_id,
                    std::int64_t now_us) {
  std::string fitted_on = version.project;
  for (const DatasetUse& use : version.datasets) {
    if (use.role != "holdout") fitted_on += "/" + use.dataset_version_id;
  }
  const std::string id = version.recipe_hash + "-" + Sha256Hex(fitted_on).substr(0, 12);
  GYRE_DO(From(tx, "recipe", id, version_id, "prepared_by", version, now_us));
  for (const DatasetUse& use : version.datasets) {
    if (use.role != "holdout")
      GYRE_DO(lineage::AddEdge(tx, use.dataset_version_id, id, "fitted_on"));
  }
  if (version.run_id.empty()) return {};
  return lineage::AddEdge(tx, id, version.run_id, "prepared_by");
}

// Names are checked and numbers are numbers; other text comes as Member() makes it.
Result<> Publish(db::Transaction& tx, events::Events* events, std::string_view kind,
                 std::string_view project, std::string_view subject, const std::string& payload) {
  if (events == nullptr) return {};
  return events->Publish(
      tx, {.kind = kind, .project = project, .subject = subject, .payload = payload});
}

}  // namespace

Result<> TellCreated(db::Transaction& tx, events::Events* events, const NewVersion& version,
                     std::string_view id, int number, std::int64_t now_us) {
  GYRE_DO(lineage::AddNode(tx, {.id = std::string(id),
                                .kind = "model_version",
                                .label = fmt::format("{}:v{}", version.model, number),
                                .project = version.project,
                                .created_us = now_us}));
  for (const DatasetUse& use : version.datasets) {
    GYRE_DO(From(tx, "dataset_version", use.dataset_version_id, id,
                 use.role == "holdout" ? "evaluated_on" : "trained_on", version, now_us));
  }
  if (!version.run_id.empty())
    GYRE_DO(From(tx, "run", version.run_id, id, "produced", version, now_us));
  if (!version.recipe_hash.empty()) GYRE_DO(TellRecipe(tx, version, id, now_us));
  return Publish(tx, events, "model.version.created", version.project, id,
                 fmt::format(R"({{"model":"{}","version":{}}})", version.model, number));
}

Result<> TellMoved(db::Transaction& tx, events::Events* events, std::string_view project,
                   std::string_view model, const AliasMove& move) {
  return Publish(
      tx, events, "model.alias.moved", project, move.version_id,
      fmt::format(R"({{"model":"{}","alias":"{}","version":{},"previous":{},"basis":"{}"}})", model,
                  move.alias, move.version, move.previous_version, move.basis));
}

std::string Member(std::string_view key, std::string_view text) {
  return fmt::format(R"(,"{}":{})", key, Json(text).Dump());
}

Result<> TellModel(db::Transaction& tx, events::Events* events, std::string_view kind,
                   std::string_view project, std::string_view subject, std::string_view model,
                   std::string_view more) {
  return Publish(tx, events, kind, project, subject,
                 fmt::format(R"({{"model":"{}"{}}})", model, more));
}

Result<> TellDeleted(db::Transaction& tx, events::Events* events, const ModelVersion& version) {
  return Publish(tx, events, "model.version.deleted", version.project, version.id,
                 fmt::format(R"({{"model":"{}","version":{}}})", version.model, version.version));
}

}  // namespace gyre::registry
