#include "ml/monitoring/kpi_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/limits.h"
#include "base/text.h"
#include "ml/evaluation/evaluations.h"
#include "ml/inference_log/inference_log.h"
#include "ml/monitoring/kpi_store.h"
#include "ml/monitoring/signals.h"
#include "ml/projects/projects.h"
#include "ml/registry/registry.h"
#include "ml/serving/serving.h"
#include "platform/telemetry/log.h"

namespace gyre::monitoring {
namespace {

using statistics::KpiFamily;
using statistics::KpiName;
using statistics::KpiValue;

constexpr telemetry::Logger kLog{"monitoring"};
constexpr std::int64_t kTrendMicros = std::int64_t{7} * 86'400 * kMicrosPerSecond;
constexpr std::int64_t kReadAgainMicros = 60 * kMicrosPerSecond;
constexpr int kListed = 1000;
constexpr std::string_view kMet = "met", kMissed = "missed", kUnknown = "unknown";

KpiValue Unknown(std::string why) { return {.unknown = std::move(why)}; }

std::string Names(const std::vector<std::string>& names) { return Join(names, ", "); }

}  // namespace

void KpiWatch::Start(std::int64_t every_us) {
  worker_ = exec::Worker("kpis", [this, every_us](const exec::StopFlag& stop) {
    while (!stop.WaitMicros(every_us)) {
      if (const auto ticked = Tick(); !ticked) kLog.Failed("KPIs not measured", ticked.error());
    }
  });
}

void KpiWatch::Stop() { worker_ = exec::Worker(); }

Result<> KpiWatch::Tick() {
  for (std::string after;;) {
    GYRE_TRY(const auto page, rooms_.projects.List(after, kListed));
    for (const projects::Project& project : page)
      if (project.problem && !project.problem->kpis.empty()) GYRE_DO(Measure(project.name));
    if (page.size() < static_cast<std::size_t>(kListed)) break;
    after = page.back().name;
  }
  const std::int64_t before_us = rooms_.clock.NowMicros() - keep_us_;
  return rooms_.database.Write([&](db::Transaction& tx) { return ForgetReadings(tx, before_us); });
}

// --- values --------------------------------------------------------------------------------------
KpiValue KpiWatch::ValueOf(const Asked& asked, const statistics::Kpi& kpi) {
  if (kpi.metric != nullptr)
    return MetricOf(asked, {.member = std::string(kpi.metric->name), .text = kpi.name});
  if (kpi.expression == nullptr)
    return Unknown("a fact that somebody reports; gyre does not measure it");
  return kpi.expression->Evaluate([&](const KpiName& name)
                                      GYRE_REQUIRES(measuring_) { return Read(asked, name); });
}

KpiValue KpiWatch::Read(const Asked& asked, const KpiName& name) {
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
KpiValue KpiWatch::MetricOf(const Asked& asked, const KpiName& name) {
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
Result<std::vector<std::string>> KpiWatch::Endpoints(const Asked& asked, const KpiName& name,
                                                     bool one) {
  const std::string& target = asked.project.problem->target;
  GYRE_TRY(const auto endpoints, rooms_.serving.List(asked.project.name, kListed, ""));
  std::vector<std::string> all, fitting;
  for (const serving::Endpoint& endpoint : endpoints) {
    if (!name.place.empty() && endpoint.name != name.place) continue;
    all.push_back(endpoint.name);
    const auto version = rooms_.registry.GetVersion(endpoint.deployment.model_version_id);
    if (version && version->target == target) fitting.push_back(endpoint.name);
  }
  if (all.empty())
    return NotFound("GY4514", "{}",
                    name.place.empty() ? std::string("there is no endpoint")
                                       : fmt::format("there is no endpoint {}", name.place));
  if (!one || all.size() == 1) return all;
  if (fitting.size() == 1) return fitting;
  return FailedPrecondition("GY4514", "there are several endpoints ({}): write live.{}@{}",
                            Names(all), name.member, all.front());
}

// Read again when the log holds something else, or the window has moved on.
Result<Json> KpiWatch::FactsOf(const Asked& asked, const std::string& endpoint,
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

KpiValue KpiWatch::LiveOf(const Asked& asked, const KpiName& name) {
  const auto endpoints = Endpoints(asked, name, true);
  if (!endpoints) return Unknown(endpoints.error().message());
  const auto facts = FactsOf(asked, endpoints->front(), name.window_us);
  if (!facts) return Unknown(facts.error().message());
  const std::int64_t labelled = (*facts)["labelled"].AsInt();
  if (labelled < kRowsMin)
    return Unknown(fmt::format("{}: {} labelled answers, {} are needed", name.text,
                               GroupDigits(labelled), kRowsMin));
  const Json& value = (*facts)["metrics"][name.member];
  if (!value.is_number() || !std::isfinite(value.AsDouble()))
    return Unknown(
        fmt::format("{} is not defined on what {} answered", name.member, endpoints->front()));
  return {.number = value.AsDouble()};
}

KpiValue KpiWatch::CountOf(const Asked& asked, const KpiName& name) {
  const auto endpoints = Endpoints(asked, name, false);
  if (!endpoints) return Unknown(endpoints.error().message());
  double sum = 0;
  for (const std::string& endpoint : *endpoints) {
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

// --- keeping -------------------------------------------------------------------------------------
Result<std::vector<KpiState>> KpiWatch::List(std::string_view project) {
  GYRE_TRY(const projects::Project found, rooms_.projects.Get(project));
  const std::int64_t from_us = rooms_.clock.NowMicros() - kTrendMicros;
  std::vector<KpiState> stored, states;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(stored, ReadKpis(reader, project, from_us));
    return {};
  }));
  if (!found.problem) return states;
  for (const statistics::Kpi& kpi : found.problem->kpis) {
    const std::string text = kpi.ToString();
    const auto known = std::ranges::find(stored, text, [](const KpiState& s) { return s.now.kpi; });
    states.push_back(known != stored.end() ? *known
                                           : KpiState{.now = {.kpi = text,
                                                              .state = std::string(kUnknown),
                                                              .reason = "not measured yet"}});
  }
  return states;
}

Result<std::vector<KpiState>> KpiWatch::Measure(std::string_view project) {
  const MutexLock lock(measuring_);
  GYRE_TRY(std::vector<KpiState> states, List(project));
  GYRE_TRY(const projects::Project found, rooms_.projects.Get(project));
  const Asked asked{found, rooms_.clock.NowMicros()};
  for (std::size_t i = 0; found.problem && i < found.problem->kpis.size() && i < states.size();
       ++i) {
    const statistics::Kpi& kpi = found.problem->kpis[i];
    const KpiValue value = ValueOf(asked, kpi);
    KpiState& state = states[i];
    const std::string_view is = !value.number                                         ? kUnknown
                                : statistics::Holds(*value.number, kpi.op, kpi.value) ? kMet
                                                                                      : kMissed;
    if (state.now.state != is || state.since_us == 0) state.since_us = asked.now_us;
    state.now = {.kpi = kpi.ToString(),
                 .state = std::string(is),
                 .value = value.number,
                 .reason = value.unknown,
                 .at_us = asked.now_us};
  }
  GYRE_DO(Store(asked, &states));
  SetGauges(found.name, states);
  return states;
}

// The endpoint that a KPI is about, for triggers that listen to it; empty where it is about none
// or several.
Result<std::string> KpiWatch::EndpointOf(const Asked& asked, const statistics::Kpi& kpi) {
  if (kpi.expression == nullptr) return std::string();
  std::set<std::string> about;
  for (const KpiName& name : kpi.expression->names()) {
    if (name.family == KpiFamily::kMetric || name.family == KpiFamily::kCost) continue;
    const auto endpoints = Endpoints(asked, name, name.family == KpiFamily::kLive);
    if (endpoints) about.insert(endpoints->begin(), endpoints->end());
  }
  return about.size() == 1 ? *about.begin() : std::string();
}

Result<> KpiWatch::Store(const Asked& asked, std::vector<KpiState>* states) {
  const std::string& project = asked.project.name;
  std::vector<KpiState> before;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(before, ReadKpis(reader, project, INT64_MAX));
    return {};
  }));
  struct News {
    std::string kind, payload;
    std::move_only_function<Result<>(db::Transaction&)> tell;
  };
  std::vector<News> news;
  std::vector<const KpiReading*> readings;
  const auto& kpis = asked.project.problem->kpis;
  for (std::size_t i = 0; i < states->size(); ++i) {
    KpiState& state = (*states)[i];
    const auto old =
        std::ranges::find(before, state.now.kpi, [](const KpiState& s) { return s.now.kpi; });
    if (old == before.end() || old->now.state != state.now.state ||
        old->now.value != state.now.value || old->now.reason != state.now.reason)
      readings.push_back(&state.now);
    if (state.now.state == kUnknown || state.now.state == state.told) continue;
    const bool breached = state.now.state == kMissed;
    const bool worth = breached || state.told == kMissed;  // met from the first is no news
    state.told = state.now.state;
    if (!worth) continue;
    GYRE_TRY(const std::string endpoint, EndpointOf(asked, kpis[i]));
    const Json payload = Json::Obj({{"kpi", state.now.kpi},
                                    {"value", *state.now.value},
                                    {"endpoint", endpoint},
                                    {"state", state.now.state}});
    const std::string kind = breached ? "kpi.breached" : "kpi.met";
    News& one = news.emplace_back(kind, payload.Dump());
    if (rooms_.notify)
      one.tell = rooms_.notify(
          {.project = project,
           .kind = kind,
           .title = fmt::format("{}: {}", breached ? "goal missed" : "goal met", state.now.kpi),
           .text = fmt::format("It is {:.4g} now. gyre kpi show {}", *state.now.value, i + 1),
           .dedupe_key = fmt::format("kpi {} {} {}", state.now.kpi, kind, state.since_us),
           .urgent = breached,
           .payload = payload});
  }
  return rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    for (const KpiState& old : before) {
      const auto same = [&](const KpiState& state) { return state.now.kpi == old.now.kpi; };
      if (std::ranges::none_of(*states, same)) GYRE_DO(DeleteKpi(tx, project, old.now.kpi));
    }
    for (const KpiState& state : *states) GYRE_DO(WriteKpi(tx, project, state));
    for (const KpiReading* reading : readings) GYRE_DO(AddReading(tx, project, *reading));
    for (News& one : news) {
      GYRE_DO(rooms_.events.Publish(
          tx, {.kind = one.kind, .project = project, .subject = project, .payload = one.payload}));
      if (one.tell) GYRE_DO(one.tell(tx));
    }
    return {};
  });
}

Result<KpiState> KpiWatch::Find(std::string_view project, std::string_view text) {
  GYRE_TRY(const std::vector<KpiState> states, List(project));
  const auto place = ParseInt(text);
  if (place && *place >= 1 && *place <= std::ssize(states))
    return states[static_cast<std::size_t>(*place - 1)];
  std::vector<const KpiState*> found;
  for (const KpiState& state : states) {
    if (state.now.kpi == text) return state;
    if (state.now.kpi.find(text) != std::string::npos) found.push_back(&state);
  }
  if (found.size() == 1) return *found.front();
  return NotFound("GY4514", "{} of project {} {} `{}`",
                  found.empty() ? "no KPI" : "more than one KPI", project,
                  found.empty() ? "is" : "has", text)
      .Fix("gyre kpi    (lists them; `gyre kpi show 1` is the first)");
}

Result<std::vector<KpiReading>> KpiWatch::History(std::string_view project, std::string_view kpi,
                                                  int limit) {
  std::vector<KpiReading> readings;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(readings, ReadReadings(reader, project, kpi, limit));
    return {};
  }));
  return readings;
}

// A family of metrics holds 2,000 series; a problem has at most 100 KPIs.
void KpiWatch::SetGauges(std::string_view project, const std::vector<KpiState>& states) {
  for (const KpiState& state : states) {
    const telemetry::Labels labels = {{"kpi", state.now.kpi}, {"project", std::string(project)}};
    const double none = std::numeric_limits<double>::quiet_NaN();
    rooms_.metrics
        .GetGauge("gyre_kpi_value", "What a KPI is now; NaN where that is not known", labels)
        .Set(state.now.value.value_or(none));
    rooms_.metrics
        .GetGauge("gyre_kpi_met", "Whether a KPI is met: 1, 0, or NaN where that is not known",
                  labels)
        .Set(state.now.state == kUnknown ? none
             : state.now.state == kMet   ? 1
                                         : 0);
  }
}

Json KpiReadingToJson(const KpiReading& reading) {
  return Json::Obj({{"state", reading.state},
                    {"value", reading.value ? Json(*reading.value) : Json()},
                    {"reason", reading.reason},
                    {"at", reading.at_us == 0 ? Json() : Json(FormatTime(reading.at_us))}});
}

Json KpiStateToJson(const KpiState& state) {
  Json trend;
  if (state.before && state.now.value && state.before_us < state.now.at_us)
    trend = Json::Obj(
        {{"change", *state.now.value - *state.before}, {"since", FormatTime(state.before_us)}});
  return Json::Obj({{"kpi", state.now.kpi}})
      .Set("state", state.now.state)
      .Set("value", state.now.value ? Json(*state.now.value) : Json())
      .Set("reason", state.now.reason)
      .Set("since", state.since_us == 0 ? Json() : Json(FormatTime(state.since_us)))
      .Set("at", state.now.at_us == 0 ? Json() : Json(FormatTime(state.now.at_us)))
      .Set("trend", std::move(trend));
}

}  // namespace gyre::monitoring
