#include "ml/monitoring/judgement.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace gyre::monitoring {
namespace {

constexpr std::size_t kIdDigits = 32;

std::string IdOf(std::string_view of, std::string_view what) {
  return Sha256Hex(fmt::format("{}\n{}", of, what)).substr(0, kIdDigits);
}

bool Has(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

bool TakesLabels(std::string_view signal) {
  return signal == kPerformance || signal == kKpi || signal == kConceptDrift;
}

bool IsReady(const Monitor& monitor, const JudgedWindow& window, const Signal& signal) {
  if (signal.level == Level::kUnknown) return false;
  if (!TakesLabels(signal.name) || window.state == WindowState::kFinal) return true;
  return static_cast<double>(window.labelled) >=
         monitor.spec.coverage_min * static_cast<double>(window.rows);
}

// Lost values explain drift in the same columns.
std::string InhibitorOf(const Signal& signal, const Signal& quality) {
  if (signal.name != kDrift || !quality.broken_input || quality.level != Level::kBad) return {};
  const bool all = !signal.columns.empty() &&
                   std::ranges::all_of(signal.columns, [&](const std::string& column) {
                     return Has(quality.columns, column);
                   });
  return all ? "data quality" : "";
}

// What the alert is about: of drift only the columns that several windows named.
std::string WhatOf(const Signal& signal, const std::vector<std::string>& columns) {
  const bool of_columns = signal.name == kDrift || signal.name == kPredictionDrift;
  if (!of_columns || columns.empty() || columns == signal.columns) return signal.what;
  return fmt::format("{}: {}", DriftedText(signal.name, columns.size()), Join(columns, ", "));
}

Alert FreshAlert(const Monitor& monitor, std::string_view signal) {
  Alert alert;
  alert.id = AlertId(monitor.id, signal);
  alert.monitor_id = monitor.id;
  alert.project = monitor.project;
  alert.monitor = monitor.name;
  alert.endpoint = monitor.endpoint;
  alert.signal = std::string(signal);
  return alert;
}

// These are measured against what a model promised; broken input, labels that are biased or late
// and a slow service are the same trouble whoever answers.
bool IsOfTheModel(std::string_view signal) {
  return signal != kDataQuality && signal != kFeedback && signal != kLabelDelay &&
         signal != kService;
}

// Each version is measured on its own rows; other signals are of all rows, whoever answered them.
bool IsOfOneVersion(std::string_view signal) {
  return TakesLabels(signal) || signal == kEstimate || signal == kAttributionDrift;
}

std::string VersionOf(const JudgedWindow& window, const Signal& signal) {
  if (!signal.model_version_id.empty()) return signal.model_version_id;
  // Of one that nobody knows any more: not of the one that answered the most.
  if (IsOfOneVersion(signal.name) && window.document["versions"].size() > 1) return {};
  return window.document["model_version_id"].AsString();
}

const Json* VersionIn(const JudgedWindow& window, std::string_view id) {
  const Json::Array& versions = window.document["versions"].items();
  const auto found = std::ranges::find_if(versions, [&](const Json& version) {
    return !id.empty() && version["model_version_id"].AsString() == id;
  });
  return found == versions.end() ? nullptr : &*found;
}

bool IsBadIn(const JudgedWindow& window, std::string_view signal) {
  return std::ranges::any_of(window.document["signals"].items(), [&](const Json& json) {
    const Signal one = SignalFromJson(json);
    return one.name == signal && one.level == Level::kBad;
  });
}

// The version that the alert is about answers no more. While two answer (a canary), the worse one
// may be another in each window: that is no change of model.
bool IsOfAnother(const Alert& alert, const Signal& signal, const JudgedWindow& window) {
  const bool known = std::ranges::any_of(
      window.document["versions"].items(),
      [](const Json& version) { return !version["model_version_id"].AsString().empty(); });
  return IsOfTheModel(signal.name) && alert.state.phase != Phase::kOk &&
         !alert.model_version_id.empty() && known &&
         VersionIn(window, alert.model_version_id) == nullptr;
}

AlertMove Move(const Monitor& monitor, const JudgedWindow& window, const Signal& signal,
               std::string inhibitor, Alert alert, const Moment& moment) {
  const std::int64_t now_us = moment.now_us;
  AlertMove move;
  const std::string version = IsOfOneVersion(signal.name) ? VersionOf(window, signal) : "";
  std::vector<std::string> bad_versions = signal.bad_versions;
  std::ranges::replace(bad_versions, std::string(), version);
  const Observation seen{.level = signal.level,
                         .begin_us = window.begin_us,
                         .time_us = window.end_us,
                         .what = signal.what,
                         .columns = signal.columns,
                         .version = version,
                         .bad_versions = std::move(bad_versions),
                         .inhibited_by = std::move(inhibitor),
                         .behind = moment.behind};
  move.step = IsOfAnother(alert, signal, window)
                  ? Restart(monitor.spec.alert, &alert.state, seen,
                            window.document["model"].AsString(), now_us)
                  : Observe(monitor.spec.alert, &alert.state, seen, now_us);
  alert.window_id = window.id;
  alert.window_number = window.number;
  alert.updated_us = now_us;
  // A window between two bad ones says nothing of the trouble.
  if (move.step.to != Phase::kOk && signal.level == Level::kBad) {
    alert.columns = move.step.columns.empty() ? signal.columns : move.step.columns;
    alert.what = WhatOf(signal, alert.columns);
    alert.model_version_id = VersionOf(window, signal);
    const Json* const version = VersionIn(window, alert.model_version_id);
    const bool known = alert.model_version_id == window.document["model_version_id"].AsString();
    alert.model = version != nullptr ? (*version)["model"].AsString()
                  : known            ? window.document["model"].AsString()
                                     : std::string();
  }
  if (move.step.began) alert.incident_id = IdOf(alert.id, window.id);
  if (move.step.from != move.step.to || move.step.tell) {
    move.change = AlertChange{.number = ++alert.changes,
                              .window_id = window.id,
                              .from = move.step.from,
                              .to = move.step.to,
                              .reason = move.step.reason,
                              .mute = move.step.mute,
                              .told = move.step.tell,
                              .data_us = window.end_us,
                              .changed_us = now_us};
  }
  move.alert = std::move(alert);
  return move;
}

}  // namespace

std::string AlertId(std::string_view monitor_id, std::string_view signal) {
  return IdOf(monitor_id, signal);
}

std::string WindowId(std::string_view monitor_id, std::int64_t begin_us) {
  return IdOf(monitor_id, std::to_string(begin_us));
}

std::vector<AlertMove> MoveAlerts(const Monitor& monitor, const JudgedWindow& window,
                                  const std::vector<Alert>& alerts,
                                  const std::vector<std::string>& observed, const Moment& moment) {
  std::vector<AlertMove> moves;
  Signal quality;
  for (const Json& json : window.document["signals"].items()) {
    const Signal signal = SignalFromJson(json);
    if (signal.name == kDataQuality) quality = signal;
    const bool known = std::ranges::find(kSignalNames, signal.name) != std::end(kSignalNames);
    if (!known || Has(observed, signal.name) || Has(monitor.spec.quiet, signal.name) ||
        !IsReady(monitor, window, signal))
      continue;
    const auto found = std::ranges::find(alerts, signal.name, &Alert::signal);
    Alert alert = found == alerts.end() ? FreshAlert(monitor, signal.name) : *found;
    moves.push_back(
        Move(monitor, window, signal, InhibitorOf(signal, quality), std::move(alert), moment));
  }
  return moves;
}

bool IsOfVersionAlone(const Alert& alert, const JudgedWindow& window,
                      std::string_view model_version_id) {
  if (model_version_id.empty() || alert.model_version_id != model_version_id) return false;
  if (IsOfOneVersion(alert.signal)) return true;
  return window.document["versions"].size() == 1 &&
         VersionIn(window, model_version_id) != nullptr && IsBadIn(window, alert.signal);
}

Json AlertEvent(const AlertMove& move, const JudgedWindow& window) {
  const Alert& alert = move.alert;
  Json columns = Json::Arr();
  for (const std::string& column : alert.columns) columns.Push(column);
  return Json::Obj({{"alert", alert.id},
                    {"name", alert.name()},
                    {"incident", alert.incident_id},
                    {"signal", alert.signal},
                    {"monitor", alert.monitor},
                    {"endpoint", alert.endpoint},
                    {"model", alert.model},
                    {"model_version_id", alert.model_version_id},
                    {"columns", std::move(columns)},
                    {"what", alert.what},
                    {"reason", move.step.reason},
                    {"window", window.id},
                    {"window_number", window.number},
                    {"window_begin", FormatTime(window.begin_us)},
                    {"window_end", FormatTime(window.end_us)},
                    {"since", FormatTime(alert.state.incident_us)},
                    {"told", move.step.tell},
                    {"mute", move.step.mute}});
}

}  // namespace gyre::monitoring
