// Projects: what is to be solved, for whom, and when it counts as solved. The problem statement is
// versioned and never overwritten. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/statistics/kpi.h"
#include "platform/db/database.h"

namespace gyre::projects {

db::ModuleSchema ProjectsSchema();

inline constexpr std::string_view kDefaultProject = "default";
constexpr int kKpisMax = 100;
constexpr std::size_t kStatementBytesMax = 64 * 1024;

struct Problem {
  std::int64_t version = 0;  // from 1
  std::string statement, target, owner;
  std::vector<statistics::Kpi> kpis;
  std::string created_by;
  std::int64_t created_us = 0;
};
Json ProblemToJson(const Problem& problem);

// What a caller states; what is absent stays as it was.
struct ProblemChange {
  std::optional<std::string> statement, target, owner;
  std::optional<std::vector<std::string>> kpis;  // expressions: "auc >= 0.84"
  bool empty() const { return !statement && !target && !owner && !kpis; }
};
// Errors: GY3903 names the member that is unknown or of the wrong type.
Result<ProblemChange> ProblemChangeFromJson(const Json& json);
// Pure: the next version of a problem. Errors: GY3904 too long or too many, GY3010 a KPI that
// cannot be read.
Result<Problem> Changed(const Problem& before, const ProblemChange& change);

struct Project {
  std::string id, name, created_by;
  std::int64_t created_us = 0;
  std::optional<Problem> problem;  // the newest version
};
Json ProjectToJson(const Project& project);

class Projects {
 public:
  Projects(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Result<> EnsureDefault();  // at start
  // Errors: GY1200 bad name, kAlreadyExists GY3901.
  Result<Project> Create(const std::string& name, const ProblemChange& problem,
                         const std::string& created_by);
  Result<Project> Get(std::string_view name);  // kNotFound GY3902, with did you mean
  Result<std::vector<Project>> List(std::string_view after_name, int limit);  // by name
  // A new version, unless it says the same as the newest.
  Result<Problem> SetProblem(std::string_view name, const ProblemChange& change,
                             const std::string& created_by);
  Result<std::vector<Problem>> History(std::string_view name);  // newest first

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace gyre::projects
