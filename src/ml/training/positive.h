// Which class of a binary target is the one to find: precision, recall, F1 and average precision
// speak of it. Pure.
#pragma once

#include <string>

#include "base/error.h"
#include "ml/training/target.h"

namespace gyre::training {

struct PositiveWish {
  std::string asked;      // what the user said; empty = nothing
  std::string champions;  // positive class of the champion; empty = none. Its successor keeps it
};

// Puts the positive class last, and says why it is that one: as asked; as the champion's; the one
// that says yes ("ja", "true", "1", "churned", ...); the rarer; of equals the last in sort order.
// Error: GY3522 for a class that the target does not hold, or a task without a positive class.
Result<> ChoosePositive(const PositiveWish& wish, Target* target);

}  // namespace gyre::training
