// /api/v1/projects/{project}/history: experiments and versions that were made elsewhere, with the
// numbers and dates that they had. Asking again answers what is there.
#pragma once

#include "platform/net/http.h"

namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Catalog;
}
namespace gyre::tracking {
class Experiments;
}

namespace gyre::native {

class HistoryApi {
 public:
  HistoryApi(projects::Projects& projects, tracking::Experiments& experiments,
             registry::Catalog& catalog)
      : projects_(projects), experiments_(experiments), catalog_(catalog) {}
  net::RouteTable table();

  Result<net::Response> BringExperiment(net::Request& request);
  Result<net::Response> BringVersion(net::Request& request);

 private:
  projects::Projects& projects_;
  tracking::Experiments& experiments_;
  registry::Catalog& catalog_;
};

}  // namespace gyre::native
