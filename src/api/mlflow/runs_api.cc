#include "api/mlflow/runs_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/named.h"
#include "api/mlflow/run_batch.h"
#include "api/mlflow/run_models_api.h"
#include "api/mlflow/run_words.h"
#include "base/id.h"
#include "base/json.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr std::int64_t kBatchBytesMax = 16 << 20, kInputsBytesMax = 32 << 20;
constexpr std::size_t kUserCharactersMax = 256;
constexpr Permission kRead("run.read"), kWrite("run.write");

constexpr net::Field kRunId = {"run_id", Type::kText, "of the run", "", kRequired};
constexpr net::Field kKey = {"key", Type::kText, "its name", "", kRequired};
constexpr net::Field kTextValue = {"value", Type::kText, "its value"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/runs/create",
     .handler = Serve<&RunsApi::Create>,
     .permission = kWrite,
     .summary = "Begin a run",
     .fields = {{"experiment_id", Type::kText, "0 when it is not given"},
                {"user_id", Type::kText, "who runs it"},
                {"run_name", Type::kText, "made up when it is not given"},
                {"start_time", Type::kWhole, "milliseconds since 1970"},
                {"tags", Type::kObjects, "{key, value}"}},
     .audited = false,
     .where = net::Where::kDeferred},
    {.method = Method::kGet,
     .path = "/mlflow/runs/get",
     .handler = Serve<&RunsApi::Get>,
     .permission = kRead,
     .summary = "One run with its params, tags and latest metrics",
     .fields = {kRunId}},
    {.method = Method::kPost,
     .path = "/mlflow/runs/update",
     .handler = Serve<&RunsApi::Update>,
     .permission = kWrite,
     .summary = "Change a run's status, end or name",
     .fields = {kRunId,
                {"status", Type::kAny, "RUNNING, SCHEDULED, FINISHED, FAILED or KILLED"},
                {"end_time", Type::kWhole, "milliseconds since 1970"},
                {"run_name", Type::kText, "its new name"}},
     .audited = false,
     .where = net::Where::kDeferred},
    {.method = Method::kPost,
     .path = "/mlflow/runs/delete",
     .handler = Serve<&RunsApi::Delete>,
     .permission = kWrite,
     .summary = "Mark a run as deleted",
     .fields = {kRunId}},
    {.method = Method::kPost,
     .path = "/mlflow/runs/restore",
     .handler = Serve<&RunsApi::Restore>,
     .permission = kWrite,
     .summary = "Take that mark away",
     .fields = {kRunId}},
    {.method = Method::kPost,
     .path = "/mlflow/runs/log-metric",
     .handler = Serve<&RunsApi::LogMetric>,
     .permission = kWrite,
     .summary = "Log one point of a metric",
     .fields = {kRunId,
                kKey,
                {"value", Type::kNumber, "its value", "", kRequired},
                {"timestamp", Type::kWhole, "milliseconds since 1970", "", kRequired},
                {"step", Type::kWhole, "0 when it is not given"},
                {"model_id", Type::kText, "the logged model that it is of"},
                {"dataset_name", Type::kText, "what it was measured on"},
                {"dataset_digest", Type::kText, "of that"}},
     .audited = false,
     .where = net::Where::kDeferred},
    {.method = Method::kPost,
     .path = "/mlflow/runs/log-parameter",
     .handler = Serve<&RunsApi::LogParam>,
     .permission = kWrite,
     .summary = "Log a param",
     .fields = {kRunId, kKey, kTextValue},
     .audited = false,
     .where = net::Where::kDeferred},
    {.method = Method::kPost,
     .path = "/mlflow/runs/log-batch",
     .handler = Serve<&RunsApi::LogBatch>,
     .permission = kWrite,
     .summary = "Log metrics, params and tags in one transaction",
     .fields = {kRunId,
                {"metrics", Type::kObjects, "{key, value, timestamp, step}"},
                {"params", Type::kObjects, "{key, value}"},
                {"tags", Type::kObjects, "{key, value}"}},
     .body_bytes_max = kBatchBytesMax,
     .audited = false,
     .where = net::Where::kDeferred},
    {.method = Method::kPost,
     .path = "/mlflow/runs/set-tag",
     .handler = Serve<&RunsApi::SetTag>,
     .permission = kWrite,
     .summary = "Set a tag of a run",
     .fields = {kRunId, kKey, kTextValue},
     .audited = false,
     .where = net::Where::kDeferred},
    {.method = Method::kPost,
     .path = "/mlflow/runs/delete-tag",
     .handler = Serve<&RunsApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Remove a tag of a run",
     .fields = {kRunId, kKey},
     .audited = false},
    {.method = Method::kPost,
     .path = "/mlflow/runs/log-inputs",
     .handler = Serve<&RunsApi::LogInputs>,
     .permission = kWrite,
     .summary = "Log the data sets that a run reads",
     .fields = {kRunId,
                {"datasets", Type::kObjects, "{dataset, tags}"},
                {"models", Type::kObjects, "{model_id}"}},
     .body_bytes_max = kInputsBytesMax,
     .audited = false},
};

// The name of a run stands in its tag too.
Result<std::string> NameOf(std::string_view given, const std::map<std::string, std::string>& tags) {
  const auto tag = tags.find(std::string(kRunNameTag));
  if (tag == tags.end() || tag->second.empty()) return std::string(given);
  if (given.empty() || given == tag->second) return tag->second;
  return InvalidParameter(
      fmt::format("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
                  "different values (run_name='{}', mlflow.runName='{}').",
                  given, tag->second));
}

// MLflow's words for params that have other values already.
Error OfParams(const Error& error, const std::string& run_id,
               const std::vector<tracking::ParamConflict>& conflicts, OneParam one_param) {
  if (one_param == OneParam::kYes) {
    const auto& [key, before, value] = conflicts[0];
    return Error(error.code(), error.gy(),
                 fmt::format("Changing param values is not allowed. Param with key='{}' was "
                             "already logged with value='{}' for run ID='{}'. Attempted logging "
                             "new value '{}'.",
                             key, before, run_id, value));
  }
  std::string all;
  for (const auto& [key, before, value] : conflicts)
    all += fmt::format("{}{{'key': {}, 'old_value': {}, 'new_value': {}}}", all.empty() ? "" : ", ",
                       PythonText(key), PythonText(before), PythonText(value));
  return Error(error.code(), error.gy(),
               fmt::format("Changing param values is not allowed. Params were already "
                           "logged='[{}]' for run ID='{}'.",
                           all, run_id));
}

}  // namespace

net::RouteTable RunsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<net::Response> RunsApi::Create(Call& call) {
  const std::string experiment_id = call.arguments.Text("experiment_id");
  tracking::NewRun from{.project = call.project};
  from.kind = tracking::kClientKind;
  from.id = NewId();
  from.created_by = call.request.principal.id;
  from.user_name = call.arguments.Text("user_id");
  GYRE_DO(CheckLength("user_id", from.user_name, kUserCharactersMax));
  GYRE_TRY(const std::int64_t number, ExperimentNumber(experiment_id));
  GYRE_TRY(from.started_us, MicrosOf("start_time", call.arguments.Whole("start_time")));
  std::size_t index = 0;
  for (const JsonValue item : call.arguments.Objects("tags")) {
    GYRE_TRY(auto tag, ReadTag(Place("tags", index++), item["key"].text(), item["value"].text()));
    from.tags.insert_or_assign(std::move(tag.first), std::move(tag.second));
  }
  GYRE_TRY(from.name, NameOf(call.arguments.Text("run_name"), from.tags));
  if (from.name.empty()) from.name = MadeUpName(from.id);
  from.tags[std::string(kRunNameTag)] = from.name;
  if (const auto parent = from.tags.find(std::string(kParentRunTag)); parent != from.tags.end())
    from.parent = parent->second;
  if (number != 0) from.experiment_number = number;  // else the default one of the project
  net::Response response;
  response.later = [this, experiment_id, from = std::move(from)](net::Later later) mutable {
    tracking_.CreateRunLater(std::move(from), [experiment_id, later = std::move(later)](
                                                  Result<tracking::Run> made) mutable {
      if (!made) return later.Answer(InExperimentWords(made.error(), experiment_id));
      later.Answer(AnswerOf([&](AnswerWriter& out) { out.Raw("run", RenderedNewRun(*made)); }));
    });
  };
  return response;
}

Result<net::Response> RunsApi::Get(Call& call) {
  const std::string run_id = call.arguments.Text("run_id");
  GYRE_TRY(const auto texts, pages_.Render(call.project, std::span(&run_id, 1)));
  if (texts.empty()) return InRunWords(Error(Code::kNotFound, "GY3401", ""), run_id);
  return AnswerOf([&](AnswerWriter& out) { out.Raw("run", *texts[0]); });
}

Result<net::Response> RunsApi::Update(Call& call) {
  const std::string run_id = call.arguments.Text("run_id");
  tracking::RunChange change{.project = call.project,
                             .by_program = call.request.principal.kind == "program"};
  if (const std::string status = call.arguments.Text("status"); !status.empty()) {
    change.status = StatusOf(status);
    if (!change.status)
      return InvalidParameter(fmt::format("Invalid status '{}'", status.substr(0, 100)));
  }
  if (call.arguments.Has("end_time")) {
    GYRE_TRY(change.ended_us, MicrosOf("end_time", call.arguments.Whole("end_time")));
  }
  if (const std::string name = call.arguments.Text("run_name"); !name.empty()) {
    change.name = name;
    change.tags = {{std::string(kRunNameTag), name}};
  }
  net::Response response;
  response.later = [this, run_id, change = std::move(change)](net::Later later) mutable {
    tracking_.ChangeRunLater(
        run_id, std::move(change),
        [run_id, later = std::move(later)](Result<tracking::Run> run) mutable {
          if (!run) return later.Answer(InRunWords(run.error(), run_id));
          later.Answer(AnswerOf([&](AnswerWriter& out) { WriteRunInfo(out, *run, "run_info"); }));
        });
  };
  return response;
}

Result<net::Response> RunsApi::Delete(Call& call) {
  GYRE_TRY(const std::string run_id, RunOf(tracking_, call));
  GYRE_DO(tracking_.HideRun(run_id));
  return EmptyAnswer();
}

Result<net::Response> RunsApi::Restore(Call& call) {
  GYRE_TRY(const std::string run_id, RunOf(tracking_, call));
  GYRE_DO(tracking_.UnhideRun(run_id));
  return EmptyAnswer();
}

net::Response RunsApi::Log(const Call& call, tracking::Batch batch, OneParam one_param) {
  batch.project = call.project;
  // The name of a run stands in its tag too.
  if (const auto name = batch.tags.find(std::string(kRunNameTag));
      name != batch.tags.end() && !name->second.empty())
    batch.name = name->second;
  net::Response response;
  response.later = [this, run_id = call.arguments.Text("run_id"), batch = std::move(batch),
                    one_param](net::Later later) mutable {
    tracking_.LogBatchLater(
        run_id, std::move(batch),
        [run_id, one_param, later = std::move(later)](
            const Result<>& done, const std::vector<tracking::ParamConflict>& conflicts) mutable {
          if (done) return later.Answer(EmptyAnswer());
          later.Answer(conflicts.empty() ? InRunWords(done.error(), run_id)
                                         : OfParams(done.error(), run_id, conflicts, one_param));
        });
  };
  return response;
}

Result<net::Response> RunsApi::LogMetric(Call& call) {
  const Arguments& arguments = call.arguments;
  tracking::Batch batch;
  GYRE_TRY(auto point, ReadMetric({}, arguments.Value("key"), arguments.Value("value"),
                                  arguments.Value("timestamp"), arguments.Value("step")));
  AddModelPoint(arguments.Text("run_id"), point, arguments.Value("model_id"),
                arguments.Value("dataset_name"), arguments.Value("dataset_digest"),
                &batch.of_models);
  batch.metrics.push_back(std::move(point));
  return Log(call, std::move(batch));
}

Result<net::Response> RunsApi::LogParam(Call& call) {
  tracking::Batch batch;
  GYRE_TRY(auto param, ReadParam({}, call.arguments.Text("key"), call.arguments.Text("value")));
  batch.params.insert(std::move(param));
  return Log(call, std::move(batch), OneParam::kYes);
}

Result<net::Response> RunsApi::LogBatch(Call& call) {
  GYRE_TRY(tracking::Batch batch, ReadBatch(call.arguments));
  return Log(call, std::move(batch));
}

Result<net::Response> RunsApi::SetTag(Call& call) {
  GYRE_TRY(auto tag, ReadTag({}, call.arguments.Text("key"), call.arguments.Text("value")));
  tracking::Batch batch;
  batch.tags.insert(std::move(tag));
  return Log(call, std::move(batch));
}

Result<net::Response> RunsApi::DeleteTag(Call& call) {
  GYRE_TRY(const std::string run_id, RunOf(tracking_, call));
  const std::string key = call.arguments.Text("key");
  const auto done = tracking_.DeleteTag(run_id, key);
  if (done) return EmptyAnswer();
  if (done.error().gy() == "GY3427")
    return Error(Code::kNotFound, "GY3427",
                 fmt::format("No tag with name: {} in run with id {}", key.substr(0, 300), run_id));
  return InRunWords(done.error(), run_id);
}

Result<net::Response> RunsApi::LogInputs(Call& call) {
  GYRE_TRY(const std::string run_id, RunOf(tracking_, call));
  GYRE_DO(CheckModelCount(call.arguments.Value("models").size()));
  GYRE_TRY(const auto datasets, ReadDatasets(call.arguments));
  if (const auto done = tracking_.LogInputs(run_id, datasets); !done)
    return InRunWords(done.error(), run_id);
  for (const JsonValue model : call.arguments.Objects("models")) {
    const std::string id(model["model_id"].text());
    if (id.empty()) return MissingValue("models.model_id");
    const auto added = tracking_.AddInput(
        run_id, {.kind = std::string(kLoggedModelKind), .id = id, .name = id, .digest = {}});
    if (!added) return InRunWords(added.error(), run_id);
  }
  return EmptyAnswer();
}

}  // namespace gyre::mlflow
