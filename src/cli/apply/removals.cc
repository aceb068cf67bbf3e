#include "cli/apply/removals.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "cli/apply/actual.h"

namespace gyre::cli::apply {
namespace {

// Of the kinds that something else may need: what the API calls them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kNeeded = {
    {{"datasets", "datasets"},
     {"training", "models"},
     {"endpoints", "endpoints"},
     {"pipelines", "pipelines"}}};

std::string PathToRemove(std::string_view project, std::string_view noun, std::string_view name) {
  if (noun != "training") return ThingPath(project, noun, name);
  return ThingPath(project, "models", name) + "?aliases=true";
}

// A model that stays has learned from the same rows as before, whatever else changes.
bool IsSettled(const Plan& plan, std::string_view project, const Json& thing) {
  if (thing["project"].AsString() != project) return false;
  const std::string& noun = thing["noun"].AsString();
  const std::string kind = noun == "model" ? "training" : noun + "s";
  return std::ranges::any_of(plan.changes, [&](const Change& change) {
    if (change.kind->noun != kind || change.name != thing["name"].AsString()) return false;
    return change.action == Action::kRemove ? change.made : noun != "model";
  });
}

std::string FixOf(std::string_view project, const Json& thing) {
  const std::string& of = thing["project"].AsString();
  return fmt::format("gyre {}s rm {}{}", thing["noun"].AsString(), thing["name"].AsString(),
                     of == project ? "" : " -p " + of);
}

Result<> LoosenGate(Work& work, const std::string& name) {
  const auto set =
      work.session.Put(GatePath(work.project, name), Json::Obj({{"approvals_min", 0},
                                                                {"author_may_approve", true},
                                                                {"rules", nullptr},
                                                                {"metric", ""},
                                                                {"dataset", ""}}));
  // It went with its model.
  if (!set && set.error().code() != Code::kNotFound) return set.error();
  return {};
}

}  // namespace

Result<> SeeWhoNeeds(Session& session, std::string_view project, Plan* plan) {
  for (Change& change : plan->changes) {
    const auto kind =
        std::ranges::find(kNeeded, change.kind->noun, [](auto& row) { return row.first; });
    if (change.action != Action::kRemove || !change.made || kind == kNeeded.end()) continue;
    std::string path = PathToRemove(project, change.kind->noun, change.name);
    path += path.contains('?') ? "&dry_run=true" : "?dry_run=true";
    const auto answer = session.Delete(path);
    // Who may only look learns the rest of the plan.
    if (!answer && answer.error().code() == Code::kPermissionDenied) continue;
    if (!answer) return answer.error();
    for (const Json& thing : (*answer)["needed_by"]["things"].items()) {
      if (IsSettled(*plan, project, thing)) continue;
      change.needed_by = fmt::format("{} {}", thing["noun"].AsString(), thing["name"].AsString());
      change.fix = FixOf(project, thing);
      break;
    }
  }
  return {};
}

Result<> CheckRemovals(const Plan& plan) {
  for (const Change& change : plan.changes) {
    if (change.needed_by.empty()) continue;
    return FailedPrecondition("GY4920", "`{}` cannot be removed: {} needs it", change.id(),
                              change.needed_by)
        .Why("what is in use is not removed, and nothing was changed")
        .Fix(change.fix)
        .Fix("leave it in the file, or apply without --prune");
  }
  return {};
}

Result<std::string> Remove(Work& work, const Change& change) {
  const std::string_view noun = change.kind->noun;
  const bool only_kept = noun == "sources" || noun == "recipes";
  if (change.made && !only_kept) {
    if (noun == "gates") {
      GYRE_DO(LoosenGate(work, change.name));
    } else {
      const auto gone = work.session.Delete(PathToRemove(work.project, noun, change.name));
      // Another apply may have come first.
      if (!gone && gone.error().code() != Code::kNotFound) return gone.error();
    }
  }
  const auto forgotten = ForgetRecord(work, noun, change.name);
  if (!forgotten && forgotten.error().code() != Code::kNotFound) return forgotten.error();
  return change.made ? "removed" : "forgotten";
}

}  // namespace gyre::cli::apply
