// Models that runs made: those that newer clients log beside runs, and what older ones note of
// models among the files of a run.
#pragma once

#include "api/mlflow/call.h"
#include "ml/tracking/tracking.h"

namespace gyre::mlflow {

// The kind of an input or output of a run that is a logged model.
inline constexpr std::string_view kLoggedModelKind = "logged_model";

class RunModelsApi final : public Noun {
 public:
  RunModelsApi(projects::Projects& projects, tracking::Tracking& tracking)
      : Noun(projects), tracking_(tracking) {}
  net::RouteTable table();

  Result<net::Response> LogOutputs(Call& call);
  Result<net::Response> LogModel(Call& call);

 private:
  tracking::Tracking& tracking_;
};

}  // namespace gyre::mlflow
