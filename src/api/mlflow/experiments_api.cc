#include "api/mlflow/experiments_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/named.h"
#include "api/mlflow/run_page.h"
#include "api/mlflow/run_words.h"
#include "base/text.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr std::size_t kNameCharactersMax = 500, kRootCharactersMax = 2'048,
                      kTagKeyCharactersMax = 250, kTagValueCharactersMax = 5'000;
constexpr std::int64_t kResultsMax = 50'000;
constexpr std::size_t kDatasetExperimentsMax = 20;
constexpr int kDatasetsMax = 1'000;
constexpr Permission kRead("run.read"), kWrite("run.write");

constexpr net::Field kId = {"experiment_id", Type::kText, "of the experiment", "", kRequired};
constexpr net::Field kTagKey = {"key", Type::kText, "of the tag", "", kRequired};
constexpr net::Field kResults = {"max_results", Type::kWhole, "1 to 50,000"};
constexpr net::Field kToken = {"page_token", Type::kText, "of the page before"};
constexpr net::Field kFilter = {"filter", Type::kText, "name LIKE 'a%' AND tags.team = 'blue'"};
constexpr net::Field kOrder = {"order_by", Type::kTexts, "name ASC"};
constexpr net::Field kView = {"view_type", Type::kAny, "ACTIVE_ONLY, DELETED_ONLY or ALL"};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/experiments/create",
     .handler = Serve<&ExperimentsApi::Create>,
     .permission = kWrite,
     .summary = "Make an experiment",
     .fields = {{"name", Type::kText, "unique in the project", "", kRequired},
                {"artifact_location", Type::kText, "where clients send files; else ours"},
                {"tags", Type::kObjects, "{key, value}"}}},
    {.method = Method::kGet,
     .path = "/mlflow/experiments/get",
     .handler = Serve<&ExperimentsApi::Get>,
     .permission = kRead,
     .summary = "One experiment",
     .fields = {kId}},
    {.method = Method::kGet,
     .path = "/mlflow/experiments/get-by-name",
     .handler = Serve<&ExperimentsApi::GetByName>,
     .permission = kRead,
     .summary = "One experiment, by its name",
     .fields = {{"experiment_name", Type::kText, "its name", "", kRequired}}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/search",
     .handler = Serve<&ExperimentsApi::Search>,
     .permission = kRead,
     .summary = "Find experiments",
     .fields = {kResults, kToken, kFilter, kOrder, kView},
     .audited = false},
    {.method = Method::kGet,
     .path = "/mlflow/experiments/search",
     .handler = Serve<&ExperimentsApi::Search>,
     .permission = kRead,
     .summary = "Find experiments",
     .fields = {kResults, kToken, kFilter, kOrder, kView}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/delete",
     .handler = Serve<&ExperimentsApi::Delete>,
     .permission = kWrite,
     .summary = "Mark an experiment and its runs as deleted",
     .fields = {kId}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/restore",
     .handler = Serve<&ExperimentsApi::Restore>,
     .permission = kWrite,
     .summary = "Take that mark away",
     .fields = {kId}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/update",
     .handler = Serve<&ExperimentsApi::Update>,
     .permission = kWrite,
     .summary = "Rename an experiment",
     .fields = {kId, {"new_name", Type::kText, "unique in the project", "", kRequired}}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/set-experiment-tag",
     .handler = Serve<&ExperimentsApi::SetTag>,
     .permission = kWrite,
     .summary = "Set a tag of an experiment",
     .fields = {kId, kTagKey, {"value", Type::kText, "of the tag"}}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/delete-experiment-tag",
     .handler = Serve<&ExperimentsApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Remove a tag of an experiment",
     .fields = {kId, kTagKey}},
    {.method = Method::kPost,
     .path = "/mlflow/experiments/search-datasets",
     .handler = Serve<&ExperimentsApi::SearchDatasets>,
     .permission = kRead,
     .summary = "What runs of experiments read",
     .fields = {{"experiment_ids", Type::kTexts, "1 to 20"}},
     .audited = false},
};

Result<> CheckTag(std::string_view path, std::string_view key, std::string_view value) {
  GYRE_DO(CheckKeyName(path, key));
  GYRE_DO(CheckLength("key", key, kTagKeyCharactersMax));
  return CheckLength("value", value, kTagValueCharactersMax);
}

Result<> CheckName(std::string_view name) {
  if (Trim(name).empty())
    return InvalidParameter(fmt::format("Invalid experiment name: '{}'", name));
  return CheckLength("name", name, kNameCharactersMax);
}

Result<> CheckResults(std::int64_t results) {
  if (results < 1)
    return InvalidParameter(fmt::format(
        "Invalid value {} for parameter 'max_results' supplied. It must be a positive integer",
        results));
  if (results > kResultsMax)
    return InvalidParameter(
        fmt::format("Invalid value {} for parameter 'max_results' supplied. It must be at most {}",
                    results, kResultsMax));
  return {};
}

// What is asked of one experiment, in MLflow's words when it is not there or not active.
template <class Answer>
Result<Answer> Asked(Result<Answer> result, std::string_view id) {
  if (result) return result;
  return InExperimentWords(result.error(), id);
}

}  // namespace

net::RouteTable ExperimentsApi::table() { return {"mlflow", RoutesOf<kEndpoints>::routes(), this}; }

Result<net::Response> ExperimentsApi::Create(Call& call) {
  tracking::NewExperiment from{.project = call.project, .title = call.arguments.Text("name")};
  GYRE_DO(CheckName(from.title));
  from.artifact_root = call.arguments.Text("artifact_location");
  if (!CheckLength("", from.artifact_root, kRootCharactersMax))
    return InvalidParameter(fmt::format(
        "Invalid artifact path length. The length of the artifact path cannot be greater "
        "than {} characters.",
        kRootCharactersMax));
  GYRE_DO(CheckArtifactRoot(from.artifact_root));
  std::size_t index = 0;
  for (const JsonValue tag : call.arguments.Objects("tags")) {
    GYRE_DO(CheckTag(fmt::format("tags[{}].key", index++), tag["key"].text(), tag["value"].text()));
    from.tags.insert_or_assign(std::string(tag["key"].text()), std::string(tag["value"].text()));
  }
  const auto made = experiments_.Create(from);
  if (!made && made.error().code() == Code::kAlreadyExists)
    return Error(Code::kAlreadyExists, "GY3420",
                 fmt::format("Experiment(name={}) already exists.", from.title));
  GYRE_TRY(const tracking::Experiment experiment, made);
  return AnswerOf(
      [&](AnswerWriter& out) { out.Text("experiment_id", fmt::format("{}", experiment.number)); });
}

Result<net::Response> ExperimentsApi::Get(Call& call) {
  const std::string id = call.arguments.Text("experiment_id");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  GYRE_TRY(const tracking::Experiment experiment,
           Asked(experiments_.Get(call.project, number), id));
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("experiment");
    WriteExperiment(out, experiment);
    out.End();
  });
}

Result<net::Response> ExperimentsApi::GetByName(Call& call) {
  const std::string name = call.arguments.Text("experiment_name");
  const auto found = experiments_.Find(call.project, name);
  if (!found && found.error().gy() == "GY3422")
    return Error(Code::kNotFound, "GY3422",
                 fmt::format("Could not find experiment with name '{}'", name.substr(0, 500)));
  GYRE_TRY(const tracking::Experiment experiment, found);
  return AnswerOf([&](AnswerWriter& out) {
    out.Object("experiment");
    WriteExperiment(out, experiment);
    out.End();
  });
}

Result<net::Response> ExperimentsApi::Search(Call& call) {
  const std::int64_t results = call.arguments.Whole("max_results");
  GYRE_DO(CheckResults(results));
  tracking::ExperimentSearch search{.project = call.project, .limit = static_cast<int>(results)};
  GYRE_TRY(search.view, ViewOf(call.arguments.Text("view_type")));
  GYRE_TRY(search.filter,
           tracking::ParseFilter(call.arguments.Text("filter"), tracking::kExperimentFields));
  GYRE_TRY(search.order,
           tracking::ParseOrder(call.arguments.Texts("order_by"), tracking::kExperimentFields));
  search.page_token = call.arguments.Text("page_token");
  GYRE_TRY(const tracking::ExperimentPage page, experiments_.Search(search));
  return AnswerOf([&](AnswerWriter& out) {
    if (!page.experiments.empty()) {
      out.List("experiments");
      for (const tracking::Experiment& experiment : page.experiments) {
        out.Object();
        WriteExperiment(out, experiment);
        out.End();
      }
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", page.next_page_token);
  });
}

Result<net::Response> ExperimentsApi::Delete(Call& call) {
  const std::string id = call.arguments.Text("experiment_id");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  const auto done = experiments_.Delete(call.project, number);
  if (!done && done.error().gy() == "GY3423")
    return InExperimentWords(Error(Code::kNotFound, "GY3422", ""), id);
  if (!done) return InExperimentWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> ExperimentsApi::Restore(Call& call) {
  const std::string id = call.arguments.Text("experiment_id");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  const auto done = experiments_.Restore(call.project, number);
  if (!done && done.error().gy() == "GY3423")
    return InExperimentWords(Error(Code::kNotFound, "GY3422", ""), id);
  if (!done) return InExperimentWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> ExperimentsApi::Update(Call& call) {
  const std::string id = call.arguments.Text("experiment_id");
  const std::string name = call.arguments.Text("new_name");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  GYRE_DO(CheckName(name));
  const auto done = experiments_.Rename(call.project, number, name);
  if (done) return EmptyAnswer();
  if (done.error().gy() == "GY3423")
    return Error(Code::kFailedPrecondition, "GY5104", "Cannot rename a non-active experiment.");
  if (done.error().gy() == "GY3420")
    return Error(Code::kAlreadyExists, "GY3420",
                 fmt::format("Experiment(name={}) already exists.", name));
  return InExperimentWords(done.error(), id);
}

Result<net::Response> ExperimentsApi::SetTag(Call& call) {
  const std::string id = call.arguments.Text("experiment_id");
  const std::string key = call.arguments.Text("key"), value = call.arguments.Text("value");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  GYRE_DO(CheckTag("key", key, value));
  if (const auto done = experiments_.SetTags(call.project, number, {{key, value}}); !done)
    return InExperimentWords(done.error(), id);
  return EmptyAnswer();
}

Result<net::Response> ExperimentsApi::DeleteTag(Call& call) {
  const std::string id = call.arguments.Text("experiment_id");
  const std::string key = call.arguments.Text("key");
  GYRE_TRY(const std::int64_t number, ExperimentNumber(id));
  const auto done = experiments_.DeleteTag(call.project, number, key);
  if (done) return EmptyAnswer();
  if (done.error().gy() == "GY3424")
    return Error(
        Code::kNotFound, "GY3424",
        fmt::format("No tag with name: {} in experiment with id {}", key.substr(0, 300), id));
  return InExperimentWords(done.error(), id);
}

Result<net::Response> ExperimentsApi::SearchDatasets(Call& call) {
  const std::vector<std::string> ids = call.arguments.Texts("experiment_ids");
  if (ids.empty())
    return InvalidParameter("SearchDatasets request must specify at least one experiment_id.");
  if (ids.size() > kDatasetExperimentsMax)
    return InvalidParameter(
        fmt::format("SearchDatasets request cannot specify more than {} experiment_ids. Received "
                    "{} experiment_ids.",
                    kDatasetExperimentsMax, ids.size()));
  GYRE_TRY(const auto numbers, ExperimentsOf(experiments_, call, ids));
  GYRE_TRY(const auto uses, experiments_.Datasets(call.project, numbers, kDatasetsMax));
  return AnswerOf([&](AnswerWriter& out) {
    if (uses.empty()) return;
    out.List("dataset_summaries");
    for (const tracking::DatasetUse& use : uses) {
      out.Object()
          .Text("experiment_id", std::to_string(use.experiment))
          .Text("name", use.name)
          .Text("digest", use.digest)
          .TextUnlessEmpty("context", use.context)
          .End();
    }
    out.End();
  });
}

}  // namespace gyre::mlflow
