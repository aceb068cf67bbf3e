// Logged models over MLflow's protocol.
#pragma once

#include "api/mlflow/artifacts_api.h"
#include "api/mlflow/call.h"
#include "ml/tracking/logged_models.h"

namespace gyre::mlflow {

class LoggedModelsApi final : public Noun {
 public:
  LoggedModelsApi(projects::Projects& projects, tracking::Experiments& experiments,
                  tracking::LoggedModels& models, tracking::Files& files, ArtifactsApi& artifacts)
      : Noun(projects),
        experiments_(experiments),
        models_(models),
        files_(files),
        artifacts_(artifacts) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Finish(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> AddParams(Call& call);
  Result<net::Response> SetTags(Call& call);
  Result<net::Response> DeleteTag(Call& call);
  Result<net::Response> Search(Call& call);
  Result<net::Response> ListFiles(Call& call);
  Result<net::Response> GetFile(Call& call);

 private:
  Result<tracking::ModelSearch> SearchOf(const Call& call);

  tracking::Experiments& experiments_;
  tracking::LoggedModels& models_;
  tracking::Files& files_;
  ArtifactsApi& artifacts_;
};

}  // namespace gyre::mlflow
