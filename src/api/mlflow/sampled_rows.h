// Which points of a series a chart gets. Pure function. Private.
#pragma once

#include <cstddef>
#include <vector>

namespace gyre::mlflow {

// Places in a settled series of `count` points: the first of each of `wanted` buckets of as equal
// size as can be (the larger ones first, as SQL's NTILE has it), and the last point, in place of
// the last one chosen when there are `wanted` already. All of them when there are no more. `wanted`
// >= 1. As MLflow 3.18 samples its get-history-bulk-interval.
std::vector<std::size_t> SampledRows(std::size_t count, std::size_t wanted);

}  // namespace gyre::mlflow
