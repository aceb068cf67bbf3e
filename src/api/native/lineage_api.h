// /api/v1/projects/{project}/lineage: where a thing came from and what depends on it.
#pragma once

#include "platform/net/http.h"

namespace gyre::lineage {
class Lineage;
}

namespace gyre::native {

class LineageApi {
 public:
  explicit LineageApi(lineage::Lineage& lineage) : lineage_(lineage) {}
  net::RouteTable table();

  Result<net::Response> Walk(net::Request& request);

 private:
  lineage::Lineage& lineage_;
};

}  // namespace gyre::native
