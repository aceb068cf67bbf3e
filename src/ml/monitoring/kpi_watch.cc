#include "ml/monitoring/kpi_watch.h"

#include <algorithm>
#include <limits>

#include "base/limits.h"
#include "base/text.h"
#include "ledger/events/events.h"
#include "ml/monitoring/kpi_store.h"
#include "ml/projects/projects.h"
#include "platform/telemetry/log.h"
#include "platform/telemetry/metrics.h"

namespace gyre::monitoring {
namespace {

constexpr telemetry::Logger kLog{"monitoring"};
constexpr std::int64_t kTrendMicros = std::int64_t{7} * 86'400 * kMicrosPerSecond;
constexpr int kListed = 1000;
constexpr std::string_view kMet = "met", kMissed = "missed", kUnknown = "unknown";

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
  const std::int64_t now_us = rooms_.clock.NowMicros();
  const auto read = [&](const statistics::KpiName& name) {
    return values_->Read(found, name, now_us);
  };
  for (std::size_t i = 0; found.problem && i < found.problem->kpis.size() && i < states.size();
       ++i) {
    const statistics::Kpi& kpi = found.problem->kpis[i];
    const statistics::KpiValue value = statistics::Measure(kpi, read);
    KpiState& state = states[i];
    const std::string_view is = statistics::KpiVerdictName(statistics::Judge(kpi, value));
    if (state.now.state != is || state.since_us == 0) state.since_us = now_us;
    state.now = {.kpi = kpi.ToString(),
                 .state = std::string(is),
                 .value = value.number,
                 .reason = value.unknown,
                 .at_us = now_us};
  }
  GYRE_DO(Store(found, &states));
  SetGauges(found.name, states);
  return states;
}

Result<> KpiWatch::Store(const projects::Project& asked, std::vector<KpiState>* states) {
  const std::string& project = asked.name;
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
  const auto& kpis = asked.problem->kpis;
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
    const std::string endpoint = values_->EndpointOf(asked, kpis[i]);
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
  if (const auto place = ParseInt(text)) {
    if (*place >= 1 && *place <= std::ssize(states))
      return states[static_cast<std::size_t>(*place - 1)];
    return NotFound("GY4514", "project {} has {} KPI{}, so none is number {}", project,
                    states.size(), states.size() == 1 ? "" : "s", *place)
        .Fix("gyre kpi    (lists them; `gyre kpi show 1` is the first)");
  }
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
