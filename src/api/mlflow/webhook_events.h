// What MLflow's webhooks are told: which of its events one of ours is, and its document.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "ledger/events/events.h"
#include "ml/registry/registry.h"

namespace gyre::notices {
class Notices;
}

namespace gyre::mlflow {

inline constexpr std::string_view kWebhookFormat = "mlflow";

struct WebhookEvent {
  std::string entity, action;  // "model_version_tag", "set"
  Json data;
  std::string word() const { return entity + "." + action; }
};

bool IsWebhookEvent(std::string_view word);  // "model_version_tag.set"
// Nothing where MLflow has no event for it.
Result<std::optional<WebhookEvent>> WebhookEventOf(registry::Registry& registry,
                                                   const events::Event& event);
// One that nothing has happened for, to try a webhook with.
WebhookEvent SampleOf(std::string_view word);
Json WebhookDocument(const WebhookEvent& event, std::int64_t time_us);

// Writes a notice for the webhooks that listen to this; once, however often it is called.
Result<> TellWebhooks(registry::Registry& registry, notices::Notices& notices,
                      const events::Event& event);

}  // namespace gyre::mlflow
