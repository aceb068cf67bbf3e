// The families of the portfolio. Each tries what it has, reports candidates, and hands back its
// best as a predictor over one matrix. Within folds columns that learn from the label have the
// values of the fold.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "ml/recipes/recipe.h"
#include "ml/training/fold_values.h"
#include "ml/training/linear_fit.h"
#include "ml/training/session.h"

namespace gyre::training {

// The constant that the metric's own answer would be: class shares, mean, or median. `features`:
// width of the matrix it ignores.
Result<Finalist> FitConstant(FitSession& session, std::size_t features);

// L2 and L1 over a path of strengths; until `share` of the budget is used up.
Result<std::vector<Finalist>> FitLinearFamily(FitSession& session, const SparseRows& rows,
                                              const FoldValues& values, double share);

// LightGBM: search until `search_share`, then a weighted bag over the folds (or a refit on all
// rows), done by `end_share`. Empty when not even one fold was done in time. `categorical`: columns
// of codes.
Result<std::optional<Finalist>> FitBoostFamily(FitSession& session, const recipes::Matrix& matrix,
                                               const FoldValues& values,
                                               const std::vector<int>& categorical);

}  // namespace gyre::training
