// Recipes: one suggested for a dataset, one written by hand that is checked, and the one that a
// model version was trained with.
#pragma once

#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::registry {
class Registry;
}
namespace gyre::runners {
class Jobs;
}

namespace gyre::native {

class RecipesApi {
 public:
  RecipesApi(data::Datasets& datasets, registry::Registry& registry, blob::Store& blobs,
             runners::Jobs& jobs)
      : datasets_(datasets), registry_(registry), blobs_(blobs), jobs_(jobs) {}
  net::RouteTable table();

  Result<net::Response> Suggest(net::Request& request);
  Result<net::Response> Check(net::Request& request);
  Result<net::Response> OfModel(net::Request& request);

 private:
  data::Datasets& datasets_;
  registry::Registry& registry_;
  blob::Store& blobs_;
  runners::Jobs& jobs_;
};

}  // namespace gyre::native
