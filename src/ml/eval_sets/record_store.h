// The rows of records. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/eval_sets/eval_sets.h"

namespace gyre::eval_sets {

// A record as text, made before the transaction.
struct RecordRow {
  std::string hash;  // of its inputs
  std::string id, inputs, outputs, expectations, tags, source;
  std::int64_t created_us = 0, updated_us = 0;
  std::string created_by, updated_by;
};

Result<> PutRecord(db::Transaction& tx, std::string_view set, const RecordRow& row);
Result<std::optional<RecordRow>> FindRecord(db::Reader& reader, std::string_view set,
                                            std::string_view hash);
// Those behind (created_us, id).
Result<std::vector<RecordRow>> ReadRecords(db::Reader& reader, std::string_view set,
                                           std::int64_t after_us, std::string_view after_id,
                                           int limit);
Result<bool> RemoveRecord(db::Transaction& tx, std::string_view set, std::string_view id);

}  // namespace gyre::eval_sets
