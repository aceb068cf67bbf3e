#include "ml/monitoring/windows.h"

#include <algorithm>

#include "base/text.h"
#include "base/time.h"

namespace gyre::monitoring {
namespace {

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
    return InvalidArgument("GY4502", "a window is an object: {{\"rows\": 500}} or {{\"every\": "
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

std::int64_t PeriodOf(const WindowSpec& spec, std::int64_t time_us) {
  return FloorTo(time_us, spec.period_us);
}

std::vector<Window> WindowsByTime(const WindowSpec& spec, std::int64_t from,
                                  std::span<const PeriodRows> periods, std::int64_t watermark_us) {
  std::vector<Window> windows;
  bool gathering = false;  // the last one has too few rows yet
  for (const PeriodRows& period : periods) {
    if (period.begin_us < from) continue;
    const std::int64_t end = period.begin_us + spec.period_us;
    if (gathering) {
      windows.back().end = end;
      windows.back().rows += period.rows;
    } else {
      windows.push_back({period.begin_us, end, period.rows, false});
    }
    Window& last = windows.back();
    const bool few = last.rows < spec.rows_min;
    gathering = few && spec.few == Few::kAppend;
    last.closed = !gathering && watermark_us >= last.end + spec.lateness_us;
    if (few && spec.few == Few::kSkip && last.closed) windows.pop_back();
  }
  return windows;
}

std::vector<Window> WindowsByCount(const WindowSpec& spec, std::int64_t from,
                                   std::int64_t captured) {
  std::vector<Window> windows;
  for (std::int64_t begin = from; begin < captured; begin += spec.rows) {
    const std::int64_t end = begin + spec.rows;
    windows.push_back({begin, end, std::min(end, captured) - begin, end <= captured});
  }
  return windows;
}

std::int64_t Watermark(const WindowSpec& spec, std::int64_t newest_event_us,
                       std::int64_t newest_received_us, std::int64_t now_us) {
  const std::int64_t seen = std::min(newest_event_us, newest_received_us);
  const std::int64_t quiet = now_us - newest_received_us;
  if (spec.by_time() && quiet > spec.period_us + spec.lateness_us)
    return PeriodOf(spec, seen) + spec.period_us + spec.lateness_us;
  return seen;
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
