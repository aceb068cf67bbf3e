// /api/v1/audit: who did what, and whether the log is whole.
#pragma once

#include "platform/net/http.h"

namespace gyre::audit {
class Audit;
}

namespace gyre::native {

class AuditApi {
 public:
  explicit AuditApi(audit::Audit& audit) : audit_(audit) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Verify(net::Request& request);

 private:
  audit::Audit& audit_;
};

}  // namespace gyre::native
