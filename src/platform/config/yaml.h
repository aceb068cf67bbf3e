// YAML documents as Json. Plain scalars become null, booleans, numbers or text by the YAML 1.2 core
// schema; quoted ones stay text.
#pragma once

#include <span>
#include <string>
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
// The line, from 1, of what stands at a path of keys and, in lists, numbers from 0: of the key, or
// of its nearest parent that is there. 0 when the text cannot be read.
int YamlLineAt(std::string_view text, std::span<const std::string> path);
// Block style, two spaces; reads back the same.
std::string DumpYaml(const Json& json);

}  // namespace gyre::config
