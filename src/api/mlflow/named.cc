#include "api/mlflow/named.h"

#include "api/mlflow/run_words.h"

namespace gyre::mlflow {

Result<std::string> RunOf(tracking::Tracking& tracking, const Call& call) {
  std::string run_id = call.arguments.Text("run_id");
  const auto project = tracking.ProjectOf(run_id);
  if (!project) return InRunWords(project.error(), run_id);
  if (!call.Owns(*project)) return InRunWords(Error(Code::kNotFound, "GY3401", ""), run_id);
  return run_id;
}

Result<std::vector<std::int64_t>> ExperimentsOf(tracking::Experiments& experiments,
                                                const Call& call,
                                                const std::vector<std::string>& ids) {
  std::vector<std::int64_t> numbers;
  for (const std::string& id : ids) {
    GYRE_TRY(std::int64_t number, ExperimentNumber(id));
    if (number == 0) {
      GYRE_TRY(const tracking::Experiment standard, experiments.Get(call.project, 0));
      number = standard.number;
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace gyre::mlflow
