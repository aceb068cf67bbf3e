// Experiments over MLflow's protocol.
#pragma once

#include "api/mlflow/call.h"
#include "ml/tracking/experiments.h"

namespace gyre::mlflow {

class ExperimentsApi final : public Noun {
 public:
  ExperimentsApi(projects::Projects& projects, tracking::Experiments& experiments)
      : Noun(projects), experiments_(experiments) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> GetByName(Call& call);
  Result<net::Response> Search(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> Restore(Call& call);
  Result<net::Response> Update(Call& call);
  Result<net::Response> SetTag(Call& call);
  Result<net::Response> DeleteTag(Call& call);
  Result<net::Response> SearchDatasets(Call& call);

 private:
  tracking::Experiments& experiments_;
};

}  // namespace gyre::mlflow
