// POST /api/v1/projects/{project}/train and its plan.
#pragma once

#include "platform/net/http.h"

namespace gyre::training {
class Training;
}

namespace gyre::native {

class TrainingApi {
 public:
  explicit TrainingApi(training::Training& training) : training_(training) {}
  net::RouteTable table();

  Result<net::Response> Plan(net::Request& request);
  Result<net::Response> Train(net::Request& request);

 private:
  training::Training& training_;
};

}  // namespace gyre::native
