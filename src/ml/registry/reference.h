// How a person names a model: [project/]name[:vN|@alias].
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gyre::registry {

struct ModelReference {
  std::string project;  // empty = the caller's project
  std::string model;
  int version = 0;               // from 1; 0 = not said
  std::string alias;             // empty = not said
  std::string ToString() const;  // "churn", "churn:v3", "shop/churn@champion"
};

// Errors: kInvalidArgument GY3601 says which part is wrong.
Result<ModelReference> ParseReference(std::string_view text);

}  // namespace gyre::registry
