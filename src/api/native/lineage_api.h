// /api/v1/projects/{project}/lineage: where a thing came from and what depends on it.
#pragma once

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
  LineageApi(lineage::Lineage& lineage, registry::Registry& registry, data::Datasets& datasets)
      : lineage_(lineage), registry_(registry), datasets_(datasets) {}
  net::RouteTable table();

  Result<net::Response> Walk(net::Request& request);

 private:
  Result<lineage::Found> Find(const std::string& project, const std::string& text);

  lineage::Lineage& lineage_;
  registry::Registry& registry_;
  data::Datasets& datasets_;
};

}  // namespace gyre::native
