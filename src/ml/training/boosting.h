// Gradient boosted trees by LightGBM: data binned once per fold, then fitted under many settings.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ml/predictors/lightgbm_api.h"
#include "ml/predictors/predictor.h"

namespace gyre::training {

// What a fit may be told. Written into the params of its run.
struct BoostParams {
  std::string objective;     // "binary", "multiclass", "regression", "poisson", "regression_l1"
  bool square_root = false;  // fit the square root of the target
  double learning_rate = 0.05;
  int leaves = 31;
  int leaf_rows_min = 20;
  double feature_fraction = 1, bagging_fraction = 1;
  double lambda_l1 = 0, lambda_l2 = 0, path_smooth = 0;
  int depth_max = -1;
  bool extra_trees = false;
  std::vector<std::pair<std::string, std::string>> ToList() const;  // for the run, in a fixed order
  // Raw scores of fits with the same link may be averaged.
  std::string Link() const { return objective + (square_root ? "+sqrt" : ""); }
};

struct BoostData {
  const double* values = nullptr;  // row-major, NaN = missing
  std::int32_t rows = 0, columns = 0;
  const float* labels = nullptr;  // class, or number
};

struct BoostLimits {
  int iterations_max = 3'000;
  int patience = 50;             // iterations without a better score
  int fixed_iterations = 0;      // > 0: no validation, exactly so many
  std::int64_t deadline_us = 0;  // monotonic; 0 = none
  int threads = 1;
  std::uint64_t seed = 0;
  std::function<bool()> cancelled;
};

struct BoostFit {
  std::string text;  // LightGBM's model text up to the best iteration
  int iterations = 0;
  double score = 0;         // LightGBM's own metric of the best iteration, lower is better
  std::vector<double> raw;  // of the validation rows, row-major rows x outputs, before the link
  std::vector<std::pair<int, double>> curve;  // (iteration, score)
  bool stopped_by_deadline = false;
};

// One binned training part with its validation part.
class BoostFold {
 public:
  // `valid` may have no rows. `categorical`: columns that hold codes 0, 1, 2, ... Errors: GY3210
  // with LightGBM's words.
  static Result<BoostFold> Bin(const BoostData& train, const BoostData& valid,
                               const std::vector<int>& categorical, int threads);
  Result<BoostFit> Fit(const BoostParams& params, int outputs, const BoostLimits& limits) const;

  struct Handles;
  BoostFold(BoostFold&&) noexcept;
  BoostFold& operator=(BoostFold&&) noexcept;
  ~BoostFold();

 private:
  explicit BoostFold(std::unique_ptr<Handles> handles);
  std::unique_ptr<Handles> handles_;
};

}  // namespace gyre::training
