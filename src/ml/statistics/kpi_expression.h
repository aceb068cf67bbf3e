// What a KPI compares with its goal when that is more than one metric:
//
//   cost.total[30d] / feedback.true_positive[30d] <= 12
//
//   expression  term { (+ | -) term }
//   term        factor { (* | /) factor }
//   factor      number | name | ( expression ) | - factor
//   name        word [. word] [@ place] [ [ number (h | d | w) ] ]
//
//   auc, auc@churn          a metric of the champion, by its evaluation; of which model
//   live.auc[7d]            a metric of what was answered and labelled in the last 7 days
//   predictions.count[7d]   captured answers
//   feedback.count[7d]      of those, the labelled ones; positive, true_positive, false_positive,
//                           true_negative, false_negative: of two classes
//   cost.total[30d]         money; serving (endpoints), work (all else)
//
// `@` names an endpoint (for a metric: a model); without a window it is 30 days. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace gyre::statistics {

enum class KpiFamily : unsigned char { kMetric, kLive, kPredictions, kFeedback, kCost };

struct KpiName {
  KpiFamily family = KpiFamily::kMetric;
  std::string member = {};  // "auc", "count", "total"
  std::string place = {};   // endpoint or model; empty = not said
  std::int64_t window_us = 0;
  std::string text = {};  // as it was written: "live.auc[7d]"
  friend bool operator==(const KpiName& a, const KpiName& b) { return a.text == b.text; }
};

// A number, or why there is none; never a 0 that nobody has measured.
struct KpiValue {
  std::optional<double> number = {};
  std::string unknown = {};
};

class KpiExpression {
 public:
  // Errors: kInvalidArgument GY3011 with the place, or "did you mean".
  static Result<KpiExpression> Parse(std::string_view text);
  // Whether somebody who wrote that meant an expression, and no name of a reported fact.
  static bool Meant(std::string_view text);

  std::span<const KpiName> names() const { return names_; }
  bool is_live() const;  // it changes by itself, without another model or data
  // `read` is asked once for each name.
  KpiValue Evaluate(const std::function<KpiValue(const KpiName&)>& read) const;

 private:
  friend class KpiReader;
  enum class Operation : unsigned char {
    kNumber,
    kName,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kNegate
  };
  struct Step {
    Operation operation = Operation::kNumber;
    double number = 0;
    std::size_t place = 0;     // of a name
    std::string divisor = {};  // what a division divides by, as it was written
  };
  std::vector<Step> steps_;  // operands before their operation
  std::vector<KpiName> names_;
};

}  // namespace gyre::statistics
