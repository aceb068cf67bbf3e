// Finding runs over MLflow's protocol.
#pragma once

#include "api/mlflow/call.h"
#include "api/mlflow/run_page.h"
#include "ml/tracking/run_search.h"

namespace gyre::mlflow {

class RunSearchApi final : public Noun {
 public:
  RunSearchApi(projects::Projects& projects, tracking::Experiments& experiments,
               tracking::RunSearcher& searcher, RunPages& pages)
      : Noun(projects), experiments_(experiments), searcher_(searcher), pages_(pages) {}
  net::RouteTable table();

  Result<net::Response> Search(Call& call);

 private:
  tracking::Experiments& experiments_;
  tracking::RunSearcher& searcher_;
  RunPages& pages_;
};

}  // namespace gyre::mlflow
