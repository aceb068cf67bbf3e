// The rows of sets, their tags and experiments. Private.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/eval_sets/eval_sets.h"

namespace gyre::eval_sets {

Result<> InsertSet(db::Transaction& tx, const EvalSet& set);
Result<EvalSet> ReadSet(db::Reader& reader, std::string_view project,
                        std::string_view id);  // GY3731
Result<std::vector<EvalSet>> ReadSets(db::Reader& reader, std::string_view project);
Result<> RemoveSet(db::Transaction& tx, std::string_view id);
Result<> UpdateSet(db::Transaction& tx, const EvalSet& set);

Result<> PutTag(db::Transaction& tx, std::string_view id, std::string_view name,
                std::string_view value);
Result<> RemoveTag(db::Transaction& tx, std::string_view id, std::string_view name);
Result<> PutExperiment(db::Transaction& tx, std::string_view id, std::int64_t experiment);
Result<> RemoveExperiment(db::Transaction& tx, std::string_view id, std::int64_t experiment);

}  // namespace gyre::eval_sets
