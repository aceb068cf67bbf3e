// From the signals of one window to what its alerts do: each signal of a window is observed once,
// when enough is known of it. Pure. Private.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ml/monitoring/monitors.h"

namespace gyre::monitoring {

std::string AlertId(std::string_view monitor_id, std::string_view signal);
std::string WindowId(std::string_view monitor_id, std::int64_t begin_us);

// One signal observed: how the alert is afterwards, and the change to be told of, if any.
struct AlertMove {
  Alert alert = {};
  Step step = {};
  std::optional<AlertChange> change = {};
};
struct Moment {
  std::int64_t now_us = 0;
  bool behind = false;  // of Observation
};
// `alerts` of the monitor, `observed` signals of the window.
std::vector<AlertMove> MoveAlerts(const Monitor& monitor, const JudgedWindow& window,
                                  const std::vector<Alert>& alerts,
                                  const std::vector<std::string>& observed, const Moment& moment);

// The payload of "alert.firing" and "alert.resolved".
Json AlertEvent(const AlertMove& move, const JudgedWindow& window);

}  // namespace gyre::monitoring
