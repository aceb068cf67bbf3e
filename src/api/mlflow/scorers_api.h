// MLflow's registry of scorers.
#pragma once

#include "api/mlflow/call.h"
#include "ml/eval_sets/scorers.h"
#include "ml/tracking/experiments.h"

namespace gyre::mlflow {

class ScorersApi final : public Noun {
 public:
  ScorersApi(projects::Projects& projects, tracking::Experiments& experiments,
             eval_sets::Scorers& scorers)
      : Noun(projects), experiments_(experiments), scorers_(scorers) {}
  net::RouteTable table();

  Result<net::Response> Register(Call& call);
  Result<net::Response> List(Call& call);
  Result<net::Response> Versions(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Delete(Call& call);

 private:
  Result<std::int64_t> ExperimentOf(const Call& call, const std::string& id, bool active);
  Result<eval_sets::ScorerName> NameOf(const Call& call, bool active = false);

  tracking::Experiments& experiments_;
  eval_sets::Scorers& scorers_;
};

}  // namespace gyre::mlflow
