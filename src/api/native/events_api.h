// /api/v1/events: what happened, the events that a subscriber could not handle, and a live stream.
#pragma once

#include "platform/net/http.h"

namespace gyre::events {
class Events;
}

namespace gyre::native {

class EventsApi {
 public:
  explicit EventsApi(events::Events& events) : events_(events) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Stream(net::Request& request);
  Result<net::Response> ListParked(net::Request& request);
  Result<net::Response> Retry(net::Request& request);

 private:
  events::Events& events_;
};

}  // namespace gyre::native
