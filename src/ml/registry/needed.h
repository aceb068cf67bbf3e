// Whose files versions are made of: those of runs and logged models that they name.
#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "platform/db/database.h"

namespace gyre::registry {

// Each part of the sources of the versions that are there, ids of runs and logged models among
// them -> "model churn:v3".
Result<std::map<std::string, std::string>> NamedBySources(db::Reader& reader);

}  // namespace gyre::registry
