// Events of the outbox as occurrences. Pure.
#include <algorithm>

#include "ml/automation/automation.h"

namespace gyre::automation {
namespace {

// What the signals of monitors are to triggers.
struct SignalCause {
  std::string_view signal;
  Cause cause;
};
constexpr SignalCause kSignals[] = {{"data_quality", Cause::kQuality},
                                    {"drift", Cause::kDrift},
                                    {"prediction_drift", Cause::kDrift},
                                    {"performance", Cause::kPerformance},
                                    {"kpi", Cause::kKpi},
                                    {"estimated_performance", Cause::kPerformance},
                                    {"concept_drift", Cause::kPerformance}};

std::int64_t TimeOf(const Json& text) { return ParseTime(text.AsString()).value_or(0); }

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
  const auto cause = CauseOfSignal(payload["signal"].AsString());
  if (!cause) return std::nullopt;
  Occurrence o = Begin(event, *cause);
  o.since_us = TimeOf(payload["since"]);
  o.subject = payload["endpoint"].AsString();
  o.source_id = payload["incident"].AsString();
  o.key = "alert " + o.source_id;
  for (const Json& column : payload["columns"].items()) o.columns.push_back(column.AsString());
  const std::string& what = payload["what"].AsString();
  o.text = fmt::format("{}: {}", payload["name"].AsString(),
                       what.empty() ? payload["reason"].AsString() : what);
  return o;
}

// A goal that changes by itself; one of an evaluation was judged by a gate already.
std::optional<Occurrence> OfKpi(const events::Event& event, const Json& payload) {
  Occurrence o = Begin(event, Cause::kKpi);
  o.subject = payload["endpoint"].AsString();
  if (o.subject.empty()) return std::nullopt;
  o.source_id.clear();  // a project is no node of lineage
  o.text = fmt::format("goal missed: {}, it is {:.4g}", payload["kpi"].AsString(),
                       payload["value"].AsDouble());
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

std::optional<Cause> CauseOfSignal(std::string_view signal) {
  const auto known = std::ranges::find(kSignals, signal, &SignalCause::signal);
  if (known == std::end(kSignals)) return std::nullopt;
  return known->cause;
}

std::optional<Occurrence> OccurrenceOf(const events::Event& event) {
  const auto payload = Json::Parse(event.payload);
  if (!payload) return std::nullopt;
  if (event.kind == "alert.firing") return OfAlert(event, *payload);
  if (event.kind == "kpi.breached") return OfKpi(event, *payload);
  if (event.kind == "dataset.version.created") return OfDataset(event, *payload);
  if (event.kind == "model.alias.moved" || event.kind == "model.version.created")
    return OfModel(event, *payload);
  return std::nullopt;
}

}  // namespace gyre::automation
