// Whose file it is, and which: what tracking::Files is asked. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/tracking/files.h"

namespace gyre::mlflow {

struct ArtifactTarget {
  tracking::FileOwner owner;
  std::string path;
};

// Of a clean path below "mlflow-artifacts:/".
ArtifactTarget TargetOf(const std::string& project, std::string_view clean_path);
// Of a place that a version names: "runs:/ID/model", "models:/m-ID", "mlflow-artifacts:/...".
// Nothing for whatever lies elsewhere. Error: GY5110.
Result<std::optional<ArtifactTarget>> TargetOfSource(const std::string& project,
                                                     std::string_view source);

}  // namespace gyre::mlflow
