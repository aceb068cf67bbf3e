// /api/v1/projects/{project}/declarations: what a file has declared of a project.
#pragma once

#include <memory>

#include "platform/net/http.h"

namespace gyre::projects {
class Declarations;
}

namespace gyre::native {

class DeclarationsApi {
 public:
  explicit DeclarationsApi(std::unique_ptr<projects::Declarations> declarations);
  ~DeclarationsApi();
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Keep(net::Request& request);
  Result<net::Response> Forget(net::Request& request);

 private:
  const std::unique_ptr<projects::Declarations> declarations_;
};

}  // namespace gyre::native
