// SQL of what people fill in by hand: titles, tags, descriptions, stages. Functions on a
// transaction or a reader. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ml/registry/catalog.h"
#include "ml/registry/version_store.h"

namespace gyre::registry {

// By exactly that title. GY3602 with a "did you mean".
Result<ModelRow> FindTitle(db::Reader& reader, std::string_view project, std::string_view title);
// GY3630 when another model than `own_id` has that title.
Result<> CheckTitleFree(db::Reader& reader, std::string_view project, std::string_view title,
                        std::string_view own_id);
// What our rule for names makes of the title, with "-2" behind it when another model is called so.
Result<std::string> FreeName(db::Reader& reader, std::string_view project, std::string_view title,
                             std::string_view own_id);
Result<> InsertModel(db::Transaction& tx, const NewModel& from, std::string_view id,
                     std::string_view name, std::int64_t now_us);
Result<> RenameModel(db::Transaction& tx, std::string_view project, const ModelRow& model,
                     std::string_view name, std::string_view title, std::int64_t now_us);

Result<> PutModelTag(db::Transaction& tx, std::string_view model_id, std::string_view key,
                     std::string_view value);
Result<> PutVersionTag(db::Transaction& tx, std::string_view version_id, std::string_view key,
                       std::string_view value);

// The newest version of each stage, by stage.
Result<std::vector<std::string>> LatestIds(db::Reader& reader, std::string_view model_id);
Result<> PutStage(db::Transaction& tx, std::string_view model_id, std::string_view version_id,
                  Stage stage, bool archive_others, std::int64_t now_us);

}  // namespace gyre::registry
