// XGBoost's model files (JSON, UBJSON) as the text of a LightGBM model, which answers the same.
// Pure. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::training {

struct XgboostModel {
  std::vector<std::string> features;  // f0, f1, ... where the file has no names
  std::string text;                   // LightGBM's, with its objective
};

// `document` has a "learner". XGBoost compares numbers of 32 bits, "less than"; the thresholds are
// moved to the numbers of 64 bits between which that decision changes, so each row takes the same
// leaves. It adds 32-bit numbers, here 64 bits are added: answers differ by rounding alone.
// Errors: GY3544 a file that is broken; kUnimplemented GY3545 what this cannot say (linear
// boosters, categorical splits, ranking, several targets).
Result<XgboostModel> ReadXgboost(const Json& document);

}  // namespace gyre::training
