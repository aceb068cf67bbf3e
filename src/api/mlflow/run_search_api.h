// Finding runs over MLflow's protocol.
#pragma once

#include "api/mlflow/call.h"
#include "api/mlflow/run_page.h"
#include "ml/tracking/run_search.h"

namespace gyre::mlflow {

class RunSearchApi final : public Noun {
 public:
  RunSearchApi(projects::Projects& projects, tracking::Experiments& experiments,
               tracking::Tracking& tracking, tracking::RunSearcher& searcher, RunPages& pages)
      : Noun(projects),
        experiments_(experiments),
        tracking_(tracking),
        searcher_(searcher),
        pages_(pages) {}
  net::RouteTable table();

  Result<net::Response> Search(Call& call);

 private:
  Result<std::vector<std::int64_t>> ExperimentsOf(const Call& call);

  tracking::Experiments& experiments_;
  tracking::Tracking& tracking_;
  tracking::RunSearcher& searcher_;
  RunPages& pages_;
};

}  // namespace gyre::mlflow
