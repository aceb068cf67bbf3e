// gyre config: settings and where each value came from.
#include "base/text.h"
#include "cli/command.h"
#include "cli/contexts.h"
#include "cli/credentials.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/config/environment.h"

namespace gyre::cli {
namespace {

Result<int> ShowConfig(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/config"));
  const std::string name = in.Get("NAME");
  Json rows = Json::Arr();
  std::vector<std::string> names;
  Json all = in.place();
  for (const Json& item : answer["items"].items()) all.Push(item);
  for (const Json& item : all.items()) {
    const std::string& full = item["name"].AsString();
    names.push_back(full);
    if (name.empty() || full == name || full.starts_with(name + ".")) rows.Push(item);
  }
  if (!name.empty() && rows.size() == 0) {
    Error error = NotFound("GY4013", "there is no setting `{}`", name);
    if (const auto close = ClosestMatch(name, names))
      return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
    return Error(std::move(error).Fix("gyre config show   (lists them)"));
  }
  std::vector<ColumnSpec> columns = {{"NAME", "name"}, {"VALUE", "value"}};
  if (in.Has("origin")) columns.push_back({"ORIGIN", "origin"});
  columns.push_back({"DEFAULT", "default", ColumnSpec::Format::kText, true});
  columns.push_back({"VARIABLE", "variable", ColumnSpec::Format::kText, true});
  columns.push_back({"MEANING", "doc"});
  in.out().Table(columns, rows);
  std::vector<std::string> refused;
  if (in.Has("origin")) config::FindProjectFile(&refused);
  for (const std::string& file : refused) in.out().Note("not read: " + file);
  return 0;
}

Result<int> UseContext(Invocation& in) {
  GYRE_TRY(Contexts contexts, Contexts::Load());
  const std::string name = in.Get("CONTEXT");
  GYRE_DO(CheckName("context", name));
  if (in.Has("server") && in.Has("data"))
    return InvalidArgument("GY4041", "a context is a server or a data directory, not both");
  const bool says = in.Has("server") || in.Has("data") || in.Has("project");
  if (!says) GYRE_DO(contexts.Find(name));
  Context& context = contexts.by_name[name];
  if (in.Has("server")) context = {in.Get("server"), "", context.project};
  if (in.Has("data")) context = {"", config::AbsolutePath(in.Get("data")), context.project};
  if (in.Has("project")) context.project = in.Get("project");
  contexts.current = name;
  if (in.dry_run()) {
    in.out().Print(fmt::format("would use context {}\n", name));
    return 0;
  }
  GYRE_DO(contexts.Save());
  const std::string& where = context.server.empty() ? context.data : context.server;
  in.out().Done(
      fmt::format("context {}   {}", name, where.empty() ? config::DefaultDataDirectory() : where));
  if (!context.server.empty() && FindToken(context.server).empty())
    in.out().Hint(fmt::format("gyre login --server {}", context.server));
  return 0;
}

Result<int> ForgetContext(Invocation& in) {
  GYRE_TRY(Contexts contexts, Contexts::Load());
  const std::string name = in.Get("CONTEXT");
  GYRE_DO(contexts.Find(name));
  contexts.by_name.erase(name);
  if (contexts.current == name) contexts.current.clear();
  if (in.dry_run()) {
    in.out().Print(fmt::format("would forget context {}\n", name));
    return 0;
  }
  GYRE_DO(contexts.Save());
  in.out().Done(fmt::format("context {} is forgotten; its token stays until `gyre logout`", name));
  return 0;
}

Result<int> ListContexts(Invocation& in) {
  GYRE_TRY(const Contexts contexts, Contexts::Load());
  Json rows = Json::Arr();
  for (const auto& [name, context] : contexts.by_name) {
    const std::string audience =
        context.server.empty() ? config::AbsolutePath(context.data) : context.server;
    rows.Push(Json::Obj({{"name", name},
                         {"current", name == contexts.current},
                         {"server", context.server},
                         {"data", context.data},
                         {"project", context.project},
                         {"token", !FindToken(audience).empty()}}));
  }
  in.out().Table({{"NAME", "name"},
                  {"CURRENT", "current"},
                  {"SERVER", "server"},
                  {"DATA", "data"},
                  {"PROJECT", "project"},
                  {"TOKEN", "token"}},
                 rows);
  return 0;
}

constexpr Positional kContext[] = {
    {"CONTEXT", "a name of your choice for a server, data directory and project", true, false,
     "contexts"}};
constexpr Positional kName[] = {{"NAME", "one setting, or a group such as `server`", false}};
constexpr Option kShowOptions[] = {{"--origin", "", "say where each value came from"}};
constexpr Command kCommands[] = {
    {"config contexts",
     "places that were named, and which is in use",
     "gyre config contexts",
     {},
     {},
     ListContexts},
    {"config forget",
     "forget a named place",
     "gyre config forget prod",
     kContext,
     {},
     ForgetContext},
    {"config use",
     "name a place, and talk to it from now on",
     "gyre config use prod --server https://gyre.example.org --project churn\ngyre config use "
     "prod\ngyre config use here --data ~/gyre-data\ngyre models --context prod",
     kContext,
     {},
     UseContext},
    {"config show", "settings in effect, each with its meaning",
     "gyre config show --origin\ngyre config show server -o yaml", kName, kShowOptions, ShowConfig},
};

}  // namespace

std::span<const Command> ConfigCommands() { return kCommands; }

}  // namespace gyre::cli
