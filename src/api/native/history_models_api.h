// /api/v1/projects/{project}/history/logged-models: models that clients logged elsewhere, with the
// ids, dates and files that they had. Asking again completes what is there.
#pragma once

#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::tracking {
class Files;
class LoggedModels;
}  // namespace gyre::tracking

namespace gyre::native {

class HistoryModelsApi {
 public:
  HistoryModelsApi(projects::Projects& projects, tracking::LoggedModels& models,
                   tracking::Files& files, blob::Store& blobs)
      : projects_(projects), models_(models), files_(files), blobs_(blobs) {}
  net::RouteTable table();

  Result<net::Response> Bring(net::Request& request);
  Result<net::Response> BringMetrics(net::Request& request);
  Result<net::Response> BringFile(net::Request& request);

 private:
  projects::Projects& projects_;
  tracking::LoggedModels& models_;
  tracking::Files& files_;
  blob::Store& blobs_;
};

}  // namespace gyre::native
