// /api/v1/projects/{project}/experiments: what runs belong to, by folder or by a filter.
#pragma once

#include "platform/net/http.h"

namespace gyre::projects {
class Projects;
}
namespace gyre::tracking {
class Experiments;
struct Experiment;
}  // namespace gyre::tracking

namespace gyre::native {

class ExperimentsApi {
 public:
  ExperimentsApi(projects::Projects& projects, tracking::Experiments& experiments)
      : projects_(projects), experiments_(experiments) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Create(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Change(net::Request& request);
  Result<net::Response> Delete(net::Request& request);
  Result<net::Response> Restore(net::Request& request);
  Result<net::Response> MoveFolder(net::Request& request);

 private:
  Result<tracking::Experiment> ExperimentOf(const net::Request& request);
  Result<net::Response> Answer(const net::Request& request, std::int64_t number);
  Result<net::Response> ListFolder(net::Request& request);

  projects::Projects& projects_;
  tracking::Experiments& experiments_;
};

}  // namespace gyre::native
