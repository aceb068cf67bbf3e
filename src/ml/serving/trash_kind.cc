#include "ml/serving/trash_kind.h"

namespace gyre::serving {

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

}  // namespace gyre::serving
