// What may be done to a run that is there: described, tagged, moved, copied, restored.
#pragma once

#include <string>

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::tracking {
class Experiments;
class RunTransfer;
class Tracking;
struct Run;
}  // namespace gyre::tracking

namespace gyre::native {

class RunChangesApi {
 public:
  RunChangesApi(access::Access& access, projects::Projects& projects,
                tracking::Experiments& experiments, tracking::Tracking& tracking,
                tracking::RunTransfer& transfer)
      : access_(access),
        projects_(projects),
        experiments_(experiments),
        tracking_(tracking),
        transfer_(transfer) {}
  net::RouteTable table();

  Result<net::Response> Change(net::Request& request);
  Result<net::Response> Move(net::Request& request);
  Result<net::Response> Copy(net::Request& request);
  Result<net::Response> Restore(net::Request& request);

 private:
  Result<tracking::Run> RunOf(const net::Request& request);
  Result<net::Response> Answer(const std::string& run_id, int status = 200);
  // Whether the caller may write runs there.
  Result<> AdmitTo(net::Request& request, const std::string& project);

  access::Access& access_;
  projects::Projects& projects_;
  tracking::Experiments& experiments_;
  tracking::Tracking& tracking_;
  tracking::RunTransfer& transfer_;
};

}  // namespace gyre::native
