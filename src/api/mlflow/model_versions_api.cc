#include "api/mlflow/model_versions_api.h"

#include "api/mlflow/answer.h"
#include "api/mlflow/endpoints.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/registry_words.h"
#include "base/text.h"
#include "ml/tracking/long_read.h"

namespace gyre::mlflow {
namespace {

using net::kRequired;
using net::Method;
using net::Permission;
using net::Type;

constexpr int kResultsMax = 200'000;
constexpr Permission kRead("model.read"), kWrite("model.write");

constexpr net::Field kName = {"name", Type::kText, "of the model", "", kRequired};
constexpr net::Field kVersion = {"version", Type::kText, "a number", "", kRequired};
constexpr net::Field kKey = {"key", Type::kText, "of the tag", "", kRequired};

constexpr Endpoint kEndpoints[] = {
    {.method = Method::kPost,
     .path = "/mlflow/model-versions/create",
     .handler = Serve<&ModelVersionsApi::Create>,
     .permission = kWrite,
     .summary = "Register files as the next version of a model",
     .fields = {kName,
                {"source", Type::kText, "where the files are", "", kRequired},
                {"run_id", Type::kText, "the run that made them"},
                {"run_link", Type::kText, "a link to that run"},
                {"model_id", Type::kText, "the logged model that it is"},
                {"tags", Type::kObjects, "{key, value}"},
                {"description", Type::kText, "what it is"}}},
    {.method = Method::kPatch,
     .path = "/mlflow/model-versions/update",
     .handler = Serve<&ModelVersionsApi::Update>,
     .permission = kWrite,
     .summary = "Describe a version",
     .fields = {kName, kVersion, {"description", Type::kText, "what it is"}}},
    {.method = Method::kPost,
     .path = "/mlflow/model-versions/transition-stage",
     .handler = Serve<&ModelVersionsApi::MoveStage>,
     .permission = kWrite,
     .summary = "Move a version to a stage",
     .fields = {kName,
                kVersion,
                {"stage", Type::kText, "None, Staging, Production or Archived", "", kRequired},
                {"archive_existing_versions", Type::kBool, "those that stand there are archived"}}},
    {.method = Method::kDelete,
     .path = "/mlflow/model-versions/delete",
     .handler = Serve<&ModelVersionsApi::Delete>,
     .permission = kWrite,
     .summary = "Remove a version, into the trash; its number is never given again",
     .fields = {kName, kVersion}},
    {.method = Method::kGet,
     .path = "/mlflow/model-versions/get",
     .handler = Serve<&ModelVersionsApi::Get>,
     .permission = kRead,
     .summary = "One version",
     .fields = {kName, kVersion}},
    {.method = Method::kGet,
     .path = "/mlflow/model-versions/search",
     .handler = Serve<&ModelVersionsApi::Search>,
     .permission = kRead,
     .summary = "Find versions",
     .fields = {{"filter", Type::kText, "name = 'a' AND run_id = '...'"},
                {"max_results", Type::kWhole, "1 to 200,000"},
                {"order_by", Type::kTexts, "version_number DESC"},
                {"page_token", Type::kText, "of the page before"}}},
    {.method = Method::kGet,
     .path = "/mlflow/model-versions/get-download-uri",
     .handler = Serve<&ModelVersionsApi::DownloadUri>,
     .permission = kRead,
     .summary = "Where the files of a version are",
     .fields = {kName, kVersion}},
    {.method = Method::kPost,
     .path = "/mlflow/model-versions/set-tag",
     .handler = Serve<&ModelVersionsApi::SetTag>,
     .permission = kWrite,
     .summary = "Set a tag of a version",
     .fields = {kName, kVersion, kKey, {"value", Type::kText, "of the tag"}}},
    {.method = Method::kDelete,
     .path = "/mlflow/model-versions/delete-tag",
     .handler = Serve<&ModelVersionsApi::DeleteTag>,
     .permission = kWrite,
     .summary = "Take a tag of a version away",
     .fields = {kName, kVersion, kKey}},
};

// Hosts that are no store of anybody's are refused as MLflow's newest server does.
Result<> CheckScheme(std::string_view source) {
  for (const std::string_view scheme : {"http", "https", "ftp", "sftp"}) {
    if (EqualsIgnoreCase(source.substr(0, source.find(':')), scheme))
      return InvalidParameter(
          fmt::format("'source' cannot use the '{}' scheme: the '{}' scheme addresses a host other "
                      "than the tracking server's configured artifact storage",
                      scheme, scheme));
  }
  return {};
}

Error InSourceWords(const Error& error, const registry::LoggedVersion& version) {
  const bool of_model = version.source.starts_with("models:");
  const bool ours = of_model || version.source.starts_with("mlflow-artifacts:") ||
                    version.source.starts_with("runs:");
  if (!ours || error.gy() != "GY3640") return error;
  return InvalidParameter(
      fmt::format("Invalid model version source: '{}'. The {} request parameter must identify the "
                  "resource that contains the source.",
                  version.source.substr(0, 500),
                  of_model || !version.owners.logged_model.empty() ? "model_id" : "run_id"));
}

}  // namespace

net::RouteTable ModelVersionsApi::table() {
  return {"mlflow", RoutesOf<kEndpoints>::routes(), this};
}

Result<registry::ModelVersion> ModelVersionsApi::Asked(const Call& call) {
  const std::string name = call.arguments.Text("name");
  GYRE_TRY(const int number, VersionOf(call.arguments));
  auto version = catalog_.GetVersion(call.project, name, number);
  if (!version) return InVersionWords(version.error(), name, number);
  return version;
}

Result<registry::LoggedVersion> ModelVersionsApi::Logged(const Call& call) {
  registry::LoggedVersion version{.project = call.project,
                                  .title = call.arguments.Text("name"),
                                  .source = call.arguments.Text("source"),
                                  .run_link = call.arguments.Text("run_link"),
                                  .description = call.arguments.Text("description"),
                                  .created_by = call.request.principal.name};
  GYRE_TRY(version.tags, TagsOf(call.arguments));
  registry::SourceOwners& owners = version.owners;
  owners.run_id = call.arguments.Text("run_id");
  owners.logged_model = call.arguments.Text("model_id");
  if (!owners.run_id.empty()) {
    GYRE_TRY(owners.run_root, files_.run_root(call.project, owners.run_id));
  }
  if (!owners.logged_model.empty()) {
    GYRE_TRY(owners.logged_model_root, files_.model_root(call.project, owners.logged_model));
    if (!registry::LoggedModelOf(version.source).empty())
      version.location = owners.logged_model_root;
  }
  return version;
}

Result<> ModelVersionsApi::Judge(const Call& call, const registry::ModelVersion& version) {
  if (!version.tags.contains(std::string(registry::kGateTag))) return {};
  return gate_.Judge(version, "champion", call.request.principal.name);
}

Result<net::Response> ModelVersionsApi::Create(Call& call) {
  GYRE_TRY(registry::LoggedVersion version, Logged(call));
  // What the source may say is decided before anything is read that it leads to.
  GYRE_DO(CheckScheme(version.source));
  const auto read = registry::ReadSource(version.source, version.owners);
  if (!read) return InSourceWords(read.error(), version);
  const registry::Source& source = *read;
  using Kind = registry::Source::Kind;
  if (source.kind == Kind::kInside || source.kind == Kind::kRun ||
      source.kind == Kind::kLoggedModel) {
    GYRE_TRY(const std::string mlmodel, files_.mlmodel(call.project, version.source));
    version.flavors = FlavorsOf(mlmodel);
  }
  if (version.owners.run_id.empty() && !version.owners.logged_model.empty()) {
    GYRE_TRY(version.owners.run_id, files_.model_run(call.project, version.owners.logged_model));
  }
  const std::string name = version.title;
  const bool is_model = !version.flavors.empty();
  const auto made = catalog_.Log(std::move(version));
  if (!made) return InModelWords(made.error(), name);
  GYRE_DO(Judge(call, *made));
  if (!is_model || !files_.danger) return VersionAnswer(*made);
  const std::string danger = files_.danger(call.project, made->source);
  return VersionAnswer(*made, danger.empty() ? "" : "loading it is not safe: " + danger);
}

Result<net::Response> ModelVersionsApi::Update(Call& call) {
  GYRE_TRY(registry::ModelVersion version, Asked(call));
  if (const auto description = call.arguments.TextIfAny("description")) {
    GYRE_TRY(version, catalog_.DescribeVersion(version.id, *description));
  }
  return VersionAnswer(version);
}

Result<net::Response> ModelVersionsApi::MoveStage(Call& call) {
  GYRE_TRY(const registry::Stage stage, StageOfWord(call.arguments.Text("stage")));
  GYRE_TRY(const registry::ModelVersion version, Asked(call));
  const auto moved =
      catalog_.MoveStage(version.id, stage, call.arguments.Bool("archive_existing_versions"));
  if (!moved && moved.error().gy() == "GY3635")
    return InvalidParameter(
        fmt::format("Model version transition cannot archive existing model versions because '{}' "
                    "is not an Active stage. Valid stages are ['Staging', 'Production']",
                    call.arguments.Text("stage")));
  if (!moved) return moved.error();
  return VersionAnswer(*moved);
}

Result<net::Response> ModelVersionsApi::Delete(Call& call) {
  GYRE_TRY(const registry::ModelVersion version, Asked(call));
  GYRE_DO(is_free_(version));
  const bool with_aliases = !version.aliases.empty();
  if (with_aliases) GYRE_DO(may_move_(call.request, call.project));
  GYRE_DO(catalog_.DeleteVersion(version.id, call.request.principal.name, with_aliases));
  return EmptyAnswer();
}

Result<net::Response> ModelVersionsApi::Get(Call& call) {
  GYRE_TRY(const registry::ModelVersion version, Asked(call));
  return VersionAnswer(version);
}

Result<net::Response> ModelVersionsApi::Search(Call& call) {
  tracking::LongRead place([&] { return call.request.client_gone(); });
  GYRE_DO(place.Take());
  GYRE_TRY(SearchTerms terms,
           SearchOf(call.arguments, tracking::kModelVersionFields, kResultsMax, kResultsMax));
  GYRE_TRY(const registry::FoundVersions found,
           searcher_.Versions({.project = call.project,
                               .filter = std::move(terms.filter),
                               .order = std::move(terms.order),
                               .limit = terms.limit,
                               .page_token = std::move(terms.page_token)}));
  return AnswerOf([&](AnswerWriter& out) {
    if (!found.versions.empty()) {
      out.List("model_versions");
      for (const registry::ModelVersion& version : found.versions) WriteVersion(version, {}, &out);
      out.End();
    }
    out.TextUnlessEmpty("next_page_token", found.next_page_token);
  });
}

Result<net::Response> ModelVersionsApi::DownloadUri(Call& call) {
  GYRE_TRY(const registry::ModelVersion version, Asked(call));
  return AnswerOf([&](AnswerWriter& out) { out.Text("artifact_uri", DownloadUriOf(version)); });
}

Result<net::Response> ModelVersionsApi::SetTag(Call& call) {
  GYRE_TRY(const registry::ModelVersion version, Asked(call));
  GYRE_TRY(const registry::Tags tag, TagOf(call.arguments));
  GYRE_DO(catalog_.SetVersionTags(version.id, tag));
  GYRE_TRY(const registry::ModelVersion changed, Asked(call));
  GYRE_DO(Judge(call, changed));
  return EmptyAnswer();
}

Result<net::Response> ModelVersionsApi::DeleteTag(Call& call) {
  GYRE_TRY(const registry::ModelVersion version, Asked(call));
  GYRE_DO(catalog_.DeleteVersionTag(version.id, call.arguments.Text("key")));
  return EmptyAnswer();
}

}  // namespace gyre::mlflow
