// MLflow's own web UI, from the build that its package holds: a page below /mlflow and
// /p/{project}/mlflow, its files below /static-files. Only with a folder that somebody names.
#pragma once

#include <string>

#include "platform/net/http.h"

namespace gyre::mlflow {

// Error: kInvalidArgument GY5120 the folder holds no such build.
Result<> CheckUiFolder(const std::string& folder);

class UiApi {
 public:
  UiApi(std::string folder, std::string base_path)
      : folder_(std::move(folder)), base_path_(std::move(base_path)) {}
  net::RouteTable table();

  Result<net::Response> Page(net::Request& request);
  Result<net::Response> PageOfProject(net::Request& request);
  Result<net::Response> File(net::Request& request);
  Result<net::Response> Script(net::Request& request);

 private:
  Result<net::Response> PageBelow(const std::string& root);

  const std::string folder_, base_path_;
};

}  // namespace gyre::mlflow
