#include "ml/projects/project_store.h"

namespace gyre::projects {
namespace {

constexpr std::string_view kProjectColumns = R"(
  SELECT p.id, p.name, p.created_by, p.created_us, q.version, q.statement, q.target, q.owner, q.kpis, q.created_by, q.created_us
  FROM project p LEFT JOIN project_problem q ON q.project_id = p.id
    AND q.version = (SELECT MAX(version) FROM project_problem WHERE project_id = p.id))";

// What was stored was read once before, so it can be read again.
std::vector<statistics::Kpi> KpisFromText(std::string_view text) {
  std::vector<statistics::Kpi> kpis;
  const auto json = Json::Parse(text);
  if (!json) return kpis;
  for (const Json& item : json->items()) {
    if (auto kpi = statistics::ParseStoredKpi(item.AsString())) kpis.push_back(*std::move(kpi));
  }
  return kpis;
}

Problem ProblemAt(const db::Row& row, int column) {
  Problem problem;
  problem.version = row.Int(column);
  problem.statement = row.Str(column + 1);
  problem.target = row.Str(column + 2);
  problem.owner = row.Str(column + 3);
  problem.kpis = KpisFromText(row.Text(column + 4));
  problem.created_by = row.Str(column + 5);
  problem.created_us = row.Int(column + 6);
  return problem;
}

Project ProjectAt(const db::Row& row) {
  Project project;
  project.id = row.Str(0);
  project.name = row.Str(1);
  project.created_by = row.Str(2);
  project.created_us = row.Int(3);
  if (!row.IsNull(4)) project.problem = ProblemAt(row, 4);
  return project;
}

}  // namespace

std::string KpisText(const Problem& problem) {
  Json list = Json::Arr();
  for (const statistics::Kpi& kpi : problem.kpis) list.Push(kpi.ToString());
  return list.Dump();
}

Result<std::optional<Project>> FindProject(db::Reader& reader, std::string_view name) {
  static const std::string sql = std::string(kProjectColumns) + " WHERE p.name = ?1";
  std::optional<Project> found;
  GYRE_TRY(const bool any,
           reader.QueryOne(sql, {name}, [&](const db::Row& row) { found = ProjectAt(row); }));
  (void)any;
  return found;
}

Result<std::vector<Project>> ListProjects(db::Reader& reader, std::string_view after_name,
                                          int limit) {
  static const std::string sql =
      std::string(kProjectColumns) + " WHERE p.name > ?1 ORDER BY p.name LIMIT ?2";
  return db::Collect<Project>(reader, sql, {after_name, limit}, ProjectAt);
}

Result<std::vector<std::string>> ProjectNames(db::Reader& reader, int limit) {
  return db::Collect<std::string>(reader, "SELECT name FROM project ORDER BY name LIMIT ?1",
                                  {limit}, [](const db::Row& row) { return row.Str(0); });
}

Result<> InsertProject(db::Transaction& tx, const Project& project) {
  return tx.Execute(
      "INSERT INTO project (id, name, created_by, created_us) VALUES (?1, ?2, ?3, ?4)",
      {project.id, project.name, project.created_by, project.created_us});
}

Result<std::vector<Problem>> ListProblems(db::Reader& reader, std::string_view project_id,
                                          int limit) {
  return db::Collect<Problem>(
      reader,
      "SELECT version, statement, target, owner, kpis, created_by, created_us FROM project_problem "
      "WHERE project_id = ?1 ORDER BY version DESC LIMIT ?2",
      {project_id, limit}, [](const db::Row& row) { return ProblemAt(row, 0); });
}

Result<> InsertProblem(db::Transaction& tx, std::string_view project_id, const Problem& problem,
                       std::string_view kpis) {
  return tx.Execute(
      "INSERT INTO project_problem (project_id, version, statement, target, owner, kpis, "
      "created_by, created_us) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      {project_id, problem.version, problem.statement, problem.target, problem.owner, kpis,
       problem.created_by, problem.created_us});
}

}  // namespace gyre::projects
