// /api/v1/projects/{project}/models: what people fill in by hand: names, descriptions, tags,
// stages.
#pragma once

#include "platform/net/http.h"

namespace gyre::registry {
class Catalog;
class LoggedGate;
class Registry;
struct Model;
struct ModelVersion;
}  // namespace gyre::registry

namespace gyre::native {

class CatalogApi {
 public:
  CatalogApi(registry::Registry& registry, registry::Catalog& catalog, registry::LoggedGate& gate)
      : registry_(registry), catalog_(catalog), gate_(gate) {}
  net::RouteTable table();

  Result<net::Response> Create(net::Request& request);
  Result<net::Response> Change(net::Request& request);
  Result<net::Response> ChangeVersion(net::Request& request);

 private:
  Result<> ChangeTags(const registry::Model& model, const Json& tags);
  Result<> ChangeVersionTags(const registry::ModelVersion& version, const Json& tags);
  registry::Registry& registry_;
  registry::Catalog& catalog_;
  registry::LoggedGate& gate_;
};

}  // namespace gyre::native
