// The file MLmodel, which says of a folder of files how they are loaded. Pure. Private.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace gyre::training {

inline constexpr std::size_t kMlmodelBytesMax = 1'000'000;

struct MlmodelFacts {
  // {"flavors": {"sklearn": {"sklearn_version": ...}}, "signature": {"inputs", "outputs",
  // "params"}, "input_example": path, "loader_module", "mlflow_version", "created_at", "run",
  // "logged_model"}; what it does not say is not there.
  Json document = Json::Obj();
  std::set<std::string> loaded = {};  // texts in it that may be files which its loader reads
  std::string odd_loader = {};        // a module that loads it and is none of MLflow's
};

// Error: kInvalidArgument GY3551 it cannot be read.
Result<MlmodelFacts> ReadMlmodel(std::string_view text);

}  // namespace gyre::training
