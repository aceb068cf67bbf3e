// /api/v1/jobs: long work, its progress, log and end.
#pragma once

#include "platform/net/http.h"

namespace gyre::runners {
class Jobs;
}

namespace gyre::native {

class JobsApi {
 public:
  explicit JobsApi(runners::Jobs& jobs) : jobs_(jobs) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Log(net::Request& request);
  Result<net::Response> Events(net::Request& request);
  Result<net::Response> Cancel(net::Request& request);

 private:
  runners::Jobs& jobs_;
};

}  // namespace gyre::native
