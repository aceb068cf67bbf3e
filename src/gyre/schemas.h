// The schema of the whole house: every module's migrations, in the order in which they are applied.
#pragma once

#include <span>

#include "platform/db/schema.h"

namespace gyre {

std::span<const db::ModuleSchema> AllSchemas();

}  // namespace gyre
