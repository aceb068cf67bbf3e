// /api/v1/projects/{project}/runs/purge: what MLflow's clients have deleted, ended for good.
#pragma once

#include "platform/net/http.h"

namespace gyre::tracking {
class Deleted;
struct DeletedQuery;
class Experiments;
class Tracking;
}  // namespace gyre::tracking

namespace gyre::native {

class DeletedApi {
 public:
  DeletedApi(tracking::Tracking& tracking, tracking::Experiments& experiments,
             tracking::Deleted& deleted)
      : tracking_(tracking), experiments_(experiments), deleted_(deleted) {}
  net::RouteTable table();

  Result<net::Response> Purge(net::Request& request);

 private:
  Result<tracking::DeletedQuery> QueryOf(const net::Request& request);

  tracking::Tracking& tracking_;
  tracking::Experiments& experiments_;
  tracking::Deleted& deleted_;
};

}  // namespace gyre::native
