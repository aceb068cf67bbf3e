#include "api/native/catalog_api.h"

#include "api/native/models_api.h"
#include "api/native/route_table.h"
#include "ml/registry/catalog.h"
#include "ml/registry/logged_gate.h"

namespace gyre::native {
namespace {

constexpr net::Field kTags{"tags", Type::kObject, "texts by key; null takes one away"};

constexpr net::Route kRoutes[] = {
    {.method = Method::kPost,
     .path = "/api/v1/projects/{project}/models",
     .handler = Bind<&CatalogApi::Create>,
     .permission = Permission("model.write"),
     .summary = "Make a model that has no version yet",
     .body = Body::kBuffer,
     .response_type = "Model",
     .members = {{"title", Type::kText, "what people call it", "", net::kRequired},
                 {"description", Type::kText, "what it is for"},
                 {"tags", Type::kObject, "texts by key"}}},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/models/{model}",
     .handler = Bind<&CatalogApi::Change>,
     .permission = Permission("model.write"),
     .summary = "Describe, tag or rename a model; the name it had goes on finding it",
     .body = Body::kBuffer,
     .response_type = "Model",
     .members = {{"title", Type::kText, "another name"},
                 {"description", Type::kText, "what it is for"},
                 kTags}},
    {.method = Method::kPatch,
     .path = "/api/v1/projects/{project}/models/{model}/versions/{version}",
     .handler = Bind<&CatalogApi::ChangeVersion>,
     .permission = Permission("model.write"),
     .summary = "Describe or tag a version, or move its stage",
     .body = Body::kBuffer,
     .response_type = "ModelVersion",
     .members = {{"description", Type::kText, "its notes"},
                 kTags,
                 {"stage", Type::kText, "where it stands", "none|staging|production|archived"},
                 {"archive_others", Type::kBool, "those that stand in that stage are archived"}}},
};

Result<registry::Tags> TagsOf(const Json& json) {
  registry::Tags tags;
  for (const auto& [key, value] : json.members()) {
    if (value.is_null()) continue;
    if (!value.is_string())
      return InvalidArgument("GY3613", "the tag `{}` is no text", key.substr(0, 64));
    tags.emplace(key, value.AsString());
  }
  return tags;
}

}  // namespace

net::RouteTable CatalogApi::table() { return {"native", kRoutes, this}; }

Result<net::Response> CatalogApi::Create(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(registry::Tags tags, TagsOf(body["tags"]));
  GYRE_TRY(const registry::Model model,
           catalog_.Create({.project = request.Param("project"),
                            .title = body["title"].AsString(),
                            .description = body["description"].AsString(),
                            .created_by = request.principal.name,
                            .tags = std::move(tags)}));
  return net::Response::JsonDoc(registry::ModelToJson(model), 201);
}

Result<> CatalogApi::ChangeTags(const registry::Model& model, const Json& tags) {
  GYRE_TRY(const registry::Tags set, TagsOf(tags));
  if (!set.empty()) GYRE_DO(catalog_.SetTags(model.project, model.title, set));
  for (const auto& [key, value] : tags.members()) {
    if (value.is_null()) GYRE_DO(catalog_.DeleteTag(model.project, model.title, key));
  }
  return {};
}

Result<net::Response> CatalogApi::Change(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(registry::Model model,
           registry_.GetModel(request.Param("project"), request.Param("model")));
  GYRE_DO(ChangeTags(model, body["tags"]));
  if (body.Has("description")) {
    GYRE_DO(catalog_.Describe(model.project, model.title, body["description"].AsString()));
  }
  if (body.Has("title")) {
    GYRE_TRY(model, catalog_.Rename(model.project, model.title, body["title"].AsString()));
  }
  GYRE_TRY(model, catalog_.Get(model.project, model.title));
  return net::Response::JsonDoc(registry::ModelToJson(model));
}

Result<> CatalogApi::ChangeVersionTags(const registry::ModelVersion& version, const Json& tags) {
  GYRE_TRY(const registry::Tags set, TagsOf(tags));
  if (!set.empty()) GYRE_DO(catalog_.SetVersionTags(version.id, set));
  for (const auto& [key, value] : tags.members()) {
    if (value.is_null()) GYRE_DO(catalog_.DeleteVersionTag(version.id, key));
  }
  return {};
}

Result<net::Response> CatalogApi::ChangeVersion(net::Request& request) {
  GYRE_TRY(const Json body, request.JsonBody());
  GYRE_TRY(const registry::ModelVersion version,
           FindVersion(registry_, request.Param("project"), request.Param("model"),
                       request.Param("version")));
  GYRE_DO(ChangeVersionTags(version, body["tags"]));
  if (body["tags"].Has(registry::kGateTag)) {
    GYRE_TRY(const registry::ModelVersion tagged, registry_.GetVersion(version.id));
    GYRE_DO(gate_.Judge(tagged, "champion", request.principal.name));
  }
  if (body.Has("description")) {
    GYRE_DO(catalog_.DescribeVersion(version.id, body["description"].AsString()));
  }
  if (body.Has("stage")) {
    const auto stage = registry::ParseStage(body["stage"].AsString());
    if (!stage)
      return InvalidArgument("GY3613", "`{}` is no stage", body["stage"].AsString().substr(0, 64))
          .Fix("none, staging, production or archived");
    GYRE_DO(catalog_.MoveStage(version.id, *stage, body["archive_others"].AsBool()));
  }
  GYRE_TRY(const registry::ModelVersion now, registry_.GetVersion(version.id));
  return net::Response::JsonDoc(registry::VersionToJson(now));
}

}  // namespace gyre::native
