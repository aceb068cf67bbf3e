// Tags, metadata and links of traces. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/traces/traces.h"

namespace gyre::traces {

enum class Label : unsigned char { kTag = 1, kMetadata = 2 };

inline constexpr std::string_view kRunLink = "run", kPromptLink = "prompt";

Result<> PutLabel(db::Transaction& tx, std::int64_t trace, Label kind, std::string_view name,
                  std::string_view value);
Result<> PutLabels(db::Transaction& tx, std::int64_t trace, Label kind, const Texts& labels);
// Those that are there already stay as they are.
Result<> FillLabels(db::Transaction& tx, std::int64_t trace, Label kind, const Texts& labels);
Result<bool> RemoveLabel(db::Transaction& tx, std::int64_t trace, Label kind,
                         std::string_view name);
Result<> ReadLabels(db::Reader& reader, std::int64_t trace, Texts* tags, Texts* metadata);

Result<> PutLink(db::Transaction& tx, std::int64_t trace, std::string_view kind,
                 std::string_view target);
Result<std::vector<std::string>> ReadLinks(db::Reader& reader, std::int64_t trace,
                                           std::string_view kind);

}  // namespace gyre::traces
