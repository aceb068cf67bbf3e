#include "cli/apply/describe.h"

#include "base/text.h"
#include "cli/apply/kinds.h"

namespace gyre::cli::apply {
namespace {

constexpr std::string_view kNamePattern = "^[A-Za-z0-9_][A-Za-z0-9._@-]*$";

Json SchemaOf(const Member& member);

Json ObjectSchema(std::span<const Member> members) {
  Json properties = Json::Obj(), required = Json::Arr();
  for (const Member& member : members) {
    properties.Set(member.name, SchemaOf(member));
    if (member.required) required.Push(member.name);
  }
  Json schema = Json::Obj(
      {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}});
  if (required.size() > 0) schema.Set("required", std::move(required));
  return schema;
}

Json AllowedTexts(const Member& member) {
  Json schema = Json::Obj({{"type", "string"}});
  if (member.allowed.empty()) return schema;
  Json words = Json::Arr();
  for (const std::string_view word : Split(member.allowed, '|')) words.Push(word);
  return schema.Set("enum", std::move(words));
}

Json ShapeSchema(const Member& member) {
  switch (member.shape) {
    case Shape::kText:
      return AllowedTexts(member);
    case Shape::kWhole:
      return Json::Obj({{"type", "integer"}});
    case Shape::kNumber:
      return Json::Obj({{"type", "number"}});
    case Shape::kBool:
      return Json::Obj({{"type", "boolean"}});
    case Shape::kSeconds:
      return Json::Obj(
          {{"type", Json::Arr({"string", "number"})}, {"pattern", "^[0-9.]+ *(ms|s|m|min|h|d)?$"}});
    case Shape::kTexts:
      return Json::Obj({{"type", "array"}, {"items", Json::Obj({{"type", "string"}})}});
    case Shape::kTextMap:
      return Json::Obj({{"type", "object"}, {"additionalProperties", AllowedTexts(member)}});
    case Shape::kObjects:
      return Json::Obj({{"type", "array"}, {"items", Json::Obj({{"type", "object"}})}});
    case Shape::kObject:
      return ObjectSchema(member.members);
    case Shape::kObjectMap:
      return Json::Obj(
          {{"type", "object"}, {"additionalProperties", ObjectSchema(member.members)}});
    case Shape::kFreeMap:
    case Shape::kFree:
      return Json::Obj({{"type", "object"}});
    case Shape::kClock:
      return Json::Obj({{"type", "string"}, {"pattern", "^[0-9]{1,2}:[0-9]{1,2}$"}});
  }
  return Json::Obj();
}

Json SchemaOf(const Member& member) {
  Json schema = ShapeSchema(member);
  schema.Set("description", member.doc);
  if (member.fallback.empty()) return schema;
  const auto fallback = Json::Parse(member.fallback);
  if (fallback && !fallback->is_null()) schema.Set("default", *fallback);
  return schema;
}

std::string_view ShapeWord(Shape shape) {
  constexpr std::string_view kWords[] = {
      "text",     "whole number",   "number",     "true or false", "time",
      "texts",    "names: texts",   "names: any", "objects",       "object",
      "document", "names: objects", "time of day"};
  return kWords[static_cast<int>(shape)];
}

// A bar would end the cell.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

void AppendRows(std::span<const Member> members, const std::string& prefix, std::string* page) {
  for (const Member& member : members) {
    std::string type(ShapeWord(member.shape));
    if (!member.allowed.empty()) {
      type.clear();
      for (const std::string_view word : Split(member.allowed, '|'))
        type += fmt::format("{}`{}`", type.empty() ? "" : ", ", word);
    }
    const bool shown =
        !member.fallback.empty() && member.fallback != "\"\"" && member.fallback != "null";
    const std::string fallback = member.required ? std::string("(must be said)")
                                 : shown         ? fmt::format("`{}`", Trim(member.fallback))
                                                 : std::string();
    *page += fmt::format("| `{}{}` | {} | {} | {} |\n", prefix, member.name, type, Cell(member.doc),
                         fallback);
    AppendRows(member.members,
               fmt::format("{}{}.{}", prefix, member.name,
                           member.shape == Shape::kObjectMap ? "NAME." : ""),
               page);
  }
}

}  // namespace

Json EditorSchema() {
  Json properties = Json::Obj(
      {{"project", Json::Obj({{"type", "string"},
                              {"description", "the project that this folder belongs to"}})},
       {"settings", Json::Obj({{"type", "object"},
                               {"description", "of the server: gyre config show lists them"}})}});
  for (const Kind& kind : Kinds()) {
    Json entry = ObjectSchema(kind.members);
    if (kind.noun == kProblem) {
      properties.Set(kind.noun, entry.Set("description", kind.doc));
      continue;
    }
    entry.Set("type", Json::Arr({"object", "null"}));
    properties.Set(kind.noun, Json::Obj({{"type", "object"},
                                         {"description", kind.doc},
                                         {"propertyNames", Json::Obj({{"pattern", kNamePattern}})},
                                         {"additionalProperties", std::move(entry)}}));
  }
  return Json::Obj({{"$schema", "http://json-schema.org/draft-07/schema#"},
                    {"title", "gyre.yaml"},
                    {"description", "a project of gyre, as a file"},
                    {"type", "object"},
                    {"additionalProperties", false},
                    {"properties", std::move(properties)}});
}

std::string ReferencePage() {
  std::string page =
      "# gyre.yaml\n\nWritten by `gyre schema --markdown`. What the words do together stands in "
      "[declarative.md](declarative.md).\n\nTimes are written 90, 60s, 5m, 1h or 1d.\n\n"
      "| member | type | meaning | else |\n|---|---|---|---|\n"
      "| `project` | text | the project that this folder belongs to | `default` |\n"
      "| `settings` | names: any | of the server; `gyre config show` lists them | |\n";
  for (const Kind& kind : Kinds()) {
    page += fmt::format(
        "\n## {}\n\n{}\n\n```yaml\n{}```\n\n| member | type | meaning | else |\n"
        "|---|---|---|---|\n",
        kind.noun, kind.doc, kind.example);
    AppendRows(kind.members, "", &page);
  }
  return page;
}

}  // namespace gyre::cli::apply
