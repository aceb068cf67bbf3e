#include "ml/registry/registry.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "ml/registry/alias_store.h"
#include "ml/registry/logged_gate.h"
#include "ml/registry/news.h"
#include "ml/registry/promotion.h"
#include "ml/registry/removal.h"
#include "ml/registry/version_store.h"
#include "ml/registry/words.h"

namespace gyre::registry {
namespace {

constexpr std::string_view kChampion = "champion";
constexpr std::size_t kTextBytesMax = 10'000;

Result<> CheckNew(const NewVersion& version) {
  GYRE_DO(CheckName("project", version.project));
  GYRE_DO(CheckName("model", version.model));
  if (version.package.digest.size() != 64)
    return InvalidArgument("GY3611", "model `{}` has no package", version.model);
  for (const Attachment& attachment : version.attachments)
    GYRE_DO(CheckName("attachment", attachment.name));
  return {};
}

Result<> CheckText(std::string_view what, std::string_view text) {
  if (text.size() > kTextBytesMax)
    return InvalidArgument("GY3612", "the {} has more than {} bytes", what, kTextBytesMax);
  if (!IsValidUtf8(text)) return InvalidArgument("GY3612", "the {} is not valid UTF-8", what);
  return {};
}

Result<std::string> ResolveId(db::Reader& reader, std::string_view project,
                              const ModelReference& reference) {
  GYRE_TRY(const ModelRow model, FindModel(reader, project, reference.model));
  if (reference.alias.empty() && reference.version != 0)
    return FindVersionId(reader, model.id, reference.model, reference.version);
  const std::string_view alias =
      reference.alias.empty() ? kChampion : std::string_view(reference.alias);
  GYRE_TRY(const std::optional<Holder> holder, FindHolder(reader, model.id, alias));
  if (holder) return holder->version_id;
  if (reference.alias.empty()) return FindVersionId(reader, model.id, reference.model, 0);
  GYRE_TRY(const std::vector<std::string> names, AliasNames(reader, model.id));
  return NotFound("GY3604", "model `{}` has no alias @{}", reference.model, reference.alias)
      .Why(names.empty() ? "no version has been promoted yet"
                         : fmt::format("its aliases are {}", Join(names, ", ")))
      .Fix(fmt::format("gyre models versions {}", reference.model));
}

}  // namespace

Registry::Registry(db::Database& database, const Clock& clock, events::Events* events)
    : database_(database), clock_(clock), events_(events) {}

Result<ModelVersion> Registry::Register(NewVersion version) {
  GYRE_DO(CheckNew(version));
  GYRE_DO(CheckText("notes", version.notes));
  const VersionTexts texts = TextsOf(version);
  const std::string new_model_id = NewId(), new_version_id = NewId();
  const std::int64_t now_us = clock_.NowMicros();
  std::string id;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow model, EnsureModel(tx, version, new_model_id, now_us));
    GYRE_TRY(id, FindSame(tx, model.id, version));
    if (!id.empty()) return {};
    id = new_version_id;
    return AddVersion(tx, events_, model, version, texts, id, now_us);
  }));
  return GetVersion(id);
}

Result<ModelVersion> Registry::Resolve(std::string_view project, std::string_view reference) {
  GYRE_TRY(const ModelReference parsed, ParseReference(reference));
  if (!parsed.project.empty() && parsed.project != project)
    return MakeError(Code::kPermissionDenied, "GY3620", "`{}` belongs to another project than `{}`",
                     reference, project)
        .Fix(fmt::format("--project {}", parsed.project));
  ModelVersion version;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::string id, ResolveId(reader, project, parsed));
    GYRE_TRY(version, ReadVersion(reader, id));
    return {};
  }));
  return version;
}

Result<ModelVersion> Registry::GetVersion(std::string_view version_id) {
  ModelVersion version;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(version, ReadVersion(reader, version_id));
    return {};
  }));
  return version;
}

Result<Model> Registry::GetModel(std::string_view project, std::string_view name) {
  Model model;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow row, FindModel(reader, project, name));
    GYRE_TRY(model, ReadModel(reader, row.id));
    return {};
  }));
  return model;
}

Result<std::vector<Model>> Registry::ListModels(std::string_view project, const Page& page) {
  std::vector<Model> models;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const std::vector<std::string> ids, ModelIds(reader, project, page));
    for (const std::string& id : ids) {
      GYRE_TRY(Model model, ReadModel(reader, id));
      models.push_back(std::move(model));
    }
    return {};
  }));
  return models;
}

Result<std::optional<ModelVersion>> Registry::OfPackage(std::string_view project,
                                                        std::string_view name,
                                                        std::string_view digest) {
  const auto versions = ListVersions(project, name);
  if (!versions && versions.error().code() == Code::kNotFound) return std::optional<ModelVersion>();
  if (!versions) return versions.error();
  for (const ModelVersion& one : *versions) {
    if (one.package.digest == digest) return std::optional(one);
  }
  return std::optional<ModelVersion>();
}

Result<std::vector<ModelVersion>> Registry::ListVersions(std::string_view project,
                                                         std::string_view name) {
  std::vector<ModelVersion> versions;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow model, FindModel(reader, project, name));
    GYRE_TRY(const std::vector<std::string> ids, VersionIds(reader, model.id));
    for (const std::string& id : ids) {
      GYRE_TRY(ModelVersion version, ReadVersion(reader, id));
      versions.push_back(std::move(version));
    }
    return {};
  }));
  return versions;
}

Result<std::optional<ModelVersion>> Registry::FindAlias(std::string_view project,
                                                        std::string_view model,
                                                        std::string_view alias) {
  std::optional<ModelVersion> version;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    const auto row = FindModel(reader, project, model);
    if (!row) return row.error().gy() == "GY3602" ? Result<>() : Result<>(row.error());
    GYRE_TRY(const std::optional<Holder> holder, FindHolder(reader, row->id, alias));
    if (!holder) return {};
    GYRE_TRY(version, ReadVersion(reader, holder->version_id));
    return {};
  }));
  return version;
}

Result<AliasPolicy> Registry::PolicyOf(std::string_view project, std::string_view model,
                                       std::string_view alias) {
  AliasPolicy policy;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    const auto row = FindModel(reader, project, model);
    if (!row)
      return row.error().gy() == "GY3602"
                 ? Result<>()
                 : Result<>(row.error());  // a model to come has the default policy
    GYRE_TRY(policy, ReadPolicy(reader, row->id, alias));
    return {};
  }));
  return policy;
}

Result<> Registry::SetPolicy(std::string_view project, std::string_view model,
                             std::string_view alias, const AliasPolicy& policy,
                             std::string_view by) {
  GYRE_DO(CheckAlias(alias));
  const std::string rules = policy.rules.Dump();
  const std::int64_t now_us = clock_.NowMicros();
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindModel(tx, project, model));
    return PutPolicy(tx, row.id, alias, policy, rules, by, now_us);
  });
}

Result<RecordedVerdict> Registry::RecordVerdict(NewVerdict verdict) {
  GYRE_DO(CheckAlias(verdict.alias));
  const RecordedVerdict recorded{NewId(),
                                 verdict.version_id,
                                 verdict.alias,
                                 verdict.champion_id,
                                 verdict.evaluation_id,
                                 verdict.created_by,
                                 verdict.verdict,
                                 clock_.NowMicros(),
                                 TermsHash(verdict.policy)};
  const std::string text = recorded.verdict.ToJson().Dump();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(ReadVersion(tx, recorded.version_id));
    return InsertVerdict(tx, recorded, text);
  }));
  return recorded;
}

Result<std::optional<RecordedVerdict>> Registry::LatestVerdict(std::string_view version_id,
                                                               std::string_view alias) {
  std::optional<RecordedVerdict> verdict;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(verdict, ReadLatestVerdict(reader, version_id, alias));
    return {};
  }));
  return verdict;
}

Result<AliasMove> Registry::MoveAlias(MoveRequest request) {
  GYRE_DO(CheckAlias(request.alias));
  GYRE_DO(CheckText("reason", request.reason));
  AliasMove move;
  move.id = NewId();
  move.alias = request.alias;
  move.reason = request.reason;
  move.moved_by = request.moved_by;
  move.moved_us = clock_.NowMicros();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow model, FindModel(tx, request.project, request.model));
    GYRE_TRY(const std::string version_id,
             FindVersionId(tx, model.id, request.model, request.version));
    GYRE_TRY(const ModelVersion version, ReadVersion(tx, version_id));
    GYRE_TRY(const std::optional<Holder> holder, FindHolder(tx, model.id, request.alias));
    if (holder && holder->version_id == version_id) {
      GYRE_TRY(const auto moves, ReadMoves(tx, model.id, request.alias, 1));
      if (!moves.empty()) move = moves[0];
      move.moved = false;
      return {};
    }
    PromotionFacts facts{version.name(),
                         request.alias,
                         version.created_by,
                         holder ? holder->version_id : "",
                         {},
                         {},
                         {},
                         request.override_gate,
                         request.reason};
    facts.has_package = version.has_package();
    facts.has_thresholds = !version.has_package() && version.tags.contains(std::string(kGateTag));
    if (holder) {
      // With what others logged nothing can be compared.
      GYRE_TRY(const ModelVersion held, ReadVersion(tx, holder->version_id));
      if (!held.has_package() && version.has_package()) facts.holder_id.clear();
    }
    if (!request.beside.empty()) {
      GYRE_TRY(const ModelReference beside, ParseReference(request.beside));
      if (beside.model == version.model && beside.version > 0) {
        GYRE_TRY(facts.beside_id, FindVersionId(tx, model.id, beside.model, beside.version));
      }
    }
    GYRE_TRY(facts.policy, ReadPolicy(tx, model.id, request.alias));
    GYRE_TRY(facts.verdict, ReadLatestVerdict(tx, version_id, request.alias));
    GYRE_TRY(facts.approvals, ReadApprovals(tx, version_id));
    GYRE_TRY(move.basis, DecidePromotion(facts));
    move.version_id = version_id;
    move.version = version.version;
    if (facts.verdict) move.verdict_id = facts.verdict->id;
    if (holder) {
      move.previous_version_id = holder->version_id;
      move.previous_version = holder->version;
    }
    GYRE_DO(WriteMove(tx, model.id, &move));
    return TellMoved(tx, events_, request.project, version.model, move);
  }));
  return move;
}

Result<AliasMove> Registry::RemoveAlias(std::string_view project, std::string_view model,
                                        std::string_view alias, std::string_view reason,
                                        std::string_view by) {
  GYRE_DO(CheckText("reason", reason));
  AliasMove move;
  move.id = NewId();
  move.alias = alias;
  move.basis = "removed";
  move.reason = reason;
  move.moved_by = by;
  move.moved_us = clock_.NowMicros();
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelRow row, FindModel(tx, project, model));
    GYRE_TRY(const std::optional<Holder> holder, FindHolder(tx, row.id, alias));
    if (!holder) return NotFound("GY3604", "model `{}` has no alias @{}", model, alias);
    move.previous_version_id = holder->version_id;
    move.previous_version = holder->version;
    GYRE_DO(WriteMove(tx, row.id, &move));
    return TellMoved(tx, events_, project, row.name, move);
  }));
  return move;
}

Result<std::vector<AliasMove>> Registry::History(std::string_view project, std::string_view model,
                                                 std::string_view alias, int limit) {
  std::vector<AliasMove> moves;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow row, FindModel(reader, project, model));
    GYRE_TRY(moves, ReadMoves(reader, row.id, alias, limit));
    return {};
  }));
  return moves;
}

Result<std::optional<AliasMove>> Registry::HolderAt(std::string_view project,
                                                    std::string_view model, std::string_view alias,
                                                    std::int64_t time_us) {
  std::optional<AliasMove> move;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const ModelRow row, FindModel(reader, project, model));
    GYRE_TRY(move, ReadMoveAt(reader, row.id, alias, time_us));
    return {};
  }));
  if (move && move->version_id.empty()) move.reset();
  return move;
}

Result<Approval> Registry::Approve(std::string_view version_id, std::string_view approver,
                                   bool approved, std::string_view comment) {
  GYRE_DO(CheckText("comment", comment));
  const Approval approval{
      NewId(),  std::string(version_id), std::string(approver), std::string(comment),
      approved, clock_.NowMicros()};
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(const ModelVersion version, ReadVersion(tx, version_id));
    GYRE_TRY(const ModelRow model, FindModel(tx, version.project, version.model));
    GYRE_TRY(const AliasPolicy policy, ReadPolicy(tx, model.id, kChampion));
    if (approved && !policy.author_may_approve && version.created_by == approver) {
      return MakeError(Code::kPermissionDenied, "GY3607", "{} made {} and may not approve it",
                       approver, version.name())
          .Why("the policy of this model asks for another person")
          .Fix("ask somebody else who may approve models");
    }
    return InsertApproval(tx, approval);
  }));
  return approval;
}

Result<std::vector<Approval>> Registry::Approvals(std::string_view version_id) {
  std::vector<Approval> approvals;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(approvals, ReadApprovals(reader, version_id));
    return {};
  }));
  return approvals;
}

Result<std::vector<std::string>> Registry::MadeFrom(std::string_view dataset_version_id) {
  std::vector<std::string> names;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(names, NamesMadeFrom(reader, dataset_version_id));
    return {};
  }));
  return names;
}

Result<std::string> LocalPathOf(blob::Store& blobs, const ModelVersion& version,
                                const blob::Object& object) {
  GYRE_DO(CheckHasPackage(version));
  auto path = blobs.LocalPath(object.digest);
  if (path || path.error().code() != Code::kDataLoss) return path;
  return std::move(path).error().Context("model " + version.name());
}

Result<> Registry::DeleteVersion(std::string_view version_id) {
  const Removal removal{.by = "gyre", .now_us = clock_.NowMicros(), .events = events_};
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const std::string name, RemoveVersion(tx, version_id, removal));
    return {};
  });
}

Result<> Registry::DeleteModel(std::string_view project, std::string_view name) {
  const Removal removal{.by = "gyre", .now_us = clock_.NowMicros(), .events = events_};
  return database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY([[maybe_unused]] const std::string gone, RemoveModel(tx, project, name, removal));
    return {};
  });
}

}  // namespace gyre::registry
