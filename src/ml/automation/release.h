// Releases: a challenger takes over an endpoint in steps (canary.h decides), and each step survives
// this process. A release ends `passed` (the canary may become champion; its share stays until
// somebody promotes it) or `rolled back` (it has no traffic any more). It belongs to a run: when
// that ends without success, however it came to that, no share is left behind. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/mutex.h"
#include "base/time.h"
#include "ml/automation/canary.h"
#include "platform/db/database.h"

namespace gyre::automation {

// What a release asks of serving and monitoring; filled in by compose. Each is harmless when
// repeated.
struct Traffic {
  // The endpoint gives that share to the version "churn:v4", the rest to its champion.
  std::function<Result<>(std::string_view project, std::string_view endpoint,
                         std::string_view model, double share)>
      give{};
  // All traffic to the champion again.
  std::function<Result<>(std::string_view project, std::string_view endpoint,
                         std::string_view reason)>
      take_back{};
  struct Counts {
    SideFacts champion{}, canary{};  // since their deployments began to answer in this process
    std::string champion_deployment{}, canary_deployment{};
    std::string canary_model{};  // that has a share now; empty = none has
    double canary_share = 0;
  };
  std::function<Result<Counts>(std::string_view project, std::string_view endpoint)> counts{};
  // Sets `alert` of the facts when one of the canary's own fires that began after `since_us`.
  std::function<Result<>(std::string_view project, std::string_view endpoint,
                         std::string_view model, std::int64_t since_us, CanaryFacts* facts)>
      judge{};
};

struct Release {
  std::string id{}, key{}, run_id{}, project{}, endpoint{};  // no run: it has been settled
  std::string model{};                                       // "churn:v4"
  CanaryPlan plan{};
  std::string state{};  // baking, passed, rolled back
  std::string reason{};
  int step = 0;
  std::int64_t step_us = 0;  // when the step began
  Json base{};               // counts when it began
  Json history{};            // [{"at", "move", "reason", "weight"}], one entry per move
  std::int64_t created_us = 0, ended_us = 0;
};
Json ReleaseToJson(const Release& release);

class Releases {
 public:
  Releases(db::Database& database, const Clock& clock, Traffic traffic);

  struct Start {
    std::string key{}, run_id{}, project{}, endpoint{}, model{};
    CanaryPlan plan{};
  };
  // The same key again is the same release. Errors: kFailedPrecondition GY4808 another release of
  // this endpoint goes on.
  Result<Release> Begin(const Start& start);
  // Looks, and moves on if it is time.
  Result<Release> Look(std::string_view id);
  // By a person, or because its run was cancelled. No-op when it has ended.
  Result<Release> RollBack(std::string_view id, std::string_view reason);
  Result<Release> Get(std::string_view id);  // kNotFound GY4809
  // Takes back what runs that have ended without success left. `state` as Below::run_state says.
  using StateOfRun = std::function<Result<std::string>(std::string_view run_id)>;
  Result<> Settle(const StateOfRun& state);

 private:
  Result<CanaryFacts> FactsOf(Release* release) GYRE_REQUIRES(mutex_);
  Result<> Apply(Release* release, const CanaryDecision& decision) GYRE_REQUIRES(mutex_);
  Result<> Save(const Release& release);
  Result<> Give(Release* release) GYRE_REQUIRES(mutex_);
  Result<> SettleOne(std::string_view id, const StateOfRun& state) GYRE_REQUIRES(mutex_);

  db::Database& database_;
  const Clock& clock_;
  const Traffic traffic_;
  const std::string process_;
  Mutex mutex_;  // one look at a time: none gives a share back that another takes
};

}  // namespace gyre::automation
