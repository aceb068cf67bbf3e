// /api/v1/projects: projects and their problem statements.
#pragma once

#include "platform/net/http.h"

namespace gyre::projects {
class Projects;
}

namespace gyre::native {

class ProjectsApi {
 public:
  explicit ProjectsApi(projects::Projects& projects) : projects_(projects) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Create(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> GetProblem(net::Request& request);
  Result<net::Response> SetProblem(net::Request& request);
  Result<net::Response> ProblemHistory(net::Request& request);

 private:
  projects::Projects& projects_;
};

}  // namespace gyre::native
