// Has a column drifted? One place that turns two samples into a number and a verdict, for reports,
// the API and monitors alike. Each method has an id that says which of the definitions in
// circulation it is. Pure.
//
// Without a method, the calibrated default decides: a test (KS for numbers, chi-squared of the 2 x
// k table or the two-proportion z for categories) corrected for the number of columns, and an
// effect (Wasserstein distance in standard deviations of the reference, Jensen-Shannon distance)
// that must be large enough to matter. With many rows everything is significant, hence both.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/statistics/category_counts.h"

namespace gyre::statistics {

enum class DriftScore : unsigned char {
  kPValue,    // drifted at or below the threshold
  kDistance,  // drifted at or above it
};
struct DriftMethod {
  std::string_view name;        // what a person writes: "psi"
  std::string_view of_numbers;  // id; empty where it does not apply to numbers
  std::string_view of_counts;   // id for categories, likewise
  DriftScore score = DriftScore::kDistance;
  double threshold = 0.1;
  std::string_view help;  // one line
};
std::span<const DriftMethod> DriftMethods();
// Error: kInvalidArgument GY3007 with what was meant, or what there is.
Result<const DriftMethod*> FindDriftMethod(std::string_view name);

inline constexpr double kFalseDiscoveryRate = 0.05;
inline constexpr double kEffectMin = 0.1;

struct DriftOptions {
  const DriftMethod* method = nullptr;   // null, or not of this kind of column: calibrated default
  std::optional<double> threshold = {};  // of the method; else its own
  friend bool operator==(const DriftOptions&, const DriftOptions&) = default;
};

// Numbers, ascending and finite, at least one of each. `whole`: of a column of whole numbers.
struct NumberSamples {
  std::span<const double> reference, current;
  bool whole = false;
};

struct Drift {
  std::string_view method;  // id
  double statistic = 0;
  std::optional<double> p_value = {};
  std::string_view effect_method = {};  // empty without one
  double effect = 0;
  double threshold = 0;  // what `compared` is held against
  DriftScore score = DriftScore::kDistance;
  bool calibrated = false;  // the verdict stands only after CorrectForColumns
  double compared = 0;      // the p-value (corrected, where calibrated) or the distance
  bool drifted = false;
};
Drift DriftOfNumbers(const NumberSamples& samples, const DriftOptions& options);
// Counts of the same categories, at least one row each.
Drift DriftOfCounts(Counts reference, Counts current, const DriftOptions& options);

// Benjamini and Hochberg: the p-values of all calibrated columns of one comparison become such that
// of the columns named below kFalseDiscoveryRate at most that share is expected to be named by
// chance; then their verdicts.
void CorrectForColumns(std::span<Drift*> columns);
std::vector<double> BenjaminiHochberg(std::span<const double> p_values);

}  // namespace gyre::statistics
