// MLflow's evaluation datasets.
#pragma once

#include "api/mlflow/call.h"
#include "ml/eval_sets/eval_sets.h"
#include "ml/tracking/experiments.h"

namespace gyre::mlflow {

class EvalSetsApi final : public Noun {
 public:
  EvalSetsApi(projects::Projects& projects, tracking::Experiments& experiments,
              eval_sets::EvalSets& sets)
      : Noun(projects), experiments_(experiments), sets_(sets) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> Search(Call& call);
  Result<net::Response> SetTags(Call& call);
  Result<net::Response> DeleteTag(Call& call);
  Result<net::Response> PutRecords(Call& call);
  Result<net::Response> GetRecords(Call& call);
  Result<net::Response> DeleteRecords(Call& call);
  Result<net::Response> GetExperiments(Call& call);
  Result<net::Response> AddExperiments(Call& call);
  Result<net::Response> RemoveExperiments(Call& call);

 private:
  // Those of the call, which are there.
  Result<std::vector<std::int64_t>> ExperimentsOf(const Call& call);

  tracking::Experiments& experiments_;
  eval_sets::EvalSets& sets_;
};

}  // namespace gyre::mlflow
