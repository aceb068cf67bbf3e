// --dry-run: questions go through; the first change is written down instead, and the command ends
// there. Removals and cancellations are all written down.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "cli/session.h"

namespace gyre::cli {

// kCancelled GY4028: not a failure, the dry run has seen enough.
bool EndsDryRun(const Error& error);
// Commands that change things without asking a server have no dry run: GY4029.
Result<> CheckHasDryRun(std::string_view command_path);

// [{method, path, body, summary}] of what would have been sent is appended to `planned`.
std::unique_ptr<Session> NewDryRunSession(std::unique_ptr<Session> session, Json* planned);

std::string PlanText(const Json& planned);

}  // namespace gyre::cli
