// Inside of a Spec: the type-checked program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ml/recipes/kernel.h"
#include "ml/recipes/recipe.h"

namespace gyre::recipes {

// Where a step reads: a raw column or an earlier step.
struct Source {
  bool is_column = true;
  std::size_t index = 0;
};

struct Step {
  std::string id;
  const Operation* operation = nullptr;
  Source from;
  Json args;  // complete
  table::Type input_type = table::Type::kDouble;
  ValueType gives;
  std::size_t column = 0;  // the raw column at the start of its chain: names come from there
};

struct Spec::Body {
  std::string name;
  Roles roles;
  table::Schema input;               // only what is read
  std::vector<Step> steps;           // each reads only what stands before it
  std::vector<std::size_t> outputs;  // steps
};

constexpr std::size_t kRecipeBytesMax = std::size_t{4} << 20;
constexpr std::size_t kStepsMax = 20'000;

}  // namespace gyre::recipes
