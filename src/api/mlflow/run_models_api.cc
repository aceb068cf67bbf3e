#include "api/mlflow/run_models_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/named.h"
#include "api/mlflow/run_batch.h"
#include "api/mlflow/run_words.h"

namespace gyre::mlflow {
namespace {

using net::Method;
using net::Permission;
using net::Type;

constexpr std::string_view kHistoryTag = "mlflow.log-model.history";
constexpr std::size_t kModelTextShown = 1'000;

constexpr Permission kWrite("run.write");
constexpr net::Field kRunId{"run_id", Type::kText, "the run", "", net::kRequired};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/runs/outputs",
     .handler = Serve<&RunModelsApi::LogOutputs>,
     .permission = kWrite,
     .summary = "Log the models that a run made",
     .fields = {kRunId, {"models", Type::kObjects, "{model_id, step}", "", net::kRequired}},
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow/runs/log-model",
     .handler = Serve<&RunModelsApi::LogModel>,
     .permission = kWrite,
     .summary = "Note a model among the files of a run",
     .fields = {kRunId, {"model_json", Type::kText, "what it is", "", net::kRequired}},
     .audited = false},
};

// Flavors without their settings, which may be long.
Json FlavorsNoted(const Json& flavors) {
  Json noted = Json::Obj();
  for (const auto& [flavor, config] : flavors.members()) {
    Json kept = config.is_object() ? Json::Obj() : config;
    for (const auto& [key, value] : config.members()) {
      if (key != "config") kept.Set(key, value);
    }
    noted.Set(flavor, std::move(kept));
  }
  return noted;
}

// What the history of its run keeps of a model.
Result<Json> HistoryEntry(const std::string& text) {
  const auto model = Json::Parse(text);
  if (!model || !model->is_object()) {
    return InvalidParameter(fmt::format("Malformed model info. \n {} \n is not a valid JSON.",
                                        text.substr(0, kModelTextShown)));
  }
  std::string missing;
  for (const std::string_view name : {"artifact_path", "flavors", "run_id", "utc_time_created"}) {
    if (!model->Has(name)) missing += (missing.empty() ? "" : ", ") + PythonText(name);
  }
  if (!missing.empty())
    return InvalidParameter("Model json is missing mandatory fields: {" + missing + "}");
  Json entry = Json::Obj();
  for (const std::string_view name : {"run_id", "artifact_path", "utc_time_created", "model_uuid"})
    entry.Set(name, (*model)[name]);
  return entry.Set("flavors", FlavorsNoted((*model)["flavors"]));
}

std::string Extended(std::string_view before, const Json& entry) {
  auto history = Json::Parse(before);
  Json list = history && history->is_array() ? *std::move(history) : Json::Arr();
  list.Push(entry);
  return list.Dump();
}

}  // namespace

net::RouteTable RunModelsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

// The step stands in the name of the output.
Result<net::Response> RunModelsApi::LogOutputs(Call& call) {
  GYRE_TRY(const std::string run_id, RunOf(tracking_, call));
  GYRE_DO(CheckModelCount(call.arguments.Value("models").size()));
  for (const JsonValue model : call.arguments.Objects("models")) {
    const std::string id(model["model_id"].text());
    if (id.empty()) return MissingValue("models.model_id");
    const std::int64_t step = WholeOf(model["step"]).value_or(0);
    const auto added = tracking_.AddOutput(
        run_id, {.kind = std::string(kLoggedModelKind), .id = id, .name = std::to_string(step)});
    if (!added) return InRunWords(added.error(), run_id);
  }
  return EmptyAnswer();
}

Result<net::Response> RunModelsApi::LogModel(Call& call) {
  GYRE_TRY(const std::string run_id, RunOf(tracking_, call));
  GYRE_TRY(const Json entry, HistoryEntry(call.arguments.Text("model_json")));
  const auto logged = tracking_.RewriteTag(
      run_id, std::string(kHistoryTag),
      [&](std::string_view before) -> Result<std::string> { return Extended(before, entry); });
  if (!logged) return InRunWords(logged.error(), run_id);
  return EmptyAnswer();
}

}  // namespace gyre::mlflow
