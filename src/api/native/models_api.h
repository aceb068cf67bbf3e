// /api/v1/projects/{project}/models: registered models, versions, aliases, approvals, policies,
// history, cards.
#pragma once

#include <vector>

#include "platform/net/http.h"

namespace gyre::blob {
class Store;
}
namespace gyre::data {
class Datasets;
}
namespace gyre::evaluation {
class Evaluations;
}
namespace gyre::projects {
class Projects;
}
namespace gyre::access {
class Access;
}
namespace gyre::registry {
class LoggedGate;
class Registry;
struct ModelVersion;
}  // namespace gyre::registry
namespace gyre::serving {
class Serving;
}
namespace gyre::trash {
class Trash;
}

namespace gyre::native {

// `version`: "v3", "latest", or an alias.
Result<registry::ModelVersion> FindVersion(registry::Registry& registry, const std::string& project,
                                           const std::string& model, const std::string& version);

// GY3621 when an endpoint serves it.
Result<> CheckNotServed(serving::Serving& serving, const registry::ModelVersion& version);

class ModelsApi {
 public:
  ModelsApi(registry::Registry& registry, evaluation::Evaluations& evaluations,
            projects::Projects& projects, data::Datasets& datasets, blob::Store& blobs,
            serving::Serving& serving, trash::Trash& trash, registry::LoggedGate& gate,
            access::Access& access)
      : registry_(registry),
        evaluations_(evaluations),
        projects_(projects),
        datasets_(datasets),
        blobs_(blobs),
        serving_(serving),
        trash_(trash),
        gate_(gate),
        access_(access) {}
  net::RouteTable table();

  Result<net::Response> List(net::Request& request);
  Result<net::Response> Get(net::Request& request);
  Result<net::Response> Remove(net::Request& request);
  Result<net::Response> Versions(net::Request& request);
  Result<net::Response> GetVersion(net::Request& request);
  Result<net::Response> RemoveVersion(net::Request& request);
  Result<net::Response> Card(net::Request& request);
  Result<net::Response> Evaluation(net::Request& request);
  Result<net::Response> Reference(net::Request& request);
  Result<net::Response> Approvals(net::Request& request);
  Result<net::Response> Approve(net::Request& request);
  Result<net::Response> MoveAlias(net::Request& request);
  Result<net::Response> RemoveAlias(net::Request& request);
  Result<net::Response> GetPolicy(net::Request& request);
  Result<net::Response> SetPolicy(net::Request& request);
  Result<net::Response> History(net::Request& request);

 private:
  Result<> AdmitAliases(net::Request& request, std::span<const registry::ModelVersion> versions);
  Result<registry::ModelVersion> Version(const net::Request& request);
  // The newest kept evaluation, or the one that training attached; null when there is none.
  Result<Json> EvaluationOf(const registry::ModelVersion& version);
  // GY3621, and GY3609 when an alias points at it.
  Result<> CheckNotUsed(const registry::ModelVersion& version);
  Result<Json> EndpointsAsThings(const std::vector<registry::ModelVersion>& versions);
  // With the name and the content hash of the data that it was made from, while those are there.
  Json Document(const registry::ModelVersion& version);
  Result<Json> Goals(const registry::ModelVersion& version, const Json& evaluation);

  registry::Registry& registry_;
  evaluation::Evaluations& evaluations_;
  projects::Projects& projects_;
  data::Datasets& datasets_;
  blob::Store& blobs_;
  serving::Serving& serving_;
  trash::Trash& trash_;
  registry::LoggedGate& gate_;
  access::Access& access_;
};

}  // namespace gyre::native
