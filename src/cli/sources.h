// Named places that rows come from.
#pragma once

#include <string>

#include "base/error.h"
#include "cli/session.h"

namespace gyre::cli {

struct SourceRows {
  std::string path;  // or address; a path is read from the folder of gyre.yaml, where there is one
  std::string dataset;  // the one that was last read from it, else of the source's own name
};
// Error: kNotFound GY4914, with did you mean.
Result<SourceRows> FindSource(Session& session, const std::string& project,
                              const std::string& name);

}  // namespace gyre::cli
