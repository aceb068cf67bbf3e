#include "ml/serving/trash_kind.h"

namespace gyre::serving {
namespace {

constexpr const char* kOfEndpoints =
    "endpoint_id IN (SELECT id FROM serving_endpoint WHERE project = ?1)";

}  // namespace

trash::Kind EndpointTrash(events::Events& events, Serving& serving) {
  return {.noun = "endpoint",
          .permission = "endpoint.deploy",
          .names = {{"serving_endpoint", "name"}},
          .remove = [&serving](const trash::Asked& asked) -> Result<std::string> {
            GYRE_DO(serving.Remove(asked.project, asked.name, asked.by));
            return std::string(asked.name);
          },
          .back =
              [&events](db::Transaction& tx, const trash::Item& item, std::string_view name) {
                return events.Publish(
                    tx, {.kind = "endpoint.restored", .project = item.project, .subject = name});
              },
          .wake = [&serving](const trash::Item&, std::string_view) { return serving.Reconcile(); }};
}

trash::Holding HeldEndpoints(Serving& serving) {
  return {.what = "endpoints",
          .count = "SELECT COUNT(*) FROM serving_endpoint WHERE project = ?1",
          .blobs = {{"serving_deployment",
                     "SELECT d.id FROM serving_deployment d JOIN serving_endpoint e ON e.id = "
                     "d.endpoint_id WHERE e.project = ?1"}},
          .rows = {{"serving_log", kOfEndpoints},
                   {"serving_variant", kOfEndpoints},
                   {"serving_deployment", kOfEndpoints},
                   {"serving_endpoint"}},
          .changed = [&serving] { return serving.Reconcile(); }};
}

}  // namespace gyre::serving
