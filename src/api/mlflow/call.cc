#include "api/mlflow/call.h"

#include "base/text.h"
#include "ml/projects/projects.h"

namespace gyre::mlflow {

Result<std::string> ProjectOf(projects::Projects& projects, const net::Request& request) {
  for (const auto& [name, value] : request.params) {
    if (name != "project") continue;
    GYRE_TRY(const projects::Project project, projects.Get(value));
    return project.name;
  }
  const net::Principal& caller = request.principal;
  if (caller.AllowsProject(projects::kDefaultProject))
    return std::string(projects::kDefaultProject);
  if (caller.projects.size() == 1) return caller.projects[0];
  return InvalidArgument("GY5103", "{} may do this in several projects: {}", caller.name,
                         Join(caller.projects, ", "))
      .Why("end the tracking URI with /p/ and the name of one of them");
}

}  // namespace gyre::mlflow
