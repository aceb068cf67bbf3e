#include "ml/projects/declarations.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ledger/trash/parcel.h"
#include "ml/projects/project_store.h"

namespace gyre::projects {
namespace {

constexpr std::array<std::string_view, 11> kKinds = {
    "problem", "channels",  "sources",  "datasets",  "recipes", "training",
    "gates",   "endpoints", "monitors", "pipelines", "triggers"};
constexpr std::int64_t kDeclaredMax = 10'000;
constexpr std::size_t kSpecBytesMax = 4u << 20;

Result<> CheckPlace(std::string_view kind, std::string_view name) {
  if (std::ranges::find(kKinds, kind) == kKinds.end()) {
    return InvalidArgument("GY3910", "a file declares no `{}`", kind)
        .Fix(
            "one of problem, channels, sources, datasets, recipes, training, gates, endpoints, "
            "monitors, pipelines, triggers");
  }
  if (kind == "problem" && name == "problem") return {};
  const std::size_t at = kind == "gates" ? name.find('@') : std::string_view::npos;
  if (at != std::string_view::npos) GYRE_DO(CheckName("alias", name.substr(at + 1)));
  return CheckName("declared", name.substr(0, at));
}

// Of what stands nowhere else.
std::string_view NounOf(std::string_view kind) {
  if (kind == "sources") return "source";
  return kind == "recipes" ? "recipe" : "";
}

Result<std::string> ProjectId(db::Reader& reader, std::string_view project) {
  GYRE_TRY(const auto found, FindProject(reader, project));
  if (found) return found->id;
  return NotFound("GY3902", "there is no project `{}`", project)
      .Fix(fmt::format("gyre init {}", project));
}

}  // namespace

Json DeclaredToJson(const Declared& declared) {
  return Json::Obj({{"kind", declared.kind},
                    {"name", declared.name},
                    {"made", declared.made},
                    {"id", declared.thing},
                    {"spec", declared.spec},
                    {"applied_by", declared.applied_by},
                    {"applied_at", FormatTime(declared.applied_us)}});
}

Result<std::vector<Declared>> Declarations::List(std::string_view project) {
  std::vector<Declared> list;
  std::vector<std::string> specs;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::string id, ProjectId(reader, project));
    return reader.Query(
        "SELECT kind, name, made, spec, applied_by, applied_us, thing FROM project_declaration "
        "WHERE project_id = ?1 ORDER BY kind, name LIMIT ?2",
        {id, kDeclaredMax}, [&](const db::Row& row) -> Result<> {
          list.push_back({.kind = row.Str(0),
                          .name = row.Str(1),
                          .made = row.Bool(2),
                          .thing = row.Str(6),
                          .applied_by = row.Str(4),
                          .applied_us = row.Int(5)});
          specs.push_back(row.Str(3));
          return {};
        });
  }));
  for (std::size_t i = 0; i < list.size(); ++i) {
    GYRE_TRY(list[i].spec, Json::Parse(specs[i]));
  }
  return list;
}

Result<Declared> Declarations::Keep(std::string_view project, Declared declared) {
  GYRE_DO(CheckPlace(declared.kind, declared.name));
  const std::string spec = declared.spec.Dump();
  if (spec.size() > kSpecBytesMax) {
    return MakeError(Code::kResourceExhausted, "GY3911", "`{}.{}` is longer than {}", declared.kind,
                     declared.name, HumanBytes(kSpecBytesMax));
  }
  declared.applied_us = clock_.NowMicros();
  std::int64_t count = 0;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const std::string id, ProjectId(tx, project));
    GYRE_TRY([[maybe_unused]] const bool any,
             tx.QueryOne("SELECT count(*) FROM project_declaration WHERE project_id = ?1", {id},
                         [&](const db::Row& row) { count = row.Int(0); }));
    if (count >= kDeclaredMax)
      return Error(Code::kResourceExhausted, "GY3911", "a project declares at most 10,000 things");
    GYRE_TRY(const bool known,
             tx.QueryOne("SELECT made, thing FROM project_declaration WHERE project_id = ?1 AND "
                         "kind = ?2 AND name = ?3",
                         {id, declared.kind, declared.name}, [&](const db::Row& row) {
                           if (!declared.made) declared.thing = row.Str(1);
                           declared.made |= row.Bool(0);
                         }));
    if (known) {
      return tx.Execute(
          "UPDATE project_declaration SET made = ?4, spec = ?5, applied_by = ?6, applied_us = ?7, "
          "thing = ?8 "
          "WHERE project_id = ?1 AND kind = ?2 AND name = ?3",
          {id, declared.kind, declared.name, declared.made, spec, declared.applied_by,
           declared.applied_us, declared.thing});
    }
    return tx.Execute(
        "INSERT INTO project_declaration (project_id, kind, name, made, spec, applied_by, "
        "applied_us, thing) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        {id, declared.kind, declared.name, declared.made, spec, declared.applied_by,
         declared.applied_us, declared.thing});
  }));
  return declared;
}

Result<> Declarations::Forget(std::string_view project, std::string_view kind,
                              std::string_view name, std::string_view by) {
  bool gone = false;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const std::string id, ProjectId(tx, project));
    if (const std::string_view noun = NounOf(kind); !noun.empty()) {
      GYRE_TRY(gone, tx.QueryOne("SELECT 1 FROM project_declaration WHERE project_id = ?1 AND kind "
                                 "= ?2 AND name = ?3",
                                 {id, kind, name}, [](const db::Row&) {}));
      if (!gone) return {};
      GYRE_TRY(trash::Parcel parcel, trash::Parcel::Begin(tx, {.noun = noun,
                                                               .project = project,
                                                               .name = name,
                                                               .by = by,
                                                               .now_us = clock_.NowMicros()}));
      return parcel.Take("project_declaration", "project_id = ?1 AND kind = ?2 AND name = ?3",
                         {id, kind, name});
    }
    GYRE_DO(
        tx.Execute("DELETE FROM project_declaration WHERE project_id = ?1 AND kind = ?2 AND "
                   "name = ?3",
                   {id, kind, name}));
    gone = tx.changes() > 0;
    return {};
  }));
  if (gone) return {};
  return NotFound("GY3912", "no file has declared `{}.{}`", kind, name);
}

}  // namespace gyre::projects
