// /api/v1/maintenance: removing what nobody needs, and checking what is there. What that means is
// put together by the program.
#pragma once

#include <functional>

#include "platform/net/http.h"

namespace gyre::native {

struct Maintenance {
  std::function<Result<Json>(std::int64_t grace_us)> collect;  // what was removed and kept
  std::function<Result<Json>(bool deep)> check;                // {"sound": bool, "problems": [...]}
};

class MaintenanceApi {
 public:
  explicit MaintenanceApi(Maintenance maintenance) : maintenance_(std::move(maintenance)) {}
  net::RouteTable table();

  Result<net::Response> Collect(net::Request& request);
  Result<net::Response> Check(net::Request& request);

 private:
  Maintenance maintenance_;
};

}  // namespace gyre::native
