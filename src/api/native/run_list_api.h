// GET /api/v1/projects/{project}/runs: newest first, by a metric, or what a filter finds in an
// order.
#pragma once

#include "platform/net/http.h"

namespace gyre::tracking {
class Experiments;
class RunSearcher;
class Tracking;
}  // namespace gyre::tracking

namespace gyre::native {

class RunListApi {
 public:
  RunListApi(tracking::Tracking& tracking, tracking::Experiments& experiments,
             tracking::RunSearcher& searcher)
      : tracking_(tracking), experiments_(experiments), searcher_(searcher) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);

 private:
  Result<net::Response> Search(net::Request& request);

  tracking::Tracking& tracking_;
  tracking::Experiments& experiments_;
  tracking::RunSearcher& searcher_;
};

}  // namespace gyre::native
