// /api/v1/projects/{project}/history: experiments and versions that were made elsewhere, with the
// numbers and dates that they had. Asking again answers what is there.
#pragma once

#include <functional>
#include <string>

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
  // The folder of the files of a logged model; empty where the project has none of that id.
  using ModelRoot =
      std::function<Result<std::string>(const std::string& project, const std::string& id)>;
  HistoryApi(projects::Projects& projects, tracking::Experiments& experiments,
             registry::Catalog& catalog, ModelRoot model_root)
      : projects_(projects),
        experiments_(experiments),
        catalog_(catalog),
        model_root_(std::move(model_root)) {}
  net::RouteTable table();

  Result<net::Response> BringExperiment(net::Request& request);
  Result<net::Response> BringVersion(net::Request& request);

 private:
  projects::Projects& projects_;
  tracking::Experiments& experiments_;
  registry::Catalog& catalog_;
  ModelRoot model_root_;
};

}  // namespace gyre::native
