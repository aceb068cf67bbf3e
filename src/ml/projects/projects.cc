#include "ml/projects/projects.h"

#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "ml/projects/project_store.h"

namespace gyre::projects {
namespace {

bool SaysTheSame(const Problem& a, const Problem& b) {
  return a.statement == b.statement && a.target == b.target && a.owner == b.owner &&
         KpisText(a) == KpisText(b);
}

}  // namespace

Result<> Projects::EnsureDefault() {
  const Project project{NewId(), std::string(kDefaultProject), "gyre", clock_.NowMicros(),
                        std::nullopt};
  bool there = false;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto found, FindProject(reader, kDefaultProject));
    there = found.has_value();
    return {};
  }));
  if (there) return {};
  return database_.Write([&](db::Transaction& tx) { return InsertProject(tx, project); });
}

Result<Project> Projects::Create(const std::string& name, const ProblemChange& problem,
                                 const std::string& created_by) {
  GYRE_DO(CheckName("project", name));
  Project project{NewId(), name, created_by, clock_.NowMicros(), std::nullopt};
  std::string kpis;
  if (!problem.empty()) {
    GYRE_TRY(project.problem, Changed(Problem{}, problem));
    project.problem->version = 1;
    project.problem->created_by = created_by;
    project.problem->created_us = project.created_us;
    kpis = KpisText(*project.problem);
  }
  const Result<> written = database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(InsertProject(tx, project));
    return project.problem ? InsertProblem(tx, project.id, *project.problem, kpis) : Result<>{};
  });
  if (!written && written.error().code() == Code::kAlreadyExists) {
    return Error(Code::kAlreadyExists, "GY3901", fmt::format("project `{}` exists already", name))
        .Fix("gyre projects show " + name);
  }
  if (!written) return Error(written.error());
  return project;
}

Result<Project> Projects::Get(std::string_view name) {
  std::optional<Project> project;
  std::vector<std::string> names;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(project, FindProject(reader, name));
    if (!project) {
      GYRE_TRY(names, ProjectNames(reader, static_cast<int>(kPageSizeMax)));
    }
    return {};
  }));
  if (project) return *std::move(project);
  Error error = NotFound("GY3902", "there is no project `{}`", name);
  if (const auto close = ClosestMatch(name, names))
    return Error(std::move(error).Fix(fmt::format("did you mean `{}`?", *close)));
  return Error(std::move(error).Fix(fmt::format("gyre init {}", name)));
}

Result<std::vector<Project>> Projects::List(std::string_view after_name, int limit) {
  std::vector<Project> projects;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(projects, ListProjects(reader, after_name, limit));
    return {};
  }));
  return projects;
}

Result<Problem> Projects::SetProblem(std::string_view name, const ProblemChange& change,
                                     const std::string& created_by) {
  constexpr int kAttemptsMax = 5;  // two writers at once: the later one builds on the earlier
  for (int attempt = 0;; ++attempt) {
    GYRE_TRY(const Project project, Get(name));
    const Problem before = project.problem.value_or(Problem{});
    GYRE_TRY(Problem after, Changed(before, change));
    if (project.problem && SaysTheSame(before, after)) return before;
    after.version = before.version + 1;
    after.created_by = created_by;
    after.created_us = clock_.NowMicros();
    const std::string kpis = KpisText(after);
    const Result<> written = database_.Write(
        [&](db::Transaction& tx) { return InsertProblem(tx, project.id, after, kpis); });
    if (written) return after;
    if (written.error().code() != Code::kAlreadyExists || attempt + 1 == kAttemptsMax)
      return Error(written.error());
  }
}

Result<std::vector<Problem>> Projects::History(std::string_view name) {
  GYRE_TRY(const Project project, Get(name));
  std::vector<Problem> problems;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(problems, ListProblems(reader, project.id, static_cast<int>(kPageSizeMax)));
    return {};
  }));
  return problems;
}

}  // namespace gyre::projects
