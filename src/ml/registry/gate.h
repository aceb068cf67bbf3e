// A gate: rules as data, judged on numbers that somebody else made. Pure; no I/O.
//
// Rules are a JSON list:
//   {"metric": "auc", "op": ">=", "value": 0.84, "bound": "estimate"}   bound: "estimate"
//   (default), or "pessimistic", the worse end
//                                                                      of the interval ("lower" and
//                                                                      "upper" name an end)
//   {"better_than": "baseline", "metric": "auc"}                       the gain's interval lies
//   above 0; metric: default the primary one
//   {"non_inferior_to": "champion", "margin": 0.01}                    the gain's interval lies
//   above -margin; "margin_relative" is a
//                                                                      share of the other's value.
//                                                                      Default: 0.01 for scores
//                                                                      (higher is better), 2 % for
//                                                                      errors. Passes when there is
//                                                                      no champion
//   {"kpi": "auc >= 0.84"}                                             an expression of
//   ml/statistics/kpi.h; a fact must be reported
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::registry {

struct Rule {
  enum class Kind : unsigned char { kThreshold, kBetterThan, kNonInferiorTo };
  enum class Bound : unsigned char { kEstimate, kPessimistic, kLower, kUpper };
  Kind kind = Kind::kThreshold;
  std::string metric;  // empty = the primary one; may be a fact for kThreshold
  std::string op = ">=";
  double value = 0;
  Bound bound = Bound::kEstimate;
  std::string other;  // "baseline", "champion"
  std::optional<double> margin, margin_relative;
  Json ToJson() const;
};

// Errors: kInvalidArgument GY3608 names the rule by its position.
Result<std::vector<Rule>> ParseRules(const Json& list);
Json RulesToJson(std::span<const Rule> rules);
// Without a champion: better than the constant baseline. With one: not inferior to it.
std::vector<Rule> DefaultRules(bool has_champion);

// Each KPI expression as a rule; judged alone they say which goals are met. Errors: GY3010.
Result<std::vector<Rule>> KpiRules(std::span<const std::string> expressions);

struct Number {
  double estimate = 0;
  std::optional<double> lower, upper;
};
struct GateNumbers {
  std::string primary;                                 // "auc"
  std::map<std::string, Number, std::less<>> metrics;  // of the candidate
  // other -> metric -> by how much the candidate is better on the same rows (positive = better,
  // whatever the metric's direction).
  std::map<std::string, std::map<std::string, Number, std::less<>>, std::less<>> gains;
  std::map<std::string, std::map<std::string, Number, std::less<>>, std::less<>>
      others;                                        // the other's own values
  std::map<std::string, double, std::less<>> facts;  // reported by people and programs
  std::string champion;                              // "churn:v3"; empty = there is none
  Json ToJson() const;
  static Result<GateNumbers> FromJson(const Json& json);  // GY3608
};

struct Reason {
  bool pass = false;
  std::string rule;  // "better than baseline"
  std::string text;  // "auc: better by 0.031 (95 % interval 0.024 to 0.038)"
};
struct Verdict {
  bool pass = false;
  std::vector<Reason> reasons;
  Json ToJson() const;  // {"pass": true, "reasons": [{"pass", "rule", "text"}]}
};
// All rules must pass; no rules pass, and the verdict says so. A number that is missing fails its
// rule.
Verdict Judge(std::span<const Rule> rules, const GateNumbers& numbers);

}  // namespace gyre::registry
