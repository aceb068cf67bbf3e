// Releases: a challenger takes over an endpoint in steps (canary.h decides), and each step survives
// this process. A release ends `passed` (the canary may become champion; its share stays until
// somebody promotes it) or `rolled back` (it has no traffic any more). It belongs to a run until it
// has taken over: when that ends before without success, however it came to that, no share is left
// behind. Thread-safe.
//
//   baking --> passed       all steps are through, or somebody made it champion meanwhile
//     |          |          (then it is over), or it is promoted by its run
//     '----------'--> rolling back --> rolled back    the reason is written, then the share goes
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/mutex.h"
#include "base/time.h"
#include "ml/automation/canary.h"
#include "ml/automation/release_basis.h"
#include "ml/statistics/log_counts.h"
#include "platform/db/database.h"
#include "platform/exec/thread_pool.h"

namespace gyre::automation {

// What a release asks of serving and monitoring; filled in by compose. Each is harmless when
// repeated.
struct Traffic {
  // The endpoint gives that share to the version "churn:v4", the rest to its champion.
  std::function<Result<>(std::string_view project, std::string_view endpoint,
                         std::string_view model, double share, std::string_view reason)>
      give{};
  // What the canary of this model had is the champion's again; another model's is left alone.
  std::function<Result<>(std::string_view project, std::string_view endpoint,
                         std::string_view model, std::string_view reason)>
      take_back{};
  struct Counts {
    // Latency: of all that was counted, so that two readings give what was between them.
    statistics::LogCounts champion_latency_us{}, canary_latency_us{};
    SideFacts champion{}, canary{};  // since their deployments began to answer in this process
    std::string champion_deployment{}, canary_deployment{};
    std::string champion_model{};  // "churn:v3"
    std::string champion_how{};    // it came there: "promoted by ann"
    std::string canary_model{};    // that has a share now; empty = none has
    double canary_share = 0;
  };
  std::function<Result<Counts>(std::string_view project, std::string_view endpoint)> counts{};
  // The answers of the champion and of the canary to what came since the first step began. May take
  // long: it is called in a thread of its own. Empty: they are not compared.
  struct Question {
    std::string project{}, endpoint{}, model{};
    std::vector<std::int64_t> steps_us{};  // when each began: the shares were others before
    std::function<bool()> cancelled{};
  };
  std::function<Result<Beside>(const Question& question)> compare{};
  // Sets `alert` of the facts when one of the canary alone fires that was seen after `since_us`,
  // and `told` of those of others.
  std::function<Result<>(std::string_view project, std::string_view endpoint,
                         std::string_view model, std::int64_t since_us, CanaryFacts* facts)>
      judge{};
};

inline constexpr std::string_view kBaking = "baking", kPassed = "passed",
                                  kRollingBack = "rolling back", kRolledBack = "rolled back";

struct Release {
  std::string id{}, key{}, project{}, endpoint{};
  std::string run_id{};  // empty: it has been settled
  std::string of_run{};  // that made it, also then
  std::string model{};   // "churn:v4"
  CanaryPlan plan{};
  std::string state{};  // see above
  std::string reason{};
  int step = 0;
  std::int64_t step_us = 0;  // when the step began
  ReleaseBasis basis{};
  Json history{};   // [{"at", "move", "reason", "weight", "checks"}], one entry per move
  Json progress{};  // of what bakes, at the last look; see ReleaseToJson
  std::int64_t created_us = 0, ended_us = 0;

  bool PromotedByHand() const;  // while it baked
};
// "progress": {"step", "steps", "share", "seconds", "bake_seconds", "rows", "rows_wanted",
// "requests", "checks"}; null once it has ended.
Json ReleaseToJson(const Release& release);

class Releases {
 public:
  Releases(db::Database& database, const Clock& clock, Traffic traffic);
  ~Releases();

  struct Start {
    std::string key{}, run_id{}, project{}, endpoint{}, model{};
    CanaryPlan plan{};
  };
  // The same key again is the same release. Errors: kFailedPrecondition GY4808 another release of
  // this endpoint goes on, or it has a canary of another model.
  Result<Release> Begin(const Start& start);
  // Looks, and moves on if it is time.
  Result<Release> Look(std::string_view id);
  // Because its run was cancelled. No-op when it has ended.
  Result<Release> RollBack(std::string_view id, std::string_view reason);
  Result<Release> Get(std::string_view id);  // kNotFound GY4809
  // The newest; nothing where there was none.
  Result<std::optional<Release>> OfEndpoint(std::string_view endpoint);
  Result<std::optional<Release>> OfRun(std::string_view run_id);
  void WaitForComparison();  // for tests
  // Before anything takes over.
  struct Way {
    enum class Is : unsigned char {
      kFree,    // the run made no release of the model
      kThere,   // it answers as champion already: it was promoted, or its alias was followed
      kStands,  // its canary answers beside `over`
    } is = Is::kFree;
    std::string over{};  // that it was judged beside; empty where it is free
  };
  // Errors: kFailedPrecondition GY4813 it did not pass, somebody took its share back, or another
  // champion answers by now (then its share is taken back).
  Result<Way> Fence(std::string_view run_id, std::string_view model);
  // It is over, and what its run comes to after that takes nothing back.
  Result<> TookOver(std::string_view run_id, std::string_view model);
  // Takes back what runs that have ended without success left. `state` as Below::run_state says.
  struct RunEnd {
    std::string state{}, reason{};
  };
  using StateOfRun = std::function<Result<RunEnd>(std::string_view run_id)>;
  Result<> Settle(const StateOfRun& state);

 private:
  // What is known of a release that bakes, in this process.
  struct Watch {
    int step = -1;
    bool asking = false;           // a comparison is being made,
    bool last = false;             // when the step was through: its answer decides
    std::int64_t asked_us = 0;     // of the clock that never goes back
    std::optional<Beside> newest;  // of this step
    Json progress;
  };

  struct Seen {
    CanaryFacts facts;
    // Of all steps.
    statistics::LogCounts champion_latency_us, canary_latency_us;
  };
  Result<Seen> FactsOf(Release* release) GYRE_REQUIRES(mutex_);
  Result<> Apply(Release* release, const CanaryDecision& decision, const Seen& seen)
      GYRE_REQUIRES(mutex_);
  Result<> Advance(Release* release, const CanaryDecision& decision, const Seen& seen)
      GYRE_REQUIRES(mutex_);
  Result<> Pass(Release* release, std::string_view move, const CanaryDecision& decision,
                double share) GYRE_REQUIRES(mutex_);
  Result<> EndByHand(Release* release, const Traffic::Counts& now) GYRE_REQUIRES(mutex_);
  Result<> SendBack(Release* release, const CanaryDecision& decision) GYRE_REQUIRES(mutex_);
  Result<> EndRollBack(Release* release) GYRE_REQUIRES(mutex_);
  Result<> EndWithRun(Release* release, const std::string& reason) GYRE_REQUIRES(mutex_);
  Result<> Save(const Release& release);
  Result<> Give(Release* release) GYRE_REQUIRES(mutex_);
  Result<> SettleOne(std::string_view id, const StateOfRun& state) GYRE_REQUIRES(mutex_);
  Result<std::optional<Release>> Newest(std::string_view where, std::string_view value);

  Watch Watched(const Release& release);
  // Now and then while a step bakes, and once when it is through; then the decision waits.
  Result<> AskNowAndThen(Release* release, const CanaryFacts& facts, const Watch& watch,
                         CanaryDecision* decision) GYRE_REQUIRES(mutex_);
  Result<> Ask(Release* release, bool last) GYRE_REQUIRES(mutex_);
  void Answered(const std::string& id, int step, Beside beside);
  void Tell(const Release& release, const CanaryFacts& facts, const CanaryDecision& decision);

  db::Database& database_;
  const Clock& clock_;
  const Traffic traffic_;
  const std::string process_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;     // one look at a time: none gives a share back that another takes
  Mutex watching_;  // short
  CondVar answered_;
  std::map<std::string, Watch, std::less<>> watched_ GYRE_GUARDED_BY(watching_);
  std::unique_ptr<exec::ThreadPool> comparer_
      GYRE_GUARDED_BY(mutex_);  // once something is compared
};

}  // namespace gyre::automation
