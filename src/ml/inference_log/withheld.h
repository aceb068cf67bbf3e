// Inputs of a model that a policy does not keep as they are. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/inference_log/policy.h"
#include "platform/table/frame.h"

namespace gyre::inference_log {

std::vector<std::string> Withheld(const Policy& policy, const table::Schema& inputs);
Error LacksInputs(std::string_view endpoint, const std::vector<std::string>& withheld);

}  // namespace gyre::inference_log
