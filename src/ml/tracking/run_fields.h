// The fields of runs that a search asks for: as columns of a SELECT, and read back from its rows.
// Private.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ml/tracking/filter_match.h"
#include "ml/tracking/run_order.h"
#include "ml/tracking/run_select.h"

namespace gyre::tracking {

// At most so many names of params, tags and metrics in one search: each is a join.
inline constexpr std::size_t kSearchNamesMax = 40;

// Times are compared in milliseconds, and ordered by as they are.
struct RunField {
  Entity entity = Entity::kAttribute;
  std::string key = {};
  std::int64_t name = 0;  // of a param, tag or metric; 0 = nobody has used it
  bool to_order = false;
  std::optional<ValueTable> table() const;
};

class RunFields {
 public:
  // The same place for the same field.
  Result<std::size_t> Add(db::Reader& reader, Entity entity, std::string_view key, bool to_order);
  const RunField& operator[](std::size_t place) const { return fields_[place]; }

  // Into the SELECT; then reads its rows.
  class Columns {
   public:
    Columns(const RunFields& fields, RunSelect* select);
    std::int64_t Number(const db::Row& row) const { return row.Int(0); }
    std::int64_t Experiment(const db::Row& row) const { return row.Int(1); }
    std::int64_t StartedUs(const db::Row& row) const { return row.Int(2); }
    std::string Id(const db::Row& row) const { return row.Str(3); }
    FieldValue Read(const db::Row& row, std::size_t field) const;

   private:
    const RunFields& fields_;
    std::vector<int> columns_;  // of each field, the first
  };

 private:
  std::vector<RunField> fields_;
};

// Where clients send a run's files when nobody said.
std::string OwnArtifactRoot(std::int64_t experiment, std::string_view run_id);

}  // namespace gyre::tracking
