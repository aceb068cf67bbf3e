// /api/v1/projects/{project}/triggers, firings and pushes: what starts runs, and what became of it.
#pragma once

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::automation {
class Automation;
class Releases;
struct TriggerSpec;
}  // namespace gyre::automation
namespace gyre::pipelines {
class Pipelines;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::usage {
class Usage;
}

namespace gyre::native {

class TriggersApi {
 public:
  TriggersApi(automation::Automation& automation, projects::Projects& projects,
              pipelines::Pipelines& pipelines, access::Access& access,
              automation::Releases& releases, const usage::Usage& usage, trash::Trash& trash)
      : automation_(automation),
        projects_(projects),
        pipelines_(pipelines),
        access_(access),
        releases_(releases),
        usage_(usage),
        trash_(trash) {}
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
  // A trigger runs its pipeline in its maker's place: he must be allowed what its steps do.
  Result<> AdmitPipeline(net::Request& request, const std::string& project,
                         automation::TriggerSpec* spec);

  automation::Automation& automation_;
  projects::Projects& projects_;
  pipelines::Pipelines& pipelines_;
  access::Access& access_;
  automation::Releases& releases_;
  const usage::Usage& usage_;  // what runs have cost
  trash::Trash& trash_;
};

}  // namespace gyre::native
