#include <array>

#include "ml/tracking/tracking.h"

namespace gyre::tracking {
namespace {

constexpr std::array kStatusNames = {"scheduled", "running", "finished", "failed", "killed"};

}  // namespace

std::string_view RunStatusName(RunStatus status) {
  return kStatusNames[static_cast<std::size_t>(status)];
}

std::optional<RunStatus> ParseRunStatus(std::string_view name) {
  for (std::size_t i = 0; i < kStatusNames.size(); ++i) {
    if (name == kStatusNames[i]) return static_cast<RunStatus>(i);
  }
  return std::nullopt;
}

Json RunToJson(const Run& run) {
  const auto texts = [](const std::map<std::string, std::string>& map) {
    Json json = Json::Obj();
    for (const auto& [key, value] : map) json.Set(key, value);
    return json;
  };
  const auto time = [](std::int64_t time_us) {
    return time_us == 0 ? Json() : Json(FormatTime(time_us));
  };
  Json metrics = Json::Obj();
  for (const auto& [key, metric] : run.metrics) metrics.Set(key, metric.value);
  return Json::Obj({{"id", run.id},
                    {"project", run.project},
                    {"experiment", run.experiment},
                    {"name", run.name},
                    {"kind", run.kind},
                    {"status", RunStatusName(run.status)},
                    {"job", run.job},
                    {"parent", run.parent},
                    {"created_by", run.created_by},
                    {"seed", run.seed ? Json(static_cast<std::int64_t>(*run.seed)) : Json()},
                    {"error", run.error},
                    {"created_at", time(run.created_us)},
                    {"started_at", time(run.started_us)},
                    {"ended_at", time(run.ended_us)},
                    {"deleted_at", time(run.deleted_us)},
                    {"params", texts(run.params)},
                    {"tags", texts(run.tags)},
                    {"metrics", std::move(metrics)},
                    {"source", run.source},
                    {"code", run.code},
                    {"inputs", run.inputs},
                    {"environment", run.environment},
                    {"resources", run.resources}});
}

}  // namespace gyre::tracking
