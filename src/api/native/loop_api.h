// /api/v1/projects/{project}/loop and /maturity: a project at a glance.
#pragma once

#include "ml/loop/loop.h"
#include "platform/net/http.h"

namespace gyre::native {

class LoopApi {
 public:
  explicit LoopApi(loop::LoopRooms rooms) : rooms_(rooms) {}
  net::RouteTable table();

  Result<net::Response> Loop(net::Request& request);
  Result<net::Response> Maturity(net::Request& request);

 private:
  const loop::LoopRooms rooms_;
};

}  // namespace gyre::native
