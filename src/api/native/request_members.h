// Which members the document of a request may have: a misspelled one is not silently ignored.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::native {

// Error: kInvalidArgument GY1630 names the member and the one that was probably meant.
Result<> OnlyMembers(const Json& body, std::initializer_list<std::string_view> names);

}  // namespace gyre::native
