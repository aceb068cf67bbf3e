// Monitors, windows and alerts as documents, and the settings of a monitor read strictly.
#include <algorithm>

#include "base/text.h"
#include "ml/monitoring/monitors.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kWaitSecondsMax = 10LL * 366 * 86'400;

Json Texts(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

Error Wrong(std::string_view member, std::string_view rule) {
  return InvalidArgument("GY4501", "`{}` of a monitor must be {}", member, rule)
      .Where(std::string(member));
}

Result<std::vector<std::string>> ReadTexts(std::string_view member, const Json& json) {
  std::vector<std::string> texts;
  if (!json.is_array()) return Wrong(member, "a list of names");
  for (const Json& text : json.items()) {
    if (!text.is_string()) return Wrong(member, "a list of names");
    texts.push_back(text.AsString());
  }
  return texts;
}

Result<> ReadShare(std::string_view member, const Json& json, double max, double* share) {
  const double value = json.AsDouble(-1);
  if (!(value >= 0 && value <= max))
    return Wrong(member, fmt::format("a number from 0 to {}", max));
  *share = value;
  return {};
}

Result<> ReadQuiet(const Json& json, std::vector<std::string>* quiet) {
  GYRE_TRY(*quiet, ReadTexts("quiet", json));
  for (const std::string& name : *quiet) {
    if (std::ranges::find(kSignalNames, name) == std::end(kSignalNames))
      return Wrong("quiet", "a list of signals")
          .Why(fmt::format(
              "there is no signal `{}`; there are {}", name,
              Join(std::vector<std::string>(std::begin(kSignalNames), std::end(kSignalNames)),
                   ", ")));
  }
  return {};
}

Result<> ReadMember(const std::string& key, const Json& value, MonitorSpec* spec) {
  if (key == "window") {
    GYRE_TRY(const Json whole, WholeWindow(value, spec->window));
    GYRE_TRY(spec->window, WindowSpecFromJson(whole));
    return {};
  }
  if (key == "alert") {
    Json whole = RuleToJson(spec->alert);
    for (const auto& [member, one] : value.members()) whole.Set(member, one);
    if (value.Has("bad") && !value.Has("of"))
      whole.Set("of", std::max(value["bad"].AsInt(), whole["of"].AsInt()));
    GYRE_TRY(spec->alert, RuleFromJson(whole));
    return {};
  }
  if (key == "against") {
    if (value.AsString() != "training" && value.AsString() != "previous")
      return Wrong(key, "training or previous");
    spec->against_previous = value.AsString() == "previous";
    return {};
  }
  if (key == "coverage_min") return ReadShare(key, value, 1, &spec->coverage_min);
  if (key == "label_wait") {
    if (!value.is_int() || value.AsInt() < 0 || value.AsInt() > kWaitSecondsMax)
      return Wrong(key, "a whole number of seconds, at most ten years");
    spec->label_wait_us = value.AsInt() * kMicrosPerSecond;
    return {};
  }
  if (key == "ignore") {
    GYRE_TRY(spec->ignore, ReadTexts(key, value));
    return {};
  }
  if (key == "quiet") return ReadQuiet(value, &spec->quiet);
  return InvalidArgument("GY4501", "a monitor has no `{}`", key)
      .Why(
          "its members are window, alert, against, effect_min, method, threshold, methods, "
          "thresholds, coverage_min, label_wait, ignore and quiet");
}

Json TimeOrNull(std::int64_t time_us) { return time_us == 0 ? Json() : Json(FormatTime(time_us)); }

}  // namespace

Json MonitorSpecToJson(const MonitorSpec& spec) {
  Json json = Json::Obj({{"window", WindowSpecToJson(spec.window)},
                         {"alert", RuleToJson(spec.alert)},
                         {"against", spec.against_previous ? "previous" : "training"},
                         {"coverage_min", spec.coverage_min},
                         {"label_wait", spec.label_wait_us / kMicrosPerSecond},
                         {"ignore", Texts(spec.ignore)},
                         {"quiet", Texts(spec.quiet)}});
  RulesToJson(spec.drift, &json);
  return json;
}

Result<MonitorSpec> ChangedSpec(MonitorSpec spec, const Json& change) {
  if (!change.is_null() && !change.is_object())
    return InvalidArgument("GY4501", "the settings of a monitor are an object");
  for (const auto& [key, value] : change.members()) {
    if (!IsDriftMember(key)) GYRE_DO(ReadMember(key, value, &spec));
  }
  GYRE_TRY(spec.drift, ChangedRules(std::move(spec.drift), change));
  return spec;
}

Json LateToJson(const Late& late) {
  return Json::Obj({{"rows", late.rows},
                    {"labels", late.labels},
                    {"left_out_rows", late.left_out_rows},
                    {"left_out_labels", late.left_out_labels}});
}

Json MonitorToJson(const Monitor& monitor) {
  return Json::Obj({{"id", monitor.id},
                    {"project", monitor.project},
                    {"name", monitor.name},
                    {"endpoint", monitor.endpoint},
                    {"enabled", monitor.enabled},
                    {"state", !monitor.enabled      ? "off"
                              : monitor.firing > 0  ? "firing"
                              : monitor.pending > 0 ? "pending"
                              : monitor.windows > 0 ? "ok"
                                                    : "waiting for its first window"},
                    {"windows", monitor.windows},
                    {"newest", TimeOrNull(monitor.newest_us)},
                    {"firing", monitor.firing},
                    {"pending", monitor.pending},
                    {"late", LateToJson(monitor.late)},
                    {"window_text", WindowText(monitor.spec.window)},
                    {"alert_text", RuleText(monitor.spec.alert)},
                    {"spec", MonitorSpecToJson(monitor.spec)},
                    {"problem", monitor.problem},
                    {"created_by", monitor.created_by},
                    {"created", FormatTime(monitor.created_us)},
                    {"updated", FormatTime(monitor.updated_us)}});
}

Json WindowToJson(const JudgedWindow& window) {
  Json json = Json::Obj({{"id", window.id},
                         {"number", window.number},
                         {"begin", FormatTime(window.begin_us)},
                         {"end", FormatTime(window.end_us)},
                         {"state", WindowStateName(window.state)},
                         {"rows", window.rows},
                         {"labelled", window.labelled},
                         {"revision", window.revision},
                         {"late", LateToJson(window.late)},
                         {"computed", FormatTime(window.computed_us)}});
  for (const auto& [key, value] : window.document.members()) {
    if (!json.Has(key)) json.Set(key, value);
  }
  return json;
}

Json WindowSummary(const JudgedWindow& window) {
  Json json = WindowToJson(window);
  for (const std::string_view list : {"columns", "predictions"}) {
    Json drifted = Json::Arr();
    for (const Json& column : json[list].items()) {
      if (column["drifted"].AsBool()) drifted.Push(column);
    }
    json.Set(list, std::move(drifted));
  }
  return json;
}

Json AlertToJson(const Alert& alert) {
  const AlertState& state = alert.state;
  return Json::Obj({{"id", alert.id},
                    {"name", alert.name()},
                    {"project", alert.project},
                    {"monitor", alert.monitor},
                    {"endpoint", alert.endpoint},
                    {"signal", alert.signal},
                    {"state", PhaseName(state.phase)},
                    {"what", alert.what},
                    {"columns", Texts(alert.columns)},
                    {"model", alert.model},
                    {"model_version_id", alert.model_version_id},
                    {"window", alert.window_id},
                    {"window_number", alert.window_number},
                    {"incident", alert.incident_id},
                    {"since", TimeOrNull(state.since_us)},
                    {"told", TimeOrNull(state.told_us)},
                    {"acked_by", state.acked_by},
                    {"snoozed_until", TimeOrNull(state.snoozed_until_us)},
                    {"updated", FormatTime(alert.updated_us)}});
}

Json ChangeToJson(const AlertChange& change) {
  return Json::Obj({{"number", change.number},
                    {"window", change.window_id},
                    {"from", PhaseName(change.from)},
                    {"to", PhaseName(change.to)},
                    {"reason", change.reason},
                    {"mute", change.mute},
                    {"told", change.told},
                    {"by", change.changed_by},
                    {"time", FormatTime(change.data_us)},
                    {"changed", FormatTime(change.changed_us)}});
}

}  // namespace gyre::monitoring
