// One answer of an endpoint, back to the code, the data and the file that it came from: what the
// rooms of the loop keep, in one document. Private.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace gyre::data {
class Datasets;
}
namespace gyre::inference_log {
class InferenceLog;
struct Trace;
}  // namespace gyre::inference_log
namespace gyre::pipelines {
class Pipelines;
}
namespace gyre::registry {
class Registry;
struct ModelVersion;
}  // namespace gyre::registry
namespace gyre::serving {
class Serving;
}
namespace gyre::tracking {
class Tracking;
}
namespace gyre::trash {
struct Item;
class Trash;
}  // namespace gyre::trash

namespace gyre::native {

class PredictionLineage {
 public:
  PredictionLineage(inference_log::InferenceLog& log, serving::Serving& serving,
                    registry::Registry& registry, tracking::Tracking& tracking,
                    data::Datasets& datasets, pipelines::Pipelines& pipelines, trash::Trash& trash)
      : log_(log),
        serving_(serving),
        registry_(registry),
        tracking_(tracking),
        datasets_(datasets),
        pipelines_(pipelines),
        trash_(trash) {}

  struct Answer {
    Json document;
    std::string model_version_id;  // where the way back goes on; empty: it is not known
  };
  // What is not known is said in `unknown`. Error: kNotFound GY4113 when nothing is known: an id
  // that is captured nowhere, and was given by no endpoint as far as what is kept tells.
  Result<Answer> Find(const std::string& project, const std::string& id);
  // A model or a version of it that lies in the trash.
  std::optional<trash::Item> ModelInTrash(const std::string& project, const std::string& model);
  // A pipeline's run that stands on the way back: who began it, which commits its programs were.
  Json PipelineRun(const std::string& id);

 private:
  Result<> TellCaptured(const std::string& project, const inference_log::Trace& trace,
                        Answer* answer);
  Result<> TellUncaptured(const std::string& project, const inference_log::Trace& trace,
                          Answer* answer);
  void TellModel(const std::string& project, Answer* answer);
  void TellGate(const registry::ModelVersion& version, Json* document);
  void TellRun(const registry::ModelVersion& version, Json* document);
  void TellData(const registry::ModelVersion& version, Json* document);
  Json DeploymentOf(const std::string& project, const std::string& endpoint,
                    const std::string& deployment_id);
  Result<Json> Candidates(const std::string& project, std::int64_t from_us, std::int64_t to_us);

  inference_log::InferenceLog& log_;
  serving::Serving& serving_;
  registry::Registry& registry_;
  tracking::Tracking& tracking_;
  data::Datasets& datasets_;
  pipelines::Pipelines& pipelines_;
  trash::Trash& trash_;
};

}  // namespace gyre::native
