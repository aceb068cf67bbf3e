// Worker side of recipes.
#pragma once

#include "ml/runners/tasks.h"

namespace gyre::recipes {

// "recipes.suggest": {parts: [Parquet paths], target, exclude: [columns], for: "trees"|"linear",
// rows_max}
//   -> {recipe: canonical document, rows: looked at, steps, left_out: [columns that no step reads]}
void AddTasks(runners::TaskRegistry& tasks);

}  // namespace gyre::recipes
