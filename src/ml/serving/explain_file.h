// Explaining a file: what `predictors.explain_file` computes inside a worker. Private.
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "ml/runners/tasks.h"

namespace gyre::serving {

// Input: {"model": path of a package} and what AnswerFile takes. The output holds the columns of
// the input, then `base`, `raw` and `contribution_COLUMN`; of more than two classes `base_CLASS`
// and so on for each. Answer: AnswerFile's, with "scale" and "outputs": [{"output": a class or the
// target, "base", "columns": [{"column", "mean_abs", "mean"}, ...], the largest first}].
Result<Json> ExplainFile(runners::TaskContext& context);

}  // namespace gyre::serving
