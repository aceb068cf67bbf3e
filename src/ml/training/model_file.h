// A model that another program trained, as a package of ours. Pure. Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/predictors/scorer.h"
#include "platform/table/frame.h"

namespace gyre::training {

// What the file itself does not say.
struct ModelFileFacts {
  std::string target;
  std::vector<std::string> classes;  // in the order of its labels; empty = 0, 1, ...
  double threshold = 0.5;            // of a binary decision
  table::Schema columns;             // of rows that it is for; empty = every input is a number
};

// LightGBM's model text, XGBoost's JSON or UBJSON, or a package that gyre wrote (of which only
// `target` is checked). Errors: GY3540 no model that can be run, GY3541 the facts do not go with
// it, GY3202 a broken model text.
Result<predictors::ModelPackage> PackageOfFile(std::string_view bytes, const ModelFileFacts& facts);

// Inputs and outputs, as a version in the registry has them.
Result<Json> SignatureOf(const predictors::ModelPackage& package);

// A model file that gyre keeps without running it.
struct KeptModel {
  std::string flavour;  // "sklearn", "onnx"
  Json facts;           // what its bytes say, read without carrying anything out
};
// Nothing when the file is of neither kind. Errors: GY3546, GY3547 it cannot be read.
Result<std::optional<KeptModel>> InspectKept(std::string_view bytes);

}  // namespace gyre::training
