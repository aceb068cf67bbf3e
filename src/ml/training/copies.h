// Rows that stand on both sides of a split, value for value.
#pragma once

#include "ml/training/problem.h"

namespace gyre::training {

// Adds a finding "copies" when more than a few test rows equal a training row in all columns that
// are learned from, target included. Where no column is measured finely, equal rows are no
// surprise.
void NoteCopies(Problem* problem);

}  // namespace gyre::training
