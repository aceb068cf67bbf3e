#include "gyre/feedback_loop.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "gyre/loop_notices.h"
#include "ledger/usage/usage.h"
#include "ml/automation/presets.h"
#include "ml/data/datasets.h"
#include "ml/inference_log/inference_log.h"
#include "ml/pipelines/pipelines.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/serving/serving.h"

namespace gyre {
namespace {

constexpr std::string_view kBy = "automation";
constexpr std::string_view kPromoted = "promoted", kNotPromoted = "not_promoted",
                           kRolledBack = "rolled_back";

// A preset becomes a pipeline of the project when it is first asked for: from then on it is the
// project's own, to be read and changed.
Result<std::string> PipelineNamed(pipelines::Pipelines& pipelines, std::string_view project,
                                  std::string_view name) {
  auto found = pipelines.Resolve(project, name);
  const std::string_view preset = automation::PresetNamed(name);
  if (!found && found.error().code() == Code::kNotFound && !preset.empty())
    found = pipelines.Add(project, preset, fmt::format("{}.yaml", name), kBy);
  if (!found) return found.error();
  return found->reference();
}

Result<bool> Takes(pipelines::Pipelines& pipelines, std::string_view project,
                   std::string_view reference, std::string_view param) {
  GYRE_TRY(const Json graph, pipelines.Graph(project, reference));
  return std::ranges::any_of(graph["spec"]["params"].items(),
                             [&](const Json& one) { return one["name"].AsString() == param; });
}

Result<std::string> CheckedPipeline(pipelines::Pipelines& pipelines, std::string_view project,
                                    const automation::TriggerSpec& spec) {
  GYRE_TRY(std::string reference, PipelineNamed(pipelines, project, spec.pipeline));
  Json params = spec.params;
  if (spec.on.cause == automation::Cause::kFile && !params.Has(automation::kFileParam)) {
    GYRE_TRY(const bool takes, Takes(pipelines, project, reference, automation::kFileParam));
    if (takes && params.is_null()) params = Json::Obj();
    if (takes) params.Set(automation::kFileParam, spec.on.subject + "/*");  // each its own
  }
  GYRE_DO(pipelines.CheckParams(
      {.project = std::string(project), .pipeline = reference, .params = std::move(params)}));
  return reference;
}

Result<std::vector<std::string>> NamesOf(const LoopRooms& rooms, std::string_view project,
                                         std::string_view kind) {
  constexpr int kNamesMax = 10'000;
  if (kind == "dataset") return rooms.datasets.Names(project);
  std::vector<std::string> names;
  if (kind == "endpoint") {
    GYRE_TRY(const auto endpoints, rooms.serving.List(project, kNamesMax, ""));
    for (const serving::Endpoint& endpoint : endpoints) names.push_back(endpoint.name);
  } else {
    GYRE_TRY(const auto models,
             rooms.registry.ListModels(project, {.limit = kNamesMax, .after = ""}));
    for (const registry::Model& model : models) names.push_back(model.name);
  }
  return names;
}

std::string_view NameOf(std::string_view reference) {
  return reference.substr(0, reference.find(':'));
}

// Two runs about one endpoint would take its traffic from each other. Where no endpoint is named,
// the same work that a person has begun is enough.
Result<std::string> RunBeside(pipelines::Pipelines& pipelines, std::string_view project,
                              const automation::TriggerSpec& spec) {
  constexpr int kRunsMax = 1'000;
  GYRE_TRY(const auto running, pipelines.ListRuns({.projects = std::vector{std::string(project)},
                                                   .state = "running",
                                                   .limit = kRunsMax}));
  const std::string endpoint = automation::EndpointOf(spec);
  const auto beside = std::ranges::find_if(running, [&](const pipelines::RunView& run) {
    if (!endpoint.empty()) return run.params["endpoint"].AsString() == endpoint;
    return run.created_by != kBy && run.pipeline == NameOf(spec.pipeline);
  });
  return beside == running.end() ? std::string() : beside->id.substr(0, 8);
}

Result<automation::Below::Cost> CostOf(pipelines::Pipelines& pipelines, std::string_view project,
                                       std::string_view pipeline) {
  constexpr int kRunsMax = 20;
  GYRE_TRY(const auto runs, pipelines.ListRuns({.projects = std::vector{std::string(project)},
                                                .pipeline = std::string(NameOf(pipeline)),
                                                .state = "succeeded",
                                                .limit = kRunsMax}));
  automation::Below::Cost cost{.runs = static_cast<int>(runs.size())};
  for (const pipelines::RunView& run : runs) cost.cpu_seconds += run.cpu_seconds;
  return cost;
}

// The parameters of a pipeline that learns from what came since an incident, by name; nothing for
// one that does not.
using Params = std::map<std::string, Json, std::less<>>;
Result<std::optional<Params>> ParamsOfLearner(pipelines::Pipelines& pipelines,
                                              std::string_view project, const std::string& pipeline,
                                              const Json& given) {
  const auto graph = pipelines.Graph(project, pipeline);
  if (!graph && graph.error().code() == Code::kNotFound) return std::optional<Params>();
  if (!graph) return graph.error();
  Params params;
  for (const Json& param : (*graph)["spec"]["params"].items()) {
    const std::string& name = param["name"].AsString();
    params[name] = given.Has(name) ? given[name] : param["default"];
  }
  // Whoever says how far back it looks has said which rows are fresh.
  const bool learns = params.contains("since") && params.contains("rows_min") &&
                      !(params.contains("last_s") && params["last_s"].AsInt() > 0);
  return learns ? std::optional(std::move(params)) : std::nullopt;
}

Result<std::optional<automation::Below::Labels>> LabelsSince(const LoopRooms& rooms,
                                                             std::string_view project,
                                                             const automation::TriggerSpec& spec,
                                                             std::string_view endpoint,
                                                             std::int64_t since_us) {
  using Labels = std::optional<automation::Below::Labels>;
  GYRE_TRY(const auto params,
           ParamsOfLearner(rooms.pipelines, project, spec.pipeline, spec.params));
  if (!params) return Labels();
  GYRE_TRY(const auto labelled, rooms.monitors.LabelledSince(project, endpoint, since_us));
  if (!labelled) return Labels();
  return Labels({.rows = *labelled, .wanted = params->find("rows_min")->second.AsInt()});
}

Result<std::vector<automation::StandingAlert>> StandingAlerts(monitoring::Monitors& monitors) {
  constexpr int kAlertsMax = 10'000;
  GYRE_TRY(const auto alerts, monitors.Alerts({.phase = "firing", .limit = kAlertsMax}));
  std::vector<automation::StandingAlert> standing;
  for (const monitoring::Alert& alert : alerts) {
    const auto cause = automation::CauseOfSignal(alert.signal);
    if (!cause) continue;
    automation::StandingAlert& one = standing.emplace_back();
    one.occurrence.cause = *cause;
    one.occurrence.project = alert.project;
    one.occurrence.subject = alert.endpoint;
    one.occurrence.columns = alert.columns;
    one.occurrence.source_id = alert.incident_id;
    one.occurrence.key = "alert " + alert.incident_id;
    one.occurrence.text = fmt::format("{}: {}", alert.name(), alert.what);
    one.occurrence.since_us = alert.state.incident_us;
    one.bad_us = alert.state.bad_us;
  }
  std::ranges::reverse(standing);  // they came with the newest first
  return standing;
}

// Nothing is captured before the first answer.
Result<std::int64_t> NewestEvent(inference_log::InferenceLog& log, std::string_view project,
                                 std::string_view endpoint) {
  const auto status = log.Status(project, endpoint);
  if (!status && status.error().gy() == "GY4612") return 0;
  if (!status) return status.error();
  return status->event_max_us;
}

Result<std::vector<std::string>> ObstaclesOf(const LoopRooms& rooms, std::string_view project,
                                             const automation::TriggerSpec& spec,
                                             std::string_view endpoint) {
  std::vector<std::string> found;
  if (spec.on.cause == automation::Cause::kKpi) {
    GYRE_TRY(const projects::Project known, rooms.projects.Get(project));
    if (!known.problem || known.problem->kpis.empty())
      found.push_back(
          fmt::format("project {} has no KPI: nothing would fire it    (gyre kpi)", project));
  }
  if (NameOf(spec.pipeline) != "retrain") return found;
  const auto withheld = rooms.log.WithheldInputs(project, endpoint);
  if (!withheld && withheld.error().gy() != "GY4612") return withheld.error();
  if (withheld && !withheld->empty()) {
    std::string keep;
    for (const std::string& input : *withheld) keep += " --keep " + input;
    found.push_back(
        fmt::format("GY4619: the captures of {0} lack {1}, which the model reads: its "
                    "run would end there    (gyre captures policy {0}{2})",
                    endpoint, Join(*withheld, ", "), keep));
  }
  const auto status = rooms.log.Status(project, endpoint);
  if (!status && status.error().gy() != "GY4612") return status.error();
  if (!status || status->labels == 0)
    found.push_back(
        fmt::format("no label of {0} has come yet, and it learns from rows with labels "
                    "alone    (gyre feedback {0} FILE)",
                    endpoint));
  return found;
}

automation::Below::RunState StateOf(const pipelines::RunView& run) {
  return {.state = run.ended_us == 0 ? "running" : run.state,
          .reason = run.reason.empty() ? run.outputs["notes"].AsString() : run.reason,
          .error = run.error,
          .cpu_seconds = run.cpu_seconds};
}

// The rules that the gate found broken, as its newest verdict of that version has them.
Result<std::string> BrokenRules(registry::Registry& registry, std::string_view project,
                                std::string_view model) {
  const std::string none = "its gate said no";
  const auto version = registry.Resolve(project, model);
  if (!version && version.error().code() == Code::kNotFound) return none;  // removed since
  if (!version) return version.error();
  GYRE_TRY(const auto recorded, registry.LatestVerdict(version->id, "champion"));
  std::vector<std::string> broken;
  if (recorded) {
    for (const registry::Reason& reason : recorded->verdict.reasons) {
      if (!reason.pass) broken.push_back(fmt::format("{}: {}", reason.rule, reason.text));
    }
  }
  return broken.empty() ? none : Join(broken, "; ");
}

automation::SideFacts SideOf(const serving::VariantCounts& counts) {
  return {.requests = counts.requests,
          .failed = counts.faults,  // what clients sent wrong says nothing of a model
          .rows = counts.rows};
}

// An alert that says that values are lost. Values that the model has not seen before are no such
// thing: they are what a new model is wanted for.
Result<std::string> BrokenInput(monitoring::Monitors& monitors, std::string_view project,
                                std::string_view endpoint) {
  GYRE_TRY(const auto alerts, monitors.Alerts({.projects = std::vector{std::string(project)},
                                               .endpoint = std::string(endpoint),
                                               .phase = "firing"}));
  const auto quality =
      std::ranges::find(alerts, monitoring::kDataQuality, &monitoring::Alert::signal);
  if (quality == alerts.end()) return std::string();
  GYRE_TRY(const Json monitored, monitors.Signals(project, endpoint));
  for (const Json& monitor : monitored.items()) {
    for (const Json& signal : monitor["signals"].items()) {
      if (signal["signal"].AsString() == monitoring::kDataQuality &&
          signal["broken_input"].AsBool())
        return quality->name();
    }
  }
  return std::string();
}

std::string AnsweredBy(const monitoring::Alert& alert, std::string_view canary_id) {
  if (alert.model_version_id == canary_id) return "of all that answer";
  return alert.model.empty() ? "of another model" : "of " + alert.model;
}

Result<> AlertsBeside(monitoring::Monitors& monitors, std::string_view project,
                      std::string_view endpoint, std::string_view model_version_id,
                      std::int64_t since_us, automation::CanaryFacts* facts) {
  GYRE_TRY(auto alerts, monitors.Alerts({.projects = std::vector{std::string(project)},
                                         .endpoint = std::string(endpoint),
                                         .phase = "firing"}));
  std::vector<SeenAlert> seen;
  for (monitoring::Alert& alert : alerts) {
    auto window = monitors.Window(project, alert.window_id);
    if (!window && window.error().code() != Code::kNotFound) return window.error();
    seen.push_back({std::move(alert), window ? *std::move(window) : monitoring::JudgedWindow()});
  }
  TellAlerts(seen, model_version_id, since_us, facts);
  return {};
}

Result<automation::Beside> BesideOf(monitoring::Monitors& monitors,
                                    const automation::Traffic::Question& question) {
  GYRE_TRY(const monitoring::Sides sides, monitors.Compare({.project = question.project,
                                                            .endpoint = question.endpoint,
                                                            .canary = question.model,
                                                            .parts_us = question.steps_us,
                                                            .cancelled = question.cancelled}));
  const auto side = [](const monitoring::SideSeen& seen) {
    return automation::Beside::Side{seen.rows, seen.labelled, seen.value};
  };
  return automation::Beside{.champion = side(sides.champion),
                            .canary = side(sides.canary),
                            .metric = sides.metric,
                            .worse = sides.worse,
                            .error = sides.error,
                            .method = sides.answers_method,
                            .p_value = sides.p_value,
                            .effect = sides.effect};
}

Result<> TakeBack(serving::Serving& serving, std::string_view project, std::string_view endpoint,
                  std::string_view model, std::string_view reason) {
  const auto there = serving.Get(project, endpoint);
  if (!there && there.error().code() == Code::kNotFound) return {};  // the endpoint is gone
  if (!there) return there.error();
  const serving::Deployment* const canary = serving::CanaryOf(*there);
  if (canary == nullptr || canary->model != model) return {};
  GYRE_TRY([[maybe_unused]] const auto now,
           serving.RemoveVariant(project, endpoint, serving::kCanary, std::string(reason),
                                 std::string(kBy)));
  return {};
}

// How the champion of an endpoint came there.
std::string HowOf(const serving::Deployment& champion) {
  if (champion.basis == "alias moved") return "promoted by its alias";
  return fmt::format("{} by {}", champion.basis == "deploy" ? "deployed" : "promoted",
                     champion.deployed_by.empty() ? "somebody" : champion.deployed_by);
}

// A canary that said no, or that another champion came before; one that was taken back because its
// run broke was not judged.
bool WasSentBack(const pipelines::RunView& run, const automation::Release& release) {
  return release.state == automation::kRolledBack &&
         (run.error == "GY4810" || run.error == "GY4813");
}

std::string VersionOf(const std::string& model) { return model.substr(model.find(':') + 1); }

// It answers, whatever the steps after the canary came to.
automation::Outcome ByHand(const pipelines::RunView& run, const automation::Release& release) {
  std::string text = fmt::format("{} {}", VersionOf(release.model), release.reason);
  if (run.state != "succeeded") text += fmt::format("; its run failed after that: {}", run.reason);
  return {std::string(kPromoted), std::move(text)};
}

// What fires, since when, and what a retraining could learn of it.
void TellOfIncidents(const LoopRooms& rooms, automation::Below* below) {
  below->labels = [rooms](std::string_view project, const automation::TriggerSpec& spec,
                          std::string_view endpoint, std::int64_t since_us) {
    return LabelsSince(rooms, project, spec, endpoint, since_us);
  };
  below->standing = [rooms] { return StandingAlerts(rooms.monitors); };
  below->newest_event = [rooms](std::string_view project, std::string_view endpoint) {
    return NewestEvent(rooms.log, project, endpoint);
  };
  below->obstacles = [rooms](std::string_view project, const automation::TriggerSpec& spec,
                             std::string_view endpoint) {
    return ObstaclesOf(rooms, project, spec, endpoint);
  };
}

}  // namespace

Result<automation::Outcome> OutcomeOf(const pipelines::RunView& run,
                                      const std::optional<automation::Release>& release,
                                      const WhyNot& why_not) {
  automation::Outcome outcome;
  if (run.ended_us == 0 || run.state == "cancelled") return outcome;
  if (release && WasSentBack(run, *release))
    return automation::Outcome{std::string(kRolledBack), "canary rolled back: " + release->reason};
  if (release && release->PromotedByHand()) return ByHand(run, *release);
  const Json& promoted = run.outputs["promoted"];
  const std::string model = run.outputs["model"].AsString();
  if (run.state != "succeeded" || !promoted.is_bool() || model.empty()) return outcome;
  if (promoted.AsBool()) {
    return automation::Outcome{std::string(kPromoted), "promoted " + VersionOf(model)};
  }
  GYRE_TRY(const std::string why, why_not(model));
  return automation::Outcome{std::string(kNotPromoted), "not promoted: " + why};
}

void TellAlerts(const std::vector<SeenAlert>& alerts, std::string_view canary_version_id,
                std::int64_t since_us, automation::CanaryFacts* facts) {
  for (const auto& [alert, window] : alerts) {
    if (alert.signal == monitoring::kService || alert.updated_us < since_us) continue;
    const std::string text = fmt::format("{}: {}", alert.name(), alert.what);
    if (!monitoring::IsOfVersionAlone(alert, window, canary_version_id))
      facts->told.push_back(fmt::format("{} ({}; it does not stop the canary)", text,
                                        AnsweredBy(alert, canary_version_id)));
    else if (facts->alert.empty())
      facts->alert = text;
  }
}

monitoring::KpiCost MakeCost(usage::Usage& usage) {
  return [&usage](std::string_view project, std::string_view what, std::int64_t from_us,
                  std::int64_t to_us) -> statistics::KpiValue {
    usage::ReportFilter filter;
    filter.projects = {{std::string(project)}};
    filter.from_us = from_us;
    filter.to_us = to_us;
    const auto all = usage.Sum(filter);
    if (!all) return {.unknown = all.error().message()};
    std::int64_t nanos = 0;
    for (const usage::Line& line : all->lines) {
      const bool serving = line.subject_kind == "endpoint";
      if (what == "total" || (what == "serving") == serving) nanos += line.cost_nanos;
    }
    if (all->cost_nanos == 0 && !(all->total == usage::Quantities{}))
      return {.unknown = "what was used has no price: gyre cost prices"};
    return {.number = static_cast<double>(nanos) / 1e9};
  };
}

automation::Below MakeBelow(const LoopRooms& rooms) {
  automation::Below below;
  below.settle = [rooms] {
    return rooms.releases.Settle([&](std::string_view id) -> Result<automation::Releases::RunEnd> {
      GYRE_TRY(const pipelines::RunView run, rooms.pipelines.Get(id));
      return automation::Releases::RunEnd{StateOf(run).state, run.reason};
    });
  };
  below.check = [rooms](std::string_view project, const automation::TriggerSpec& spec) {
    return CheckedPipeline(rooms.pipelines, project, spec);
  };
  below.takes = [rooms](auto project, auto pipeline, auto param) {
    return Takes(rooms.pipelines, project, pipeline, param);
  };
  below.cancel = [rooms](std::string_view run, std::string_view reason) {
    return rooms.pipelines.Cancel(run, reason);
  };
  below.names = [rooms](std::string_view project, std::string_view kind) {
    return NamesOf(rooms, project, kind);
  };
  below.beside = [rooms](std::string_view project, const automation::TriggerSpec& spec) {
    return RunBeside(rooms.pipelines, project, spec);
  };
  below.cost = [rooms](std::string_view project, std::string_view pipeline) {
    return CostOf(rooms.pipelines, project, pipeline);
  };
  below.start = [rooms](const automation::Below::Start& start) -> Result<std::string> {
    const Json& by = start.triggered_by;
    Json params = start.params;
    GYRE_TRY(const auto learns,
             ParamsOfLearner(rooms.pipelines, start.project, start.pipeline, params));
    if (start.since_us > 0 && learns && learns->find("since")->second.AsString().empty())
      params.Set("since", FormatTime(start.since_us));
    GYRE_TRY(
        const pipelines::RunView run,
        rooms.pipelines.Run({.project = start.project,
                             .pipeline = start.pipeline,
                             .params = std::move(params),
                             .triggered_by = fmt::format("trigger {}: {}", by["trigger"].AsString(),
                                                         by["text"].AsString()),
                             .key = start.key,
                             .created_by = std::string(kBy)}));
    return run.id;
  };
  below.run_state = [rooms](std::string_view id) -> Result<automation::Below::RunState> {
    GYRE_TRY(const pipelines::RunView run, rooms.pipelines.Get(id));
    automation::Below::RunState state = StateOf(run);
    GYRE_TRY(const auto release, rooms.releases.OfRun(run.id));
    GYRE_TRY(state.outcome, OutcomeOf(run, release, [&](const std::string& model) {
               return BrokenRules(rooms.registry, run.project, model);
             }));
    return state;
  };
  below.quality_alert = [rooms](std::string_view project, std::string_view endpoint) {
    return BrokenInput(rooms.monitors, project, endpoint);
  };
  TellOfIncidents(rooms, &below);
  TellPeople(rooms.notices, &below);
  return below;
}

automation::Traffic MakeTraffic(serving::Serving& serving, monitoring::Monitors& monitors) {
  automation::Traffic traffic;
  traffic.give = [&](std::string_view project, std::string_view endpoint, std::string_view model,
                     double share, std::string_view reason) -> Result<> {
    GYRE_TRY([[maybe_unused]] const auto now,
             serving.SetVariant({.project = std::string(project),
                                 .endpoint = std::string(endpoint),
                                 .variant = std::string(serving::kCanary),
                                 .reference = std::string(model),
                                 .share = share,
                                 .reason = std::string(reason),
                                 .by = std::string(kBy)}));
    return {};
  };
  traffic.take_back = [&](std::string_view project, std::string_view endpoint,
                          std::string_view model, std::string_view reason) {
    return TakeBack(serving, project, endpoint, model, reason);
  };
  traffic.counts = [&](std::string_view project,
                       std::string_view endpoint) -> Result<automation::Traffic::Counts> {
    GYRE_TRY(const auto variants, serving.Variants(project, endpoint));
    automation::Traffic::Counts counts;
    for (const serving::VariantCounts& variant : variants) {
      if (variant.variant == serving::kChampion) {
        counts.champion = SideOf(variant);
        counts.champion_latency_us = variant.latency_us;
        counts.champion_deployment = variant.deployment_id;
      } else if (variant.variant == serving::kCanary) {
        counts.canary = SideOf(variant);
        counts.canary_latency_us = variant.latency_us;
        counts.canary_deployment = variant.deployment_id;
      }
    }
    // What should answer, whether it is loaded yet or not.
    GYRE_TRY(const serving::Endpoint now, serving.Get(project, endpoint));
    counts.champion_model = now.deployment.model;
    counts.champion_how = HowOf(now.deployment);
    for (const serving::Variant& variant : now.variants) {
      if (variant.name != serving::kCanary) continue;
      counts.canary_model = variant.deployment.model;
      counts.canary_share = variant.share;
    }
    return counts;
  };
  traffic.compare = [&](const automation::Traffic::Question& question) {
    return BesideOf(monitors, question);
  };
  traffic.judge = [&](std::string_view project, std::string_view endpoint, std::string_view model,
                      std::int64_t since_us, automation::CanaryFacts* facts) -> Result<> {
    GYRE_TRY(const serving::Endpoint now, serving.Get(project, endpoint));
    const serving::Deployment* const canary = serving::CanaryOf(now);
    if (canary == nullptr || canary->model != model) return {};  // taken back meanwhile
    return AlertsBeside(monitors, project, endpoint, canary->model_version_id, since_us, facts);
  };
  return traffic;
}

}  // namespace gyre
