// The registry as people fill it by hand: models that are made, renamed, described and tagged,
// versions whose files others keep, stages. The same models, versions and aliases as registry.h
// has; `title` finds a model by exactly that title. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "ml/registry/registry.h"
#include "ml/registry/source_rule.h"
#include "platform/db/database.h"

namespace gyre::registry {

// Of a model or version that is a text with blanks for a language model: lists leave it out.
inline constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";

struct NewModel {
  std::string project, title, description = {}, created_by = {};
  Tags tags = {};
};

// A version whose files others keep.
struct LoggedVersion {
  std::string project, title;  // of a model that is there
  std::string source;          // see ReadSource
  SourceOwners owners = {};    // the run and the logged model that it names
  // Of the files, where the source is a logged model; a source that is another version has its own.
  std::string location = {};
  std::string run_link = {}, description = {}, created_by = {};
  std::vector<std::string> flavors = {};
  Tags tags = {};
  int number = 0;               // of an import: kept, and nobody is told; 0 = the next
  std::int64_t created_us = 0;  // of an import; 0 = now
};

class Catalog {
 public:
  // Without `events` nobody is told (tests, tools).
  Catalog(db::Database& database, const Clock& clock, events::Events* events = nullptr)
      : database_(database), clock_(clock), events_(events) {}

  // Errors: kAlreadyExists GY3630 names the id of the model that has the title; GY3631 to GY3633.
  // Event "model.created".
  Result<Model> Create(NewModel from);
  Result<Model> Get(std::string_view project, std::string_view title);  // GY3602
  // References by the name that it had go on finding it, until another has that name. GY3630,
  // GY3631. Event "model.renamed".
  Result<Model> Rename(std::string_view project, std::string_view title, std::string_view to);
  Result<Model> Describe(std::string_view project, std::string_view title,
                         std::string_view description);
  // Events "model.tag.set", "model.tag.deleted". Taking away a tag that is not there does nothing.
  Result<> SetTags(std::string_view project, std::string_view title, const Tags& tags);
  Result<> DeleteTag(std::string_view project, std::string_view title, std::string_view key);
  // Into the trash. Error: GY3609 it has an alias, and they do not go along.
  Result<> Delete(std::string_view project, std::string_view title, std::string_view by,
                  bool with_aliases);

  // One that names another version by models:/ is that version once more, with its package.
  // Errors: GY3602, GY3603, GY3604 the model, the version named by its source; GY3633, GY3640,
  // GY3649 a number that was given already.
  Result<ModelVersion> Log(LoggedVersion from);
  Result<ModelVersion> GetVersion(std::string_view project, std::string_view title, int version);
  // "3", "latest", a stage, or "@champion". Errors: GY3603, GY3604.
  Result<ModelVersion> Find(std::string_view project, std::string_view title,
                            std::string_view what);
  Result<ModelVersion> DescribeVersion(std::string_view version_id, std::string_view description);
  // Events "model.version.tag.set", "model.version.tag.deleted". GY3633, GY3650.
  Result<> SetVersionTags(std::string_view version_id, const Tags& tags);
  Result<> DeleteVersionTag(std::string_view version_id, std::string_view key);
  // `archive_others`: those that stand in that stage are archived; only of staging and production:
  // GY3635. Event "model.version.stage.moved".
  Result<ModelVersion> MoveStage(std::string_view version_id, Stage stage, bool archive_others);
  // The newest of each of these stages, by number; of all when none is named.
  Result<std::vector<ModelVersion>> Latest(std::string_view project, std::string_view title,
                                           std::vector<Stage> stages);
  // Into the trash. Error: GY3609 as of Delete.
  Result<> DeleteVersion(std::string_view version_id, std::string_view by, bool with_aliases);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Events* events_;
};

}  // namespace gyre::registry
