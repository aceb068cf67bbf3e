// SQL of models and versions. Functions on a transaction or a reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/registry/registry.h"

namespace gyre::registry {

inline constexpr std::string_view kOwnerKind = "model_version";  // of blobs

// Documents as text, made outside the transaction.
struct VersionTexts {
  std::string metrics, signature, flavors;
};
VersionTexts TextsOf(const NewVersion& version);

struct ModelRow {
  std::string id;
  int last_version = 0;
  std::string name;
};
Result<ModelRow> EnsureModel(db::Transaction& tx, const NewVersion& version,
                             std::string_view new_id, std::int64_t now_us);
// By its name, else by its title, else by a name that it had before. GY3602 with a "did you mean".
Result<ModelRow> FindModel(db::Reader& reader, std::string_view project, std::string_view name);
// The next of that model: its rows, references to its blobs, and what it tells.
Result<> AddVersion(db::Transaction& tx, events::Events* events, const ModelRow& model,
                    NewVersion version, const VersionTexts& texts, std::string_view id,
                    std::int64_t now_us);
// The id of the version that the same run registered with the same package, or "".
Result<std::string> FindSame(db::Reader& reader, std::string_view model_id,
                             const NewVersion& version);

// The columns that VersionFromRow reads, of `registry_version v JOIN registry_model m`.
inline constexpr std::string_view kVersionColumns =
    "v.id, m.project, m.name, v.version, v.package_digest, v.package_bytes, v.run_id, "
    "v.recipe_hash, v.task, v.target, v.learner, v.metrics, v.signature, v.evaluation_id, v.notes, "
    "v.created_by, v.created_us, m.title, v.source, v.location, v.run_link, v.logged_model, "
    "v.flavors, v.stage, v.updated_us";
// The same, empty where a list of models does not look: package, recipe, task, target, learner,
// documents, evaluation.
inline constexpr std::string_view kListedVersionColumns =
    "v.id, m.project, m.name, v.version, '', 0, v.run_id, '', '', '', '', '', '', '', v.notes, "
    "v.created_by, v.created_us, m.title, v.source, v.location, v.run_link, v.logged_model, "
    "v.flavors, v.stage, v.updated_us";
// `documents`: also the metrics and the signature.
ModelVersion VersionFromRow(const db::Row& row, bool documents);
// GY3603. With datasets, attachments, aliases and tags.
Result<ModelVersion> ReadVersion(db::Reader& reader, std::string_view version_id);
Result<std::string> FindVersionId(db::Reader& reader, std::string_view model_id,
                                  std::string_view model, int version);  // 0 = newest; GY3603
Result<std::vector<std::string>> VersionIds(db::Reader& reader,
                                            std::string_view model_id);  // newest first
Result<Model> ReadModel(db::Reader& reader, std::string_view model_id);
Result<std::vector<std::string>> ModelIds(db::Reader& reader, std::string_view project,
                                          const Registry::Page& page);
Result<std::vector<std::string>> NamesMadeFrom(db::Reader& reader,
                                               std::string_view dataset_version_id);

}  // namespace gyre::registry
