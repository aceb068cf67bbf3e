// POST /api/v1/projects/{project}/train and its plan.
#pragma once

#include <cstdint>
#include <string>

#include "platform/net/http.h"

namespace gyre::training {
class Training;
}

namespace gyre::runners {
class Jobs;
}
namespace gyre::usage {
class Usage;
}

namespace gyre::native {

// What a training cannot go beyond, besides its own budget.
struct TrainingBounds {
  double threads = 1;
  std::int64_t memory_bytes = 0;
};

class TrainingApi {
 public:
  TrainingApi(training::Training& training, usage::Usage& usage, runners::Jobs& jobs,
              TrainingBounds bounds)
      : training_(training), usage_(usage), jobs_(jobs), bounds_(bounds) {}
  net::RouteTable table();

  Result<net::Response> Plan(net::Request& request);
  Result<net::Response> Train(net::Request& request);

 private:
  // What a plan would use, and the price of that.
  Result<Json> Expected(const std::string& project, const Json& plan);

  training::Training& training_;
  usage::Usage& usage_;
  runners::Jobs& jobs_;
  const TrainingBounds bounds_;
};

}  // namespace gyre::native
