// Scoring a file: what `predictors.score_file` computes inside a worker. Same scorer, same bits as
// an endpoint. Private.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "ml/runners/tasks.h"

namespace gyre::serving {

// Input: {"model": path of a package} and what AnswerFile takes; its answer too. The output holds
// the columns of the input, then `prediction` and, for classes, `probability_CLASS`.
Result<Json> ScoreFile(runners::TaskContext& context);

}  // namespace gyre::serving
