// POST /graphql: what the pages of MLflow's UI ask in GraphQL, a run and an experiment. All else
// they ask over REST.
#pragma once

#include "api/mlflow/call.h"
#include "api/mlflow/run_page.h"
#include "ml/registry/model_search.h"
#include "ml/tracking/experiments.h"

namespace gyre::mlflow {

class GraphqlApi final : public Noun {
 public:
  GraphqlApi(projects::Projects& projects, tracking::Experiments& experiments, RunPages& pages,
             registry::ModelSearcher& searcher)
      : Noun(projects), experiments_(experiments), pages_(pages), searcher_(searcher) {}
  net::RouteTable table();

  Result<net::Response> Answer(Call& call);

 private:
  Result<Json> Run(const std::string& project, const std::string& run_id);
  Result<Json> Experiment(const std::string& project, const std::string& id);
  Result<Json> VersionsOf(const std::string& project, const std::string& run_id);
  // The document of a field at the root, of its input.
  Result<Json> Root(const std::string& project, std::string_view field, const Json& input);

  tracking::Experiments& experiments_;
  RunPages& pages_;
  registry::ModelSearcher& searcher_;
};

}  // namespace gyre::mlflow
