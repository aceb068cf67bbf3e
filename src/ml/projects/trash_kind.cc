#include "ml/projects/trash_kind.h"

#include "base/text.h"
#include "ml/projects/project_store.h"

namespace gyre::projects {
namespace {

Result<std::string> RemoveProject(trash::Trash& trash, Projects& projects, const Clock& clock,
                                  const trash::Asked& asked) {
  GYRE_TRY(const Project project, projects.Get(asked.name));
  if (project.name == kDefaultProject)
    return FailedPrecondition("GY3913", "project `{}` is always there", project.name)
        .Why("commands without a project work in it")
        .Fix("remove the things in it: gyre datasets rm, gyre models rm, ...");
  GYRE_TRY(const std::vector<trash::Held> held, trash.HeldBy(project.name));
  const std::string what = HeldText(held);
  GYRE_DO(trash.TakeAll({.noun = "project",
                         .project = project.name,
                         .name = project.name,
                         .what = what,
                         .by = asked.by,
                         .now_us = clock.NowMicros()},
                        [&](db::Transaction&, trash::Parcel& parcel) -> Result<> {
                          for (const std::string_view table :
                               {"project_problem", "project_declaration"})
                            GYRE_DO(parcel.Take(table, "project_id = ?1", {project.id}));
                          return parcel.Take("project", "id = ?1", {project.id});
                        }));
  return project.name;
}

}  // namespace

std::string HeldText(const std::vector<trash::Held>& held) {
  std::vector<std::string> parts;
  for (const trash::Held& one : held) {
    std::string_view what = one.what;
    if (one.count == 1 && what.ends_with('s')) what.remove_suffix(1);
    parts.push_back(fmt::format("{} {}", GroupDigits(one.count), what));
  }
  return Join(parts, ", ");
}

Result<bool> ProjectExists(db::Reader& reader, std::string_view name) {
  GYRE_TRY(const auto found, FindProject(reader, name));
  return found.has_value();
}

trash::Kind DeclarationTrash(std::string_view noun, Declarations& declarations) {
  return {.noun = std::string(noun),
          .permission = "project.write",
          .names = {{"project_declaration", "name"}},
          .remove = [&declarations, kind = fmt::format("{}s", noun)](
                        const trash::Asked& asked) -> Result<std::string> {
            GYRE_DO(declarations.Forget(asked.project, kind, asked.name, asked.by));
            return std::string(asked.name);
          }};
}

trash::Kind ProjectTrash(trash::Trash& trash, Projects& projects, const Clock& clock) {
  return {
      .noun = "project",
      .permission = "access.admin",
      .remove =
          [&](const trash::Asked& asked) { return RemoveProject(trash, projects, clock, asked); },
      .wake = [&](const trash::Item&, std::string_view) { return trash.FollowAll(); }};
}

}  // namespace gyre::projects
