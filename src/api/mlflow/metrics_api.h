// Histories of metrics over MLflow's protocol.
#pragma once

#include "api/mlflow/call.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

class MetricsApi final : public Noun {
 public:
  MetricsApi(projects::Projects& projects, tracking::Tracking& tracking)
      : Noun(projects), tracking_(tracking) {}
  net::RouteTable table();

  Result<net::Response> History(Call& call);
  Result<net::Response> Bulk(Call& call);
  Result<net::Response> BulkInterval(Call& call);

 private:
  // Of a run of the call's project; empty of any other.
  Result<tracking::Series> SeriesOf(const Call& call, const std::string& run_id,
                                    const std::string& key, tracking::SeriesOrder order);

  tracking::Tracking& tracking_;
};

}  // namespace gyre::mlflow
