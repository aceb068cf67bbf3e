// Events of the outbox as occurrences. Pure.
#include "ml/automation/automation.h"

namespace gyre::automation {
namespace {

// Alerts carry their class of signal in "kind"; the others say by their event kind what they are.
Occurrence Begin(const events::Event& event, Cause cause) {
  Occurrence o;
  o.cause = cause;
  o.project = event.project;
  o.key = fmt::format("event {}", event.sequence);
  o.source_id = event.subject;
  o.at_us = event.created_us;
  return o;
}

std::optional<Occurrence> OfAlert(const events::Event& event, const Json& payload) {
  const auto cause = ParseCause(payload["kind"].AsString());
  if (!cause) return std::nullopt;
  Occurrence o = Begin(event, *cause);
  o.subject = payload["endpoint"].AsString();
  for (const Json& column : payload["columns"].items()) o.columns.push_back(column.AsString());
  o.text = payload["text"].StringOr(fmt::format("{} alert on {}", CauseName(*cause), o.subject));
  return o;
}

std::optional<Occurrence> OfDataset(const events::Event& event, const Json& payload) {
  Occurrence o = Begin(event, Cause::kDataset);
  o.subject = payload["dataset"].AsString();
  o.text = fmt::format("new version {}:v{}", o.subject, payload["version"].AsInt());
  return o;
}

std::optional<Occurrence> OfModel(const events::Event& event, const Json& payload) {
  Occurrence o = Begin(event, Cause::kRegistry);
  o.subject = payload["model"].AsString();
  o.alias = payload["alias"].AsString();
  o.text =
      o.alias.empty()
          ? fmt::format("{}:v{} was registered", o.subject, payload["version"].AsInt())
          : fmt::format("@{} of {} moved to v{}", o.alias, o.subject, payload["version"].AsInt());
  return o;
}

}  // namespace

std::optional<Occurrence> OccurrenceOf(const events::Event& event) {
  const auto payload = Json::Parse(event.payload);
  if (!payload) return std::nullopt;
  if (event.kind == "alert.firing") return OfAlert(event, *payload);
  if (event.kind == "dataset.version.created") return OfDataset(event, *payload);
  if (event.kind == "model.alias.moved" || event.kind == "model.version.created")
    return OfModel(event, *payload);
  return std::nullopt;
}

}  // namespace gyre::automation
