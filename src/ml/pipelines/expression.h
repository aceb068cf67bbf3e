// References and conditions: `${params.p}`, `${steps.s.outputs.o}`, `${steps.s.state}`, `${item}`,
// `${item.key}`, `${index}`, `${inputs.i}`, `${outputs.o}`, `${run.id}`, `${run.state}`. Pure.
//
// A condition knows text, numbers, true, false, null; == != < <= > >=, !, &&, ||, parentheses,
// int(x), and references with or without `${}`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::pipelines {

// "steps.fetch.outputs.rows" -> its value; nothing when there is none.
using Lookup = std::function<std::optional<Json>(std::string_view path)>;

// The paths that a text (or every text in a document) refers to.
Result<std::vector<std::string>> PathsIn(std::string_view text);  // GY4703
Result<std::vector<std::string>> PathsIn(const Json& document);
Result<std::vector<std::string>> PathsInCondition(std::string_view condition);

// The path when the text is one reference and nothing else.
std::optional<std::string> OnlyPath(std::string_view text);

// A text that is one reference becomes the value itself; else each is put in as text. Error: GY4707
// the value is not there.
Result<Json> Fill(const Json& document, const Lookup& lookup);
// True or false. Errors: GY4703 does not read, GY4707.
Result<bool> Holds(std::string_view condition, const Lookup& lookup);

// How a value stands inside a text, a command's word or an environment variable.
std::string TextOf(const Json& value);

}  // namespace gyre::pipelines
