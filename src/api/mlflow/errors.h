// Errors as MLflow's clients read them: {"error_code": NAME, "message": text}.
#pragma once

#include <string_view>

#include "base/error.h"
#include "platform/net/http.h"

namespace gyre::mlflow {

struct WireError {
  int status;
  std::string_view name;  // "RESOURCE_DOES_NOT_EXIST"
};
WireError WireErrorOf(const Error& error);

// Whoever is not known is told so in plain words and asked for a name and a password, as MLflow's
// clients expect.
net::Response ErrorDocument(const Error& error, std::string_view request_id);

// What MLflow says of a parameter.
Error InvalidParameter(std::string_view message);  // kInvalidArgument GY5100

}  // namespace gyre::mlflow
