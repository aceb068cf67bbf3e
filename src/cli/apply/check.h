// What a plan would fail at, found before anything changes.
#pragma once

#include "base/error.h"
#include "cli/apply/actual.h"
#include "cli/apply/declaration.h"
#include "cli/apply/plan.h"

namespace gyre::cli::apply {

// Errors with the line: GY4910 rows that come from nowhere; what the server says of goals and
// triggers.
Result<> CheckPlan(Session& session, const std::string& project, const Declaration& declaration,
                   const Actual& actual, const Plan& plan);
// The part that needs no server.
Result<> CheckRowsOf(const Declaration& declaration, const Change& change);

}  // namespace gyre::cli::apply
