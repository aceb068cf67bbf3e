// /api/v1/projects/{project}/channels and /notices: who is told, and what became of it.
#pragma once

#include "platform/net/http.h"

namespace gyre::notices {
class Notices;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class NoticesApi {
 public:
  NoticesApi(notices::Notices& notices, projects::Projects& projects, trash::Trash& trash)
      : notices_(notices), projects_(projects), trash_(trash) {}
  net::RouteTable table();

  Result<net::Response> ListChannels(net::Request& request);
  Result<net::Response> AddChannel(net::Request& request);
  Result<net::Response> GetChannel(net::Request& request);
  Result<net::Response> RemoveChannel(net::Request& request);
  Result<net::Response> TryChannel(net::Request& request);
  Result<net::Response> List(net::Request& request);
  Result<net::Response> Publish(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Retry(net::Request& request);

 private:
  notices::Notices& notices_;
  projects::Projects& projects_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
