// Ascending order of doubles, faster than comparing them. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace gyre::statistics {

// Memory that one sort leaves to the next.
struct SortScratch {
  std::vector<double> values;
  std::vector<std::uint64_t> keys, other;
};

// Leaves out NaN and infinities and sorts the rest ascending; -0.0 becomes 0.0, so that ties agree.
// At most 2^32 - 1 values.
void SortFinite(std::vector<double>* values, SortScratch* scratch);

}  // namespace gyre::statistics
