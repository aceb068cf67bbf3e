// /api/v1/projects/{project}/secrets: written and listed by name; a value never comes back.
#pragma once

#include "platform/net/http.h"

namespace gyre::secrets {
class Secrets;
}

namespace gyre::native {

class SecretsApi {
 public:
  explicit SecretsApi(secrets::Secrets& secrets) : secrets_(secrets) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Put(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Rotate(net::Request& request);

 private:
  secrets::Secrets& secrets_;
};

}  // namespace gyre::native
