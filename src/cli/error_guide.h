// The long text of each error code, compiled in from docs/errors.md.
#pragma once

#include <string_view>

namespace gyre::cli {

std::string_view ErrorGuide(std::string_view code);  // "GY2041"; empty when there is none

}  // namespace gyre::cli
