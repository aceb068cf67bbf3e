// The SQL of this module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ml/projects/projects.h"

namespace gyre::projects {

Result<std::optional<Project>> FindProject(db::Reader& reader, std::string_view name);
Result<std::vector<Project>> ListProjects(db::Reader& reader, std::string_view after_name,
                                          int limit);
Result<std::vector<std::string>> ProjectNames(db::Reader& reader, int limit);
Result<> InsertProject(db::Transaction& tx, const Project& project);
Result<std::vector<Problem>> ListProblems(db::Reader& reader, std::string_view project_id,
                                          int limit);
// `kpis` is the JSON text made beforehand: a closure does no JSON work.
Result<> InsertProblem(db::Transaction& tx, std::string_view project_id, const Problem& problem,
                       std::string_view kpis);
std::string KpisText(const Problem& problem);

}  // namespace gyre::projects
