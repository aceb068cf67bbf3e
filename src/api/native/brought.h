// What bodies say of things that were made elsewhere. Private to api/native.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::native {

// An object of texts. Error: kInvalidArgument GY3613.
Result<std::map<std::string, std::string>> BroughtTexts(const Json& body, std::string_view member);
// `created_at`, 0 when it is not said. Error: kInvalidArgument GY3613.
Result<std::int64_t> BroughtTime(const Json& body);
// A number, or what JSON has no number for: "NaN", "Infinity", "-Infinity". Error: GY3447.
Result<double> BroughtValue(const Json& value);

}  // namespace gyre::native
