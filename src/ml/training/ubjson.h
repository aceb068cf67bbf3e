// Universal Binary JSON, as far as XGBoost writes it. Pure. Private.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::training {

// Error: kInvalidArgument GY3544.
Result<Json> ParseUbjson(std::string_view bytes);

}  // namespace gyre::training
