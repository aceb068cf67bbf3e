// YAML documents as Json. Plain scalars become null, booleans, numbers or text by the YAML 1.2 core
// schema; quoted ones stay text.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::config {

// `source` names the text in errors: "recipe.yaml". Errors: kInvalidArgument GY1810 with line and
// column for broken YAML, several documents, invalid UTF-8, duplicate or non-text keys, nesting
// deeper than 64, or more than 100,000 nodes after aliases are followed.
Result<Json> ParseYaml(std::string_view text, std::string_view source);
// The line, from 1, where an item of the list `key` of the document begins; 0 when it has none.
int YamlLineOf(std::string_view text, const std::string& key, std::size_t item);
// Block style, two spaces; reads back the same.
std::string DumpYaml(const Json& json);

}  // namespace gyre::config
