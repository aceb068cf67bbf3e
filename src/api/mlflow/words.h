// What MLflow says, word for word, where clients or people read it.
#pragma once

#include <string_view>

#include "base/error.h"

namespace gyre::mlflow {

Error RunNotFound(std::string_view run_id);  // kNotFound GY5120

// The answer of a room, with what it says of a missing run in MLflow's words.
template <class T>
Result<T> OfRun(std::string_view run_id, Result<T> answer) {
  if (!answer && answer.error().gy() == "GY3401") return RunNotFound(run_id);
  return answer;
}

}  // namespace gyre::mlflow
