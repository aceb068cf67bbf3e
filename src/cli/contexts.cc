#include "cli/contexts.h"

#include "base/json.h"
#include "base/text.h"
#include "platform/config/environment.h"
#include "platform/config/yaml.h"

namespace gyre::cli {
namespace {

std::string ContextsPath() { return config::UserConfigDirectory() + "/contexts.yaml"; }

Json WithoutEmpty(const Context& context) {
  Json json = Json::Obj();
  for (const auto& [key, value] : {std::pair{"server", context.server},
                                   {"data", context.data},
                                   {"project", context.project}}) {
    if (!value.empty()) json.Set(key, value);
  }
  return json;
}

bool IsSet(std::string_view variable) {
  return !config::Environment(variable).value_or("").empty();
}

}  // namespace

Result<Contexts> Contexts::Load() {
  Contexts contexts;
  GYRE_TRY(const auto text, config::ReadSmallFile(ContextsPath()));
  if (!text || Trim(*text).empty()) return contexts;
  GYRE_TRY(const Json json, config::ParseYaml(*text, ContextsPath()));
  contexts.current = json["current"].AsString();
  for (const auto& [name, value] : json["contexts"].members()) {
    contexts.by_name[name] = {value["server"].AsString(), value["data"].AsString(),
                              value["project"].AsString()};
  }
  return contexts;
}

Result<> Contexts::Save() const {
  Json all = Json::Obj();
  for (const auto& [name, context] : by_name) all.Set(name, WithoutEmpty(context));
  const Json json = Json::Obj({{"current", current}, {"contexts", std::move(all)}});
  GYRE_DO(config::MakeDirectories(config::UserConfigDirectory(), 0700));
  return config::WriteSmallFile(ContextsPath(), config::DumpYaml(json), 0600);
}

Result<Context> Contexts::Find(const std::string& name) const {
  const auto found = by_name.find(name);
  if (found != by_name.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, context] : by_name) names.push_back(known);
  Error error = NotFound("GY4040", "there is no context `{}`", name);
  if (const auto close = ClosestMatch(name, names))
    return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
  return Error(std::move(error).Fix(fmt::format("gyre config use {} --server URL", name)));
}

Result<ChosenContext> ChooseContext(const std::string& flag) {
  ChosenContext chosen;
  std::string name = flag;
  if (name.empty()) name = config::Environment("GYRE_CONTEXT").value_or("");
  chosen.named = !name.empty();
  if (!chosen.named && (IsSet("GYRE_SERVER") || IsSet("GYRE_DATA"))) return chosen;
  GYRE_TRY(const Contexts contexts, Contexts::Load());
  if (!chosen.named) name = contexts.current;
  if (name.empty()) return chosen;
  GYRE_TRY(static_cast<Context&>(chosen), contexts.Find(name));
  chosen.name = name;
  return chosen;
}

}  // namespace gyre::cli
