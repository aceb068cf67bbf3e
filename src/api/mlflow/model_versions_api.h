// Model versions over MLflow's protocol.
#pragma once

#include "api/mlflow/call.h"
#include "api/mlflow/registered_models_api.h"
#include "api/mlflow/version_files.h"

namespace gyre::mlflow {

class ModelVersionsApi final : public Noun {
 public:
  ModelVersionsApi(projects::Projects& projects, registry::Catalog& catalog,
                   registry::ModelSearcher& searcher, registry::LoggedGate& gate,
                   VersionFiles files, IsFree is_free, MayMoveAliases may_move)
      : Noun(projects),
        catalog_(catalog),
        gate_(gate),
        searcher_(searcher),
        files_(std::move(files)),
        is_free_(std::move(is_free)),
        may_move_(std::move(may_move)) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Update(Call& call);
  Result<net::Response> MoveStage(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Search(Call& call);
  Result<net::Response> DownloadUri(Call& call);
  Result<net::Response> SetTag(Call& call);
  Result<net::Response> DeleteTag(Call& call);

 private:
  // The version that the call names.
  Result<registry::ModelVersion> Asked(const Call& call);
  Result<registry::LoggedVersion> Logged(const Call& call);
  // Who hands thresholds over sees their verdict at once.
  Result<> Judge(const Call& call, const registry::ModelVersion& version);

  registry::Catalog& catalog_;
  registry::LoggedGate& gate_;
  registry::ModelSearcher& searcher_;
  const VersionFiles files_;
  const IsFree is_free_;
  const MayMoveAliases may_move_;
};

}  // namespace gyre::mlflow
