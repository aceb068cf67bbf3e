// Quality metrics with the conventions of scikit-learn, as pure functions. Every metric has a
// method id that says which of the definitions in circulation it is. No I/O, no threads, no global
// state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::statistics {

enum class Better : unsigned char { kHigher, kLower };

struct MetricInfo {
  std::string_view name;    // "auc"
  std::string_view method;  // "auc.mann_whitney"
  Better better = Better::kHigher;
  bool binary = false, multiclass = false, regression = false;
  std::string_view help;  // one line
};

std::span<const MetricInfo> Metrics();
// By name, any case, or by a name that other tools use ("roc_auc", "logloss", "macro_f1"); null
// when unknown.
const MetricInfo* FindMetric(std::string_view name);
// The signed amount by which `a` is better than `b`: positive means better whatever the metric's
// direction.
double Gain(const MetricInfo& info, double a, double b);

// Values in the order of the metric table. A metric that these rows do not define (r2 of one row)
// is absent.
class MetricSet {
 public:
  void Add(std::string_view name, double value) { values_.emplace_back(std::string(name), value); }
  std::optional<double> Find(std::string_view name) const;  // exact name
  const std::vector<std::pair<std::string, double>>& values() const { return values_; }
  Json ToJson() const;  // {"auc": 0.86, ...}
  friend bool operator==(const MetricSet&, const MetricSet&) = default;

 private:
  std::vector<std::pair<std::string, double>> values_;
};

// Errors of all three: kInvalidArgument GY3001 no rows or unequal lengths, GY3002 only one class,
// GY3003 a probability that is NaN or outside [0, 1] (a prediction or truth that is not finite),
// GY3004 a label outside the classes; each names the row.
//
// labels: 0 or 1. p: probability of class 1. Decision: p >= threshold.
Result<MetricSet> BinaryMetrics(std::span<const std::uint8_t> labels, std::span<const double> p,
                                double threshold = 0.5);
// labels: index of the class. p: row-major rows x classes. Decision: the largest, the first on a
// tie.
Result<MetricSet> MulticlassMetrics(std::span<const std::uint32_t> labels,
                                    std::span<const double> p, std::size_t classes);
Result<MetricSet> RegressionMetrics(std::span<const double> truth,
                                    std::span<const double> predicted);

// counts[truth * classes + decided].
struct Confusion {
  std::size_t classes = 0;
  std::vector<std::uint64_t> counts;
  std::uint64_t At(std::size_t truth, std::size_t decided) const {
    return counts[truth * classes + decided];
  }
};

// Rows with answers, checked and sorted once, so that all metrics under any whole-number row
// weights cost O(rows): what the bootstrap, slices and permutation importance stand on. Immutable,
// thread-safe, cheap to copy.
class Scored {
 public:
  // `decided` may be empty (then p >= 0.5, or the largest). Rows of one class are accepted here;
  // what they leave undefined is NaN.
  static Result<Scored> Binary(std::span<const std::uint8_t> labels, std::span<const double> p,
                               std::span<const std::uint8_t> decided = {});
  static Result<Scored> Multiclass(std::span<const std::uint32_t> labels, std::span<const double> p,
                                   std::size_t classes,
                                   std::span<const std::uint32_t> decided = {});
  static Result<Scored> Regression(std::span<const double> truth,
                                   std::span<const double> predicted);

  std::size_t rows() const;
  std::span<const MetricInfo* const> metrics() const;  // those of the task, in table order
  // values.size() == metrics().size(); weights empty (all 1) or rows() of them. NaN = undefined.
  void Evaluate(std::span<const std::uint32_t> weights, std::span<double> values) const;
  MetricSet Values() const;     // all weights 1, without the undefined
  Confusion confusion() const;  // no classes for regression

  struct Body;
  explicit Scored(std::shared_ptr<const Body> body) : body_(std::move(body)) {}

 private:
  std::shared_ptr<const Body> body_;
};

}  // namespace gyre::statistics
