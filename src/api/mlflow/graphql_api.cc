#include "api/mlflow/graphql_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/graphql_query.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using net::Type;

constexpr int kVersionsMax = 100;

constexpr Endpoint kEndpoints[] = {
    {.method = net::Method::kPost,
     .path = "/graphql",
     .handler = Serve<&GraphqlApi::Answer>,
     .permission = net::Permission("run.read"),
     .summary = "What the pages of MLflow's UI ask in GraphQL",
     .fields = {{"query", Type::kText, "GraphQL", "", net::kRequired},
                {"operationName", Type::kText, "of the query"},
                {"variables", Type::kObject, "of the query"}},
     .doors = Doors::kRoot,
     .audited = false},
};

Json JsonOf(const JsonValue& value) {
  std::string text;
  value.PrintTo(&text);
  auto json = Json::Parse(text);
  return json ? *std::move(json) : Json();
}

Json ErrorJson(const Error& error) {
  return Json::Obj({{"code", WireErrorOf(error).name}, {"message", error.message()}});
}

}  // namespace

net::RouteTable GraphqlApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<Json> GraphqlApi::Experiment(const std::string& project, const std::string& id) {
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  GYRE_TRY(const tracking::Experiment experiment, experiments_.Get(project, number));
  const net::Response text = AnswerOf([&](AnswerWriter& out) { WriteExperiment(out, experiment); });
  return Json::Parse(text.body);
}

Result<Json> GraphqlApi::VersionsOf(const std::string& project, const std::string& run_id) {
  GYRE_TRY(tracking::Filter filter, tracking::ParseFilter(fmt::format("run_id = '{}'", run_id),
                                                          tracking::kModelVersionFields));
  GYRE_TRY(
      const registry::FoundVersions found,
      searcher_.Versions({.project = project, .filter = std::move(filter), .limit = kVersionsMax}));
  Json versions = Json::Arr();
  for (const registry::ModelVersion& version : found.versions) {
    versions.Push(Json::Obj({{"name", version.title},
                             {"version", fmt::format("{}", version.version)},
                             {"status", "READY"},
                             {"source", version.source},
                             {"creation_timestamp", version.created_us / kMicrosPerMilli}}));
  }
  return versions;
}

Result<Json> GraphqlApi::Run(const std::string& project, const std::string& run_id) {
  GYRE_TRY(const auto texts, pages_.Render(project, std::span(&run_id, 1)));
  if (texts.empty()) return InRunWords(Error(Code::kNotFound, "GY3401", ""), run_id);
  GYRE_TRY(Json run, Json::Parse(*texts[0]));
  GYRE_TRY(Json experiment, Experiment(project, run["info"]["experiment_id"].AsString()));
  GYRE_TRY(Json versions, VersionsOf(project, run["info"]["run_id"].AsString()));
  run.Set("experiment", std::move(experiment)).Set("model_versions", std::move(versions));
  return run;
}

Result<Json> GraphqlApi::Root(const std::string& project, std::string_view field,
                              const Json& input) {
  if (field == "mlflowGetRun") {
    const std::string& id = input["runId"].AsString();
    GYRE_TRY(Json run, Run(project, id.empty() ? input["runUuid"].AsString() : id));
    return Json::Obj({{"run", std::move(run)}});
  }
  if (field == "mlflowGetExperiment") {
    GYRE_TRY(Json experiment, Experiment(project, input["experimentId"].AsString()));
    return Json::Obj({{"experiment", std::move(experiment)}});
  }
  return InvalidParameter(fmt::format("Cannot query field '{}' on type 'Query'.", field));
}

Result<net::Response> GraphqlApi::Answer(Call& call) {
  GYRE_TRY(const auto fields, ParseQuery(call.arguments.Text("query")));
  const Json variables = JsonOf(call.arguments.Value("variables"));
  Json data = Json::Obj();
  for (const Selection& field : fields) {
    if (field.name == "__typename") {
      data.Set(field.answers_as, "Query");
      continue;
    }
    auto document = Root(call.project, field.name, variables[field.variable]);
    if (!document) document = Json::Obj({{"api_error", ErrorJson(document.error())}});
    data.Set(field.answers_as, Selected(*document, field.name, field.fields));
  }
  return net::Response::JsonDoc(Json::Obj({{"data", std::move(data)}, {"errors", Json()}}));
}

}  // namespace gyre::mlflow
