// Metrics as charts show them: a few points of each series, with the extremes of all.
#pragma once

#include "platform/net/http.h"

namespace gyre::tracking {
class Charts;
class Tracking;
}  // namespace gyre::tracking

namespace gyre::native {

class ChartsApi {
 public:
  ChartsApi(tracking::Tracking& tracking, const tracking::Charts& charts)
      : tracking_(tracking), charts_(charts) {}
  net::RouteTable table();

  Result<net::Response> Metric(net::Request& request);
  Result<net::Response> Charts(net::Request& request);

 private:
  tracking::Tracking& tracking_;
  const tracking::Charts& charts_;
};

}  // namespace gyre::native
