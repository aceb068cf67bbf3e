// Curves as points, with the conventions of scikit-learn, thinned to a bounded number for storing
// and drawing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::statistics {

// x, y and the threshold of each point, in drawing order.
struct Curve {
  std::vector<double> x, y, threshold;
  Json ToJson(std::string_view x_name,
              std::string_view y_name) const;  // {"fpr": [...], "tpr": [...], "threshold": [...]}
};
// x: false positive rate, y: true positive rate; starts at (0, 0) with an infinite threshold. One
// point per distinct score. Errors of both: GY3001, GY3002 (one class), GY3003.
Result<Curve> RocCurve(std::span<const std::uint8_t> labels, std::span<const double> p);
// x: recall, y: precision, by descending recall, ends at (0, 1) with an infinite threshold.
Result<Curve> PrecisionRecallCurve(std::span<const std::uint8_t> labels, std::span<const double> p);
// At most points_max points, spread evenly along the drawn line; both ends stay. points_max >= 2.
Curve Thin(const Curve& curve, std::size_t points_max);

// Reliability: does a probability of 0.7 come true in 7 of 10 cases? Empty bins are left out.
struct ReliabilityBin {
  double lower = 0, upper = 0;  // edges
  double predicted = 0;         // mean probability
  double observed = 0;          // share of positives
  std::uint64_t rows = 0;
};
enum class Binning : unsigned char { kUniform, kQuantile };
Result<std::vector<ReliabilityBin>> Reliability(std::span<const std::uint8_t> labels,
                                                std::span<const double> p, int bins,
                                                Binning binning);
Json ReliabilityToJson(std::span<const ReliabilityBin> bins);
// Expected calibration error: mean |predicted - observed| weighted by rows; NaN without rows.
// Method id: "ece.uniform15" for 15 uniform bins.
double ExpectedCalibrationError(std::span<const ReliabilityBin> bins);

// What is left of a regression: truth - predicted. Points are thinned evenly by predicted value,
// the largest errors always kept.
struct Residuals {
  std::vector<double> predicted, residual;  // points
  double mean = 0, deviation = 0;
  std::vector<double> quantiles;  // 0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1
  Json ToJson() const;
};
Result<Residuals> MakeResiduals(std::span<const double> truth, std::span<const double> predicted,
                                std::size_t points_max);

}  // namespace gyre::statistics
