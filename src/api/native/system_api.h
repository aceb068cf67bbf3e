// Health, readiness, the API's own description and the settings in effect.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "platform/net/http.h"

namespace gyre::native {

struct SystemInfo {
  std::string version;
  std::string base_path = {};                     // "/gyre", for the OpenAPI document
  std::function<Json()> settings;                 // list of documents, secrets left out
  std::function<std::string()> not_ready_reason;  // empty text = ready
  std::function<Json()> status;                   // pid, url, data directory, ...
};

class SystemApi {
 public:
  explicit SystemApi(SystemInfo info) : info_(std::move(info)) {}
  net::RouteTable table();
  // All tables of the server, for the OpenAPI document; before the first request.
  void Describe(std::span<const net::RouteTable> tables);

  Result<net::Response> Health(net::Request& request);
  Result<net::Response> Ready(net::Request& request);
  Result<net::Response> OpenApi(net::Request& request);
  Result<net::Response> Config(net::Request& request);
  Result<net::Response> Status(net::Request& request);

 private:
  SystemInfo info_;
  std::vector<net::RouteTable> tables_;
};

}  // namespace gyre::native
