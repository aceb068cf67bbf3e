// KPIs: "auc >= 0.84", "accuracy >= 90%", "cost.total[30d] / feedback.true_positive[30d] <= 12",
// "cost per saved customer <= 12 EUR". What is compared is a metric of metrics.h, an expression
// (kpi_expression.h), or else the name of a fact that a person or a program reports.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ml/statistics/kpi_expression.h"
#include "ml/statistics/metrics.h"

namespace gyre::statistics {

enum class Comparison : unsigned char { kAtLeast, kAtMost, kAbove, kBelow };
std::string_view ComparisonText(Comparison op);  // ">=", "<=", ">", "<"
std::optional<Comparison> ParseComparison(std::string_view text);
bool Holds(double value, Comparison op, double threshold);  // false for NaN

struct Kpi {
  std::string
      name;  // "auc", "cost per saved customer": single spaces, metric names in their own spelling
  const MetricInfo* metric = nullptr;                 // null: an expression, or a reported fact
  std::shared_ptr<const KpiExpression> expression{};  // null unless it is one
  Comparison op = Comparison::kAtLeast;
  double value = 0;              // "90%" is 0.9
  std::string unit;              // what follows the number, may be empty
  std::string ToString() const;  // canonical: "auc >= 0.84"
};

// What the KPI compares, of what `read` tells of names; a fact that people report is unknown.
KpiValue Measure(const Kpi& kpi, const std::function<KpiValue(const KpiName&)>& read);
enum class KpiVerdict : unsigned char { kUnknown, kMet, kMissed };
std::string_view KpiVerdictName(KpiVerdict verdict);  // "unknown", "met", "missed"
KpiVerdict Judge(const Kpi& kpi, const KpiValue& value);

// Errors: kInvalidArgument GY3010 says what is missing (name, comparison, number), or "did you
// mean" for a mistyped metric; those of KpiExpression::Parse.
Result<Kpi> ParseKpi(std::string_view text);
// One that was read before: what is no expression any more was the name of a fact.
Result<Kpi> ParseStoredKpi(std::string_view text);

}  // namespace gyre::statistics
