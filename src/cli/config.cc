// gyre config: settings and where each value came from.
#include "base/text.h"
#include "cli/command.h"
#include "cli/nouns.h"
#include "cli/output.h"
#include "cli/session.h"

namespace gyre::cli {
namespace {

Result<int> ShowConfig(Invocation& in) {
  GYRE_TRY(Session* const session, in.session());
  GYRE_TRY(const Json answer, session->Get("/api/v1/config"));
  const std::string name = in.Get("NAME");
  Json rows = Json::Arr();
  std::vector<std::string> names;
  for (const Json& item : answer["items"].items()) {
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
  return 0;
}

constexpr Positional kName[] = {{"NAME", "one setting, or a group such as `server`", false}};
constexpr Option kShowOptions[] = {{"--origin", "", "say where each value came from"}};
constexpr Command kCommands[] = {
    {"config show", "settings in effect, each with its meaning",
     "gyre config show --origin\ngyre config show server -o yaml", kName, kShowOptions, ShowConfig},
};

}  // namespace

std::span<const Command> ConfigCommands() { return kCommands; }

}  // namespace gyre::cli
