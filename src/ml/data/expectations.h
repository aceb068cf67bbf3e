// What data must be like, as data: a suite of expectations, suggested from one version and checked
// on the next. Pure, chunk by chunk.
//
// {"expectations": [{"kind": "between", "column": "age", "min": 0, "max": 120, "mostly": 0.99},
// ...]}
//   column_exists, column_type {type}, no_other_columns          the contract on the schema
//   rows_between {min, max}, missing_at_most {fraction}          on the whole
//   not_missing, between {min, max}, in_set {values}, unique, length_between {min, max}   row by
//   row, with "mostly": the share that must hold
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "ml/data/profile.h"
#include "platform/table/frame.h"

namespace gyre::data {

// Errors: kInvalidArgument GY2110 unknown kind or member (did you mean), GY2111 an argument is
// missing or of the wrong type.
Result<> CheckSuite(const Json& suite);
// What is to be said of a table, for each column that the suite speaks of and that is not there:
// "has no column `Age`: did you mean `age`?".
std::vector<std::string> ColumnsNotThere(const Json& suite, const table::Schema& schema);
// The rules that a single row can break: one with `mostly` below 1 bears such rows.
Json StrictRules(const Json& suite);
// A suite that this version passes with room: ranges are widened by half their span, shares of
// missing values doubled.
Json SuggestSuite(const Profile& profile);

class SuiteCheck {
 public:
  // The suite must have passed CheckSuite.
  SuiteCheck(const Json& suite, const table::Schema& schema);
  ~SuiteCheck();
  SuiteCheck(SuiteCheck&&) noexcept;
  SuiteCheck& operator=(SuiteCheck&&) noexcept;

  // The first broken row-by-row expectation per row, as a sentence; empty where all hold. One entry
  // per row, or none when all rows are good.
  std::vector<std::string> Add(const table::Frame& chunk);
  // {"success", "failed", "rows", "rows_broken", "results": [{"kind", "column", "success",
  // "observed", "bad_rows", "examples": [{"row", "value"}]}]}
  Json Finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gyre::data
