// The registry's things as JSON documents.
#include "base/text.h"
#include "ml/registry/registry.h"
#include "ml/statistics/metrics.h"

namespace gyre::registry {
namespace {

constexpr std::string_view kStages[] = {"none", "staging", "production", "archived"};

Json TextsToJson(const std::vector<std::string>& texts) {
  Json json = Json::Arr();
  for (const std::string& text : texts) json.Push(text);
  return json;
}

Json TagsToJson(const Tags& tags) {
  Json json = Json::Obj();
  for (const auto& [key, value] : tags) json.Set(key, value);
  return json;
}

}  // namespace

std::string_view StageName(Stage stage) { return kStages[static_cast<std::size_t>(stage)]; }

std::optional<Stage> ParseStage(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kStages); ++i) {
    if (EqualsIgnoreCase(name, kStages[i])) return static_cast<Stage>(i);
  }
  return std::nullopt;
}

Result<> CheckHasPackage(const ModelVersion& version) {
  if (version.has_package()) return {};
  // What its files say of themselves; every one of them is also a python_function.
  std::string flavor;
  for (const std::string& one : version.flavors) {
    if (flavor.empty() || flavor == "python_function") flavor = one;
  }
  const std::string named =
      flavor.empty() ? "a model that others logged" : fmt::format("mlflow.{} models", flavor);
  return MakeError(Code::kUnimplemented, "GY3622", "gyre cannot serve {} yet: {} has no package",
                   named, version.name())
      .Why("it runs what it trained itself, and LightGBM's and XGBoost's files")
      .Fix("gyre train DATASET --target COLUMN    (learns the same from the data)")
      .Fix("gyre import model MODEL.ubj    (a LightGBM or XGBoost model of the same columns)");
}

std::string PositiveClass(const ModelVersion& version) {
  const Json::Array& classes = version.signature["outputs"]["classes"].items();
  if (version.task != "binary" || classes.size() != 2) return {};
  return classes[1].AsString();
}

Json VersionToJson(const ModelVersion& version) {
  Json datasets = Json::Arr(), attachments = Json::Arr();
  for (const DatasetUse& use : version.datasets)
    datasets.Push(Json::Obj({{"id", use.dataset_version_id}, {"role", use.role}}));
  for (const Attachment& one : version.attachments) {
    attachments.Push(Json::Obj({{"name", one.name},
                                {"digest", one.object.digest},
                                {"size_bytes", one.object.size_bytes}}));
  }
  const std::string positive = PositiveClass(version);
  return Json::Obj({{"id", version.id},
                    {"project", version.project},
                    {"model", version.model},
                    {"version", version.version},
                    {"name", version.name()},
                    {"task", version.task},
                    {"target", version.target},
                    {"positive", positive.empty() ? Json() : Json(positive)},
                    {"learner", version.learner},
                    {"metrics", version.metrics},
                    {"signature", version.signature},
                    {"aliases", TextsToJson(version.aliases)},
                    {"run", version.run_id},
                    {"datasets", std::move(datasets)},
                    {"recipe_hash", version.recipe_hash},
                    {"package", Json::Obj({{"digest", version.package.digest},
                                           {"size_bytes", version.package.size_bytes}})},
                    {"attachments", std::move(attachments)},
                    {"evaluation", version.evaluation_id},
                    {"notes", version.notes},
                    {"title", version.title},
                    {"source", version.source},
                    {"run_link", version.run_link},
                    {"logged_model", version.logged_model},
                    {"flavors", TextsToJson(version.flavors)},
                    {"stage", StageName(version.stage)},
                    {"tags", TagsToJson(version.tags)},
                    {"created_by", version.created_by},
                    {"created_at", FormatTime(version.created_us)},
                    {"updated_at", FormatTime(version.updated_us)}});
}

Json ModelToJson(const Model& model) {
  Json aliases = Json::Obj();
  for (const auto& [alias, version] : model.aliases)
    aliases.Set(alias, fmt::format("v{}", version));
  return Json::Obj(
      {{"id", model.id},
       {"project", model.project},
       {"name", model.name},
       {"description", model.description},
       {"versions", model.version_count},
       {"latest",
        model.latest_version == 0 ? Json() : Json(fmt::format("v{}", model.latest_version))},
       {"aliases", std::move(aliases)},
       {"title", model.title},
       {"tags", TagsToJson(model.tags)},
       {"created_by", model.created_by},
       {"created_at", FormatTime(model.created_us)},
       {"updated_at", FormatTime(model.updated_us)}});
}

Json PolicyToJson(const AliasPolicy& policy) {
  return Json::Obj({{"approvals_min", policy.approvals_min},
                    {"author_may_approve", policy.author_may_approve},
                    {"rules", policy.rules},
                    {"metric", policy.metric},
                    {"dataset", policy.dataset}});
}

namespace {

Result<std::string> PolicyMetric(const Json& value);

}  // namespace

Result<AliasPolicy> PolicyFromJson(const Json& json) {
  AliasPolicy policy;
  for (const auto& [key, value] : json.members()) {
    if (key == "approvals_min") {
      if (!value.is_int() || value.AsInt() < 0 || value.AsInt() > 100)
        return InvalidArgument("GY3608", "`approvals_min` is a whole number from 0 to 100");
      policy.approvals_min = static_cast<int>(value.AsInt());
    } else if (key == "author_may_approve") {
      if (!value.is_bool())
        return InvalidArgument("GY3608", "`author_may_approve` is true or false");
      policy.author_may_approve = value.AsBool();
    } else if (key == "rules") {
      if (value.is_null()) continue;
      GYRE_TRY(const std::vector<Rule> rules, ParseRules(value));
      policy.rules = RulesToJson(rules);
    } else if (key == "metric") {
      GYRE_TRY(policy.metric, PolicyMetric(value));
    } else if (key == "dataset") {
      if (!value.is_string())
        return InvalidArgument("GY3608", "`dataset` names a dataset; empty = held-out rows");
      policy.dataset = value.AsString();
    } else {
      return InvalidArgument("GY3608", "a policy has no member `{}`", key)
          .Why("its members are approvals_min, author_may_approve, rules, metric, dataset");
    }
  }
  return policy;
}

namespace {

Result<std::string> PolicyMetric(const Json& value) {
  if (value.is_string() && value.AsString().empty()) return std::string();
  const statistics::MetricInfo* info = statistics::FindMetric(value.AsString());
  if (info != nullptr) return std::string(info->name);
  return InvalidArgument("GY3608", "`metric` of a policy is no metric: '{}'",
                         value.AsString().substr(0, 64))
      .Fix("leave it empty: comparisons go by the task's own (auc, log_loss, rmse)");
}

}  // namespace

Json MoveToJson(const AliasMove& move) {
  const auto version = [](int number) {
    return number == 0 ? Json() : Json(fmt::format("v{}", number));
  };
  return Json::Obj({{"sequence", move.sequence},
                    {"alias", move.alias},
                    {"version", version(move.version)},
                    {"previous", version(move.previous_version)},
                    {"basis", move.basis},
                    {"verdict", move.verdict_id},
                    {"reason", move.reason},
                    {"by", move.moved_by},
                    {"moved_at", FormatTime(move.moved_us)}});
}

Json ApprovalToJson(const Approval& approval) {
  return Json::Obj({{"approver", approval.approver},
                    {"approved", approval.approved},
                    {"comment", approval.comment},
                    {"created_at", FormatTime(approval.created_us)}});
}

}  // namespace gyre::registry
