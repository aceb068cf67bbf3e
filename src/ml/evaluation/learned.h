// Which rows of an evaluation a model has seen before.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "platform/table/frame.h"

namespace gyre::evaluation {

struct Lessons {
  std::string model;               // "churn:v3"
  std::vector<std::string> parts;  // of the dataset version that it was trained on
  std::string holdout;             // those of its rows that trained nothing; may be empty
};
Json LessonsToJson(const Lessons& lessons);
Lessons LessonsFromJson(const Json& json);

// Rows of the frame that equal a row that the model learned from, in all columns that both have.
// A kind of row that stands more than once on both sides is not counted, for it is a frequent one,
// and no sign of a copy; of another kind one row is.
Result<std::size_t> CountLearned(const table::Frame& frame, const Lessons& lessons,
                                 const std::function<bool()>& cancelled);
// Every row of the kinds that CountLearned counts, in order.
Result<std::vector<std::uint32_t>> LearnedRows(const table::Frame& frame, const Lessons& lessons,
                                               const std::function<bool()>& cancelled);

}  // namespace gyre::evaluation
