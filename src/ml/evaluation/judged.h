// One scorer's answers beside the truth of the same rows.
#pragma once

#include <span>

#include "base/error.h"
#include "ml/evaluation/evaluate.h"
#include "ml/evaluation/truth.h"

namespace gyre::evaluation {

struct Judged {
  predictors::Scores scores;
  Truth truth;
  Judged Select(std::span<const std::uint32_t> positions, const predictors::Scorer& scorer) const;
};

// The rows of the frame that have a usable truth, scored.
Result<Judged> ScoreJudged(const predictors::Scorer& scorer, const table::Frame& frame,
                           const Truth& truth);
Result<> CheckTwoClasses(const predictors::Scorer& scorer, const Truth& truth);  // GY3002

// Fewer resamples when rows are many, so that the work stays bounded; at least 100.
statistics::BootstrapOptions BoundedBootstrap(const statistics::BootstrapOptions& options,
                                              std::size_t rows, std::size_t classes);

Result<std::vector<Slice>> FindSlices(const predictors::Scorer& scorer, const table::Frame& frame,
                                      const Judged& judged, const statistics::MetricInfo& primary,
                                      double whole, const EvaluateOptions& options,
                                      std::size_t* examined);
Result<std::vector<Importance>> MeasureImportance(const predictors::Scorer& scorer,
                                                  const table::Frame& frame, const Judged& judged,
                                                  const statistics::MetricInfo& primary,
                                                  const EvaluateOptions& options);
Result<Json> MakeCurves(const predictors::Scorer& scorer, const Judged& judged,
                        const EvaluateOptions& options);

// GY3702 unless the metric exists and belongs to the task.
Result<const statistics::MetricInfo*> PrimaryMetric(predictors::Task task, std::string_view name);
Result<> CheckCancelled(const EvaluateOptions& options);  // GY3703
void Tell(const EvaluateOptions& options, double fraction, std::string_view text);

}  // namespace gyre::evaluation
