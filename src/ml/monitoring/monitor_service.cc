#include "ml/monitoring/monitor_service.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "ml/registry/registry.h"
#include "platform/telemetry/log.h"

namespace gyre::monitoring {
namespace {

constexpr telemetry::Logger kLog{"monitoring"};
constexpr std::int64_t kSnoozeSecondsMax = 366 * 86'400;

}  // namespace

void MonitorService::Start(std::int64_t every_us) {
  worker_ = exec::Worker("monitors", [this, every_us](const exec::StopFlag& stop) {
    while (!stop.WaitMicros(every_us)) {
      if (const auto ticked = Tick(); !ticked)
        kLog.Failed("monitors not looked at", ticked.error());
    }
  });
}

void MonitorService::Stop() {
  stopping_ = true;
  worker_ = exec::Worker();
}

Result<std::vector<MonitorRow>> MonitorService::Rows(std::string_view project) {
  std::vector<MonitorRow> rows;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(rows, ReadMonitors(reader, project));
    return {};
  }));
  return rows;
}

// What an endpoint of the same name answered before this one was there is none of its windows.
Result<std::int64_t> MonitorService::FirstCursor(const serving::Endpoint& endpoint) {
  GYRE_TRY(const inference_log::WindowFacts facts,
           rooms_.log.Window(endpoint.project, endpoint.name, 0, INT64_MAX));
  return facts.received_max_us < endpoint.created_us ? facts.event_max_us + 1 : 0;
}

// Those whose endpoint lies in the trash are laid to it, and come back with it.
Result<> MonitorService::FollowIntoTrash(const std::vector<Monitor>& gone) {
  for (const Monitor& monitor : gone) {
    GYRE_TRY(Effect end,
             EndFiring(monitor, fmt::format("endpoint {} was removed", monitor.endpoint)));
    bool laid = false;
    GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
      GYRE_TRY(auto parcel,
               trash::Parcel::Reopen(tx, "endpoint", monitor.project, monitor.endpoint));
      laid = parcel.has_value();
      if (!laid) return {};
      GYRE_DO(end(tx));
      return TakeMonitor(*parcel, monitor.id);
    }));
    // Gone from the trash as well, unless it has just come back out of it.
    const bool back = !laid && rooms_.serving.Get(monitor.project, monitor.endpoint).has_value();
    if (!laid && !back)
      GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
        GYRE_DO(end(tx));
        return DeleteMonitor(tx, monitor.id);
      }));
    if (!back) ClearGauges(monitor);
  }
  return {};
}

// Each endpoint has a monitor; one whose endpoint is gone goes too.
Result<> MonitorService::EnsureDefaults(std::string_view project) {
  const MutexLock lock(writing_);
  std::vector<serving::Endpoint> endpoints;
  for (std::string after;;) {
    GYRE_TRY(const auto page, rooms_.serving.List(project, static_cast<int>(kPageSizeMax), after));
    endpoints.insert(endpoints.end(), page.begin(), page.end());
    if (page.size() < static_cast<std::size_t>(kPageSizeMax)) break;
    after = page.back().name;
  }
  GYRE_TRY(const std::vector<MonitorRow> rows, Rows(project));
  using Name = std::pair<std::string, std::string>;
  std::map<Name, std::int64_t> served;  // since when
  for (const serving::Endpoint& endpoint : endpoints)
    served[{endpoint.project, endpoint.name}] = endpoint.created_us;
  std::set<Name> watched;
  std::vector<Monitor> gone;
  for (const MonitorRow& row : rows) {
    const Monitor& monitor = row.monitor;
    const auto found = served.find({monitor.project, monitor.endpoint});
    // A younger endpoint of the same name is another one.
    if (found != served.end() && found->second <= monitor.created_us) {
      watched.emplace(monitor.project, monitor.endpoint);
      watched.emplace(monitor.project, monitor.name);
      continue;
    }
    gone.push_back(monitor);
  }
  GYRE_DO(FollowIntoTrash(gone));
  std::vector<MonitorRow> fresh;
  for (const serving::Endpoint& endpoint : endpoints) {
    if (watched.contains({endpoint.project, endpoint.name})) continue;
    MonitorRow row;
    row.monitor.id = NewId();
    row.monitor.project = endpoint.project;
    row.monitor.name = row.monitor.endpoint = endpoint.name;
    row.monitor.created_by = endpoint.created_by;
    // Not before its endpoint, whatever the clock says.
    row.monitor.created_us = row.monitor.updated_us =
        std::max(rooms_.clock.NowMicros(), endpoint.created_us);
    GYRE_TRY(row.cursor_us, FirstCursor(endpoint));
    fresh.push_back(std::move(row));
  }
  if (fresh.empty()) return {};
  const std::string spec = MonitorSpecToJson({}).Dump();
  return rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    for (const MonitorRow& row : fresh) GYRE_DO(InsertMonitor(tx, row, spec));
    return {};
  });
}

Result<MonitorRow> MonitorService::Find(std::string_view project, std::string_view name) {
  GYRE_DO(EnsureDefaults(project));
  return Known(project, name);
}

Result<MonitorRow> MonitorService::Known(std::string_view project, std::string_view name) {
  GYRE_TRY(const std::vector<MonitorRow> rows, Rows(project));
  std::vector<std::string> names;
  for (const MonitorRow& row : rows) {
    if (row.removed) continue;
    if (row.monitor.name == name) return row;
    names.push_back(row.monitor.name);
  }
  Error error = NotFound("GY4508", "there is no monitor `{}`", name.substr(0, 64));
  if (const auto close = ClosestMatch(name, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("gyre monitors ls");
}

// A method of a column that nobody has would judge nothing, and nobody would hear of it.
Result<> MonitorService::CheckColumns(const serving::Endpoint& endpoint, const DriftRules& rules) {
  if (rules.columns.empty()) return {};
  GYRE_TRY(const registry::ModelVersion version,
           rooms_.registry.GetVersion(endpoint.deployment.model_version_id));
  std::vector<std::string> names = {"prediction"};
  for (const Json& input : version.signature["inputs"].items())
    names.push_back(input["name"].AsString());
  for (const auto& [column, options] : rules.columns) {
    if (std::ranges::find(names, column) != names.end() || column.starts_with("probability of "))
      continue;
    Error error = InvalidArgument("GY4513", "{} reads no column `{}`", version.name(), column);
    if (const auto close = ClosestMatch(column, names))
      return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
    return std::move(error).Fix("one of " + Join(names, ", "));
  }
  return {};
}

Result<Monitor> MonitorService::Create(NewMonitor asked) {
  GYRE_DO(CheckName("monitor", asked.name));
  GYRE_TRY(const serving::Endpoint endpoint, rooms_.serving.Get(asked.project, asked.endpoint));
  GYRE_TRY(MonitorSpec spec, ChangedSpec({}, asked.spec));
  GYRE_DO(CheckColumns(endpoint, spec.drift));
  GYRE_TRY(const std::int64_t cursor_us, FirstCursor(endpoint));
  GYRE_DO(EnsureDefaults(asked.project));
  const MutexLock lock(writing_);
  MonitorRow row;
  bool known = false;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(known, FindMonitor(reader, asked.project, asked.name, &row));
    return {};
  }));
  if (known && !row.removed)
    return MakeError(Code::kAlreadyExists, "GY4507", "there is a monitor `{}` already", asked.name)
        .Fix(fmt::format("gyre monitors edit {}", asked.name));
  Monitor& monitor = row.monitor;
  if (!known) {
    monitor.id = NewId();
    monitor.project = asked.project;
    monitor.name = asked.name;
    monitor.created_us = std::max(rooms_.clock.NowMicros(), endpoint.created_us);
    row.cursor_us = cursor_us;
  }
  monitor.endpoint = endpoint.name;
  monitor.spec = std::move(spec);
  monitor.enabled = true;
  monitor.created_by = asked.created_by;
  monitor.updated_us = rooms_.clock.NowMicros();
  row.removed = false;
  const std::string text = MonitorSpecToJson(monitor.spec).Dump();
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) {
    return known ? UpdateMonitor(tx, row, text) : InsertMonitor(tx, row, text);
  }));
  return monitor;
}

Result<Monitor> MonitorService::Edit(std::string_view project, std::string_view name,
                                     const Json& change) {
  GYRE_DO(EnsureDefaults(project));
  const MutexLock lock(writing_);
  GYRE_TRY(MonitorRow row, Known(project, name));
  Json spec = Json::Obj();
  for (const auto& [key, value] : change.members()) {
    if (key != "enabled") {
      spec.Set(key, value);
    } else if (value.is_bool()) {
      row.monitor.enabled = value.AsBool();
    } else {
      return InvalidArgument("GY4501", "`enabled` of a monitor must be true or false");
    }
  }
  GYRE_TRY(row.monitor.spec, ChangedSpec(row.monitor.spec, spec));
  if (spec.Has("methods") || spec.Has("thresholds")) {
    GYRE_TRY(const serving::Endpoint endpoint, rooms_.serving.Get(project, row.monitor.endpoint));
    GYRE_DO(CheckColumns(endpoint, row.monitor.spec.drift));
  }
  row.monitor.updated_us = rooms_.clock.NowMicros();
  const std::string text = MonitorSpecToJson(row.monitor.spec).Dump();
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) { return UpdateMonitor(tx, row, text); }));
  return row.monitor;
}

// A mark of its name stays, so that its endpoint gets no other by itself.
Result<> MonitorService::Remove(std::string_view project, std::string_view name,
                                std::string_view by) {
  GYRE_DO(EnsureDefaults(project));
  const MutexLock lock(writing_);
  GYRE_TRY(const MonitorRow row, Known(project, name));
  const Monitor& monitor = row.monitor;
  MonitorRow mark;
  mark.removed = true;
  mark.monitor.id = NewId();
  mark.monitor.project = monitor.project;
  mark.monitor.name = monitor.name;
  mark.monitor.endpoint = monitor.endpoint;
  mark.monitor.enabled = false;
  mark.monitor.created_by = by;
  mark.monitor.created_us = monitor.created_us;
  mark.monitor.updated_us = rooms_.clock.NowMicros();
  const std::string spec = MonitorSpecToJson(mark.monitor.spec).Dump();
  GYRE_TRY(Effect end, EndFiring(monitor, fmt::format("monitor {} was removed", name)));
  ClearGauges(monitor);
  return rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(end(tx));
    GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = "monitor",
                                                             .project = monitor.project,
                                                             .name = monitor.name,
                                                             .what = monitor.endpoint,
                                                             .by = by,
                                                             .now_us = mark.monitor.updated_us}));
    GYRE_DO(TakeMonitor(parcel, monitor.id));
    return InsertMonitor(tx, mark, spec);
  });
}

Result<Monitor> MonitorService::Get(std::string_view project, std::string_view name) {
  GYRE_TRY(const MonitorRow row, Find(project, name));
  return row.monitor;
}

Result<std::vector<Monitor>> MonitorService::List(std::string_view project) {
  GYRE_DO(EnsureDefaults(project));
  GYRE_TRY(const std::vector<MonitorRow> rows, Rows(project));
  std::vector<Monitor> monitors;
  for (const MonitorRow& row : rows) {
    if (!row.removed) monitors.push_back(row.monitor);
  }
  return monitors;
}

Result<std::vector<JudgedWindow>> MonitorService::Windows(const Monitor& monitor,
                                                          std::int64_t before, int limit) {
  std::vector<JudgedWindow> windows;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(windows, ReadWindows(reader, monitor.id, before, limit));
    return {};
  }));
  return windows;
}

Result<JudgedWindow> MonitorService::Window(std::string_view project, std::string_view id) {
  JudgedWindow window;
  bool found = false;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindWindow(reader, project, id, &window));
    return {};
  }));
  if (!found) return NotFound("GY4512", "there is no window `{}`", id.substr(0, 64));
  return window;
}

Result<Json> MonitorService::Revisions(const JudgedWindow& window) {
  Json revisions;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(revisions, ReadRevisions(reader, window.id));
    return {};
  }));
  return revisions;
}

Result<std::optional<std::int64_t>> MonitorService::LabelledSince(std::string_view project,
                                                                  std::string_view endpoint,
                                                                  std::int64_t since_us) {
  std::optional<std::int64_t> labelled;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(labelled, ReadLabelledSince(reader, project, endpoint, since_us));
    return {};
  }));
  return labelled;
}

Result<Json> MonitorService::Signals(std::string_view project, std::string_view endpoint) {
  GYRE_TRY(const std::vector<Monitor> monitors, List(project));
  Json items = Json::Arr();
  for (const Monitor& monitor : monitors) {
    if (!endpoint.empty() && monitor.endpoint != endpoint) continue;
    GYRE_TRY(const std::vector<JudgedWindow> newest, Windows(monitor, 0, 1));
    if (newest.empty()) continue;
    items.Push(Json::Obj({{"monitor", monitor.name},
                          {"endpoint", monitor.endpoint},
                          {"window", newest[0].id},
                          {"window_number", newest[0].number},
                          {"end", FormatTime(newest[0].end_us)},
                          {"signals", newest[0].document["signals"]}}));
  }
  return items;
}

Result<std::vector<Alert>> MonitorService::Alerts(const AlertQuery& query) {
  std::vector<Alert> alerts;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(alerts, ReadAlerts(reader, query));
    return {};
  }));
  return alerts;
}

Result<Alert> MonitorService::GetAlert(std::string_view project, std::string_view text) {
  constexpr std::size_t kPrefixMin = 6;
  GYRE_TRY(std::vector<Alert> alerts,
           Alerts({.projects = std::vector<std::string>{std::string(project)},
                   .all = true,
                   .limit = static_cast<int>(kPageSizeMax)}));
  std::vector<std::string> names;
  std::vector<Alert*> matches;
  for (Alert& alert : alerts) {
    const bool by_id = text.size() >= kPrefixMin && alert.id.starts_with(text);
    if (alert.name() == text || by_id) matches.push_back(&alert);
    names.push_back(alert.name());
  }
  if (matches.size() == 1) return *matches[0];
  Error error = NotFound("GY4510", "there is no alert `{}`", text.substr(0, 64));
  if (const auto close = ClosestMatch(text, names))
    return std::move(error).Fix(fmt::format("did you mean `{}`?", *close));
  return std::move(error).Fix("gyre alerts ls --all");
}

Result<std::vector<AlertChange>> MonitorService::History(const Alert& alert, int limit) {
  std::vector<AlertChange> changes;
  GYRE_DO(rooms_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(changes, ReadChanges(reader, alert.id, limit));
    return {};
  }));
  return changes;
}

// By a person: the state, and a row of the history that says so.
Result<Alert> MonitorService::Change(
    std::string_view project, std::string_view text, std::string_view by,
    const std::function<Result<std::string>(AlertState*)>& change) {
  const MutexLock lock(writing_);
  GYRE_TRY(Alert alert, GetAlert(project, text));
  GYRE_TRY(std::string reason, change(&alert.state));
  alert.updated_us = rooms_.clock.NowMicros();
  const AlertChange row{.number = ++alert.changes,
                        .window_id = alert.window_id,
                        .from = alert.state.phase,
                        .to = alert.state.phase,
                        .reason = std::move(reason),
                        .changed_by = std::string(by),
                        .data_us = alert.updated_us,  // a person does it now, whatever the data
                        .changed_us = alert.updated_us};
  const std::string state = StateToJson(alert.state).Dump();
  const std::string columns = AlertToJson(alert)["columns"].Dump();
  GYRE_DO(rooms_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(PutAlert(tx, alert, state, columns));
    return InsertChange(tx, alert.id, row);
  }));
  return alert;
}

Result<Alert> MonitorService::Ack(std::string_view project, std::string_view alert,
                                  std::string_view by) {
  return Change(project, alert, by, [&](AlertState* state) -> Result<std::string> {
    GYRE_DO(Acknowledge(state, by));
    return fmt::format("acknowledged by {}", by);
  });
}

Result<Alert> MonitorService::Snooze(std::string_view project, std::string_view alert,
                                     std::int64_t seconds, std::string_view by) {
  if (seconds < 0 || seconds > kSnoozeSecondsMax)
    return InvalidArgument("GY4511", "an alert is snoozed for at most a year; 0 wakes it");
  const std::int64_t now_us = rooms_.clock.NowMicros();
  const std::int64_t until_us = now_us + seconds * kMicrosPerSecond;
  return Change(project, alert, by, [&](AlertState* state) -> Result<std::string> {
    monitoring::Snooze(state, now_us, seconds == 0 ? 0 : until_us);
    return seconds == 0 ? fmt::format("woken by {}", by)
                        : fmt::format("snoozed by {} until {}", by, FormatTime(until_us));
  });
}

Result<std::unique_ptr<Monitors>> OpenMonitors(MonitoringRooms rooms) {
  auto service = std::make_unique<MonitorService>(std::move(rooms));
  GYRE_DO(service->RestoreGauges());
  return service;
}

}  // namespace gyre::monitoring
