// /api/v1/projects/{project}/monitors, windows, signals, alerts: what happens to deployed models.
#pragma once

#include "platform/net/http.h"

namespace gyre::automation {
class Automation;
}
namespace gyre::monitoring {
class Monitors;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

class MonitorsApi {
 public:
  MonitorsApi(monitoring::Monitors& monitors, automation::Automation& automation,
              trash::Trash& trash)
      : monitors_(monitors), automation_(automation), trash_(trash) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Create(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Edit(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Run(net::Request& request);
  Result<net::Response> Windows(net::Request& request);
  Result<net::Response> Window(net::Request& request);
  Result<net::Response> Signals(net::Request& request);
  Result<net::Response> Rules(net::Request& request);

  Result<net::Response> Alerts(net::Request& request);
  Result<net::Response> GetAlert(net::Request& request);
  Result<net::Response> Ack(net::Request& request);
  Result<net::Response> Snooze(net::Request& request);

 private:
  monitoring::Monitors& monitors_;
  automation::Automation& automation_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
