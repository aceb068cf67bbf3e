#include "ml/serving/serving.h"

namespace gyre::serving {

Json DeploymentToJson(const Deployment& d) {
  return Json::Obj(
      {{"id", d.id},
       {"number", d.number},
       {"model", d.model},
       {"model_version_id", d.model_version_id},
       {"reference", d.reference},
       {"package", Json::Obj({{"digest", d.package.digest}, {"size_bytes", d.package.size_bytes}})},
       {"basis", d.basis},
       {"reason", d.reason},
       {"deployed_by", d.deployed_by},
       {"created", FormatTime(d.created_us)}});
}

Json EndpointToJson(const Endpoint& e) {
  Json json = Json::Obj({{"id", e.id},
                         {"project", e.project},
                         {"name", e.name},
                         {"model", e.deployment.model},
                         {"follows", e.follows},
                         {"ready", e.ready},
                         {"path", "/e/" + e.name},
                         {"deployment", DeploymentToJson(e.deployment)},
                         {"memory_bytes", e.memory_bytes},
                         {"created_by", e.created_by},
                         {"created", FormatTime(e.created_us)},
                         {"updated", FormatTime(e.updated_us)}});
  if (!e.problem.empty()) json.Set("problem", e.problem);
  return json;
}

}  // namespace gyre::serving
