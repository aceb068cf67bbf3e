// Columns that know the answer: found before a model is fooled by them. A pure function over a
// frame, for profiles and for training.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "platform/table/frame.h"

namespace gyre::data {

enum class Severity : unsigned char { kHigh, kLow };
// "97 %"; never 100 % of what is less, nor 0 % of what is more.
std::string PercentText(double share);
std::string_view SeverityName(Severity severity);  // "high", "low"

struct LeakWarning {
  std::string column;
  std::string kind;  // near_perfect, sum_to_target, missingness, copy_of_target, id_like, constant
  Severity severity = Severity::kLow;
  double score = 0;        // what was measured, in [0, 1]
  std::string method;      // of the score: "assoc.auc.2fold"
  std::string message;     // one sentence for a person
  bool leave_out = false;  // training leaves the column out unless told otherwise
};
Json LeakWarningToJson(const LeakWarning& warning);

// High ones first, then by score. Looks at 50,000 evenly spaced rows at most. `target` must be a
// column of the frame: else nothing is found but constant and id-like columns. Deterministic.
//  near_perfect    one column alone predicts the target (held-out Gini, accuracy gain or R2, also
//                  of ranks, >= 0.98), or separates the classes without a mistake
//  copy_of_target  each value goes with one value of the target, and the other way round
//  sum_to_target   columns that add up to the target (or differ by it)
//  missingness     whether a value is there tells the target: it was probably filled in afterwards
//  id_like         a different value in each row, so that nothing can be learned from it
//  constant        one value only
std::vector<LeakWarning> FindLeaks(const table::Frame& frame, std::string_view target);

// How much one column alone says about the target, in [0, 1], measured on held-out halves; and how
// it was measured.
struct Association {
  std::string column;
  double score = 0;
  std::string method;  // "assoc.gini.2fold" (two classes), "assoc.accuracy_gain.2fold" (more),
                       // "assoc.r2.2fold" (numbers)
};
std::vector<Association> Associations(const table::Frame& frame, std::string_view target);

}  // namespace gyre::data
