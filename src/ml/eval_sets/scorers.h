// Scorers: what judges answers, as its client writes it (JSON that is kept and never run here), by
// name and version within an experiment. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "platform/db/database.h"

namespace gyre::eval_sets {

inline constexpr std::size_t kScorerBytesMax = 1 << 20;

struct Scorer {
  std::string id, name;
  std::int64_t experiment = 0, version = 0, created_us = 0;
  std::string body;
};
struct ScorerName {
  std::string project;
  std::int64_t experiment = 0;
  std::string name;
};

class Scorers {
 public:
  Scorers(db::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  // The next version. Error: GY3734 a bad name or too large.
  Result<Scorer> Register(const ScorerName& of, std::string_view body);
  // The newest version of each, by name; of all experiments when there is none.
  Result<std::vector<Scorer>> List(std::string_view project,
                                   const std::optional<std::vector<std::int64_t>>& experiments);
  Result<std::vector<Scorer>> Versions(const ScorerName& of);                     // GY3735
  Result<Scorer> Get(const ScorerName& of, std::optional<std::int64_t> version);  // GY3735
  Result<> Remove(const ScorerName& of, std::optional<std::int64_t> version);     // GY3735

 private:
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace gyre::eval_sets
