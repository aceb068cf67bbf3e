// /api/v1/projects/{project}/declarations: what a file has declared of a project.
#pragma once

#include "platform/net/http.h"

namespace gyre::projects {
class Declarations;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class DeclarationsApi {
 public:
  DeclarationsApi(projects::Declarations& declarations, trash::Trash& trash)
      : declarations_(declarations), trash_(trash) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Check(net::Request& request);
  Result<net::Response> Keep(net::Request& request);
  Result<net::Response> Forget(net::Request& request);

 private:
  projects::Declarations& declarations_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
