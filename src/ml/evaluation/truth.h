// The answers in a frame, as a model's classes or numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "ml/predictors/scorer.h"
#include "ml/statistics/metrics.h"
#include "platform/table/frame.h"

namespace gyre::evaluation {

struct Truth {
  std::vector<std::uint32_t> rows;   // of the frame that can be judged, ascending
  std::vector<std::uint32_t> label;  // class index per judged row; empty for regression
  std::vector<double> value;         // regression
  std::size_t without_target = 0, of_unknown_class = 0;
};
// Error: GY3701.
Result<Truth> ReadTruth(const predictors::ModelPackage& package, const table::Frame& frame);

// Scores joined with the truth of the same rows: ready for metrics.
Result<statistics::Scored> Join(const predictors::Scorer& scorer, const predictors::Scores& scores,
                                const Truth& truth);

}  // namespace gyre::evaluation
