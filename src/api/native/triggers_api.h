// /api/v1/projects/{project}/triggers, firings and pushes: what starts runs, and what became of it.
#pragma once

#include "platform/net/http.h"

namespace gyre::automation {
class Automation;
}
namespace gyre::projects {
class Projects;
}

namespace gyre::native {

class TriggersApi {
 public:
  TriggersApi(automation::Automation& automation, projects::Projects& projects)
      : automation_(automation), projects_(projects) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Create(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Replace(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Fire(net::Request& request);
  Result<net::Response> Check(net::Request& request);
  Result<net::Response> Push(net::Request& request);
  Result<net::Response> Firings(net::Request& request);
  Result<net::Response> Firing(net::Request& request);
  Result<net::Response> Approve(net::Request& request);

 private:
  automation::Automation& automation_;
  projects::Projects& projects_;
};

}  // namespace gyre::native
