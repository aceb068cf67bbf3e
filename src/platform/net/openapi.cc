// The OpenAPI 3.1 document of the route tables.
#include "base/text.h"
#include "platform/net/http.h"

namespace gyre::net {
namespace {

Json Reference(std::string_view name) {
  return Json::Obj({{"$ref", "#/components/schemas/" + std::string(name)}});
}

// "/a/{rest*}" is written "/a/{rest}"; OpenAPI has no word for "the rest", so its slashes are
// allowed by an extension.
std::string PathOf(const Route& route, Json* parameters) {
  std::string path;
  for (const std::string_view part : Split(route.path.substr(1), '/')) {
    path += '/';
    if (!part.starts_with('{')) {
      path += part;
      continue;
    }
    const bool rest = part[part.size() - 2] == '*';
    const std::string name(part.substr(1, part.size() - (rest ? 3 : 2)));
    path += "{" + name + "}";
    Json parameter = Json::Obj({{"name", name},
                                {"in", "path"},
                                {"required", true},
                                {"schema", Json::Obj({{"type", "string"}})}});
    if (rest) parameter.Set("x-slashes", true);
    parameters->Push(std::move(parameter));
  }
  return path;
}

Json TypeSchema(const Field& field) {
  const auto of = [](std::string_view type) { return Json::Obj({{"type", type}}); };
  const auto list_of = [&](Json item) { return of("array").Set("items", std::move(item)); };
  const bool named = *field.only != '\0';
  switch (field.type) {
    case Type::kText: {
      Json schema = of("string");
      if (!named) return schema;
      Json values = Json::Arr();
      for (const std::string_view value : Split(field.only, '|')) values.Push(value);
      return schema.Set("enum", std::move(values));
    }
    case Type::kTexts:
      return list_of(of("string"));
    case Type::kWhole:
      return of("integer");
    case Type::kNumber:
      return of("number");
    case Type::kBool:
      return of("boolean");
    case Type::kTime:
      return of("string").Set("examples", Json::Arr({"2026-11-21", "2026-11-21T08:30:00Z"}));
    case Type::kObject:
      return named ? Reference(field.only) : of("object");
    case Type::kObjects:
      return list_of(named ? Reference(field.only) : of("object"));
    case Type::kAny:
      break;
  }
  return Json::Obj();
}

void AddQuery(const Route& route, Json* parameters) {
  for (const Field& field : route.query) {
    Json parameter = Json::Obj({{"name", field.name},
                                {"in", "query"},
                                {"description", field.about},
                                {"schema", TypeSchema(field)}});
    if (field.required) parameter.Set("required", true);
    parameters->Push(std::move(parameter));
  }
}

// Of the JSON object that the body is.
Json BodySchema(const Route& route) {
  Json properties = Json::Obj(), required = Json::Arr();
  Json others = false;
  for (const Field& field : route.members) {
    Json schema = TypeSchema(field).Set("description", field.about);
    if (std::string_view(field.name) == "*") {
      others = std::move(schema);
      continue;
    }
    properties.Set(field.name, std::move(schema));
    if (field.required) required.Push(field.name);
  }
  Json schema = Json::Obj({{"type", "object"}, {"properties", std::move(properties)}});
  if (required.size() > 0) schema.Set("required", std::move(required));
  return schema.Set("additionalProperties", std::move(others));
}

// "GET /api/v1/projects/{project}" -> "get_api_v1_projects_project".
std::string OperationId(const Route& route) {
  std::string id = ToLower(MethodName(route.method));
  for (const std::string_view part : Split(route.path.substr(1), '/')) {
    id += '_';
    for (const char c : part) {
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')
        id += c;
    }
  }
  return id;
}

Json Operation(const RouteTable& table, const Route& route, Json parameters) {
  Json operation = Json::Obj({{"operationId", OperationId(route)},
                              {"summary", route.summary},
                              {"tags", Json::Arr({table.protocol})}});
  if (parameters.size() > 0) operation.Set("parameters", std::move(parameters));
  if (route.body != Body::kNone) {
    const std::string_view media =
        route.body == Body::kStream ? "application/octet-stream" : "application/json";
    const Json schema = !route.request_type.empty() ? Reference(route.request_type)
                        : route.members.size() > 0  ? BodySchema(route)
                                                    : Json::Obj();
    operation.Set(
        "requestBody",
        Json::Obj(
            {{"content", Json::Obj({{std::string(media), Json::Obj({{"schema", schema}})}})}}));
    operation.Set("x-body-bytes-max", route.body_bytes_max);
  }
  Json success = Json::Obj({{"description", "Success"}});
  if (!route.response_type.empty()) {
    success.Set(
        "content",
        Json::Obj({{"application/json", Json::Obj({{"schema", Reference(route.response_type)}})}}));
  }
  const Json problem = Json::Obj(
      {{"description", "A problem document"},
       {"content",
        Json::Obj({{"application/problem+json", Json::Obj({{"schema", Reference("Problem")}})}})}});
  operation.Set("responses", Json::Obj({{"2XX", std::move(success)}, {"default", problem}}));
  operation.Set("security", route.permission.name == kPublic.name
                                ? Json::Arr()
                                : Json::Arr({Json::Obj({{"token", Json::Arr()}})}));
  operation.Set("x-permission", route.permission.name);
  return operation;
}

Json ProblemSchema() {
  const Json text = Json::Obj({{"type", "string"}});
  return Json::Obj(
      {{"type", "object"},
       {"required", Json::Arr({"title", "status", "code", "message", "request_id"})},
       {"properties",
        Json::Obj({{"type", text},
                   {"title", text},
                   {"status", Json::Obj({{"type", "integer"}})},
                   {"code", Json::Obj({{"type", "string"}, {"pattern", "^GY[0-9]{4}$"}})},
                   {"kind", text},
                   {"message", text},
                   {"why", text},
                   {"fix", Json::Obj({{"type", "array"}, {"items", text}})},
                   {"where", text},
                   {"doc", text},
                   {"request_id", text}})}});
}

}  // namespace

Json OpenApi(std::span<const RouteTable> tables, const Json& schemas, std::string_view title,
             std::string_view version) {
  Json paths = Json::Obj();
  Json all = schemas.is_object() ? schemas : Json::Obj();
  all.Set("Problem", ProblemSchema());
  for (const RouteTable& table : tables) {
    for (const Route& route : table.routes) {
      Json parameters = Json::Arr();
      const std::string path = PathOf(route, &parameters);
      AddQuery(route, &parameters);
      Json item = paths[path].is_object() ? paths[path] : Json::Obj();
      item.Set(ToLower(MethodName(route.method)), Operation(table, route, std::move(parameters)));
      paths.Set(path, std::move(item));
      if (!route.request_type.empty() && route.members.size() > 0)
        all.Set(std::string(route.request_type), BodySchema(route));
      // A type that nobody described yet is still named, so that the document is complete.
      for (const std::string_view type : {route.request_type, route.response_type}) {
        if (!type.empty() && !all.Has(type)) all.Set(type, Json::Obj({{"type", "object"}}));
      }
    }
  }
  const Json bearer =
      Json::Obj({{"type", "http"}, {"scheme", "bearer"}, {"description", "gyre_pat_..."}});
  return Json::Obj(
      {{"openapi", "3.1.0"},
       {"info", Json::Obj({{"title", title}, {"version", version}})},
       {"paths", std::move(paths)},
       {"components", Json::Obj({{"schemas", std::move(all)},
                                 {"securitySchemes", Json::Obj({{"token", bearer}})}})}});
}

}  // namespace gyre::net
