// Which rows of an evaluation a model has seen before.
#pragma once

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
// Rows of a kind that the frame holds more than once are not counted: that they occur in the other
// table too is no sign of a copy.
Result<std::size_t> CountLearned(const table::Frame& frame, const Lessons& lessons,
                                 const std::function<bool()>& cancelled);

}  // namespace gyre::evaluation
