// The registry's things as JSON documents.
#include "ml/registry/registry.h"
#include "ml/statistics/metrics.h"

namespace gyre::registry {

std::string PositiveClass(const ModelVersion& version) {
  const Json::Array& classes = version.signature["outputs"]["classes"].items();
  if (version.task != "binary" || classes.size() != 2) return {};
  return classes[1].AsString();
}

Json VersionToJson(const ModelVersion& version) {
  Json datasets = Json::Arr(), attachments = Json::Arr(), aliases = Json::Arr();
  for (const DatasetUse& use : version.datasets)
    datasets.Push(Json::Obj({{"id", use.dataset_version_id}, {"role", use.role}}));
  for (const Attachment& one : version.attachments) {
    attachments.Push(Json::Obj({{"name", one.name},
                                {"digest", one.object.digest},
                                {"size_bytes", one.object.size_bytes}}));
  }
  for (const std::string& alias : version.aliases) aliases.Push(alias);
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
                    {"aliases", std::move(aliases)},
                    {"run", version.run_id},
                    {"datasets", std::move(datasets)},
                    {"recipe_hash", version.recipe_hash},
                    {"package", Json::Obj({{"digest", version.package.digest},
                                           {"size_bytes", version.package.size_bytes}})},
                    {"attachments", std::move(attachments)},
                    {"evaluation", version.evaluation_id},
                    {"notes", version.notes},
                    {"created_by", version.created_by},
                    {"created_at", FormatTime(version.created_us)}});
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
       {"created_by", model.created_by},
       {"created_at", FormatTime(model.created_us)}});
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
