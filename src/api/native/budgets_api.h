// /api/v1/budgets: limits on what may be spent.
#pragma once

#include "platform/net/http.h"

namespace gyre::usage {
class Budgets;
}

namespace gyre::native {

class BudgetsApi {
 public:
  explicit BudgetsApi(usage::Budgets& budgets) : budgets_(budgets) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Add(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Change(net::Request& request);
  Result<net::Response> Remove(net::Request& request);

 private:
  usage::Budgets& budgets_;
};

}  // namespace gyre::native
