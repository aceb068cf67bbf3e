// The gate of a version that others logged: gyre has no package of it and measures nothing, so it
// judges what the client logged, and says so. Two kinds of terms count together: the rules of the
// alias' policy, and thresholds that the client hands over as a tag of the version: those of
// mlflow.validate_evaluation_results, judged as that function judges them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/registry/registry.h"

namespace gyre::tracking {
class LoggedModels;
class Tracking;
}  // namespace gyre::tracking

namespace gyre::registry {

// {"accuracy_score": {"threshold": 0.8, "min_absolute_change": 0.05, "min_relative_change": 0.1,
// "greater_is_better": true}}; names may begin with '_', as Python shows an object's members.
inline constexpr std::string_view kGateTag = "gyre.gate";
// The run that measured the version, where it is neither its own nor that of its logged model.
inline constexpr std::string_view kGateRunTag = "gyre.gate_run";

struct MetricThreshold {
  std::string metric;
  std::optional<double> threshold, min_absolute_change, min_relative_change;
  bool greater_is_better = true;
};
// Error: GY3650.
Result<std::vector<MetricThreshold>> ParseThresholds(std::string_view json);

// What was logged of one version, and where: "run 5f2e...".
struct LoggedNumbers {
  std::map<std::string, double, std::less<>> values = {};
  std::string from = {};
};
using NumbersOfVersion = std::function<Result<LoggedNumbers>(const ModelVersion& version)>;
// The latest values: of the run of `gyre.gate_run`; else of the version's logged model, and of its
// run what that has not.
NumbersOfVersion NumbersOfClients(tracking::Tracking& tracking, tracking::LoggedModels& models);

// Each threshold as one reason. `holder`: whoever has the alias; null = nobody.
std::vector<Reason> JudgeThresholds(const std::vector<MetricThreshold>& thresholds,
                                    const LoggedNumbers& numbers, const LoggedNumbers* holder,
                                    std::string_view holder_name);

class LoggedGate {
 public:
  LoggedGate(Registry& registry, NumbersOfVersion numbers)
      : registry_(registry), numbers_(std::move(numbers)) {}

  // Records a verdict where somebody asks for one: the alias has rules, or the version thresholds.
  // Nothing for versions with a package, and for who holds the alias already.
  Result<> Judge(const ModelVersion& version, std::string_view alias, std::string_view by);

 private:
  Registry& registry_;
  const NumbersOfVersion numbers_;
};

}  // namespace gyre::registry
