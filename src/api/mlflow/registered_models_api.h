// Registered models over MLflow's protocol: the same that the native API has, by their titles.
#pragma once

#include <functional>

#include "api/mlflow/call.h"
#include "ml/registry/catalog.h"
#include "ml/registry/logged_gate.h"
#include "ml/registry/model_search.h"

namespace gyre::mlflow {

// Nothing, or why a version cannot be deleted: an endpoint answers with it.
using IsFree = std::function<Result<>(const registry::ModelVersion& version)>;
// Whether the caller may move aliases there: who deletes what one points at takes it away.
using MayMoveAliases = std::function<Result<>(net::Request& request, const std::string& project)>;

class RegisteredModelsApi final : public Noun {
 public:
  RegisteredModelsApi(projects::Projects& projects, registry::Registry& registry,
                      registry::Catalog& catalog, registry::ModelSearcher& searcher,
                      registry::LoggedGate& gate, IsFree is_free, MayMoveAliases may_move)
      : Noun(projects),
        registry_(registry),
        catalog_(catalog),
        gate_(gate),
        searcher_(searcher),
        is_free_(std::move(is_free)),
        may_move_(std::move(may_move)) {}
  net::RouteTable table();

  Result<net::Response> Create(Call& call);
  Result<net::Response> Rename(Call& call);
  Result<net::Response> Update(Call& call);
  Result<net::Response> Delete(Call& call);
  Result<net::Response> Get(Call& call);
  Result<net::Response> Search(Call& call);
  Result<net::Response> Latest(Call& call);
  Result<net::Response> SetTag(Call& call);
  Result<net::Response> DeleteTag(Call& call);
  Result<net::Response> SetAlias(Call& call);
  Result<net::Response> DeleteAlias(Call& call);
  Result<net::Response> GetAlias(Call& call);

 private:
  // The model's document, read again after a change.
  Result<net::Response> Answer(const Call& call, Result<registry::Model> model,
                               std::string_view name);

  registry::Registry& registry_;
  registry::Catalog& catalog_;
  registry::LoggedGate& gate_;
  registry::ModelSearcher& searcher_;
  const IsFree is_free_;
  const MayMoveAliases may_move_;
};

}  // namespace gyre::mlflow
