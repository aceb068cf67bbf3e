#include "ml/inference_log/inference_log.h"

namespace gyre::inference_log {

Json CaptureStatusToJson(const CaptureStatus& status) {
  const auto time = [](std::int64_t time_us) {
    return time_us == 0 ? Json() : Json(FormatTime(time_us));
  };
  return Json::Obj({{"endpoint", status.endpoint},
                    {"policy", PolicyToJson(status.policy)},
                    {"captured", status.captured},
                    {"pending", status.pending},
                    {"dropped", status.dropped},
                    {"left_out", status.left_out},
                    {"expired", status.expired},
                    {"forgotten", status.forgotten},
                    {"ahead", status.ahead},
                    {"labels", status.labels},
                    {"segments", status.segments},
                    {"bytes", status.bytes},
                    {"first_event", time(status.event_min_us)},
                    {"last_event", time(status.event_max_us)},
                    {"last_received", time(status.received_max_us)}});
}

Json ForgottenToJson(const Forgotten& forgotten) {
  Json endpoints = Json::Arr(), problems = Json::Arr();
  for (const std::string& endpoint : forgotten.endpoints) endpoints.Push(endpoint);
  for (const std::string& problem : forgotten.problems) problems.Push(problem);
  return Json::Obj({{"rows", forgotten.rows},
                    {"labels", forgotten.labels},
                    {"files", forgotten.files},
                    {"endpoints", std::move(endpoints)},
                    {"problems", std::move(problems)}});
}

}  // namespace gyre::inference_log
