// /api/v1/projects/{project}/runs: what was tried. Programs (gyre run) report here too: begin,
// batches, artifacts, end.
#pragma once

#include <functional>
#include <string>

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::blob {
class Store;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::runners {
class Jobs;
}
namespace gyre::trash {
class Trash;
}
namespace gyre::tracking {
class Tracking;
struct NewRun;
struct Run;
}  // namespace gyre::tracking

namespace gyre::native {

// Where the program of a run finds this API over HTTP, until the run has ended.
struct ProgramAddress {
  // `pid`: who waits for the program, 0 = not known. "" = it finds none.
  std::function<std::string(const std::string& run, int pid)> open;
  std::function<void(const std::string& run)> close;
};

class RunsApi {
 public:
  RunsApi(tracking::Tracking& tracking, runners::Jobs& jobs, blob::Store& blobs,
          access::Access& access, projects::Projects& projects, registry::Registry& registry,
          data::Datasets& datasets, trash::Trash& trash, ProgramAddress address)
      : tracking_(tracking),
        jobs_(jobs),
        blobs_(blobs),
        access_(access),
        projects_(projects),
        registry_(registry),
        datasets_(datasets),
        trash_(trash),
        address_(std::move(address)) {}
  net::RouteTable table();

  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Artifacts(net::Request& request);
  Result<net::Response> GetArtifact(net::Request& request);
  Result<net::Response> PutArtifact(net::Request& request);
  Result<net::Response> Log(net::Request& request);
  Result<net::Response> StartProgram(net::Request& request);
  Result<net::Response> Bring(net::Request& request);
  Result<net::Response> AddBatch(net::Request& request);
  Result<net::Response> End(net::Request& request);

 private:
  // GY3413 when registered models came of it.
  Result<> CheckMadeNothing(const tracking::Run& run);
  Result<tracking::Run> RunOf(const net::Request& request);
  Result<tracking::NewRun> ProgramOf(const net::Request& request, const Json& body);

  tracking::Tracking& tracking_;
  runners::Jobs& jobs_;
  blob::Store& blobs_;
  access::Access& access_;
  projects::Projects& projects_;
  registry::Registry& registry_;
  data::Datasets& datasets_;
  trash::Trash& trash_;
  ProgramAddress address_;
};

}  // namespace gyre::native
