// KPI expressions: "auc >= 0.84", "cost per saved customer <= 12 EUR", "accuracy >= 90%". A name is
// a metric of metrics.h, or else a fact that a person or a program reports.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ml/statistics/metrics.h"

namespace gyre::statistics {

enum class Comparison : unsigned char { kAtLeast, kAtMost, kAbove, kBelow };
std::string_view ComparisonText(Comparison op);  // ">=", "<=", ">", "<"
std::optional<Comparison> ParseComparison(std::string_view text);
bool Holds(double value, Comparison op, double threshold);  // false for NaN

struct Kpi {
  std::string
      name;  // "auc", "cost per saved customer": single spaces, metric names in their own spelling
  const MetricInfo* metric = nullptr;  // null: a reported fact
  Comparison op = Comparison::kAtLeast;
  double value = 0;              // "90%" is 0.9
  std::string unit;              // what follows the number, may be empty
  std::string ToString() const;  // canonical: "auc >= 0.84"
};

// Errors: kInvalidArgument GY3010 says what is missing (name, comparison, number), or "did you
// mean" for a mistyped metric.
Result<Kpi> ParseKpi(std::string_view text);

}  // namespace gyre::statistics
