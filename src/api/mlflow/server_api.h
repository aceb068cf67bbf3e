// What clients ask of the server itself, and the answer to everything below MLflow's prefixes that
// is not there.
#pragma once

#include "platform/net/http.h"

namespace gyre::mlflow {

// What gyre says it is: clients decide by it what they send (3.4 and later: spans).
inline constexpr std::string_view kMlflowVersion = "3.6.0";

class ServerApi {
 public:
  net::RouteTable table();

  Result<net::Response> Health(net::Request& request);
  Result<net::Response> Version(net::Request& request);
  Result<net::Response> Info(net::Request& request);
  Result<net::Response> Nothing(net::Request& request);
};

// A program that logs its work makes runs, experiments and models by our routes as its user may; it
// administers nothing.
bool IsForPrograms(const net::Route& route);

}  // namespace gyre::mlflow
