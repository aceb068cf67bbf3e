// Charges as the FinOps Open Cost and Usage Specification (FOCUS) 1.0 has them.
#pragma once

#include <string>
#include <vector>

#include "ledger/usage/usage.h"

namespace gyre::native {

// One line per charge, RFC 4180, times in UTC. The costs of all lines add up to what `gyre cost`
// says, to the last digit.
std::string FocusCsv(const std::vector<usage::Charge>& charges, const std::string& currency);

}  // namespace gyre::native
