#include "ml/registry/news.h"

namespace gyre::registry {

Result<> TellCreated(db::Transaction&, const NewVersion&, std::string_view, int, std::int64_t) { return {}; }
Result<> TellMoved(db::Transaction&, std::string_view, std::string_view, const AliasMove&) { return {}; }
Result<> TellDeleted(db::Transaction&, const ModelVersion&, std::string_view, std::int64_t) { return {}; }

}  // namespace gyre::registry
