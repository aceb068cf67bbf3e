// /api/v1/projects/{project}/secrets: written and listed by name; a value never comes back.
#pragma once

#include "platform/net/http.h"

namespace gyre::projects {
class Projects;
}
namespace gyre::secrets {
class Secrets;
}

namespace gyre::native {

class SecretsApi {
 public:
  SecretsApi(secrets::Secrets& secrets, projects::Projects& projects)
      : secrets_(secrets), projects_(projects) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Put(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Rotate(net::Request& request);

 private:
  secrets::Secrets& secrets_;
  projects::Projects& projects_;
};

}  // namespace gyre::native
