#include <algorithm>

#include "base/time.h"
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
       {"variant", d.variant.empty() ? std::string(kChampion) : d.variant},
       {"basis", d.basis},
       {"reason", d.reason},
       {"deployed_by", d.deployed_by},
       {"created", FormatTime(d.created_us)}});
}

namespace {

// The champion first: who answers what share of the requests.
Json VariantsJson(const Endpoint& e) {
  double rest = 1;
  for (const Variant& variant : e.variants) rest -= variant.share;
  Json all = Json::Arr();
  const auto add = [&](std::string_view name, const Deployment& deployment, double share,
                       bool shadow) {
    all.Push(Json::Obj({{"name", name},
                        {"model", deployment.model},
                        {"share", std::max(0.0, share)},
                        {"shadow", shadow},
                        {"deployment", deployment.number},
                        {"deployment_id", deployment.id}}));
  };
  add(kChampion, e.deployment, rest, false);
  for (const Variant& variant : e.variants)
    add(variant.name, variant.deployment, variant.share, variant.shadow);
  return all;
}

Json ShadowJson(const ShadowCounts& c) {
  return Json::Obj({{"with", c.with},
                    {"rows", c.rows},
                    {"agreed", c.agreed},
                    {"difference", Json::Obj({{"mean", c.difference_mean},
                                              {"p50", c.difference_p50},
                                              {"p95", c.difference_p95},
                                              {"p99", c.difference_p99}})}});
}

}  // namespace

Json VariantCountsToJson(const VariantCounts& c) {
  Json json = Json::Obj({{"name", c.variant},
                         {"model", c.model},
                         {"share", c.share},
                         {"shadow", c.shadow},
                         {"deployment_id", c.deployment_id},
                         {"since", c.since_us == 0 ? Json() : Json(FormatTime(c.since_us))},
                         {"requests", c.requests},
                         {"rows", c.rows},
                         {"failed", c.failed},
                         {"faults", c.faults},
                         {"latency_us", Json::Obj({{"p50", c.latency_us.Quantile(0.5)},
                                                   {"p95", c.latency_us.Quantile(0.95)},
                                                   {"p99", c.latency_us.Quantile(0.99)}})}});
  if (!c.shadow) return json;
  Json now = ShadowJson(c.comparison), beside = Json::Arr();
  now.Set("dropped", c.dropped);
  for (const ShadowCounts& one : c.beside) beside.Push(ShadowJson(one));
  json.Set("comparison", std::move(now));
  json.Set("comparisons", std::move(beside));
  return json;
}

Json EndpointToJson(const Endpoint& e) {
  Json json = Json::Obj({{"id", e.id},
                         {"project", e.project},
                         {"name", e.name},
                         {"model", e.deployment.model},
                         {"follows", e.follows},
                         {"ready", e.ready},
                         {"parked", e.parked},
                         {"sticky", e.sticky},
                         {"park_after_seconds", e.park_after_us / kMicrosPerSecond},
                         {"variants", VariantsJson(e)},
                         {"path", "/e/" + e.name},
                         {"deployment", DeploymentToJson(e.deployment)},
                         {"memory_bytes", e.memory_bytes},
                         {"created_by", e.created_by},
                         {"created", FormatTime(e.created_us)},
                         {"updated", FormatTime(e.updated_us)}});
  if (!e.problem.empty()) json.Set("problem", e.problem);
  if (!e.apart.empty()) json.Set("apart", e.apart);
  return json;
}

const Deployment* CanaryOf(const Endpoint& endpoint) {
  const auto found = std::ranges::find(endpoint.variants, kCanary, &Variant::name);
  return found == endpoint.variants.end() ? nullptr : &found->deployment;
}

}  // namespace gyre::serving
