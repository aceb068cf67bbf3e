// Finding runs over MLflow's protocol.
#pragma once

#include <vector>

#include "api/mlflow/call.h"
#include "api/mlflow/run_page.h"
#include "ml/tracking/run_search.h"

namespace gyre::mlflow {

inline constexpr std::size_t kRunPageBytesMax = 32 << 20;

class RunSearchApi final : public Noun {
 public:
  RunSearchApi(projects::Projects& projects, tracking::Experiments& experiments,
               tracking::RunSearcher& searcher, RunPages& pages)
      : Noun(projects), experiments_(experiments), searcher_(searcher), pages_(pages) {}
  net::RouteTable table();

  Result<net::Response> Search(Call& call);

 private:
  // Of the page that `search` finds; where it is larger than an answer, it is made shorter.
  Result<std::vector<RunPages::Text>> TextsOf(const tracking::RunSearch& search,
                                              tracking::FoundRuns* found);

  tracking::Experiments& experiments_;
  tracking::RunSearcher& searcher_;
  RunPages& pages_;
};

}  // namespace gyre::mlflow
