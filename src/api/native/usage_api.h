// /api/v1/usage: what runs, endpoints and projects used, and what it cost.
#pragma once

#include "platform/net/http.h"

namespace gyre::usage {
class Usage;
}

namespace gyre::native {

class UsageApi {
 public:
  explicit UsageApi(usage::Usage& usage) : usage_(usage) {}
  net::RouteTable table();

  Result<net::Response> Sum(net::Request& request);
  Result<net::Response> Focus(net::Request& request);
  Result<net::Response> Forecast(net::Request& request);
  Result<net::Response> GetPrices(net::Request& request);
  Result<net::Response> SetPrices(net::Request& request);

 private:
  usage::Usage& usage_;
};

}  // namespace gyre::native
