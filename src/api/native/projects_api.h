// /api/v1/projects: projects and their problem statements.
#pragma once

#include "platform/net/http.h"

namespace gyre::projects {
class Projects;
}
namespace gyre::serving {
class Serving;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class ProjectsApi {
 public:
  ProjectsApi(projects::Projects& projects, serving::Serving& serving, trash::Trash& trash)
      : projects_(projects), serving_(serving), trash_(trash) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Create(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> GetProblem(net::Request& request);
  Result<net::Response> SetProblem(net::Request& request);
  Result<net::Response> ProblemHistory(net::Request& request);

 private:
  projects::Projects& projects_;
  serving::Serving& serving_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
