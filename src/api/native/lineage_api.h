// /api/v1/projects/{project}/lineage: where a thing came from and what depends on it.
#pragma once

#include "api/native/prediction_lineage.h"
#include "platform/net/http.h"

namespace gyre::data {
class Datasets;
}
namespace gyre::lineage {
struct Found;
class Lineage;
}  // namespace gyre::lineage
namespace gyre::registry {
class Registry;
}

namespace gyre::native {

class LineageApi {
 public:
  LineageApi(lineage::Lineage& lineage, registry::Registry& registry, data::Datasets& datasets,
             PredictionLineage predictions)
      : lineage_(lineage), registry_(registry), datasets_(datasets), predictions_(predictions) {}
  net::RouteTable table();

  Result<net::Response> Walk(net::Request& request);

 private:
  Result<lineage::Found> Find(const std::string& project, const std::string& text);

  Result<Json> WalkPrediction(const std::string& project, const std::string& id, int depth);

  lineage::Lineage& lineage_;
  registry::Registry& registry_;
  data::Datasets& datasets_;
  PredictionLineage predictions_;
};

}  // namespace gyre::native
