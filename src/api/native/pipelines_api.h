// Pipelines, their versions, and their runs: begun, followed, cancelled, gone on with.
#pragma once

#include "platform/net/http.h"

namespace gyre::access {
class Access;
}
namespace gyre::automation {
class Automation;
}
namespace gyre::pipelines {
class Approvals;
class Pipelines;
struct RunRequest;
struct RunView;
}  // namespace gyre::pipelines
namespace gyre::trash {
class Trash;
}

namespace gyre::usage {
class Usage;
}

namespace gyre::native {

class PipelinesApi {
 public:
  PipelinesApi(pipelines::Pipelines& pipelines, pipelines::Approvals& approvals,
               access::Access& access, const usage::Usage& usage,
               automation::Automation& automation, trash::Trash& trash)
      : pipelines_(pipelines),
        approvals_(approvals),
        access_(access),
        usage_(usage),
        automation_(automation),
        trash_(trash) {}
  net::RouteTable table();

  Result<net::Response> Add(net::Request& request);
  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Expected(net::Request& request);
  Result<net::Response> Check(net::Request& request);
  Result<net::Response> Run(net::Request& request);
  Result<net::Response> ListRuns(net::Request& request);
  Result<net::Response> GetRun(net::Request& request);
  Result<net::Response> Compare(net::Request& request);
  Result<net::Response> Events(net::Request& request);
  Result<net::Response> Log(net::Request& request);
  Result<net::Response> RemoveRun(net::Request& request);
  Result<net::Response> Cancel(net::Request& request);
  Result<net::Response> Retry(net::Request& request);
  Result<net::Response> Approve(net::Request& request);

 private:
  Result<pipelines::RunView> RunOf(const net::Request& request);

  pipelines::Pipelines& pipelines_;
  pipelines::Approvals& approvals_;
  access::Access& access_;
  const usage::Usage& usage_;  // what runs have cost
  automation::Automation& automation_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
