#include "ml/data/dataset_json.h"

#include "base/time.h"

namespace gyre::data {

Json SchemaJson(const Version& version) {
  Json schema = table::SchemaToJson(version.schema);
  table::AddFormats(version.formats, &schema);
  return schema;
}

Json ImportResult(const Version& version, bool created) {
  Json warnings = version.warnings;
  Json check;
  if (version.check.is_object())
    check = Json::Obj({{"success", version.check["success"]},
                       {"failed", version.check["failed"]},
                       {"rows_broken", version.check["rows_broken"]},
                       {"origin", version.check["origin"]}});
  Json notes = Json::Arr();
  for (const std::string& note : version.notes) notes.Push(note);
  return Json::Obj({{"dataset", version.dataset},
                    {"version", fmt::format("v{}", version.number)},
                    {"reference", version.reference()},
                    {"id", version.id},
                    {"unchanged", !created},
                    {"rows", version.rows},
                    {"columns", version.schema.size()},
                    {"bytes", version.bytes()},
                    {"source_bytes", version.source_bytes},
                    {"format", version.format},
                    {"content_hash", version.content_hash},
                    {"rows_quarantined", version.rows_quarantined},
                    {"warnings", std::move(warnings)},
                    {"notes", std::move(notes)},
                    {"check", std::move(check)}});
}

std::int64_t Version::bytes() const {
  std::int64_t sum = 0;
  for (const Part& part : parts) sum += part.object.size_bytes;
  return sum;
}

Json VersionToJson(const Version& version) {
  Json parts = Json::Arr();
  for (const Part& part : version.parts) {
    parts.Push(Json::Obj(
        {{"sha256", part.object.digest}, {"bytes", part.object.size_bytes}, {"rows", part.rows}}));
  }
  Json json = ImportResult(version, true);
  Json tags = Json::Obj();
  for (const auto& [name, value] : version.tags) tags.Set(name, value);
  json.Set("project", version.project);
  json.Set("source_name", version.source_name);
  json.Set("source_sha256", version.source_digest);
  json.Set("schema", SchemaJson(version));
  json.Set("parts", std::move(parts));
  json.Set("tags", std::move(tags));
  json.Set("check", version.check);
  json.Set("created_by", version.created_by);
  json.Set("created_at", FormatTime(version.created_us));
  Json out = Json::Obj();
  for (const auto& [key, value] : json.members()) {
    if (key != "unchanged") out.Set(key, value);
  }
  return out;
}

Json DatasetToJson(const Dataset& dataset) {
  Json json = Json::Obj({{"id", dataset.id},
                         {"project", dataset.project},
                         {"name", dataset.name},
                         {"versions", dataset.versions},
                         {"created_by", dataset.created_by},
                         {"created_at", FormatTime(dataset.created_us)}});
  json.Set("latest", dataset.latest ? VersionToJson(*dataset.latest) : Json());
  return json;
}

}  // namespace gyre::data
