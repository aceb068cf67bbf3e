#include "ml/automation/release.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/id.h"
#include "base/text.h"
#include "platform/exec/fault_point.h"

namespace gyre::automation {
namespace {

constexpr std::string_view kColumns =
    "SELECT id, release_key, project, endpoint, model, plan, state, reason, step, step_us, base, "
    "history, created_us, ended_us, run_id, of_run FROM automation_canary ";
constexpr std::string_view kGoesOn = "WHERE state IN ('baking', 'rolling back') AND endpoint = ?1";
constexpr std::string_view kByHand = "promoted";  // a move, as "pass" is

Release ReleaseAt(const db::Row& row) {
  Release r;
  r.id = row.Str(0);
  r.key = row.Str(1);
  r.project = row.Str(2);
  r.endpoint = row.Str(3);
  r.model = row.Str(4);
  // What was stored was read once before, so it can be read again.
  if (const auto plan = Json::Parse(row.Text(5)))
    r.plan = CanaryPlanFromJson(*plan).value_or(CanaryPlan());
  r.state = row.Str(6);
  r.reason = row.Str(7);
  r.step = static_cast<int>(row.Int(8));
  r.step_us = row.Int(9);
  r.basis = ReleaseBasis::FromJson(Json::Parse(row.Text(10)).value_or(Json()));
  r.history = Json::Parse(row.Text(11)).value_or(Json());
  r.created_us = row.Int(12);
  r.ended_us = row.Int(13);
  r.run_id = row.Str(14);
  r.of_run = row.Str(15);
  return r;
}

Result<std::optional<Release>> FindBy(db::Reader& reader, std::string_view where,
                                      std::string_view value) {
  const std::string sql = std::string(kColumns) + std::string(where);
  std::optional<Release> found;
  GYRE_DO(reader.QueryOne(sql, {value}, [&](const db::Row& row) { found = ReleaseAt(row); }));
  return found;
}

CountedSide ChampionOf(const Traffic::Counts& counts) {
  return {counts.champion_deployment, counts.champion, counts.champion_latency_us};
}

CountedSide CanaryOf(const Traffic::Counts& counts) {
  return {counts.canary_deployment, counts.canary, counts.canary_latency_us};
}

double ShareOf(const Release& release) {
  return release.plan.weights[static_cast<std::size_t>(release.step)];
}

// It was given its share, and has another now, or somebody else's canary stands there.
bool TakenByOthers(const Release& release, const Traffic::Counts& now) {
  if (!now.canary_model.empty() && now.canary_model != release.model) return true;
  const int given = release.basis.step_given;
  if (given < 0) return false;
  const auto has = [&](double share) { return std::abs(now.canary_share - share) <= 1e-9; };
  // A crash may have been between the next share and the record that it was given.
  return now.canary_model != release.model ||
         (!has(ShareOf(release)) && !has(release.plan.weights[static_cast<std::size_t>(given)]));
}

bool BecameChampion(const Release& release, const Traffic::Counts& now) {
  return now.champion_model == release.model && release.basis.champion_model != release.model;
}

// The verdict would be of two champions, one of which answers no more. Empty: it is the same.
std::string ChampionChanged(const Release& release, const Traffic::Counts& now) {
  const std::string& was = release.basis.champion_model;
  if (was.empty() || now.champion_model == was) return {};
  const std::string_view when = release.state == kBaking ? "while it baked" : "after it passed";
  return fmt::format("the champion changed from {} to {} {}: judge again", was, now.champion_model,
                     when);
}

Json ListOf(const std::vector<std::string>& texts) {
  Json list = Json::Arr();
  for (const std::string& text : texts) list.Push(text);
  return list;
}

void Note(Release* release, std::string_view move, const CanaryDecision& decision, double weight,
          std::int64_t now_us) {
  release->history.Push(Json::Obj({{"at", FormatTime(now_us)},
                                   {"move", move},
                                   {"reason", decision.reason},
                                   {"weight", weight},
                                   {"checks", ListOf(decision.checks)}}));
}

// When each step began; of a release from before that was kept, when the present one did.
std::vector<std::int64_t> StepsOf(const Release& release) {
  return release.basis.steps_us.empty() ? std::vector{release.step_us} : release.basis.steps_us;
}

std::string InFull(const std::string& reason, const std::vector<std::string>& checks) {
  return checks.empty() ? reason : fmt::format("{} ({})", reason, Join(checks, "; "));
}

// The decision with what every check said, for whoever asks the ledger later.
std::string InFull(const CanaryDecision& decision) {
  return InFull(decision.reason, decision.checks);
}

// The last move likewise, which may have been made before a crash.
std::string LastInFull(const Release& release) {
  if (release.history.size() == 0) return release.reason;
  const Json& last = release.history.items().back();
  std::vector<std::string> checks;
  for (const Json& check : last["checks"].items()) checks.push_back(check.AsString());
  return InFull(last["reason"].AsString(), checks);
}

}  // namespace

Json ReleaseToJson(const Release& release) {
  return Json::Obj({{"id", release.id},
                    {"project", release.project},
                    {"endpoint", release.endpoint},
                    {"model", release.model},
                    {"state", release.state},
                    {"reason", release.reason},
                    {"step", release.step},
                    {"plan", CanaryPlanToJson(release.plan)},
                    {"history", release.history},
                    {"progress", release.progress},
                    {"run", release.of_run},
                    {"created_at", FormatTime(release.created_us)}});
}

bool Release::PromotedByHand() const {
  return history.size() > 0 && history.items().back()["move"].AsString() == kByHand;
}

Releases::Releases(db::Database& database, const Clock& clock, Traffic traffic)
    : database_(database), clock_(clock), traffic_(std::move(traffic)), process_(NewId()) {}

Result<Release> Releases::Begin(const Start& start) {
  const MutexLock lock(mutex_);
  const CanaryPlan& plan = start.plan;
  GYRE_TRY(const Traffic::Counts counts, traffic_.counts(start.project, start.endpoint));
  Release release;
  release.id = NewId();
  release.key = start.key;
  release.run_id = release.of_run = start.run_id;
  release.project = start.project;
  release.endpoint = start.endpoint;
  release.model = start.model;
  release.plan = plan;
  release.state = kBaking;
  release.created_us = release.step_us = clock_.NowMicros();
  release.basis = {.champion_model = counts.champion_model,
                   .process = process_,
                   .champion = ChampionOf(counts),
                   .canary = CanaryOf(counts),
                   .steps_us = {release.step_us}};
  release.reason = fmt::format("{:.0f} % of the traffic", 100 * plan.weights.front());
  Note(&release, "begin", {.reason = release.reason}, plan.weights.front(), release.created_us);
  const std::string plan_text = CanaryPlanToJson(plan).Dump(), base = release.basis.ToJson().Dump(),
                    history = release.history.Dump();
  std::optional<Release> same, other;
  // One that somebody tries by hand, or that has passed and is not promoted yet.
  const bool of_others = !counts.canary_model.empty() && counts.canary_model != start.model;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(same, FindBy(tx, "WHERE release_key = ?1", release.key));
    if (same) return {};
    GYRE_TRY(other, FindBy(tx, kGoesOn, release.endpoint));
    if (other || of_others) return {};
    return tx.Execute(
        "INSERT INTO automation_canary (id, release_key, project, endpoint, model, plan, state, "
        "reason, step, step_us, base, history, created_us, ended_us, run_id, of_run) VALUES (?1, "
        "?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10, ?11, ?12, 0, ?13, ?13)",
        {release.id, release.key, release.project, release.endpoint, release.model, plan_text,
         release.state, release.reason, release.step_us, base, history, release.created_us,
         release.run_id});
  }));
  if (!same && (other || of_others)) {
    return FailedPrecondition("GY4808", "endpoint `{}` has a canary already: {}", start.endpoint,
                              other ? other->model : counts.canary_model)
        .Fix(fmt::format("gyre endpoints rollback {}", start.endpoint));
  }
  exec::Fault("canary.written");
  if (same) release = *std::move(same);
  if (release.state == kBaking) GYRE_DO(Give(&release));
  return release;
}

// Once for each step: after that, a share that is another was set by somebody.
Result<> Releases::Give(Release* release) {
  if (release->basis.step_given == release->step) return {};
  GYRE_DO(traffic_.give(release->project, release->endpoint, release->model, ShareOf(*release),
                        "canary release: " + release->reason));
  release->basis.step_given = release->step;
  return Save(*release);
}

Result<Release> Releases::Get(std::string_view id) {
  std::optional<Release> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindBy(reader, "WHERE id = ?1", id));
    return {};
  }));
  if (!found) return NotFound("GY4809", "there is no release `{}`", id);
  found->progress = Watched(*found).progress;
  return *std::move(found);
}

Result<std::optional<Release>> Releases::Newest(std::string_view where, std::string_view value) {
  std::optional<Release> found;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(found, FindBy(reader, where, value));
    return {};
  }));
  if (found) found->progress = Watched(*found).progress;
  return found;
}

Result<std::optional<Release>> Releases::OfEndpoint(std::string_view endpoint) {
  return Newest("WHERE endpoint = ?1 ORDER BY created_us DESC, id DESC LIMIT 1", endpoint);
}

Result<std::optional<Release>> Releases::OfRun(std::string_view run_id) {
  return Newest("WHERE of_run = ?1 ORDER BY created_us DESC, id DESC LIMIT 1", run_id);
}

Result<> Releases::Save(const Release& release) {
  const std::string base = release.basis.ToJson().Dump(), history = release.history.Dump();
  return database_.Write([&](db::Transaction& tx) {
    return tx.Execute(
        "UPDATE automation_canary SET state = ?2, reason = ?3, step = ?4, step_us = ?5, base = ?6, "
        "history = ?7, ended_us = ?8, run_id = ?9 WHERE id = ?1",
        {release.id, release.state, release.reason, release.step, release.step_us, base, history,
         release.ended_us, release.run_id});
  });
}

Result<Releases::Seen> Releases::FactsOf(Release* release) {
  constexpr double kSlowest = 0.99;
  GYRE_TRY(const Traffic::Counts now, traffic_.counts(release->project, release->endpoint));
  const ReleaseBasis& basis = release->basis;
  Seen seen;
  CanaryFacts& facts = seen.facts;
  facts.champion_changed = ChampionChanged(*release, now);
  if (TakenByOthers(*release, now)) facts.alert = "somebody changed the canary's share";
  facts.step = release->step;
  const std::int64_t now_us = clock_.NowMicros();
  if (release->step_us > now_us) {  // the clock was set back: the step begins anew
    release->step_us = now_us;
    release->basis.steps_us = {now_us};
    GYRE_DO(Save(*release));
  }
  facts.seconds_in_step = (now_us - release->step_us) / kMicrosPerSecond;
  const bool same_process = basis.process == process_;
  CountedSide champion = ChampionOf(now), canary = CanaryOf(now);
  TakeOff(same_process ? basis.champion : CountedSide(), &champion);
  TakeOff(same_process ? basis.canary : CountedSide(), &canary);
  facts.champion = champion.facts;
  facts.canary = canary.facts;
  facts.before = basis.carried;
  seen.champion_latency_us = champion.latency_us.With(basis.carried_champion_us);
  seen.canary_latency_us = canary.latency_us.With(basis.carried_canary_us);
  facts.champion.latency_us_p99 = seen.champion_latency_us.Quantile(kSlowest);
  facts.canary.latency_us_p99 = seen.canary_latency_us.Quantile(kSlowest);
  const double slow_us = SlowFrom(release->plan, facts.champion.latency_us_p99);
  facts.champion.slow = champion.latency_us.Above(slow_us);
  facts.canary.slow = canary.latency_us.Above(slow_us);
  if (traffic_.judge && facts.alert.empty() && facts.champion_changed.empty()) {
    GYRE_DO(traffic_.judge(release->project, release->endpoint, release->model, release->created_us,
                           &facts));
  }
  return seen;
}

// The reason is written first: after a crash the share that is missing is nobody's doing.
Result<> Releases::SendBack(Release* release, const CanaryDecision& decision) {
  release->state = kRollingBack;
  release->reason = decision.reason;
  Note(release, "roll back", decision, 0, clock_.NowMicros());
  GYRE_DO(Save(*release));
  exec::Fault("canary.rolling_back");
  return EndRollBack(release);
}

Result<> Releases::EndRollBack(Release* release) {
  GYRE_DO(traffic_.take_back(release->project, release->endpoint, release->model,
                             LastInFull(*release)));
  exec::Fault("canary.ending");
  release->state = kRolledBack;
  release->ended_us = clock_.NowMicros();
  GYRE_DO(Save(*release));
  exec::Fault("canary.ended");
  return {};
}

Result<> Releases::Pass(Release* release, std::string_view move, const CanaryDecision& decision,
                        double share) {
  release->state = kPassed;
  release->ended_us = clock_.NowMicros();
  release->reason = InFull(decision);
  Note(release, move, decision, share, release->ended_us);
  exec::Fault("canary.ending");
  GYRE_DO(Save(*release));
  exec::Fault("canary.ended");
  return {};
}

// Who promotes what bakes has judged it: the rest of the plan has nobody to compare with.
Result<> Releases::EndByHand(Release* release, const Traffic::Counts& now) {
  return Pass(release, kByHand,
              {.reason = fmt::format("{} while it baked, at step {} of {}", now.champion_how,
                                     release->step + 1, release->plan.weights.size())},
              1);
}

Result<> Releases::Advance(Release* release, const CanaryDecision& decision, const Seen& seen) {
  const std::int64_t now_us = clock_.NowMicros();
  std::vector<std::int64_t> steps_us = StepsOf(*release);
  steps_us.push_back(now_us);
  ++release->step;
  release->step_us = now_us;
  GYRE_TRY(const Traffic::Counts counts, traffic_.counts(release->project, release->endpoint));
  ReleaseBasis& basis = release->basis;
  basis.process = process_;
  basis.champion = ChampionOf(counts);
  basis.canary = CanaryOf(counts);
  basis.carried = CarryOn(release->plan, seen.facts);
  basis.carried_champion_us = seen.champion_latency_us;
  basis.carried_canary_us = seen.canary_latency_us;
  basis.steps_us = std::move(steps_us);
  release->reason = InFull(decision);
  Note(release, "advance", decision, ShareOf(*release), now_us);
  GYRE_DO(Save(*release));  // the intent: Look gives the share that stands here
  exec::Fault("canary.advanced");
  return Give(release);
}

Result<> Releases::Apply(Release* release, const CanaryDecision& decision, const Seen& seen) {
  release->reason = decision.reason;
  switch (decision.move) {
    case CanaryMove::kHold:
      return {};
    case CanaryMove::kRollBack:
      return SendBack(release, decision);
    case CanaryMove::kPromote:
      return Pass(release, "pass", decision, release->plan.weights.back());
    case CanaryMove::kAdvance:
      return Advance(release, decision, seen);
  }
  return {};
}

Result<Release> Releases::Look(std::string_view id) {
  const MutexLock lock(mutex_);
  GYRE_TRY(Release release, Get(id));
  if (release.state == kRollingBack) GYRE_DO(EndRollBack(&release));
  if (release.state != kBaking) return release;
  GYRE_TRY(const Traffic::Counts now, traffic_.counts(release.project, release.endpoint));
  if (BecameChampion(release, now)) {
    GYRE_DO(EndByHand(&release, now));
    return release;
  }
  if (!TakenByOthers(release, now)) GYRE_DO(Give(&release));
  const Watch watch = Watched(release);
  GYRE_TRY(Seen seen, FactsOf(&release));
  CanaryFacts& facts = seen.facts;
  facts.beside = watch.newest;
  CanaryDecision decision = DecideCanary(release.plan, facts);
  GYRE_DO(AskNowAndThen(&release, facts, watch, &decision));
  Tell(release, facts, decision);
  GYRE_DO(Apply(&release, decision, seen));
  return release;
}

// --- comparing -----------------------------------------------------------------------------------

Releases::~Releases() { stopping_.store(true); }

Releases::Watch Releases::Watched(const Release& release) {
  const MutexLock lock(watching_);
  if (release.state != kBaking) {
    if (const auto found = watched_.find(release.id); found != watched_.end())
      watched_.erase(found);
    return {};
  }
  Watch& watch = watched_[release.id];
  if (watch.step != release.step) {
    watch = {};
    watch.step = release.step;
    watch.asked_us = clock_.MonotonicMicros();
  }
  return watch;
}

Result<> Releases::AskNowAndThen(Release* release, const CanaryFacts& facts, const Watch& watch,
                                 CanaryDecision* decision) {
  constexpr std::int64_t kPauseMin = 5, kParts = 5;  // of a step
  if (!traffic_.compare || decision->move == CanaryMove::kRollBack) return {};
  const bool through = decision->move != CanaryMove::kHold;
  if (through && watch.last && !watch.asking) return {};  // the decision is made of its answer
  const std::int64_t pause_s =
      std::max({kPauseMin, release->plan.bake_s / kParts, facts.seconds_in_step / kParts});
  const bool due = facts.canary.rows > 0 &&
                   clock_.MonotonicMicros() - watch.asked_us >= pause_s * kMicrosPerSecond;
  if (!watch.asking && (through || due)) GYRE_DO(Ask(release, through));
  if (!through) return {};
  decision->move = CanaryMove::kHold;
  decision->reason = "comparing what both answered";
  return {};
}

Result<> Releases::Ask(Release* release, bool last) {
  const int look = ++release->basis.looks;
  GYRE_DO(Save(*release));  // before: chance is not given back by a restart
  {
    const MutexLock lock(watching_);
    Watch& watch = watched_[release->id];
    watch.asking = true;
    watch.last = last;
    watch.asked_us = clock_.MonotonicMicros();
  }
  if (!comparer_)
    comparer_ =
        std::make_unique<exec::ThreadPool>(exec::PoolOptions{.name = "canary", .threads = 1});
  const Traffic::Question question{.project = release->project,
                                   .endpoint = release->endpoint,
                                   .model = release->model,
                                   .steps_us = StepsOf(*release),
                                   .cancelled = [this] { return stopping_.load(); }};
  const auto posted =
      comparer_->Post([this, question, look, id = release->id, step = release->step] {
        Beside beside;
        auto compared = stopping_.load() ? Result<Beside>(beside) : traffic_.compare(question);
        if (compared)
          beside = *std::move(compared);
        else
          beside.problem = compared.error().message();
        beside.looks = look;
        Answered(id, step, std::move(beside));
      });
  if (!posted) Answered(release->id, release->step, {.problem = posted.error().message()});
  return {};
}

void Releases::Answered(const std::string& id, int step, Beside beside) {
  const MutexLock lock(watching_);
  if (const auto found = watched_.find(id); found != watched_.end() && found->second.step == step) {
    found->second.newest = std::move(beside);
    found->second.asking = false;
  }
  answered_.NotifyAll();
}

void Releases::WaitForComparison() {
  const MutexLock lock(watching_);
  const auto asks = [](const auto& one) { return one.second.asking; };
  while (std::ranges::any_of(watched_, asks)) answered_.Wait(watching_);
}

void Releases::Tell(const Release& release, const CanaryFacts& facts,
                    const CanaryDecision& decision) {
  const MutexLock lock(watching_);
  watched_[release.id].progress = Json::Obj({{"step", facts.step + 1},
                                             {"steps", std::ssize(release.plan.weights)},
                                             {"share", ShareOf(release)},
                                             {"seconds", facts.seconds_in_step},
                                             {"bake_seconds", release.plan.bake_s},
                                             {"requests", facts.canary.requests},
                                             {"rows", facts.canary.rows},
                                             {"rows_wanted", release.plan.rows_min},
                                             {"reason", decision.reason},
                                             {"checks", ListOf(decision.checks)}});
}

Result<Release> Releases::RollBack(std::string_view id, std::string_view reason) {
  const MutexLock lock(mutex_);
  GYRE_TRY(Release release, Get(id));
  if (release.state == kRollingBack) GYRE_DO(EndRollBack(&release));
  if (release.state == kBaking) GYRE_DO(SendBack(&release, {.reason = std::string(reason)}));
  return release;
}

Result<Releases::Way> Releases::Fence(std::string_view run_id, std::string_view model) {
  const MutexLock lock(mutex_);
  GYRE_TRY(const auto found, OfRun(run_id));
  if (!found || found->model != model) return Way{};
  Release release = *found;
  const auto refuse = [&] {
    return FailedPrecondition("GY4813", "{} does not take over endpoint `{}`: {}", release.model,
                              release.endpoint, release.reason)
        .Why("it was judged beside one champion, and takes over from that one alone")
        .Fix(fmt::format("gyre pipelines retry {} --from STEP    (the one that judges)",
                         release.of_run.substr(0, 8)));
  };
  if (release.state != kPassed) return refuse();
  GYRE_TRY(const Traffic::Counts now, traffic_.counts(release.project, release.endpoint));
  if (now.champion_model == release.model)
    return Way{.is = Way::Is::kThere, .over = release.basis.champion_model};
  std::string against = ChampionChanged(release, now);
  if (against.empty() && now.canary_model != release.model)
    against = fmt::format("somebody took its share back after it {}",
                          release.PromotedByHand() ? "was promoted" : "passed");
  if (against.empty()) return Way{.is = Way::Is::kStands, .over = release.basis.champion_model};
  GYRE_DO(SendBack(&release, {.reason = against}));
  return refuse();
}

Result<> Releases::TookOver(std::string_view run_id, std::string_view model) {
  const MutexLock lock(mutex_);
  GYRE_TRY(const auto found, OfRun(run_id));
  if (!found || found->model != model || found->state != kPassed) return {};
  Release release = *found;
  release.run_id.clear();
  return Save(release);
}

Result<> Releases::Settle(const StateOfRun& state) {
  std::vector<Release> open;
  GYRE_DO(database_.Read([&](db::Reader& reader) -> Result<> {
    static const std::string sql = std::string(kColumns) + "WHERE run_id <> '' ORDER BY id";
    GYRE_TRY(open, db::Collect<Release>(reader, sql, {}, ReleaseAt));
    return {};
  }));
  const MutexLock lock(mutex_);
  for (const Release& release : open) GYRE_DO(SettleOne(release.id, state));
  return {};
}

Result<> Releases::SettleOne(std::string_view id, const StateOfRun& state) {
  GYRE_TRY(Release release, Get(id));
  const auto run = state(release.run_id);
  if (!run && run.error().code() != Code::kNotFound) return run.error();
  if (run && run->state == "running") return {};
  const bool succeeded = run && run->state == "succeeded";
  const std::string reason = !run ? "its run was removed"
                             : run->reason.empty()
                                 ? "its run " + run->state
                                 : fmt::format("its run {}: {}", run->state, run->reason);
  if (!succeeded || release.state != kPassed) GYRE_DO(EndWithRun(&release, reason));
  release.run_id.clear();
  return Save(release);
}

// What answers by now is over as a canary, whatever its run came to.
Result<> Releases::EndWithRun(Release* release, const std::string& reason) {
  if (release->state == kRolledBack) return {};
  if (release->state == kRollingBack) return EndRollBack(release);
  const auto now = traffic_.counts(release->project, release->endpoint);
  if (!now && now.error().code() != Code::kNotFound) return now.error();
  if (now && BecameChampion(*release, *now))
    return release->state == kPassed ? Result<>() : EndByHand(release, *now);
  return SendBack(release, {.reason = reason});
}

}  // namespace gyre::automation
