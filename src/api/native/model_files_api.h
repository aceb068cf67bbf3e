// POST /api/v1/projects/{project}/models/{model}/versions: a model file that was made elsewhere.
#pragma once

#include "base/json.h"
#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::registry {
class Registry;
struct NewVersion;
}  // namespace gyre::registry
namespace gyre::runners {
class Jobs;
}

namespace gyre::native {

class ModelFilesApi {
 public:
  ModelFilesApi(registry::Registry& registry, data::Datasets& datasets,
                projects::Projects& projects, blob::Store& blobs, runners::Jobs& jobs,
                std::int64_t memory_bytes)
      : registry_(registry),
        datasets_(datasets),
        projects_(projects),
        blobs_(blobs),
        jobs_(jobs),
        memory_bytes_(memory_bytes) {}
  net::RouteTable table();

  Result<net::Response> Bring(net::Request& request);

 private:
  Result<Json> TaskInput(const net::Request& request, registry::NewVersion* version);
  Result<> Keep(const std::string& file, const Json& found, registry::NewVersion* version);

  registry::Registry& registry_;
  data::Datasets& datasets_;
  projects::Projects& projects_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
  std::int64_t memory_bytes_;  // that reading one file may take
};

}  // namespace gyre::native
