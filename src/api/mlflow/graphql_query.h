// As much of GraphQL as the pages of MLflow's UI ask with: one operation, fields within fields,
// variables for arguments. No fragments, no literals. Pure. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::mlflow {

struct Selection {
  std::string name, answers_as;        // the same, unless the query says otherwise
  std::string variable = {};           // of its argument `input`
  std::vector<Selection> fields = {};  // empty = the value itself
};

// Error: kInvalidArgument GY5100 it cannot be read, or goes beyond MLflow's bounds: 10 deep, 1,000
// fields, 10 of them at the root.
Result<std::vector<Selection>> ParseQuery(std::string_view text);

// What is selected of a document, whose names are written in GraphQL's way ("run_id" as "runId").
// Whole numbers become text, as MLflow's schema has them; what is not there is null.
Json Selected(const Json& document, std::string_view type, const std::vector<Selection>& fields);

}  // namespace gyre::mlflow
