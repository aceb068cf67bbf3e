// The Open Inference Protocol, version 2, over HTTP with JSON and the binary tensor extension: what
// Triton, KServe and MLServer clients speak. A model of the protocol is an endpoint of ours; its
// version is the number of the model version that it runs.
#pragma once

#include "platform/net/http.h"

namespace gyre::serving {
class Serving;
}

namespace gyre::oip {

class OipApi {
 public:
  OipApi(serving::Serving& serving, std::string version)
      : serving_(serving), version_(std::move(version)) {}
  net::RouteTable table();

  bool Waits(const net::Request& request);
  Result<net::Response> Server(net::Request& request);
  Result<net::Response> Live(net::Request& request);
  Result<net::Response> Ready(net::Request& request);
  Result<net::Response> Models(net::Request& request);
  Result<net::Response> Metadata(net::Request& request);
  Result<net::Response> ModelReady(net::Request& request);
  Result<net::Response> Infer(net::Request& request);

 private:
  serving::Serving& serving_;
  std::string version_;
};

}  // namespace gyre::oip
