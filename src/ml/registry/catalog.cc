#include "ml/registry/catalog.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "ml/registry/alias_store.h"
#include "ml/registry/catalog_store.h"
#include "ml/registry/logged_gate.h"
#include "ml/registry/news.h"
#include "ml/registry/removal.h"
#include "ml/registry/words.h"

namespace gyre::registry {
namespace {

constexpr std::size_t kRunIdBytesMax = 256;

Result<> CheckTags(const Tags& tags) {
  for (const auto& [key, value] : tags) GYRE_DO(CheckTag(key, value));
  return {};
}

Result<> CheckVersionTags(const Tags& tags) {
  GYRE_DO(CheckTags(tags));
  const auto gate = tags.find(std::string(kGateTag));
  if (gate == tags.end()) return {};
  const auto thresholds = ParseThresholds(gate->second);
  return thresholds ? Result<>() : Result<>(thresholds.error());
}

// Of another server, perhaps: whatever it is, it is a word.
Result<> CheckId(std::string_view what, std::string_view id) {
  const bool word = std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
  if (word && id.size() <= kRunIdBytesMax) return {};
  return InvalidArgument("GY3637", "`{}` is no id of a {}", id.substr(0, 300), what);
}

Result<> CheckLogged(const LoggedVersion& from) {
  GYRE_DO(CheckId("run", from.owners.run_id));
  GYRE_DO(CheckId("logged model", from.owners.logged_model));
  GYRE_DO(CheckDescription(from.description));
  GYRE_DO(CheckVersionTags(from.tags));
  if (from.run_link.size() <= kSourceBytesMax && IsValidUtf8(from.run_link)) return {};
  return InvalidArgument("GY3637", "the link to the run is no text of at most {} bytes",
                         kSourceBytesMax);
}

// "3", "latest", a stage, "@champion".
Result<std::string> FindWhat(db::Reader& reader, const ModelRow& model, std::string_view title,
                             std::string_view what) {
  if (what.starts_with('@')) {
    GYRE_TRY(const std::optional<Holder> holder, FindHolder(reader, model.id, what.substr(1)));
    if (holder) return holder->version_id;
    return NotFound("GY3604", "model `{}` has no alias {}", title, what.substr(0, 300));
  }
  if (EqualsIgnoreCase(what, "latest")) return FindVersionId(reader, model.id, model.name, 0);
  if (const auto number = ParseInt(what); number && *number > 0 && *number <= 1'000'000'000)
    return FindVersionId(reader, model.id, model.name, static_cast<int>(*number));
  if (const auto stage = ParseStage(what)) {
    GYRE_TRY(const auto ids, LatestIds(reader, model.id));
    for (const std::string& id : ids) {
      GYRE_TRY(const ModelVersion version, ReadVersion(reader, id));
      if (version.stage == *stage) return id;
    }
  }
  return NotFound("GY3603", "model `{}` has no version {}", title, what.substr(0, 300));
}

NewVersion NewOf(const LoggedVersion& from) {
  NewVersion version;
  version.project = from.project;
  version.run_id = from.owners.run_id;
  version.metrics = Json::Obj();
  version.signature = Json::Obj();
  version.notes = from.description;
  version.created_by = from.created_by;
  version.source = from.source;
  version.location = from.location;
  version.run_link = from.run_link;
  version.logged_model = from.owners.logged_model;
  version.flavors = from.flavors;
  version.tags = from.tags;
  return version;
}

// What a version is that names another by its source: the same files, the same facts.
void TakeOver(const ModelVersion& other, NewVersion* version) {
  version->package = other.package;
  version->datasets = other.datasets;
  version->recipe_hash = other.recipe_hash;
  version->task = other.task;
  version->target = other.target;
  version->learner = other.learner;
  version->metrics = other.metrics;
  version->signature = other.signature;
  version->evaluation_id = other.evaluation_id;
  version->attachments = other.attachments;
  version->location = other.location.empty() ? other.source : other.location;
  if (version->run_id.empty()) version->run_id = other.run_id;
  if (version->logged_model.empty()) version->logged_model = other.logged_model;
  if (version->flavors.empty()) version->flavors = other.flavors;
}

}  // namespace

Result<Model> Catalog::Create(NewModel from) {
  GYRE_DO(CheckName("project", from.project));
  GYRE_DO(CheckTitle(from.title));
  GYRE_DO(CheckDescription(from.description));
  GYRE_DO(CheckTags(from.tags));
  const std::string id = NewId();
  const std::int64_t now_us = clock_.NowMicros();
  const std::string said = Member("title", from.title);
  Model made;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(CheckTitleFree(tx, from.project, from.title, ""));
    GYRE_TRY(const std::string name, FreeName(tx, from.project, from.title, ""));
    GYRE_DO(InsertModel(tx, from, id, name, now_us));
    GYRE_DO(TellModel(tx, events_, "model.created", from.project, id, name, said));
    GYRE_TRY(made, ReadModel(tx, id));
    return {};
  }));
  return made;
}

Result<Model> Catalog::Get(std::string_view project, std::string_view title) {
  Model model;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(reader, project, title));
    GYRE_TRY(model, ReadModel(reader, row.id));
    return {};
  }));
  return model;
}

Result<Model> Catalog::Rename(std::string_view project, std::string_view title,
                              std::string_view to) {
  GYRE_DO(CheckTitle(to));
  const std::int64_t now_us = clock_.NowMicros();
  const std::string said = Member("title", to) + Member("before", title);
  Model model;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(tx, project, title));
    GYRE_DO(CheckTitleFree(tx, project, to, row.id));
    if (to != title) {
      GYRE_TRY(const std::string name, FreeName(tx, project, to, row.id));
      GYRE_DO(RenameModel(tx, project, row, name, to, now_us));
      GYRE_DO(TellModel(tx, events_, "model.renamed", project, row.id, name, said));
    }
    GYRE_TRY(model, ReadModel(tx, row.id));
    return {};
  }));
  return model;
}

Result<Model> Catalog::Describe(std::string_view project, std::string_view title,
                                std::string_view description) {
  GYRE_DO(CheckDescription(description));
  const std::int64_t now_us = clock_.NowMicros();
  Model model;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(tx, project, title));
    GYRE_DO(tx.Execute("UPDATE registry_model SET description = ?2, updated_us = ?3 WHERE id = ?1",
                       {row.id, description, now_us}));
    GYRE_TRY(model, ReadModel(tx, row.id));
    return {};
  }));
  return model;
}

Result<> Catalog::SetTags(std::string_view project, std::string_view title, const Tags& tags) {
  GYRE_DO(CheckTags(tags));
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(tx, project, title));
    for (const auto& [key, value] : tags) {
      GYRE_DO(PutModelTag(tx, row.id, key, value));
      GYRE_DO(TellModel(tx, events_, "model.tag.set", project, row.id, row.name,
                        Member("key", key) + Member("value", value)));
    }
    return {};
  });
}

Result<> Catalog::DeleteTag(std::string_view project, std::string_view title,
                            std::string_view key) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(tx, project, title));
    GYRE_DO(tx.Execute("DELETE FROM registry_model_tag WHERE model_id = ?1 AND name = ?2",
                       {row.id, key}));
    if (tx.changes() == 0) return {};
    return TellModel(tx, events_, "model.tag.deleted", project, row.id, row.name,
                     Member("key", key));
  });
}

Result<> Catalog::Delete(std::string_view project, std::string_view title, std::string_view by,
                         bool with_aliases) {
  const Removal removal{
      .by = by, .force = with_aliases, .now_us = clock_.NowMicros(), .events = events_};
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(tx, project, title));
    GYRE_TRY([[maybe_unused]] const std::string gone, RemoveModel(tx, project, row.name, removal));
    return {};
  });
}

Result<ModelVersion> Catalog::Log(LoggedVersion from) {
  GYRE_DO(CheckLogged(from));
  GYRE_TRY(const Source source, ReadSource(from.source, from.owners));
  NewVersion version = NewOf(from);
  if (source.kind == Source::Kind::kVersion) {
    GYRE_TRY(const ModelVersion other, Find(from.project, source.model, source.what));
    TakeOver(other, &version);
  }
  const VersionTexts texts = TextsOf(version);
  const std::string id = NewId();
  const std::int64_t now_us = from.created_us > 0 ? from.created_us : clock_.NowMicros();
  ModelVersion made;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(ModelRow model, FindTitle(tx, from.project, from.title));
    if (from.number > 0 && from.number <= model.last_version)
      return MakeError(Code::kAlreadyExists, "GY3649",
                       "version {} of `{}` was given already; the newest number is {}", from.number,
                       from.title, model.last_version);
    if (from.number > 0) model.last_version = from.number - 1;
    // What is brought from elsewhere happened there: nobody here waits for it.
    GYRE_DO(AddVersion(tx, from.number > 0 ? nullptr : events_, model, version, texts, id, now_us));
    GYRE_TRY(made, ReadVersion(tx, id));
    return {};
  }));
  return made;
}

Result<ModelVersion> Catalog::GetVersion(std::string_view project, std::string_view title,
                                         int version) {
  return Find(project, title, fmt::format("{}", version));
}

Result<ModelVersion> Catalog::Find(std::string_view project, std::string_view title,
                                   std::string_view what) {
  ModelVersion version;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(reader, project, title));
    GYRE_TRY(const std::string id, FindWhat(reader, row, title, what));
    GYRE_TRY(version, ReadVersion(reader, id));
    return {};
  }));
  return version;
}

Result<ModelVersion> Catalog::DescribeVersion(std::string_view version_id,
                                              std::string_view description) {
  GYRE_DO(CheckDescription(description));
  const std::int64_t now_us = clock_.NowMicros();
  ModelVersion version;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(
        tx.Execute("UPDATE registry_version SET notes = ?2, updated_us = ?3 WHERE id = ?1 AND "
                   "deleted_us = 0",
                   {version_id, description, now_us}));
    GYRE_TRY(version, ReadVersion(tx, version_id));
    return {};
  }));
  return version;
}

Result<> Catalog::SetVersionTags(std::string_view version_id, const Tags& tags) {
  GYRE_DO(CheckVersionTags(tags));
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelVersion version, ReadVersion(tx, version_id));
    for (const auto& [key, value] : tags) {
      GYRE_DO(PutVersionTag(tx, version_id, key, value));
      GYRE_DO(TellModel(tx, events_, "model.version.tag.set", version.project, version_id,
                        version.model,
                        fmt::format(R"(,"version":{}{}{})", version.version, Member("key", key),
                                    Member("value", value))));
    }
    return {};
  });
}

Result<> Catalog::DeleteVersionTag(std::string_view version_id, std::string_view key) {
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelVersion version, ReadVersion(tx, version_id));
    GYRE_DO(tx.Execute("DELETE FROM registry_version_tag WHERE version_id = ?1 AND name = ?2",
                       {version_id, key}));
    if (tx.changes() == 0) return {};
    return TellModel(tx, events_, "model.version.tag.deleted", version.project, version_id,
                     version.model,
                     fmt::format(R"(,"version":{}{})", version.version, Member("key", key)));
  });
}

Result<ModelVersion> Catalog::MoveStage(std::string_view version_id, Stage stage,
                                        bool archive_others) {
  if (archive_others && stage != Stage::kStaging && stage != Stage::kProduction) {
    return InvalidArgument("GY3635", "moving to stage {} archives no others", StageName(stage))
        .Why("only one that comes to staging or production takes the place of others");
  }
  const std::int64_t now_us = clock_.NowMicros();
  ModelVersion version;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelVersion before, ReadVersion(tx, version_id));
    GYRE_TRY(const ModelRow model, FindModel(tx, before.project, before.model));
    GYRE_DO(PutStage(tx, model.id, version_id, stage, archive_others, now_us));
    GYRE_DO(TellModel(tx, events_, "model.version.stage.moved", before.project, version_id,
                      before.model,
                      fmt::format(R"(,"version":{},"stage":"{}","before":"{}")", before.version,
                                  StageName(stage), StageName(before.stage))));
    GYRE_TRY(version, ReadVersion(tx, version_id));
    return {};
  }));
  return version;
}

Result<std::vector<ModelVersion>> Catalog::Latest(std::string_view project, std::string_view title,
                                                  std::vector<Stage> stages) {
  std::vector<ModelVersion> versions;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow row, FindTitle(reader, project, title));
    GYRE_TRY(const auto ids, LatestIds(reader, row.id));
    for (const std::string& id : ids) {
      GYRE_TRY(ModelVersion version, ReadVersion(reader, id));
      if (stages.empty() || std::ranges::find(stages, version.stage) != stages.end())
        versions.push_back(std::move(version));
    }
    return {};
  }));
  std::ranges::sort(versions, {}, &ModelVersion::version);
  return versions;
}

Result<> Catalog::DeleteVersion(std::string_view version_id, std::string_view by,
                                bool with_aliases) {
  const Removal removal{
      .by = by, .force = with_aliases, .now_us = clock_.NowMicros(), .events = events_};
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const std::string gone, RemoveVersion(tx, version_id, removal));
    return {};
  });
}

}  // namespace gyre::registry
