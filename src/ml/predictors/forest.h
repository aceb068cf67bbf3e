// Our own engine for tree ensembles. Private: made by LoadPredictor.
//
// At load, every (feature, treatment of missing values) that some split asks for becomes a *slot*.
// A row is first turned into one 64-bit integer key per slot, in the order of the doubles; missing
// values become the smallest or largest key, so that each split is one integer comparison without
// branches, for clean rows and for rows full of NaN alike. Trees are walked eight at a time in
// lockstep.
#pragma once

#include <memory>

#include "ml/predictors/predictor.h"
#include "ml/predictors/tree_model.h"

namespace gyre::predictors {

// The plain walk, split by split, straight from the definition. The engines are tested against it,
// and models with more slots than the engines hold run on it.
double WalkTree(const Tree& tree, const double* x);

std::unique_ptr<Predictor> CompileForest(TreeModel model);

}  // namespace gyre::predictors
