// Variants beside the champion, who gets which, and endpoints that nobody asks.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/id.h"
#include "base/text.h"
#include "ml/registry/reference.h"
#include "ml/serving/endpoint_store.h"
#include "ml/serving/service.h"
#include "platform/telemetry/log.h"

namespace gyre::serving {

namespace {

constexpr telemetry::Logger kLog{"ml/serving"};
constexpr double kShareSlack = 1e-6;
constexpr double kShareSaid = 1e-4;  // how exactly people say one
constexpr std::int64_t kParkAfterMin = kMicrosPerSecond;
constexpr std::int64_t kParkAfterMax = std::int64_t{366} * 24 * 3600 * kMicrosPerSecond;
constexpr std::size_t kNameBytesMax = 200;

std::string Percent(double share) { return fmt::format("{:.4g} %", share * 100); }

Error NoSuchVariant(const Endpoint& endpoint, std::string_view name) {
  Error error = NotFound("GY3851", "endpoint `{}` has no variant `{}`", endpoint.name, name);
  for (const Variant& variant : endpoint.variants)
    error = std::move(error).Why(fmt::format("it has {}", variant.name));
  return std::move(error).Fix(
      fmt::format("gyre deploy MODEL@challenger --name {} --canary 10%", endpoint.name));
}

Variant* FindVariant(Endpoint& endpoint, std::string_view name) {
  const auto found = std::ranges::find(endpoint.variants, name, &Variant::name);
  return found == endpoint.variants.end() ? nullptr : &*found;
}

Result<> CheckShares(const Endpoint& endpoint) {
  for (const Variant& variant : endpoint.variants) {
    if (!(variant.share >= 0 && variant.share <= 1 + kShareSlack))
      return InvalidArgument("GY3850", "a share of {} is none: 0 % to 100 %",
                             Percent(variant.share))
          .Where(variant.name);
  }
  if (ChampionShare(endpoint) >= -kShareSlack) return {};
  return InvalidArgument("GY3850", "the variants of `{}` would have {} of the traffic together",
                         endpoint.name, Percent(1 - ChampionShare(endpoint)))
      .Why("the champion has the rest")
      .Fix(fmt::format("gyre endpoints traffic {} champion=90 canary=10", endpoint.name));
}

std::string SharesText(const Endpoint& endpoint) {
  std::string text = fmt::format("champion {}", Percent(std::max(0.0, ChampionShare(endpoint))));
  for (const Variant& variant : endpoint.variants)
    text += fmt::format(", {} {}", variant.name,
                        variant.shadow ? std::string("unseen") : Percent(variant.share));
  return text;
}

}  // namespace

double ChampionShare(const Endpoint& endpoint) {
  double share = 1;
  for (const Variant& variant : endpoint.variants) share -= variant.share;
  return std::fabs(share) <= kShareSlack ? 0 : share;
}

Result<Sticky> ParseSticky(std::string_view text) {
  if (text.empty()) return Sticky{};
  for (const auto& [prefix, by] : {std::pair{std::string_view("header:"), Sticky::By::kHeader},
                                   {std::string_view("column:"), Sticky::By::kColumn},
                                   {std::string_view("member:"), Sticky::By::kMember}}) {
    if (!text.starts_with(prefix)) continue;
    const std::string name(text.substr(prefix.size()));
    if (!name.empty() && name.size() <= kNameBytesMax) return Sticky{by, name};
  }
  return InvalidArgument("GY3852", "`{}` does not say what keeps a caller on one variant",
                         text.substr(0, kNameBytesMax))
      .Fix("header:X-User, column:customer, member:session, or none");
}

// Callers of an endpoint read one kind of answer.
Result<> ServingService::CheckSameTask(const Endpoint& endpoint,
                                       const registry::ModelVersion& version) {
  GYRE_TRY(const registry::ModelVersion champion,
           around_.registry.GetVersion(endpoint.deployment.model_version_id));
  if (champion.task == version.task && champion.target == version.target) return {};
  return InvalidArgument("GY3854", "{} cannot answer beside {}: it is {} of `{}`, not {} of `{}`",
                         version.name(), champion.name(), version.task, version.target,
                         champion.task, champion.target)
      .Fix(fmt::format("gyre deploy {} --name ANOTHER", version.name()));
}

Result<Endpoint> ServingService::SetVariant(VariantRequest request) {
  if (request.variant == kChampion)
    return InvalidArgument("GY3850", "`champion` is what the endpoint itself is deployed as")
        .Fix(fmt::format("gyre deploy MODEL@champion --name {}", request.endpoint));
  GYRE_DO(CheckName("variant", request.variant));
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(request.project, request.endpoint));
  Variant* variant = FindVariant(endpoint, request.variant);
  if (variant == nullptr && request.reference.empty())
    return NoSuchVariant(endpoint, request.variant);
  Deployment fresh;
  if (!request.reference.empty()) {
    GYRE_TRY(const registry::ModelVersion version,
             around_.registry.Resolve(endpoint.project, request.reference));
    GYRE_DO(registry::CheckHasPackage(version));
    GYRE_DO(CheckSameTask(endpoint, version));
    if (variant == nullptr || variant->shadow != request.shadow ||
        variant->deployment.model_version_id != version.id) {
      if (!request.replace)
        GYRE_DO(
            CheckSameCallers(endpoint, version, request.shadow ? " --shadow" : " --canary 10%"));
      fresh = Deployment{.id = NewId(),
                         .endpoint_id = endpoint.id,
                         .number = 0,
                         .model_version_id = version.id,
                         .model = version.name(),
                         .reference = request.reference,
                         .package = version.package,
                         .variant = request.variant,
                         .basis = request.shadow ? "shadow" : "canary",
                         .reason = request.reason,
                         .deployed_by = request.by,
                         .created_us = around_.clock.NowMicros()};
    }
  }
  const double share = request.shadow ? 0 : request.share;
  if (variant == nullptr) {
    endpoint.variants.push_back({.name = request.variant, .deployment = {}});
    std::ranges::sort(endpoint.variants, {}, &Variant::name);
    variant = FindVariant(endpoint, request.variant);
  } else if (fresh.id.empty() && variant->share == share && variant->shadow == request.shadow) {
    Describe(&endpoint);
    return endpoint;
  }
  if (!fresh.id.empty()) variant->deployment = fresh;
  variant->share = share;
  variant->shadow = request.shadow;
  GYRE_DO(CheckShares(endpoint));
  const std::string what = SharesText(endpoint);
  return Apply(std::move(endpoint), {.kind = "endpoint.traffic",
                                     .what = what,
                                     .by = request.by,
                                     .reason = request.reason,
                                     .fresh = fresh.id.empty() ? nullptr : &fresh});
}

Result<Endpoint> ServingService::SetTraffic(std::string_view project, std::string_view name,
                                            const std::map<std::string, double>& shares,
                                            std::string reason, std::string by) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(project, name));
  bool changed = false;
  for (const auto& [variant_name, share] : shares) {
    if (variant_name == kChampion) continue;
    Variant* const variant = FindVariant(endpoint, variant_name);
    if (variant == nullptr) return NoSuchVariant(endpoint, variant_name);
    if (variant->shadow && share > 0)
      return InvalidArgument("GY3850", "`{}` is a shadow: it answers nobody", variant_name)
          .Fix(fmt::format("gyre deploy {} --name {} --variant {} --canary 10%",
                           variant->deployment.model, name, variant_name));
    changed = changed || variant->shadow || variant->share != share;
    variant->share = share;
  }
  std::erase_if(endpoint.variants, [&](const Variant& variant) {
    return variant.shadow && shares.contains(variant.name);
  });
  GYRE_DO(CheckShares(endpoint));
  const double rest = ChampionShare(endpoint);
  if (const auto said = shares.find(std::string(kChampion));
      said != shares.end() && !(std::fabs(said->second - rest) <= kShareSaid)) {
    return InvalidArgument("GY3850", "the shares of `{}` add up to {}, not to 100 %", name,
                           Percent(1 - rest + said->second))
        .Fix(fmt::format("champion={:.6g}, or leave it out: it has the rest", rest * 100));
  }
  if (!changed) {
    Describe(&endpoint);
    return endpoint;
  }
  const std::string what = SharesText(endpoint);
  return Apply(
      std::move(endpoint),
      {.kind = "endpoint.traffic", .what = what, .by = std::move(by), .reason = std::move(reason)});
}

Result<Endpoint> ServingService::RemoveVariant(std::string_view project, std::string_view name,
                                               std::string_view variant, std::string reason,
                                               std::string by) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(project, name));
  const auto gone = std::erase_if(endpoint.variants, [&](const Variant& one) {
    return variant.empty() ? !one.shadow : one.name == variant;
  });
  if (gone == 0) {
    if (!variant.empty()) return NoSuchVariant(endpoint, variant);
    Describe(&endpoint);
    return endpoint;
  }
  const std::string what = SharesText(endpoint);
  return Apply(
      std::move(endpoint),
      {.kind = "endpoint.traffic", .what = what, .by = std::move(by), .reason = std::move(reason)});
}

Result<Endpoint> ServingService::PromoteVariant(PromoteRequest request) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(request.project, request.endpoint));
  const Variant* const variant = FindVariant(endpoint, request.variant);
  if (variant == nullptr) return NoSuchVariant(endpoint, request.variant);
  GYRE_DO(CheckRuns(endpoint, request.over));
  Deployment next = variant->deployment;
  if (!request.model.empty() && next.model != request.model)
    return FailedPrecondition("GY3857", "`{}` of endpoint `{}` runs {}, not {}", request.variant,
                              endpoint.name, next.model, request.model)
        .Fix(fmt::format("gyre endpoints show {}    (who changed it, and why)", endpoint.name));
  GYRE_DO(CheckStillThere(endpoint, next));
  if (!request.replace) {
    GYRE_TRY(const registry::ModelVersion version,
             around_.registry.GetVersion(next.model_version_id));
    GYRE_DO(CheckSameCallers(endpoint, version));
  }
  next.basis = fmt::format("promoted {}", request.variant);
  next.reason = std::move(request.reason);
  next.deployed_by = std::move(request.by);
  if (!endpoint.follows.empty()) {
    const auto followed = around_.registry.Resolve(endpoint.project, endpoint.follows);
    // Else the alias would undo it at once.
    if (!followed || followed->id != next.model_version_id) endpoint.follows.clear();
  }
  std::erase_if(endpoint.variants, [&](const Variant& one) { return one.name == request.variant; });
  return Replace(std::move(endpoint), std::move(next));
}

Result<Endpoint> ServingService::Change(EndpointChange change) {
  const MutexLock lock(deploy_mutex_);
  GYRE_TRY(Endpoint endpoint, Require(change.project, change.endpoint));
  std::string what;
  if (change.sticky) {
    GYRE_DO(ParseSticky(*change.sticky));
    endpoint.sticky = *change.sticky;
    what = endpoint.sticky.empty() ? "callers stay on no variant"
                                   : fmt::format("callers stay by {}", endpoint.sticky);
  }
  if (change.park_after_us) {
    if (*change.park_after_us != 0 &&
        (*change.park_after_us < kParkAfterMin || *change.park_after_us > kParkAfterMax))
      return InvalidArgument("GY3853", "an endpoint is parked after a second to a year, or never")
          .Fix("--park-after 10m, or off");
    endpoint.park_after_us = *change.park_after_us;
    if (!what.empty()) what += ", ";
    what += endpoint.park_after_us == 0
                ? std::string("is never parked")
                : fmt::format("is parked after {} s", endpoint.park_after_us / kMicrosPerSecond);
  }
  return Apply(std::move(endpoint),
               {.kind = "endpoint.changed", .what = what, .by = change.by, .reason = {}});
}

Result<std::vector<VariantCounts>> ServingService::Variants(std::string_view project,
                                                            std::string_view name) {
  GYRE_TRY(const Endpoint endpoint, Require(project, name));
  std::vector<VariantCounts> all;
  const auto add = [&](std::string_view variant, const Deployment& deployment, double share,
                       bool shadow) {
    VariantCounts counts{.variant = std::string(variant),
                         .deployment_id = deployment.id,
                         .model = deployment.model,
                         .share = share,
                         .shadow = shadow};
    std::shared_ptr<VariantStats> stats;
    {
      const MutexLock lock(state_mutex_);
      if (const auto of_endpoint = stats_.find(name); of_endpoint != stats_.end()) {
        const auto found = of_endpoint->second.find(deployment.id);
        if (found != of_endpoint->second.end()) stats = found->second;
      }
    }
    if (stats) {
      const EndpointCounts total = Counts(name, variant);
      counts.since_us = stats->since_us;
      counts.requests = total.requests - stats->requests;
      counts.rows = total.rows - stats->rows;
      counts.failed = total.failed - stats->failed;
      counts.faults = total.faults - stats->faults;
      counts.latency_us = stats->latency_us.Read();
      counts.dropped = stats->dropped.value();
      counts.comparison.with = endpoint.deployment.model;
      for (ShadowCounts& seen : stats->Compared()) {
        if (seen.with == endpoint.deployment.model) counts.comparison = seen;
        counts.beside.push_back(std::move(seen));
      }
    }
    all.push_back(std::move(counts));
  };
  add(kChampion, endpoint.deployment, ChampionShare(endpoint), false);
  for (const Variant& variant : endpoint.variants)
    add(variant.name, variant.deployment, variant.share, variant.shadow);
  return all;
}

// --- parking -------------------------------------------------------------------------------------

// What has had no request since it was last looked at, for as long as it is allowed to.
void ServingService::ParkIdle() {
  routes_.ReleaseIdle();
  const std::int64_t now_us = around_.clock.MonotonicMicros();
  const auto routes = routes_.All();  // what is published below leaves these as they are
  for (const auto& [name, route] : routes->by_name) {
    if (route->park_after_us == 0 || route->parked) {
      seen_.erase(name);
      continue;
    }
    std::int64_t requests = CountersOf(name, kChampion).requests->value();
    for (const Arm& arm : route->arms) {
      if (arm.name != kChampion) requests += arm.snapshot->counters.requests->value();
    }
    const auto [seen, is_new] = seen_.try_emplace(name, Seen{requests, now_us});
    if (seen->second.requests != requests) seen->second = {requests, now_us};
    if (now_us - seen->second.since_us < route->park_after_us) continue;
    const MutexLock lock(deploy_mutex_);
    if (routes_.Find(name) != route) continue;  // it has just been changed
    auto parked = std::make_shared<Route>();
    parked->project = route->project;
    parked->endpoint = name;
    parked->park_after_us = route->park_after_us;
    parked->parked = true;
    routes_.Publish(std::move(parked));
    Note(name, "info", "", "parked: nobody asked");
    kLog.Info("endpoint parked", {{"endpoint", name}});
  }
  routes_.ReleaseIdle();
}

Result<> ServingService::Wake(std::string_view name) {
  const MutexLock lock(deploy_mutex_);
  const auto route = routes_.Find(name);
  if (!route || !route->parked) return {};
  const std::int64_t begin_us = around_.clock.MonotonicMicros();
  GYRE_TRY(const Endpoint endpoint, Require("", name));
  GYRE_TRY(auto loaded, MakeRoute(endpoint));
  Publish(std::move(loaded));
  Note(endpoint.name, "info", "",
       fmt::format("woken in {} ms", (around_.clock.MonotonicMicros() - begin_us) / 1000));
  return {};
}

std::shared_ptr<const Route> ServingService::Awake(std::string_view name) {
  auto route = routes_.Find(name);
  if (!route || !route->parked) return route;
  if (const auto woken = Wake(name); !woken) {
    kLog.Failed("endpoint not woken", woken.error());
    return nullptr;
  }
  return routes_.Find(name);
}

}  // namespace gyre::serving
