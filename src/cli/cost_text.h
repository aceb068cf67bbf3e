// What something has cost, or will, in a few words.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/session.h"

namespace gyre::cli {

// "0.001250 EUR" of what the query ("run=3f2a...") selects; "" where nothing is booked, or he who
// asks may not know.
std::string CostOf(Session& session, const std::string& query);

// "2.1 s of CPU, 180 MB, 0.000023 EUR: the median of 3 like it".
std::string ExpectedText(const Json& expected);

}  // namespace gyre::cli
