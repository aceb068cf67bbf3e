#include "ml/registry/news.h"

#include "ledger/lineage/lineage.h"

namespace gyre::registry {
namespace {

// An edge from something that another room made to the new version; its own room knows its label better than we do.
Result<> From(db::Transaction& tx, std::string_view kind, const std::string& source, std::string_view version_id, std::string_view role,
              const NewVersion& version, std::int64_t now_us) {
  GYRE_DO(lineage::EnsureNode(tx, {.id = source, .kind = std::string(kind), .label = source.substr(0, 12), .project = version.project,
                                   .created_us = now_us}));
  return lineage::AddEdge(tx, source, version_id, role);
}

}  // namespace

Result<> TellCreated(db::Transaction& tx, const NewVersion& version, std::string_view id, int number, std::int64_t now_us) {
  GYRE_DO(lineage::AddNode(tx, {.id = std::string(id), .kind = "model_version", .label = fmt::format("{}:v{}", version.model, number),
                                .project = version.project, .created_us = now_us}));
  for (const DatasetUse& use : version.datasets) {
    GYRE_DO(From(tx, "dataset_version", use.dataset_version_id, id, use.role == "holdout" ? "evaluated_on" : "trained_on", version, now_us));
  }
  if (!version.recipe_hash.empty()) GYRE_DO(From(tx, "recipe", version.recipe_hash, id, "prepared_by", version, now_us));
  if (!version.run_id.empty()) GYRE_DO(From(tx, "run", version.run_id, id, "produced", version, now_us));
  return {};
}

Result<> TellMoved(db::Transaction&, std::string_view, std::string_view, const AliasMove&) { return {}; }
Result<> TellDeleted(db::Transaction&, const ModelVersion&, std::string_view, std::int64_t) { return {}; }

}  // namespace gyre::registry
