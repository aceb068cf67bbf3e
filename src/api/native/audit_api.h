// /api/v1/audit: who did what, and whether the log is whole.
#pragma once

#include <string>
#include <utility>

#include "platform/net/http.h"

namespace gyre::audit {
class Audit;
}

namespace gyre::native {

class AuditApi {
 public:
  // `anchors`: the file of audit::Anchors.
  AuditApi(audit::Audit& audit, std::string anchors)
      : audit_(audit), anchors_(std::move(anchors)) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Verify(net::Request& request);

 private:
  audit::Audit& audit_;
  const std::string anchors_;
};

}  // namespace gyre::native
