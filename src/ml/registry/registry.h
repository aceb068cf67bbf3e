// Registered models: versions that never change, aliases that move only by a verdict or by an
// override with a reason, and the append-only history of those moves. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "ml/registry/gate.h"
#include "ml/registry/reference.h"
#include "platform/blob/blob_store.h"
#include "platform/db/database.h"

namespace gyre::events {
class Events;
}

namespace gyre::registry {

db::ModuleSchema RegistrySchema();

struct DatasetUse {
  std::string dataset_version_id;
  std::string role;  // "train", "holdout"
};
struct Attachment {
  std::string name;  // "profile"
  blob::Object object;
};

// Where a version stood before there were aliases; kept for those who still go by it.
enum class Stage : unsigned char { kNone, kStaging, kProduction, kArchived };
std::string_view StageName(Stage stage);  // "none", "staging", "production", "archived"
std::optional<Stage> ParseStage(std::string_view name);  // in any case

using Tags = std::map<std::string, std::string>;

struct NewVersion {
  std::string project, model;  // the model is made when it is not there
  blob::Object package;        // a predictors::ModelPackage
  std::string run_id;          // may be empty (an imported model)
  std::vector<DatasetUse> datasets;
  std::string recipe_hash, task, target, learner;
  Json metrics;    // {"auc": 0.86}
  Json signature;  // {"inputs": [{"name", "type"}], "outputs": ...}
  std::string evaluation_id;
  std::vector<Attachment> attachments;
  std::string notes, created_by;
  // Of a version that others logged; see ModelVersion.
  std::string source = {}, location = {}, run_link = {}, logged_model = {};
  std::vector<std::string> flavors = {};
  Tags tags = {};
};

// Made here, or brought here as a file: it has a package. Logged by others (catalog.h): its files
// are where `source` says, and gyre does not run it.
struct ModelVersion {
  std::string id, project, model;
  int version = 0;
  blob::Object package;
  std::string run_id;
  std::vector<DatasetUse> datasets;
  std::string recipe_hash, task, target, learner;
  Json metrics, signature;
  std::string evaluation_id;
  std::vector<Attachment> attachments;
  std::string notes, created_by;
  std::int64_t created_us = 0, updated_us = 0;
  std::vector<std::string> aliases;  // that point here now
  std::string title = {};            // of its model
  std::string source = {};           // as it was given
  std::string location = {};         // what the source comes to; empty = the source itself
  std::string run_link = {}, logged_model = {};
  std::vector<std::string> flavors = {};  // "sklearn", "python_function"
  Stage stage = Stage::kNone;
  Tags tags = {};
  std::string name() const { return fmt::format("{}:v{}", model, version); }  // "churn:v3"
  bool has_package() const { return !package.digest.empty(); }
};
// The class that a binary model looks for: the last of its two. Else empty.
std::string PositiveClass(const ModelVersion& version);
Json VersionToJson(const ModelVersion& version);
// Error: kUnimplemented GY3622 names the flavour of a version that others logged.
Result<> CheckHasPackage(const ModelVersion& version);
// Where a worker reads a blob of that version. Errors: GY3622, kDataLoss GY1502 names the model.
Result<std::string> LocalPathOf(blob::Store& blobs, const ModelVersion& version,
                                const blob::Object& object);

// `title` is what people call it, any text; `name` the same, or what our rule for names makes of
// it: "my-model" of "my model". Both are unique in the project.
struct Model {
  std::string id, project, name, description, created_by;
  std::int64_t created_us = 0;
  int latest_version = 0;
  int version_count = 0;
  std::vector<std::pair<std::string, int>> aliases;  // alias -> version
  std::string title = {};
  Tags tags = {};
  std::int64_t updated_us = 0;
};
Json ModelToJson(const Model& model);

// What an alias of one model asks for. Champions that gyre can judge, for they have a package, ask
// for a gate; everything else when somebody said so.
struct AliasPolicy {
  int approvals_min = 0;
  bool author_may_approve = true;
  Json rules;           // of its gate; null = DefaultRules for "champion", none for other aliases
  std::string metric;   // that its comparisons go by; empty = the task's own
  std::string dataset;  // reference of the rows it judges on; empty = those that training held out
};
// Tells the terms of one policy's gate (rules, metric, rows) from another's.
std::string TermsHash(const AliasPolicy& policy);
Json PolicyToJson(const AliasPolicy& policy);
Result<AliasPolicy> PolicyFromJson(const Json& json);  // GY3608

struct RecordedVerdict {
  std::string id, version_id, alias, champion_id, evaluation_id, created_by;
  Verdict verdict;
  std::int64_t created_us = 0;
  std::string rules_hash;  // TermsHash of the policy it was given under
};

struct AliasMove {
  std::string id, alias;
  std::int64_t sequence = 0;  // of this model's moves, from 1
  std::string version_id, previous_version_id;
  int version = 0, previous_version = 0;  // 0 = none
  // "gate", "gate and approvals", "override", "removed"; of a version that others logged "client"
  // or "approvals" where no gate was asked for
  std::string basis;
  std::string verdict_id, reason, moved_by;
  std::int64_t moved_us = 0;  // never before the move it follows
  bool moved = true;          // false: it was asked for, and the alias stood there already
};
Json MoveToJson(const AliasMove& move);

struct Approval {
  std::string id, version_id, approver, comment;
  bool approved = true;  // false = rejected; the newest word of each approver counts
  std::int64_t created_us = 0;
};
Json ApprovalToJson(const Approval& approval);

class Registry {
 public:
  // Without `events` nobody is told (tests, tools).
  Registry(db::Database& database, const Clock& clock, events::Events* events = nullptr);

  // One transaction: model, version, references to its blobs, lineage edges, event
  // "model.version.created". The same package of the same run registered again is the same version.
  // Errors: GY1200 bad name.
  Result<ModelVersion> Register(NewVersion version);

  // A bare name is its @champion, or the newest version when there is no champion. A model is also
  // found by its title, and by a name that it had before.
  // Errors: kNotFound GY3602 no such model (did you mean), GY3603 no such version, GY3604 no such
  // alias (those that exist), kPermissionDenied GY3620 a reference into another project than
  // `project`.
  Result<ModelVersion> Resolve(std::string_view project, std::string_view reference);
  Result<ModelVersion> GetVersion(std::string_view version_id);
  Result<Model> GetModel(std::string_view project, std::string_view name);
  struct Page {
    int limit = 100;
    std::string after;  // name of the last model of the page before
  };
  Result<std::vector<Model>> ListModels(std::string_view project, const Page& page);
  Result<std::vector<ModelVersion>> ListVersions(std::string_view project,
                                                 std::string_view name);  // newest first
  // The newest version of a model whose package has this digest; nothing where there is none, or
  // no such model.
  Result<std::optional<ModelVersion>> OfPackage(std::string_view project, std::string_view name,
                                                std::string_view digest);
  // Names of the versions that were made from a dataset version, by name.
  Result<std::vector<std::string>> MadeFrom(std::string_view dataset_version_id);
  Result<std::optional<ModelVersion>> FindAlias(std::string_view project, std::string_view model,
                                                std::string_view alias);

  // --- gates, approvals, aliases -----------------------------------------------------------------
  Result<AliasPolicy> PolicyOf(std::string_view project, std::string_view model,
                               std::string_view alias);
  Result<> SetPolicy(std::string_view project, std::string_view model, std::string_view alias,
                     const AliasPolicy& policy, std::string_view by);

  struct NewVerdict {
    std::string version_id, alias = "champion";
    std::string champion_id;  // the version it was compared with; empty = there was none
    std::string evaluation_id, created_by;
    AliasPolicy policy;  // it was given under
    Verdict verdict;
  };
  Result<RecordedVerdict> RecordVerdict(NewVerdict verdict);
  Result<std::optional<RecordedVerdict>> LatestVerdict(std::string_view version_id,
                                                       std::string_view alias);

  struct MoveRequest {
    std::string project, model, alias = "champion";
    int version = 0;
    std::string reason, moved_by;
    bool override_gate = false;  // needs a reason
    std::string beside{};  // "churn:v1": it was tried beside this one, which answers where the
                           // alias does not: a verdict may compare with it instead
  };
  // Errors: GY3634 no name for an alias; kFailedPrecondition GY3605 the newest verdict says no, is
  // missing, compares with
  // another champion than the present one, or was given under other terms than the policy's; GY3606
  // approvals are missing; kInvalidArgument GY3610 an override without a reason. Event
  // "model.alias.moved". A move to where the alias already points changes nothing.
  Result<AliasMove> MoveAlias(MoveRequest request);
  Result<AliasMove> RemoveAlias(std::string_view project, std::string_view model,
                                std::string_view alias, std::string_view reason,
                                std::string_view by);
  Result<std::vector<AliasMove>> History(std::string_view project, std::string_view model,
                                         std::string_view alias, int limit);
  // Who held the alias at that time; empty when nobody did.
  Result<std::optional<AliasMove>> HolderAt(std::string_view project, std::string_view model,
                                            std::string_view alias, std::int64_t time_us);

  // Errors: kPermissionDenied GY3607 the author approves and the policy of @champion forbids it.
  Result<Approval> Approve(std::string_view version_id, std::string_view approver, bool approved,
                           std::string_view comment);
  Result<std::vector<Approval>> Approvals(std::string_view version_id);

  // Errors: kFailedPrecondition GY3609 an alias points at it. Numbers are never given again; the
  // history stays.
  Result<> DeleteVersion(std::string_view version_id);
  Result<> DeleteModel(std::string_view project, std::string_view name);

 private:
  db::Database& database_;
  const Clock& clock_;
  events::Events* events_;
};

// --- the model card: stored facts, arranged ------------------------------------------------------
struct CardFacts {
  ModelVersion version;
  Json evaluation;  // of ml/evaluation; null when there is none
  std::optional<RecordedVerdict> verdict;
  std::vector<Approval> approvals;
  std::vector<AliasMove> history;  // moves that concern this version
  Json problem;                    // of the project; may be null
  Json goals;                      // [{"kpi", "met": true, false or null, "text"}]
};
Json MakeCard(const CardFacts& facts);
std::string CardMarkdown(const Json& card);

}  // namespace gyre::registry
