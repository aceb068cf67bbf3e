// /api/v1/projects/{project}/kpis: the goals of a project, as they are measured.
#pragma once

#include "platform/net/http.h"

namespace gyre::monitoring {
class KpiWatch;
}

namespace gyre::native {

class KpisApi {
 public:
  explicit KpisApi(monitoring::KpiWatch& kpis) : kpis_(kpis) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Measure(net::Request& request);
  Result<net::Response> History(net::Request& request);

 private:
  monitoring::KpiWatch& kpis_;
};

}  // namespace gyre::native
