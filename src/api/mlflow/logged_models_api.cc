#include "api/mlflow/logged_models_api.h"

#include <array>

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/named.h"
#include "api/mlflow/run_words.h"
#include "base/id.h"
#include "ml/tracking/long_read.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;
using tracking::LoggedModel;
using tracking::ModelStatus;

constexpr std::size_t kWordCharactersMax = 500;  // of a type, of an id
constexpr Permission kRead("run.read"), kWrite("run.write");
constexpr std::int64_t kResultsStandard = 50, kResultsMax = 1'000;
constexpr int kFilesListed = 10'000;
constexpr std::size_t kKeyMax = 250, kParamMax = 6'000, kTagMax = 8'000, kNameMax = 500;
constexpr std::array<std::string_view, 3> kStatusWords = {
    "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/logged-models",
     .handler = Serve<&LoggedModelsApi::Create>,
     .permission = kWrite,
     .summary = "Begin a logged model",
     .fields = {{"experiment_id", Type::kText, "of the experiment", "", kRequired},
                {"name", Type::kText, "made up when it is not given"},
                {"model_type", Type::kText, "what kind of model it is"},
                {"source_run_id", Type::kText, "the run that made it"},
                {"params", Type::kObjects, "{key, value}"},
                {"tags", Type::kObjects, "{key, value}"}},
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow/logged-models/search",
     .handler = Serve<&LoggedModelsApi::Search>,
     .permission = kRead,
     .summary = "Find logged models",
     .fields = {{"experiment_ids", Type::kTexts, "of the experiments to look in", "", kRequired},
                {"filter", Type::kText, "metrics.auc > 0.9 AND params.lr = '0.1'"},
                {"datasets", Type::kObjects, "{dataset_name, dataset_digest}: metrics on these"},
                {"max_results", Type::kWhole, "50 when it is not given, at most 1,000"},
                {"order_by", Type::kObjects, "{field_name, ascending, dataset_name}"},
                {"page_token", Type::kText, "of the page before"}},
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/logged-models/{model_id}",
     .handler = Serve<&LoggedModelsApi::Get>,
     .permission = kRead,
     .summary = "One logged model",
     .fields = {{"allow_deleted", Type::kBool, "also a deleted one"}}},
    {.method = Method::kPatch,
     .path = "/mlflow/logged-models/{model_id}",
     .handler = Serve<&LoggedModelsApi::Finish>,
     .permission = kWrite,
     .summary = "Say whether its files are there",
     .fields = {{"status", Type::kAny, "LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED", "",
                 kRequired}},
     .audited = false},
    {.method = Method::kDelete,
     .path = "/mlflow/logged-models/{model_id}",
     .handler = Serve<&LoggedModelsApi::Delete>,
     .permission = kWrite,
     .summary = "Mark a logged model as deleted"},
    {.method = Method::kPost,
     .path = "/mlflow/logged-models/{model_id}/params",
     .handler = Serve<&LoggedModelsApi::AddParams>,
     .permission = kWrite,
     .summary = "Log params of a model",
     .fields = {{"params", Type::kObjects, "{key, value}"}},
     .audited = false},
    {.method = Method::kPatch,
     .path = "/mlflow/logged-models/{model_id}/tags",
     .handler = Serve<&LoggedModelsApi::SetTags>,
     .permission = kWrite,
     .summary = "Set tags of a model",
     .fields = {{"tags", Type::kObjects, "{key, value}"}},
     .audited = false},
    {.method = Method::kDelete,
     .path = "/mlflow/logged-models/{model_id}/tags/{key*}",
     .handler = Serve<&LoggedModelsApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Remove a tag of a model",
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/logged-models/{model_id}/artifacts/directories",
     .handler = Serve<&LoggedModelsApi::ListFiles>,
     .permission = kRead,
     .summary = "What a folder of a model holds",
     .fields = {{"artifact_directory_path", Type::kText, "the folder"},
                {"page_token", Type::kText, "of the page before"}}},
    {.method = Method::kGet,
     .path = "/mlflow/logged-models/{model_id}/artifacts/files",
     .handler = Serve<&LoggedModelsApi::GetFile>,
     .permission = kRead,
     .summary = "The bytes of a file of a model",
     .fields = {{"artifact_file_path", Type::kText, "the file", "", kRequired}},
     .doors = Doors::kAjax2},
};

Error InModelWords(const Error& error, std::string_view id) {
  if (error.gy() != "GY3441") return error;
  return Error(error.code(), error.gy(), fmt::format("Logged model with ID '{}' not found.", id));
}

template <class Answer>
Result<Answer> Asked(Result<Answer> result, std::string_view id) {
  if (result) return result;
  return InModelWords(result.error(), id);
}

std::string IdOf(const Call& call) { return call.request.Param("model_id"); }

Result<> CheckModelName(std::string_view name) {
  const bool bad = name.find_first_of("/:.%\"'") != std::string_view::npos;
  if (bad)
    return InvalidParameter(
        fmt::format("Invalid model name ({}) provided. Model name must be a non-empty string and "
                    "cannot contain the following characters: ('/', ':', '.', '%', '\"', \"'\")",
                    PythonText(name.substr(0, kNameMax))));
  return CheckLength("name", name, kNameMax);
}

Result<std::map<std::string, std::string>> TextsOf(const Call& call, std::string_view list,
                                                   std::size_t value_max) {
  std::map<std::string, std::string> texts;
  for (const JsonValue item : call.arguments.Objects(list)) {
    const std::string_view key = item["key"].text();
    if (key.empty()) return MissingValue(fmt::format("{}.key", list));
    GYRE_DO(CheckLength("key", key, kKeyMax));
    texts.insert_or_assign(std::string(key),
                           std::string(Truncated(item["value"].text(), value_max)));
  }
  return texts;
}

void WriteMetrics(AnswerWriter& out, const LoggedModel& model) {
  if (model.metrics.empty()) return;
  out.List("metrics");
  for (const tracking::ModelPoint& point : model.metrics) {
    out.Object()
        .Text("key", point.key)
        .Number("value", Clamped(point.value))
        .Whole("timestamp", point.time_us / kMicrosPerMilli)
        .Whole("step", point.step)
        .TextUnlessEmpty("dataset_name", point.dataset_name)
        .TextUnlessEmpty("dataset_digest", point.dataset_digest)
        .Text("model_id", model.id)
        .TextUnlessEmpty("run_id", point.run_id)
        .End();
  }
  out.End();
}

void WriteModel(AnswerWriter& out, const LoggedModel& model) {
  out.Object("info")
      .Text("model_id", model.id)
      .Text("experiment_id", fmt::format("{}", model.experiment))
      .Text("name", model.name)
      .Whole("creation_timestamp_ms", model.created_us / kMicrosPerMilli)
      .Whole("last_updated_timestamp_ms", model.updated_us / kMicrosPerMilli)
      .Text("artifact_uri", ArtifactUri(model))
      .Text("status", kStatusWords[static_cast<std::size_t>(model.status)])
      .TextUnlessEmpty("model_type", model.model_type)
      .TextUnlessEmpty("source_run_id", model.run_id);
  out.Pairs("tags", model.tags);
  out.End();
  out.Object("data");
  out.Pairs("params", model.params);
  WriteMetrics(out, model);
  out.End();
}

net::Response AnswerModel(const LoggedModel& model) {
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("model");
    WriteModel(out, model);
    out.End();
  });
}

Result<ModelStatus> StatusOfWord(const JsonValue& value) {
  for (std::size_t i = 0; i < kStatusWords.size(); ++i) {
    if (value.text() == kStatusWords[i] || WholeOf(value) == static_cast<std::int64_t>(i + 1))
      return static_cast<ModelStatus>(i);
  }
  return WrongType("status", value);
}

Result<tracking::ModelOrder> OrderOf(const JsonValue& item) {
  const std::string field(item["field_name"].text());
  if (field.empty()) return MissingValue("order_by.field_name");
  GYRE_TRY(const auto parsed,
           tracking::ParseOrder(std::vector<std::string>{field}, tracking::kLoggedModelFields));
  tracking::ModelOrder order{.by = parsed.front()};
  order.by.ascending = !item["ascending"].there() || item["ascending"].truth();
  order.dataset = {std::string(item["dataset_name"].text()),
                   std::string(item["dataset_digest"].text())};
  return order;
}

}  // namespace

net::RouteTable LoggedModelsApi::table() {
  return {"mlflow", RoutesOf<kEndpoints>::routes(), this};
}

Result<net::Response> LoggedModelsApi::Create(Call& call) {
  const std::string experiment_id = call.arguments.Text("experiment_id");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(experiment_id));
  const auto experiment = experiments_.Get(call.project, number);
  if (!experiment) return InExperimentWords(experiment.error(), experiment_id);
  tracking::NewLoggedModel from{.project = call.project,
                                .experiment = experiment->number,
                                .name = call.arguments.Text("name")};
  GYRE_DO(CheckModelName(from.name));
  if (from.name.empty()) from.name = MadeUpName(NewId());
  from.run_id = call.arguments.Text("source_run_id");
  from.model_type = call.arguments.Text("model_type");
  GYRE_DO(CheckLength("source_run_id", from.run_id, kWordCharactersMax));
  GYRE_DO(CheckLength("model_type", from.model_type, kWordCharactersMax));
  GYRE_TRY(from.params, TextsOf(call, "params", kParamMax));
  GYRE_TRY(from.tags, TextsOf(call, "tags", kTagMax));
  const auto made = models_.Create(from);
  if (!made) return InExperimentWords(made.error(), experiment_id);
  return AnswerModel(*made);
}

Result<net::Response> LoggedModelsApi::Get(Call& call) {
  const std::string id = IdOf(call);
  GYRE_TRY(const LoggedModel model,
           Asked(models_.Get(call.project, id, call.arguments.Bool("allow_deleted")), id));
  return AnswerModel(model);
}

Result<net::Response> LoggedModelsApi::Finish(Call& call) {
  const std::string id = IdOf(call);
  GYRE_TRY(const ModelStatus status, StatusOfWord(call.arguments.Value("status")));
  GYRE_TRY(const LoggedModel model, Asked(models_.Finish(call.project, id, status), id));
  return AnswerModel(model);
}

Result<net::Response> LoggedModelsApi::Delete(Call& call) {
  const std::string id = IdOf(call);
  if (const auto done = models_.Delete(call.project, id); !done)
    return InModelWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> LoggedModelsApi::AddParams(Call& call) {
  const std::string id = IdOf(call);
  GYRE_TRY(const auto params, TextsOf(call, "params", kParamMax));
  if (const auto done = models_.AddParams(call.project, id, params); !done)
    return InModelWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> LoggedModelsApi::SetTags(Call& call) {
  const std::string id = IdOf(call);
  GYRE_TRY(const auto tags, TextsOf(call, "tags", kTagMax));
  if (const auto done = models_.SetTags(call.project, id, tags); !done)
    return InModelWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> LoggedModelsApi::DeleteTag(Call& call) {
  const std::string id = IdOf(call);
  const std::string key = call.request.Param("key");
  const auto done = models_.DeleteTag(call.project, id, key);
  if (done) return EmptyAnswer();
  if (done.error().gy() == "GY3442")
    return Error(Code::kNotFound, "GY3442",
                 fmt::format("No tag with key {} found for model with ID {}.", PythonText(key),
                             PythonText(id)));
  return InModelWords(done.error(), id);
}

Result<tracking::ModelSearch> LoggedModelsApi::SearchOf(const Call& call) {
  tracking::ModelSearch search{.project = call.project, .experiments = {}};
  GYRE_TRY(search.experiments,
           ExperimentsOf(experiments_, call, call.arguments.Texts("experiment_ids")));
  if (search.experiments.empty()) return MissingValue("experiment_ids");
  GYRE_TRY(search.filter,
           tracking::ParseFilter(call.arguments.Text("filter"), tracking::kLoggedModelFields));
  for (const JsonValue item : call.arguments.Objects("datasets")) {
    tracking::DatasetFilter dataset{std::string(item["dataset_name"].text()),
                                    std::string(item["dataset_digest"].text())};
    if (dataset.name.empty())
      return InvalidParameter("`dataset_name` in the `datasets` clause must be specified.");
    search.datasets.push_back(std::move(dataset));
  }
  for (const JsonValue item : call.arguments.Objects("order_by")) {
    GYRE_TRY(auto order, OrderOf(item));
    search.order.push_back(std::move(order));
  }
  const std::int64_t results = call.arguments.Whole("max_results", kResultsStandard);
  if (results < 0 || results > kResultsMax)
    return InvalidParameter(
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be at most {}",
                    results, kResultsMax));
  search.limit = static_cast<int>(results == 0 ? kResultsStandard : results);
  search.page_token = call.arguments.Text("page_token");
  return search;
}

Result<net::Response> LoggedModelsApi::Search(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  GYRE_TRY(const tracking::ModelSearch search, SearchOf(call));
  GYRE_TRY(const tracking::FoundModels found, models_.Search(search));
  return AnswerOf([&](AnswerWriter& out) {
    if (!found.models.empty()) {
      out.List("models");
      for (const LoggedModel& model : found.models) {
        out.Object();
        WriteModel(out, model);
        out.End();
      }
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", found.next_page_token);
  });
}

Result<net::Response> LoggedModelsApi::ListFiles(Call& call) {
  const std::string id = IdOf(call);
  GYRE_TRY(const std::string folder,
           CleanArtifactPath(call.arguments.Text("artifact_directory_path")));
  GYRE_TRY(const LoggedModel model, Asked(models_.Get(call.project, id), id));
  GYRE_TRY(const tracking::FilePage page,
           files_.List({tracking::FileOwner::Kind::kLoggedModel, call.project, id}, folder,
                       call.arguments.Text("page_token"), kFilesListed));
  return AnswerOf([&](AnswerWriter& out) {
    out.Text("root_uri", ArtifactUri(model));
    WriteEntries(page.entries, folder, out);
    out.TextUnlessEmpty("next_page_token", page.next_page_token);
  });
}

Result<net::Response> LoggedModelsApi::GetFile(Call& call) {
  const std::string id = IdOf(call);
  GYRE_TRY(const std::string path, CleanArtifactPath(call.arguments.Text("artifact_file_path")));
  if (const auto model = models_.Get(call.project, id); !model)
    return InModelWords(model.error(), id);
  return artifacts_.Answer(call.request,
                           {tracking::FileOwner::Kind::kLoggedModel, call.project, id}, path);
}

}  // namespace gyre::mlflow
