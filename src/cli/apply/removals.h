// What an earlier apply made and the file no longer has: who still needs it, and its end.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/apply/converge.h"
#include "cli/apply/plan.h"
#include "cli/session.h"

namespace gyre::cli::apply {

// Asks the server, without changing anything, what stands against each removal. What the plan
// itself removes or changes is no reason.
Result<> SeeWhoNeeds(Session& session, std::string_view project, Plan* plan);
// kFailedPrecondition GY4920 names the first removal that is refused, and what to do about it.
Result<> CheckRemovals(const Plan& plan);

// What was done, for people.
Result<std::string> Remove(Work& work, const Change& change);

}  // namespace gyre::cli::apply
