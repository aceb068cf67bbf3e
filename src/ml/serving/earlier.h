// Where a rollback goes.
#pragma once

#include <span>

#include "ml/serving/serving.h"

namespace gyre::serving {

inline constexpr std::string_view kRollbackTo = "rollback to ";  // a number; the basis of one

// The champion's deployment before `present`, of another version; null: there is none. A rollback
// stands for what it went back to, so that the next one goes further back and never comes back to
// what was rolled back. `history`: of the endpoint.
const Deployment* DeploymentBefore(std::span<const Deployment> history, const Deployment& present);

}  // namespace gyre::serving
