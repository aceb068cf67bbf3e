// What changes what an endpoint runs: deploy, roll back, follow an alias, remove.
#include <algorithm>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ml/registry/reference.h"
#include "ml/serving/earlier.h"
#include "ml/serving/endpoint_store.h"
#include "ml/serving/service.h"
#include "platform/exec/fault_point.h"
#include "platform/telemetry/log.h"

namespace gyre::serving {

namespace {

constexpr telemetry::Logger kLog{"ml/serving"};
constexpr int kPage = 500;
constexpr int kDeploymentsSearched = 1'000;

// Columns that callers do not send to `before`, or send as something else; in words.
std::string NewNeeds(const registry::ModelVersion& before, const registry::ModelVersion& version) {
  const Json& known = before.signature["inputs"];
  if (known.size() == 0) return {};  // a version from before signatures were kept
  const auto is_number = [](const std::string& type) { return type == "int" || type == "double"; };
  std::string needs;
  for (const Json& input : version.signature["inputs"].items()) {
    const std::string &name = input["name"].AsString(), &type = input["type"].AsString();
    const auto same = std::ranges::find_if(
        known.items(), [&](const Json& one) { return one["name"].AsString() == name; });
    std::string need;
    if (same == known.items().end())
      need = fmt::format("`{}`, which {} does not take", name, before.name());
    else if (const std::string& was = (*same)["type"].AsString();
             was != type && !(is_number(was) && is_number(type)))
      need = fmt::format("`{}` as {}, not {}", name, type, was);
    if (!need.empty()) needs += (needs.empty() ? "it takes " : ", ") + need;
  }
  return needs;
}

// What a version runs as the champion, nobody runs beside it any more.
void DropPromoted(Endpoint* endpoint) {
  std::erase_if(endpoint->variants, [&](const Variant& variant) {
    return !variant.shadow &&
           variant.deployment.model_version_id == endpoint->deployment.model_version_id;
  });
}

bool HasShare(const Variant& variant) { return !variant.shadow; }

Error NothingBefore(const Endpoint& endpoint) {
  Error error = FailedPrecondition("GY3804", "endpoint `{}` has no earlier deployment than {}",
                                   endpoint.name, endpoint.deployment.model);
  if (endpoint.deployment.basis.starts_with(kRollbackTo))
    error = std::move(error).Why("it was rolled back to that, and what was rolled back stays away");
  return std::move(error).Fix(
      fmt::format("gyre endpoints rollback {} --to NUMBER    (gyre endpoints show {} has them)",
                  endpoint.name, endpoint.name));
}

}  // namespace

Result<Endpoint> ServingService::Apply(Endpoint endpoint, const Move& move) {
  endpoint.updated_us = around_.clock.NowMicros();
  GYRE_TRY(auto route, MakeRoute(endpoint));
  Deployment* const fresh =
      move.fresh == nullptr ? nullptr
      : endpoint.deployment.id == move.fresh->id
          ? &endpoint.deployment
          : &std::ranges::find(endpoint.variants, move.fresh->id, [](const Variant& variant) {
               return variant.deployment.id;
             })->deployment;
  const Deployment& told = fresh != nullptr ? *fresh : endpoint.deployment;
  const std::string news = Json::Obj({{"endpoint", endpoint.name},
                                      {"deployment", told.id},
                                      {"model", told.model},
                                      {"model_version_id", told.model_version_id},
                                      {"variant", told.variant},
                                      {"basis", told.basis},
                                      {"what", move.what},
                                      {"reason", move.reason},
                                      {"by", move.by}})
                               .Dump();
  const LogEntry entry{endpoint.updated_us,
                       told.variant.empty() ? std::string(kChampion) : told.variant,
                       fmt::format("{} by {}{}{}", move.what, move.by,
                                   move.reason.empty() ? "" : ": ", move.reason)};
  GYRE_DO(around_.database.Write([&](db::Transaction& tx) -> Result<> {
    if (move.is_new) GYRE_DO(InsertEndpoint(tx, endpoint));
    if (fresh != nullptr) {
      GYRE_DO(AppendDeployment(tx, fresh));
      GYRE_DO(TellLineage(tx, endpoint, *fresh));
    }
    GYRE_DO(SaveEndpoint(tx, endpoint));
    GYRE_DO(AppendLog(tx, endpoint.id, entry));
    return around_.events.Publish(tx, {.kind = move.kind,
                                       .project = endpoint.project,
                                       .subject = endpoint.name,
                                       .payload = news});
  }));
  exec::Fault("endpoint.written", move.kind);
  Publish(std::move(route));
  kLog.Info("endpoint swapped", {{"endpoint", endpoint.name},
                                 {"model", told.model},
                                 {"deployment", told.number},
                                 {"basis", told.basis},
                                 {"what", move.what}});
  Describe(&endpoint);
  return endpoint;
}

Result<Endpoint> ServingService::Replace(Endpoint endpoint, Deployment deployment) {
  const bool is_new = endpoint.id.empty();
  const std::int64_t now_us = around_.clock.NowMicros();
  if (is_new) {
    endpoint.id = NewId();
    endpoint.created_us = now_us;
    endpoint.created_by = deployment.deployed_by;
  }
  deployment.id = NewId();
  deployment.endpoint_id = endpoint.id;
  deployment.created_us = now_us;
  deployment.variant.clear();
  endpoint.deployment = deployment;
  DropPromoted(&endpoint);
  return Apply(std::move(endpoint),
               {.kind = "endpoint.deployed",
                .what = fmt::format("{} answers ({})", deployment.model, deployment.basis),
                .by = deployment.deployed_by,
                .reason = deployment.reason,
                .fresh = &deployment,
                .is_new = is_new});
}

Result<> ServingService::CheckSameCallers(const Endpoint& endpoint,
                                          const registry::ModelVersion& version,
                                          std::string_view beside) {
  const auto before = around_.registry.GetVersion(endpoint.deployment.model_version_id);
  if (!before && before.error().code() == Code::kNotFound) return {};
  if (!before) return before.error();
  const std::string other = before->task == version.task && before->target == version.target
                                ? NewNeeds(*before, version)
                                : fmt::format("it is {} of `{}`, not {} of `{}`", version.task,
                                              version.target, before->task, before->target);
  if (other.empty()) return {};
  return FailedPrecondition("GY3855", "{} does not fit the callers of endpoint `{}`, which runs {}",
                            version.name(), endpoint.name, before->name())
      .Why(other)
      .Fix(fmt::format("gyre deploy {} --name ANOTHER", version.name()))
      .Fix(fmt::format("gyre deploy {} --name {}{} --replace    (its callers know)", version.name(),
                       endpoint.name, beside));
}

Result<> CheckRuns(const Endpoint& endpoint, std::string_view over) {
  if (over.empty() || endpoint.id.empty() || endpoint.deployment.model == over) return {};
  return FailedPrecondition("GY3856", "endpoint `{}` runs {}, not {}", endpoint.name,
                            endpoint.deployment.model, over)
      .Why("what should take over was judged beside that version")
      .Fix(fmt::format("gyre endpoints show {}    (who changed it, and why)", endpoint.name));
}

Result<Endpoint> ServingService::Deploy(DeployRequest request) {
  GYRE_TRY(const registry::ModelVersion version,
           around_.registry.Resolve(request.project, request.reference));
  GYRE_DO(registry::CheckHasPackage(version));
  const std::string name = request.endpoint.empty() ? version.model : request.endpoint;
  GYRE_DO(CheckName("endpoint", name));
  GYRE_TRY(const registry::ModelReference reference, registry::ParseReference(request.reference));
  const MutexLock lock(deploy_mutex_);
  Endpoint endpoint;
  GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY([[maybe_unused]] const bool found, FindEndpoint(reader, name, &endpoint));
    return {};
  }));
  if (!endpoint.id.empty() && endpoint.project != request.project) {
    return MakeError(Code::kAlreadyExists, "GY3801",
                     "the endpoint name `{}` belongs to another project", name)
        .Why("endpoint names are unique per server")
        .Fix("choose another: gyre deploy MODEL --name OTHER");
  }
  if (endpoint.deployment.model_version_id != version.id)  // by its alias, perhaps
    GYRE_DO(CheckRuns(endpoint, request.over));
  if (!endpoint.id.empty() && !request.replace) GYRE_DO(CheckSameCallers(endpoint, version));
  endpoint.project = request.project;
  endpoint.name = name;
  endpoint.follows = reference.alias.empty() ? "" : request.reference;
  return Replace(std::move(endpoint), Deployment{.id = {},
                                                 .endpoint_id = {},
                                                 .number = 0,
                                                 .model_version_id = version.id,
                                                 .model = version.name(),
                                                 .reference = request.reference,
                                                 .package = version.package,
                                                 .variant = {},
                                                 .basis = "deploy",
                                                 .reason = request.reason,
                                                 .deployed_by = request.deployed_by,
                                                 .created_us = 0});
}

// Who removed a version wants it to answer no more: its package is still here, but is not used.
Result<> ServingService::CheckStillThere(const Endpoint& endpoint, const Deployment& earlier) {
  GYRE_TRY(const bool there, IsThere(earlier.model_version_id));
  if (there) return {};
  Error error = FailedPrecondition("GY3807",
                                   "deployment {} of endpoint `{}` was {}, which has been "
                                   "removed",
                                   earlier.number, endpoint.name, earlier.model)
                    .Why("a removed version is not brought back");
  std::vector<Deployment> all;
  GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(all, ReadDeployments(reader, endpoint.id, kDeploymentsSearched));
    return {};
  }));
  for (const Deployment& one : all) {
    if (one.model_version_id == endpoint.deployment.model_version_id) continue;
    GYRE_TRY(const bool alive, IsThere(one.model_version_id));
    if (!alive) continue;
    return std::move(error).Fix(fmt::format("gyre endpoints rollback {} --to {}    ({})",
                                            endpoint.name, one.number, one.model));
  }
  return std::move(error).Fix(fmt::format("gyre deploy {}:vN --name {}",
                                          earlier.model.substr(0, earlier.model.find(':')),
                                          endpoint.name));
}

Result<Endpoint> ServingService::Rollback(RollbackRequest request) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(request.project, request.endpoint));
  const bool canaries = std::ranges::any_of(endpoint.variants, HasShare);
  std::erase_if(endpoint.variants, HasShare);
  if (canaries && request.to == 0)
    return Apply(std::move(endpoint), {.kind = "endpoint.traffic",
                                       .what = "all traffic is back at the champion",
                                       .by = request.deployed_by,
                                       .reason = request.reason});
  Deployment earlier;
  if (request.to == 0) {
    std::vector<Deployment> history;
    GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(history, ReadDeployments(reader, endpoint.id, kDeploymentsSearched));
      return {};
    }));
    const Deployment* const before = DeploymentBefore(history, endpoint.deployment);
    if (before == nullptr) return NothingBefore(endpoint);
    earlier = *before;
  } else {
    bool found = false;
    GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(found, FindDeployment(reader, endpoint.id, request.to, &earlier));
      return {};
    }));
    if (!found) {
      return NotFound("GY3803", "endpoint `{}` has no deployment {}", request.endpoint, request.to)
          .Fix(fmt::format("gyre endpoints show {}", request.endpoint));
    }
  }
  GYRE_DO(CheckStillThere(endpoint, earlier));
  Describe(&endpoint);
  const bool live = endpoint.ready && endpoint.follows.empty() &&
                    earlier.model_version_id == endpoint.deployment.model_version_id;
  if (live) return endpoint;
  earlier.basis = fmt::format("{}{}", kRollbackTo, earlier.number);
  earlier.reason = request.reason;
  earlier.deployed_by = request.deployed_by;
  endpoint.follows.clear();  // else the alias would undo it at once
  return Replace(std::move(endpoint), std::move(earlier));
}

Result<> ServingService::Remove(std::string_view project, std::string_view name,
                                std::string_view by) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(const Endpoint endpoint, Require(project, name));
  GYRE_DO(around_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(RemoveEndpoint(tx, endpoint, by, around_.clock.NowMicros()));
    return around_.events.Publish(
        tx, {.kind = "endpoint.removed", .project = endpoint.project, .subject = endpoint.name});
  }));
  Forget(endpoint.name);
  return {};
}

void ServingService::Forget(const std::string& endpoint) {
  {
    const MutexLock state(state_mutex_);
    if (const auto found = problems_.find(endpoint); found != problems_.end())
      problems_.erase(found);
    stats_.erase(endpoint);
    notes_.erase(endpoint);
  }
  routes_.Remove(endpoint);
}

// Those that went with their project.
Result<> ServingService::ForgetGone() {
  std::vector<std::pair<std::string, std::string>> known;  // project, name
  const auto routes = routes_.All();
  for (const auto& [name, route] : routes->by_name) known.emplace_back(route->project, name);
  {
    const MutexLock state(state_mutex_);
    for (const auto& [name, unloaded] : problems_) known.emplace_back(unloaded.project, name);
  }
  for (const auto& [project, name] : known) {
    const MutexLock lock(deploy_mutex_);
    const auto there = Require(project, name);
    if (there) continue;
    if (there.error().code() != Code::kNotFound) return there.error();
    Forget(name);
  }
  return {};
}

// One that was put back from the trash has no route yet, one whose files were lost may have them
// again.
Result<> ServingService::TakeUp(const Endpoint& seen) {
  if (!IsDue(seen.name)) return {};
  const MutexLock lock(deploy_mutex_);
  if (!IsDue(seen.name)) return {};
  GYRE_TRY(const Endpoint endpoint, Require(seen.project, seen.name));
  Load(endpoint);
  return {};
}

namespace {

Error CallersDiffer(const Endpoint& endpoint, const registry::ModelVersion& version,
                    const Error& why) {
  return FailedPrecondition("GY3855", "{} is {} now, which does not fit the callers",
                            endpoint.follows, version.name())
      .Why(why.why())
      .Fix(fmt::format("gyre deploy {} --name {} --replace    (they know)", endpoint.follows,
                       endpoint.name));
}

Error CannotRun(const Endpoint& endpoint, const registry::ModelVersion& version, const Error& why) {
  return MakeError(Code::kUnimplemented, "GY3622", "{} is {} now, which gyre cannot run",
                   endpoint.follows, version.name())
      .Why(why.message())
      .Fix(fmt::format("gyre models promote {}    (back to what answers)",
                       endpoint.deployment.model));
}

}  // namespace

Result<> ServingService::FollowOne(const Endpoint& seen) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(seen.project, seen.name));
  if (endpoint.follows.empty()) return {};
  GYRE_TRY(const registry::ModelVersion version,
           around_.registry.Resolve(endpoint.project, endpoint.follows));
  if (version.id == endpoint.deployment.model_version_id) {
    ForgetProblem(endpoint.name);  // an alias that came back
    return {};
  }
  if (const auto runs = registry::CheckHasPackage(version); !runs)
    return Refuse(endpoint, version, runs.error());
  if (const auto fits = CheckSameCallers(endpoint, version); !fits)
    return Refuse(endpoint, version, fits.error());
  Deployment next{.id = {},
                  .endpoint_id = {},
                  .number = 0,
                  .model_version_id = version.id,
                  .model = version.name(),
                  .reference = endpoint.follows,
                  .package = version.package,
                  .variant = {},
                  .basis = "alias moved",
                  .reason = {},
                  .deployed_by = "gyre",
                  .created_us = 0};
  GYRE_DO(Replace(std::move(endpoint), std::move(next)));
  return {};
}

Result<> ServingService::Refuse(const Endpoint& endpoint, const registry::ModelVersion& version,
                                const Error& why) {
  if (why.gy() != "GY3855" && why.gy() != "GY3622") return why;
  const Error told = why.gy() == "GY3855" ? CallersDiffer(endpoint, version, why)
                                          : CannotRun(endpoint, version, why);
  {
    const MutexLock lock(state_mutex_);
    const auto known = problems_.find(endpoint.name);
    if (known != problems_.end() && known->second.why.message() == told.message()) return {};
  }
  const LogEntry entry{
      around_.clock.NowMicros(), std::string(kChampion),
      fmt::format("{} stays: {}: {}", endpoint.deployment.model, told.message(), why.why())};
  const std::string news = Json::Obj({{"endpoint", endpoint.name},
                                      {"model", version.name()},
                                      {"model_version_id", version.id},
                                      {"answers", endpoint.deployment.model},
                                      {"what", entry.message}})
                               .Dump();
  GYRE_DO(around_.database.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(AppendLog(tx, endpoint.id, entry));
    return around_.events.Publish(tx, {.kind = "endpoint.refused",
                                       .project = endpoint.project,
                                       .subject = endpoint.name,
                                       .payload = news});
  }));
  kLog.Failed("alias not followed", told);
  const MutexLock lock(state_mutex_);
  problems_.insert_or_assign(endpoint.name, Unloaded{endpoint.project, told});
  return {};
}

void ServingService::ForgetProblem(const std::string& endpoint) {
  if (!routes_.Find(endpoint)) return;  // that of one that is not loaded is its own
  const MutexLock lock(state_mutex_);
  if (const auto found = problems_.find(endpoint); found != problems_.end()) problems_.erase(found);
}

// Compares what the database wants with what runs.
Result<> ServingService::Reconcile() {
  std::string after;
  while (true) {
    std::vector<Endpoint> page;
    GYRE_DO(around_.database.Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(page, ReadEndpoints(reader, "", kPage, after));
      return {};
    }));
    for (const Endpoint& endpoint : page) {
      if (const auto done = TakeUp(endpoint); !done)
        kLog.Failed("endpoint not taken up", done.error());
      if (endpoint.follows.empty() || !settings_.follow_aliases) continue;
      // One broken model must not keep the others from being followed.
      if (const auto done = FollowOne(endpoint); !done)
        kLog.Failed("alias not followed", done.error());
    }
    if (page.size() < kPage) return ForgetGone();
    after = page.back().name;
  }
}

}  // namespace gyre::serving
