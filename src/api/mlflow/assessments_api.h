// What people and judges say of traces, over MLflow's protocol.
#pragma once

#include "api/mlflow/call.h"
#include "ml/traces/traces.h"

namespace gyre::mlflow {

class AssessmentsApi final : public Noun {
 public:
  AssessmentsApi(projects::Projects& projects, traces::Traces& traces)
      : Noun(projects), traces_(traces) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Update(Call& call);
  Result<net::Response> Delete(Call& call);

 private:
  traces::Traces& traces_;
};

}  // namespace gyre::mlflow
