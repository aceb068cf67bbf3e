#include "ml/monitoring/windows.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"
#include "ml/inference_log/recorder.h"

namespace gyre::monitoring {
namespace {

using inference_log::kClockSkewMax;
constexpr std::int64_t kRowsMax = 1'000'000'000;
constexpr std::int64_t kSecondsMax = 366 * 86'400;
constexpr std::string_view kFewNames[] = {"keep", "append", "skip"};

std::int64_t FloorTo(std::int64_t value, std::int64_t step) {
  const std::int64_t rest = value % step;
  return value - rest - (rest < 0 ? step : 0);
}

Result<std::int64_t> Whole(const Json& json, std::string_view key, std::int64_t fallback,
                           std::int64_t min, std::int64_t max) {
  const Json* value = json.Find(key);
  if (value == nullptr || value->is_null()) return fallback;
  if (value->is_int() && value->AsInt() >= min && value->AsInt() <= max) return value->AsInt();
  return InvalidArgument("GY4502", "`{}` of a window must be a whole number from {} to {}", key,
                         min, max)
      .Where("window." + std::string(key));
}

std::string Duration(std::int64_t us) {
  const std::int64_t seconds = us / kMicrosPerSecond;
  if (seconds % 86'400 == 0) return fmt::format("{}d", seconds / 86'400);
  if (seconds % 3600 == 0) return fmt::format("{}h", seconds / 3600);
  if (seconds % 60 == 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}s", seconds);
}

}  // namespace

std::string WindowText(const WindowSpec& spec) {
  if (!spec.by_time()) return GroupDigits(spec.rows) + " rows";
  std::string text = Duration(spec.period_us);
  if (spec.rows_min > 0) text += fmt::format(", at least {} rows", GroupDigits(spec.rows_min));
  return text;
}

Json WindowSpecToJson(const WindowSpec& spec) {
  if (!spec.by_time()) return Json::Obj({{"rows", spec.rows}});
  return Json::Obj({{"every", spec.period_us / kMicrosPerSecond},
                    {"lateness", spec.lateness_us / kMicrosPerSecond},
                    {"rows_min", spec.rows_min},
                    {"few", kFewNames[static_cast<std::size_t>(spec.few)]}});
}

Result<WindowSpec> WindowSpecFromJson(const Json& json) {
  if (!json.is_object())
    return InvalidArgument("GY4502",
                           "a window is an object: {{\"rows\": 500}} or {{\"every\": "
                           "3600}}")
        .Where("window");
  for (const auto& [key, value] : json.members()) {
    if (key != "rows" && key != "every" && key != "lateness" && key != "rows_min" && key != "few")
      return InvalidArgument("GY4502", "a window has no `{}`", key)
          .Why("its members are rows, or every, lateness, rows_min and few");
  }
  if (json.Has("rows") == json.Has("every"))
    return InvalidArgument("GY4502", "a window has either `rows` or `every`").Where("window");
  WindowSpec spec;
  if (json.Has("rows")) {
    GYRE_TRY(spec.rows, Whole(json, "rows", 0, 10, kRowsMax));
    return spec;
  }
  GYRE_TRY(const std::int64_t every, Whole(json, "every", 3600, 1, kSecondsMax));
  GYRE_TRY(const std::int64_t lateness, Whole(json, "lateness", 0, 0, kSecondsMax));
  GYRE_TRY(spec.rows_min, Whole(json, "rows_min", 0, 0, kRowsMax));
  spec.period_us = every * kMicrosPerSecond;
  spec.lateness_us = lateness * kMicrosPerSecond;
  if (!json.Has("few")) return spec;
  const auto few = std::ranges::find(kFewNames, json["few"].AsString());
  if (few == std::end(kFewNames))
    return InvalidArgument("GY4502", "`few` of a window must be keep, append or skip")
        .Where("window.few");
  spec.few = static_cast<Few>(few - std::begin(kFewNames));
  return spec;
}

Result<Json> WholeWindow(const Json& change, const WindowSpec& present) {
  if (!change.is_object() || change.size() == 0 || change.Has("rows") || change.Has("every"))
    return change;
  if (!present.by_time())
    return InvalidArgument("GY4502", "`{}` is of a window by time, and this one is by rows",
                           change.members().front().first)
        .Where("window")
        .Fix("--every 1d    (or 1h) beside it");
  Json whole = WindowSpecToJson(present);
  for (const auto& [member, one] : change.members()) whole.Set(member, one);
  return whole;
}

std::int64_t PlaceOf(const WindowSpec& spec, std::int64_t event_us) {
  return spec.by_time() ? FloorTo(event_us, spec.period_us) : event_us;
}

std::vector<Window> AssignWindows(const WindowSpec& spec, std::int64_t from,
                                  std::span<const RowsAt> rows, std::int64_t watermark_us) {
  const std::int64_t length = spec.by_time() ? spec.period_us : 1;
  const std::int64_t enough = spec.by_time() ? spec.rows_min : spec.rows;
  const bool append = !spec.by_time() || spec.few == Few::kAppend;
  std::vector<Window> windows;
  bool gathering = false;  // the last one has too few rows yet
  for (const RowsAt& at : rows) {
    if (at.time_us < from) continue;
    if (!gathering) windows.push_back({.begin = at.time_us});
    Window& last = windows.back();
    last.end = at.time_us + length;
    last.rows += at.rows;
    const bool few = last.rows < enough;
    gathering = few && append;
    last.closed = !gathering && (!spec.by_time() || watermark_us >= last.end + spec.lateness_us);
    if (few && spec.few == Few::kSkip && last.closed) windows.pop_back();
  }
  return windows;
}

std::int64_t Watermark(const WindowSpec& spec, std::int64_t newest_event_us,
                       std::int64_t newest_received_us, std::int64_t now_us) {
  const std::int64_t seen = std::min({newest_event_us, newest_received_us, now_us + kClockSkewMax});
  const std::int64_t quiet = now_us - newest_received_us;
  if (spec.by_time() && quiet > spec.period_us + spec.lateness_us)
    return FloorTo(seen, spec.period_us) + spec.period_us + spec.lateness_us;
  return seen;
}

std::int64_t GoOnFrom(const WindowSpec& spec, std::int64_t judged_us, std::int64_t now_us) {
  return judged_us <= now_us + 2 * kClockSkewMax ? judged_us : PlaceOf(spec, now_us);
}

std::string_view WindowStateName(WindowState state) {
  constexpr std::string_view kNames[] = {"open", "provisional", "final"};
  return kNames[static_cast<std::size_t>(state)];
}

WindowState StateOf(const LabelsOf& labels) {
  if (labels.since_end_us < 0) return WindowState::kOpen;
  const bool all = labels.rows > 0 && labels.labelled >= labels.rows;
  return all || labels.since_end_us >= labels.wait_us ? WindowState::kFinal
                                                      : WindowState::kProvisional;
}

}  // namespace gyre::monitoring
