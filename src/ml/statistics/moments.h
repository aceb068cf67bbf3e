// Mean and spread of a sample, fast enough to be looked at beside everything else. Where sums must
// not depend on the order of the values, exact_sum.h is the one to take. Pure.
#pragma once

#include <span>

namespace gyre::statistics {

// Both of at least one finite value. Taken around a value of the sample, so that a large mean does
// not swallow a small spread.
double MeanOf(std::span<const double> values);
double DeviationOf(std::span<const double> values);  // of the whole: divided by n

}  // namespace gyre::statistics
