// /api/v1/projects/{project}/secrets: written and listed by name; a value never comes back.
#pragma once

#include "platform/net/http.h"

namespace gyre::notices {
class Notices;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::secrets {
class Secrets;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class SecretsApi {
 public:
  SecretsApi(secrets::Secrets& secrets, projects::Projects& projects, notices::Notices& notices,
             trash::Trash& trash)
      : secrets_(secrets), projects_(projects), notices_(notices), trash_(trash) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Put(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Rotate(net::Request& request);

 private:
  // GY5007 when a channel uses it.
  Result<> CheckNoChannel(const std::string& project, const std::string& name);

  secrets::Secrets& secrets_;
  projects::Projects& projects_;
  notices::Notices& notices_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
