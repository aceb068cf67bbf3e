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
  std::string metrics, signature;
};

struct ModelRow {
  std::string id;
  int last_version = 0;
};
Result<ModelRow> EnsureModel(db::Transaction& tx, const NewVersion& version,
                             std::string_view new_id, std::int64_t now_us);
// GY3602 with a "did you mean".
Result<ModelRow> FindModel(db::Reader& reader, std::string_view project, std::string_view name);
Result<> InsertVersion(db::Transaction& tx, std::string_view model_id, const NewVersion& version,
                       const VersionTexts& texts, std::string_view id, int number,
                       std::int64_t now_us);
// The id of the version that the same run registered with the same package, or "".
Result<std::string> FindSame(db::Reader& reader, std::string_view model_id,
                             const NewVersion& version);

// GY3603. With datasets, attachments and aliases.
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
