// What a file (gyre.yaml) has declared of a project and brought about: sources and recipes live
// here, for everything else it is known which things an apply made, so that only those are ever
// removed by one. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::projects {

struct Declared {
  std::string kind = {};   // "datasets"
  std::string name = {};   // "customers"; "churn@champion" of a gate
  bool made = false;       // it was not there before; never taken back
  std::string thing = {};  // id of what was made; empty: not known yet
  Json spec = {};          // in the words of the file
  std::string applied_by = {};
  std::int64_t applied_us = 0;
};
Json DeclaredToJson(const Declared& declared);

class Declarations {
 public:
  Declarations(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // By kind and name. Errors: GY3902 no such project.
  Result<std::vector<Declared>> List(std::string_view project);
  // Replaces what was kept of it. Errors: kInvalidArgument GY3910 no such kind, GY1200 a bad name,
  // kResourceExhausted GY3911 too many or too long.
  Result<Declared> Keep(std::string_view project, Declared declared);
  // Of sources and recipes, of which there is nothing else: into the trash. Error: kNotFound
  // GY3912.
  Result<> Forget(std::string_view project, std::string_view kind, std::string_view name,
                  std::string_view by = {});

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace gyre::projects
