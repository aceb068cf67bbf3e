#include "api/native/in_use.h"

#include <algorithm>

#include "base/text.h"
#include "ml/automation/automation.h"
#include "ml/registry/registry.h"
#include "ml/serving/serving.h"
#include "ml/tracking/tracking.h"

namespace gyre::native {

namespace {
constexpr int kPage = 1000;
constexpr std::size_t kNamed = 5;
}  // namespace

Result<std::vector<std::string>> ModelsOf(registry::Registry& registry,
                                          tracking::Tracking& tracking, const tracking::Run& run) {
  std::vector<std::string> names;
  GYRE_TRY(const auto made, tracking.ListOutputs(run.id));
  for (const tracking::Output& output : made) {
    if (output.kind != "model_version") continue;
    const auto version = registry.GetVersion(output.id);
    if (version) {
      names.push_back(version->name());
    } else if (version.error().code() != Code::kNotFound) {
      return version.error();
    }
  }
  return names;
}

Result<std::vector<serving::Endpoint>> EndpointsOf(serving::Serving& serving,
                                                   std::string_view model_version_id) {
  std::vector<serving::Endpoint> found;
  std::string after;
  for (;;) {
    GYRE_TRY(const auto page, serving.List("", kPage, after));
    for (const serving::Endpoint& endpoint : page) {
      const auto runs = [&](const serving::Deployment& deployment) {
        return deployment.model_version_id == model_version_id;
      };
      const auto beside = [&](const serving::Variant& variant) { return runs(variant.deployment); };
      if (runs(endpoint.deployment) || std::ranges::any_of(endpoint.variants, beside))
        found.push_back(endpoint);
    }
    if (page.size() < kPage) return found;
    after = page.back().name;
  }
}

Result<std::vector<std::string>> TriggersAbout(automation::Automation& automation,
                                               std::string_view project, const IsAbout& about) {
  GYRE_TRY(const auto triggers, automation.List(project));
  std::vector<std::string> names;
  for (const automation::Trigger& trigger : triggers) {
    if (about(trigger.spec)) names.push_back(trigger.spec.name);
  }
  return names;
}

Json NeededBy(std::string_view noun, std::string_view project, std::string_view name) {
  return Json::Obj({{"noun", noun}, {"project", project}, {"name", name}});
}

Result<Json> NeededByTriggers(automation::Automation& automation, std::string_view project,
                              const IsAbout& about) {
  GYRE_TRY(const auto names, TriggersAbout(automation, project, about));
  Json things = Json::Arr();
  for (const std::string& name : names) things.Push(NeededBy("trigger", project, name));
  return things;
}

Result<> CheckNoTrigger(automation::Automation& automation, std::string_view project,
                        std::string_view noun, std::string_view name, const IsAbout& about) {
  GYRE_TRY(const auto names, TriggersAbout(automation, project, about));
  if (names.empty()) return {};
  return FailedPrecondition("GY5006", "{} `{}` is what trigger {} is about", noun, name,
                            Named(names))
      .Why("a trigger without it fails whenever it is told something")
      .Fix(fmt::format("gyre triggers rm {}", names[0]))
      .Fix(fmt::format("gyre {}s rm {} --force    (the trigger stays)", noun, name));
}

std::string Named(const std::vector<std::string>& names) {
  if (names.size() <= kNamed) return Join(names, ", ");
  return fmt::format("{} and {} more", Join(std::span(names).first(kNamed), ", "),
                     names.size() - kNamed);
}

}  // namespace gyre::native
