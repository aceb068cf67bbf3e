#include "ml/monitoring/kpi_values.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ml/evaluation/evaluations.h"
#include "ml/inference_log/inference_log.h"
#include "ml/monitoring/signals.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/serving/serving.h"

namespace gyre::monitoring {
namespace {

using statistics::KpiFamily;
using statistics::KpiName;
using statistics::KpiValue;

constexpr std::int64_t kReadAgainMicros = 60 * kMicrosPerSecond;
constexpr int kListed = 1000;

KpiValue Unknown(std::string why) { return {.unknown = std::move(why)}; }

std::string Names(const std::vector<std::string>& names) { return Join(names, ", "); }

class KpiValuesOfRooms final : public KpiValues {
 public:
  KpiValuesOfRooms(MonitoringRooms rooms, KpiCost cost)
      : rooms_(std::move(rooms)), cost_(std::move(cost)) {}
  KpiValue Read(const projects::Project& project, const KpiName& name,
                std::int64_t now_us) override;
  std::string EndpointOf(const projects::Project& project, const statistics::Kpi& kpi) override;

 private:
  using FactsKey = std::tuple<std::string, std::string, std::int64_t>;  // project, endpoint, window
  struct Facts {
    std::string seen;  // of the log when they were read
    std::int64_t at_us = 0;
    Json json;
  };
  struct Asked {
    const projects::Project& project;
    std::int64_t now_us;
  };
  struct Place {
    std::vector<std::string> endpoints = {};
    std::string unknown = {};  // why there is none
  };
  KpiValue MetricOf(const Asked& asked, const KpiName& name);
  KpiValue LiveOf(const Asked& asked, const KpiName& name);
  KpiValue CountOf(const Asked& asked, const KpiName& name);
  Place Endpoints(const Asked& asked, const KpiName& name, bool one);
  Result<Json> FactsOf(const Asked& asked, const std::string& endpoint, std::int64_t window_us);

  const MonitoringRooms rooms_;
  const KpiCost cost_;
  std::map<FactsKey, Facts> facts_;
};

KpiValue KpiValuesOfRooms::Read(const projects::Project& project, const KpiName& name,
                                std::int64_t now_us) {
  const Asked asked{project, now_us};
  switch (name.family) {
    case KpiFamily::kMetric:
      return MetricOf(asked, name);
    case KpiFamily::kLive:
      return LiveOf(asked, name);
    case KpiFamily::kCost:
      return cost_(asked.project.name, name.member, asked.now_us - name.window_us, asked.now_us);
    default:
      return CountOf(asked, name);
  }
}

// Of the champion, by its evaluation: of the model that is named, or the only one for the target.
KpiValue KpiValuesOfRooms::MetricOf(const Asked& asked, const KpiName& name) {
  const std::string& target = asked.project.problem->target;
  const auto models =
      rooms_.registry.ListModels(asked.project.name, {.limit = kListed, .after = {}});
  if (!models) return Unknown(models.error().message());
  std::vector<registry::ModelVersion> champions;
  std::vector<std::string> names;
  for (const registry::Model& model : *models) {
    if (!name.place.empty() && model.name != name.place) continue;
    const auto champion = rooms_.registry.FindAlias(asked.project.name, model.name, "champion");
    if (!champion || !*champion) continue;
    if (name.place.empty() && !target.empty() && (*champion)->target != target) continue;
    champions.push_back(**champion);
    names.push_back(model.name);
  }
  if (champions.empty())
    return Unknown(name.place.empty() ? "no model has a champion yet"
                                      : fmt::format("{} has no champion", name.place));
  if (champions.size() > 1)
    return Unknown(fmt::format("several models have a champion ({}): write {}@{}", Names(names),
                               name.member, names.front()));
  Json value = champions.front().metrics[name.member];
  if (const auto found = rooms_.evaluations.Get(champions.front().evaluation_id);
      found && found->metrics[name.member]["estimate"].is_number())
    value = found->metrics[name.member]["estimate"];
  if (!value.is_number())
    return Unknown(fmt::format("{} was not evaluated by {}", names.front(), name.member));
  return {.number = value.AsDouble()};
}

// `one`: the name is of one endpoint; else of all.
KpiValuesOfRooms::Place KpiValuesOfRooms::Endpoints(const Asked& asked, const KpiName& name,
                                                    bool one) {
  const std::string& target = asked.project.problem->target;
  const auto endpoints = rooms_.serving.List(asked.project.name, kListed, "");
  if (!endpoints) return {.unknown = endpoints.error().message()};
  std::vector<std::string> all, fitting;
  for (const serving::Endpoint& endpoint : *endpoints) {
    if (!name.place.empty() && endpoint.name != name.place) continue;
    all.push_back(endpoint.name);
    const auto version = rooms_.registry.GetVersion(endpoint.deployment.model_version_id);
    if (version && version->target == target) fitting.push_back(endpoint.name);
  }
  if (all.empty())
    return {.unknown = name.place.empty() ? std::string("there is no endpoint")
                                          : fmt::format("there is no endpoint {}", name.place)};
  if (!one || all.size() == 1) return {.endpoints = std::move(all)};
  if (fitting.size() == 1) return {.endpoints = std::move(fitting)};
  return {.unknown = fmt::format("there are several endpoints ({}): write live.{}@{}", Names(all),
                                 name.member, all.front())};
}

// Read again when the log holds something else, or the window has moved on.
Result<Json> KpiValuesOfRooms::FactsOf(const Asked& asked, const std::string& endpoint,
                                       std::int64_t window_us) {
  const std::string& project = asked.project.name;
  const std::int64_t from_us = asked.now_us - window_us;
  GYRE_DO(rooms_.log.Flush());
  GYRE_TRY(const inference_log::WindowFacts log,
           rooms_.log.Window(project, endpoint, from_us, INT64_MAX));
  const std::string seen = fmt::format("{} {} {} {} {}", log.segments, log.rows, log.label_batches,
                                       log.labels, log.received_max_us);
  Facts& known = facts_[{project, endpoint, window_us}];
  const std::int64_t keep_us = std::max(kReadAgainMicros, window_us / 100);
  if (known.seen == seen && asked.now_us - known.at_us < keep_us) return known.json;
  GYRE_TRY(const inference_log::ReadPlan plan,
           rooms_.log.Plan(project, endpoint, from_us, INT64_MAX));
  GYRE_TRY(Json json,
           rooms_.jobs.RunTaskNow(
               "monitoring.kpi",
               Json::Obj({{"log", inference_log::ReadRequestToJson(plan.request)}}), {}));
  known = {seen, asked.now_us, std::move(json)};
  return known.json;
}

KpiValue KpiValuesOfRooms::LiveOf(const Asked& asked, const KpiName& name) {
  const Place place = Endpoints(asked, name, true);
  if (place.endpoints.empty()) return Unknown(place.unknown);
  const std::string& endpoint = place.endpoints.front();
  const auto facts = FactsOf(asked, endpoint, name.window_us);
  if (!facts) return Unknown(facts.error().message());
  const std::int64_t labelled = (*facts)["labelled"].AsInt();
  if (labelled < kRowsMin)
    return Unknown(fmt::format("{}: {} labelled answers, {} are needed", name.text,
                               GroupDigits(labelled), kRowsMin));
  const Json& value = (*facts)["metrics"][name.member];
  if (!value.is_number() || !std::isfinite(value.AsDouble()))
    return Unknown(fmt::format("{} is not defined on what {} answered", name.member, endpoint));
  return {.number = value.AsDouble()};
}

KpiValue KpiValuesOfRooms::CountOf(const Asked& asked, const KpiName& name) {
  const Place place = Endpoints(asked, name, false);
  if (place.endpoints.empty()) return Unknown(place.unknown);
  double sum = 0;
  for (const std::string& endpoint : place.endpoints) {
    const auto facts = FactsOf(asked, endpoint, name.window_us);
    if (!facts) return Unknown(facts.error().message());
    const Json& count = name.family == KpiFamily::kPredictions ? (*facts)["rows"]
                                                               : (*facts)["feedback"][name.member];
    if (count.is_number()) {
      sum += count.AsDouble();
    } else if ((*facts)["rows"].AsInt() > 0) {
      return Unknown(fmt::format("{} counts answers of two classes, and {} gives others", name.text,
                                 endpoint));
    }
  }
  return {.number = sum};
}

std::string KpiValuesOfRooms::EndpointOf(const projects::Project& project,
                                         const statistics::Kpi& kpi) {
  if (kpi.expression == nullptr) return {};
  const Asked asked{project, rooms_.clock.NowMicros()};
  std::set<std::string> about;
  for (const KpiName& name : kpi.expression->names()) {
    if (name.family == KpiFamily::kMetric || name.family == KpiFamily::kCost) continue;
    const Place place = Endpoints(asked, name, name.family == KpiFamily::kLive);
    about.insert(place.endpoints.begin(), place.endpoints.end());
  }
  return about.size() == 1 ? *about.begin() : std::string();
}

}  // namespace

std::unique_ptr<KpiValues> OpenKpiValues(MonitoringRooms rooms, KpiCost cost) {
  return std::make_unique<KpiValuesOfRooms>(std::move(rooms), std::move(cost));
}

}  // namespace gyre::monitoring
