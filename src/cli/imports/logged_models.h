// Models that clients logged elsewhere, on their way to the API. Private to cli.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/imports/importer.h"
#include "cli/imports/mlflow_store.h"

namespace gyre::cli::imports {

// Goes on where an import before it ended; `experiment` is its number here. What is wrong with the
// model is reported.
Result<> BringLoggedModel(Work& work, const StoredLoggedModel& model, std::int64_t experiment,
                          const std::map<std::string, std::string>& files);

}  // namespace gyre::cli::imports
