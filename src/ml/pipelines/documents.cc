// Pipelines and runs as documents.
#include "base/text.h"
#include "base/time.h"
#include "ml/pipelines/pipelines.h"

namespace gyre::pipelines {

std::string PipelineVersion::reference() const { return fmt::format("{}:v{}", name, version); }

Json VersionToJson(const PipelineVersion& version) {
  return Json::Obj({{"name", version.name},
                    {"version", version.version},
                    {"reference", version.reference()},
                    {"project", version.project},
                    {"noun", version.noun},
                    {"description", version.description},
                    {"steps", version.steps},
                    {"digest", version.digest},
                    {"created_by", version.created_by},
                    {"created_at", FormatTime(version.created_us)}});
}

std::string RunView::name() const {
  return version == 0 ? fmt::format("{} {}", pipeline, id.substr(0, 8))
                      : fmt::format("{}:v{} {}", pipeline, version, id.substr(0, 8));
}

Json RunToJson(const RunView& run) {
  const auto time = [](std::int64_t time_us) {
    return time_us == 0 ? Json() : Json(FormatTime(time_us));
  };
  Json json = Json::Obj({{"id", run.id},
                         {"short", run.id.substr(0, 8)},
                         {"project", run.project},
                         {"pipeline", run.pipeline},
                         {"version", run.version == 0 ? Json() : Json(run.version)},
                         {"state", run.state},
                         {"reason", run.reason},
                         {"error", run.error},
                         {"triggered_by", run.triggered_by},
                         {"created_by", run.created_by},
                         {"created_at", time(run.created_us)}});
  const double seconds =
      run.ended_us == 0 ? 0 : static_cast<double>(run.ended_us - run.created_us) / 1e6;
  json.Set("ended_at", time(run.ended_us))
      .Set("seconds", run.ended_us == 0 ? Json() : Json(seconds))
      .Set("cpu_seconds", run.cpu_seconds)
      .Set("cancel_asked", run.cancel_asked)
      .Set("retries", run.retries)
      .Set("params", run.params)
      .Set("outputs", run.outputs);
  return json;
}

}  // namespace gyre::pipelines
