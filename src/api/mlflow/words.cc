#include "api/mlflow/words.h"

namespace gyre::mlflow {

Error RunNotFound(std::string_view run_id) {
  return NotFound("GY5120", "Run with id={} not found", run_id.substr(0, 256));
}

}  // namespace gyre::mlflow
