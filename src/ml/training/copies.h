// Rows that stand on both sides of a split, value for value.
#pragma once

#include <cstddef>

#include "ml/training/problem.h"

namespace gyre::training {

// Test rows that equal a training row in all columns that are learned from, target included. Equal
// rows are no surprise where no column is measured finely: then 0.
std::size_t CountCopies(const Problem& problem);

// A finding when they flatter the scores. A problem without rows to test has none.
void NoteCopies(Problem* problem);

}  // namespace gyre::training
