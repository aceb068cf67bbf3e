#include "api/mlflow/scorers_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/run_words.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr Permission kRead("run.read"), kWrite("run.write");
constexpr net::Field kExperiment = {"experiment_id", Type::kText, "of the scorer", "", kRequired};
constexpr net::Field kName = {"name", Type::kText, "of the scorer", "", kRequired};
constexpr net::Field kVersion = {"version", Type::kWhole, "all or the newest when not given"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/scorers/register",
     .handler = Serve<&ScorersApi::Register>,
     .permission = kWrite,
     .summary = "Keep the next version of a scorer",
     .fields = {kExperiment,
                kName,
                {"serialized_scorer", Type::kText, "JSON of an object", "", kRequired}},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/scorers/list",
     .handler = Serve<&ScorersApi::List>,
     .permission = kRead,
     .summary = "The newest versions of scorers",
     .fields = {{"experiment_id", Type::kText, "of one experiment"},
                {"experiment_ids", Type::kTexts, "of several"}},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/scorers/versions",
     .handler = Serve<&ScorersApi::Versions>,
     .permission = kRead,
     .summary = "All versions of a scorer",
     .fields = {kExperiment, kName},
     .doors = Doors::kApi3},
    {.method = Method::kGet,
     .path = "/mlflow/scorers/get",
     .handler = Serve<&ScorersApi::Get>,
     .permission = kRead,
     .summary = "A version of a scorer",
     .fields = {kExperiment, kName, kVersion},
     .doors = Doors::kApi3},
    {.method = Method::kDelete,
     .path = "/mlflow/scorers/delete",
     .handler = Serve<&ScorersApi::Delete>,
     .permission = kWrite,
     .summary = "Remove a scorer or one version of it",
     .fields = {kExperiment, kName, kVersion},
     .doors = Doors::kApi3},
};

Error InWords(const Error& error, const eval_sets::ScorerName& of,
              std::optional<std::int64_t> version = {}) {
  if (error.gy() != "GY3735") return error;
  const std::string which = version ? fmt::format(" and version {}", *version) : "";
  return Error(error.code(), error.gy(),
               fmt::format("Scorer with name '{}'{} not found for experiment {}.",
                           of.name.substr(0, 256), which, of.experiment));
}

void WriteScorer(AnswerWriter& out, std::string_view name, const eval_sets::Scorer& scorer) {
  out.Object(name)
      .Whole("experiment_id", scorer.experiment)
      .Text("scorer_name", scorer.name)
      .Whole("scorer_version", scorer.version)
      .Text("serialized_scorer", scorer.body)
      .Whole("creation_time", scorer.created_us / kMicrosPerMilli)
      .Text("scorer_id", scorer.id)
      .End();
}

net::Response AnswerList(const std::vector<eval_sets::Scorer>& scorers) {
  return AnswerOf([&](AnswerWriter& out) {
    if (scorers.empty()) return;
    out.List("scorers");
    for (const eval_sets::Scorer& scorer : scorers) WriteScorer(out, {}, scorer);
    out.End();
  });
}

std::optional<std::int64_t> VersionOf(const Call& call) {
  if (!call.arguments.Has("version")) return std::nullopt;
  return call.arguments.Whole("version");
}

}  // namespace

net::RouteTable ScorersApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<std::int64_t> ScorersApi::ExperimentOf(const Call& call, const std::string& id,
                                              bool active) {
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  const auto experiment = experiments_.Get(call.project, number);
  if (!experiment) return InExperimentWords(experiment.error(), id);
  if (active && experiment->deleted_us != 0)
    return InExperimentWords(Error(Code::kFailedPrecondition, "GY3423", ""), id);
  return experiment->number;
}

Result<eval_sets::ScorerName> ScorersApi::NameOf(const Call& call, bool active) {
  GYRE_TRY(const std::int64_t experiment,
           ExperimentOf(call, call.arguments.Text("experiment_id"), active));
  return eval_sets::ScorerName{call.project, experiment, call.arguments.Text("name")};
}

Result<net::Response> ScorersApi::Register(Call& call) {
  GYRE_TRY(const eval_sets::ScorerName of, NameOf(call, true));
  const std::string body = call.arguments.Text("serialized_scorer");
  const auto json = Json::Parse(body);
  if (!json || !json->is_object())
    return InvalidParameter(
        "Invalid value for parameter 'serialized_scorer' supplied: it is no JSON of an object");
  GYRE_TRY(const eval_sets::Scorer made, scorers_.Register(of, body));
  return AnswerOf([&](AnswerWriter& out) {
    out.Whole("version", made.version)
        .Text("scorer_id", made.id)
        .Text("experiment_id", std::to_string(made.experiment))
        .Text("name", made.name)
        .Text("serialized_scorer", made.body)
        .Whole("creation_time", made.created_us / kMicrosPerMilli);
  });
}

Result<net::Response> ScorersApi::List(Call& call) {
  std::vector<std::string> ids = call.arguments.Texts("experiment_ids");
  const std::string one = call.arguments.Text("experiment_id");
  if (!one.empty() && !ids.empty())
    return InvalidParameter("Cannot specify both 'experiment_id' and 'experiment_ids'.");
  if (!one.empty()) ids.push_back(one);
  std::optional<std::vector<std::int64_t>> numbers;
  for (const std::string& id : ids) {
    GYRE_TRY(const std::int64_t number, ExperimentOf(call, id, false));
    if (!numbers) numbers.emplace();
    numbers->push_back(number);
  }
  GYRE_TRY(const auto scorers, scorers_.List(call.project, numbers));
  return AnswerList(scorers);
}

Result<net::Response> ScorersApi::Versions(Call& call) {
  GYRE_TRY(const eval_sets::ScorerName of, NameOf(call));
  const auto versions = scorers_.Versions(of);
  if (!versions) return InWords(versions.error(), of);
  return AnswerList(*versions);
}

Result<net::Response> ScorersApi::Get(Call& call) {
  GYRE_TRY(const eval_sets::ScorerName of, NameOf(call));
  const auto scorer = scorers_.Get(of, VersionOf(call));
  if (!scorer) return InWords(scorer.error(), of, VersionOf(call));
  return AnswerOf([&](AnswerWriter& out) { WriteScorer(out, "scorer", *scorer); });
}

Result<net::Response> ScorersApi::Delete(Call& call) {
  GYRE_TRY(const eval_sets::ScorerName of, NameOf(call));
  if (const auto done = scorers_.Remove(of, VersionOf(call)); !done)
    return InWords(done.error(), of, VersionOf(call));
  return EmptyAnswer();
}

}  // namespace gyre::mlflow
