#include "cli/apply/check.h"

#include <algorithm>

#include "base/text.h"
#include "cli/apply/converge.h"
#include "platform/config/yaml.h"

namespace gyre::cli::apply {
namespace {

constexpr std::string_view kBadTime = "GY474";  // of a schedule: its times, its zone

// What the server would say of it at its turn.
Result<> Ask(Session& session, const std::string& project, const Change& change, Json spec) {
  GYRE_TRY([[maybe_unused]] const Json fine,
           session.Post(ProjectPath(project) + "/declarations/check",
                        Json::Obj({{"kind", change.kind->noun},
                                   {"name", change.name},
                                   {"spec", std::move(spec)}})));
  return {};
}

Error At(const Declaration& declaration, const std::vector<std::string>& path, Error error) {
  return Error(
      std::move(error).Where(declaration.Where(config::YamlLineAt(declaration.text, path))));
}

Result<> CheckGoals(Session& session, const std::string& project, const Declaration& declaration,
                    const Change& change) {
  const Json& goals = change.entry->spec["kpis"];
  for (std::size_t i = 0; i < goals.size(); ++i) {
    const auto asked =
        Ask(session, project, change, Json::Obj({{"kpis", Json::Arr({goals.items()[i]})}}));
    if (!asked)
      return At(declaration, {std::string(kProblem), "kpis", std::to_string(i)}, asked.error());
  }
  return {};
}

Result<> CheckTrigger(Session& session, const std::string& project, const Declaration& declaration,
                      const Actual& actual, const Change& change) {
  const auto asked = Ask(session, project, change, TriggerBody(actual, change));
  if (asked) return {};
  std::vector<std::string> path = {"triggers", change.name};
  if (asked.error().gy().starts_with(kBadTime)) path.insert(path.end(), {"on", "at"});
  return At(declaration, path, asked.error());
}

}  // namespace

Result<> CheckRowsOf(const Declaration& declaration, const Change& change) {
  const Entry& entry = *change.entry;
  if (change.kind->noun != "datasets" || !PlaceOfRows(declaration, entry).empty()) return {};
  const bool reads =
      change.action == Action::kAdd || std::ranges::any_of(change.fields, [](const Field& field) {
        return field.member.starts_with("types.");
      });
  return reads ? Result<>(NoRows(declaration, entry)) : Result<>();
}

Result<> CheckPlan(Session& session, const std::string& project, const Declaration& declaration,
                   const Actual& actual, const Plan& plan) {
  for (const Change& change : plan.changes) {
    if (change.action == Action::kRemove) continue;
    GYRE_DO(CheckRowsOf(declaration, change));
    if (change.kind->noun == kProblem) GYRE_DO(CheckGoals(session, project, declaration, change));
    if (change.kind->noun == "triggers")
      GYRE_DO(CheckTrigger(session, project, declaration, actual, change));
  }
  return {};
}

}  // namespace gyre::cli::apply
