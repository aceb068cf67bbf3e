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
  r.base = Json::Parse(row.Text(10)).value_or(Json());
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

Json SideToJson(std::string_view deployment, const SideFacts& side,
                const statistics::LogCounts& latency_us) {
  return Json::Obj({{"deployment", deployment},
                    {"requests", side.requests},
                    {"failed", side.failed},
                    {"rows", side.rows},
                    {"latency_us", latency_us.ToJson()}});
}

// Counters begin anew with each process and with each deployment. `latency_us` becomes that since
// then, too.
SideFacts Since(const SideFacts& now, std::string_view deployment, const Json& base,
                statistics::LogCounts* latency_us) {
  SideFacts since = now;
  if (base["deployment"].AsString() != deployment) return since;
  *latency_us = latency_us->Since(statistics::LogCounts::FromJson(base["latency_us"]));
  since.requests = std::max<std::int64_t>(0, now.requests - base["requests"].AsInt());
  since.failed = std::max<std::int64_t>(0, now.failed - base["failed"].AsInt());
  since.rows = std::max<std::int64_t>(0, now.rows - base["rows"].AsInt());
  return since;
}

Json EvidenceToJson(double evidence) { return std::isfinite(evidence) ? Json(evidence) : Json(); }

double EvidenceFromJson(const Json& json) {
  return json.is_number() ? json.AsDouble() : Carried().errors;
}

SideFacts CarriedSide(const Json& json) {
  return {.requests = json["requests"].AsInt(),
          .failed = json["failed"].AsInt(),
          .rows = json["rows"].AsInt()};
}

Carried CarriedFromJson(const Json& json) {
  return {.champion = CarriedSide(json["champion"]),
          .canary = CarriedSide(json["canary"]),
          .errors = EvidenceFromJson(json["errors"]),
          .latency = EvidenceFromJson(json["latency"])};
}

Json BaseOf(std::string_view process, const Traffic::Counts& counts) {
  return Json::Obj(
      {{"process", process},
       {"champion",
        SideToJson(counts.champion_deployment, counts.champion, counts.champion_latency_us)},
       {"canary", SideToJson(counts.canary_deployment, counts.canary, counts.canary_latency_us)}});
}

double ShareOf(const Release& release) {
  return release.plan.weights[static_cast<std::size_t>(release.step)];
}

// It was given this step's share, and has another now: somebody else has decided.
bool TakenByOthers(const Release& release, const Traffic::Counts& now) {
  if (release.base["given"].AsInt(-1) != release.step) return false;
  return now.canary_model != release.model || std::abs(now.canary_share - ShareOf(release)) > 1e-9;
}

// The verdict would be of two champions, one of which answers no more. Empty: it is the same.
std::string ChampionChanged(const Release& release, const Traffic::Counts& now) {
  const std::string& was = release.base["champion_model"].AsString();
  if (was.empty() || now.champion_model == was) return {};
  const std::string_view when = release.state == "baking" ? "while it baked" : "after it passed";
  if (now.champion_model == release.model)
    return fmt::format("{} became the champion {}", release.model, when);
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
Json StepsOf(const Release& release) {
  const Json& steps_us = release.base["steps_us"];
  return steps_us.size() > 0 ? steps_us : Json(Json::Array{Json(release.step_us)});
}

std::vector<std::int64_t> TimesOf(const Json& list) {
  std::vector<std::int64_t> times;
  for (const Json& time : list.items()) times.push_back(time.AsInt());
  return times;
}

// The decision with what every check said, for whoever asks the ledger later.
std::string InFull(const CanaryDecision& decision) {
  return decision.checks.empty()
             ? decision.reason
             : fmt::format("{} ({})", decision.reason, Join(decision.checks, "; "));
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
  release.state = "baking";
  release.created_us = release.step_us = clock_.NowMicros();
  release.base = BaseOf(process_, counts);
  release.base.Set("champion_model", counts.champion_model);
  release.base.Set("steps_us", Json::Array{Json(release.step_us)});
  release.reason = fmt::format("{:.0f} % of the traffic", 100 * plan.weights.front());
  Note(&release, "begin", {.reason = release.reason}, plan.weights.front(), release.created_us);
  const std::string plan_text = CanaryPlanToJson(plan).Dump(), base = release.base.Dump(),
                    history = release.history.Dump();
  std::optional<Release> same, other;
  // One that somebody tries by hand, or that has passed and is not promoted yet.
  const bool of_others = !counts.canary_model.empty() && counts.canary_model != start.model;
  GYRE_DO(database_.Write([&](db::Transaction& tx) -> Result<> {
    GYRE_TRY(same, FindBy(tx, "WHERE release_key = ?1", release.key));
    if (same) return {};
    GYRE_TRY(other, FindBy(tx, "WHERE state = 'baking' AND endpoint = ?1", release.endpoint));
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
  if (release.state == "baking") GYRE_DO(Give(&release));
  return release;
}

// Once for each step: after that, a share that is another was set by somebody.
Result<> Releases::Give(Release* release) {
  if (release->base["given"].AsInt(-1) == release->step) return {};
  GYRE_DO(traffic_.give(release->project, release->endpoint, release->model, ShareOf(*release),
                        "canary release: " + release->reason));
  release->base.Set("given", release->step);
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
  const std::string base = release.base.Dump(), history = release.history.Dump();
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
  GYRE_TRY(Traffic::Counts now, traffic_.counts(release->project, release->endpoint));
  Seen seen;
  CanaryFacts& facts = seen.facts;
  facts.champion_changed = ChampionChanged(*release, now);
  if (TakenByOthers(*release, now)) facts.alert = "somebody changed the canary's share";
  facts.step = release->step;
  const std::int64_t now_us = clock_.NowMicros();
  if (release->step_us > now_us) {  // the clock was set back: the step begins anew
    release->step_us = now_us;
    release->base.Set("steps_us", Json::Array{Json(now_us)});
    GYRE_DO(Save(*release));
  }
  facts.seconds_in_step = (now_us - release->step_us) / kMicrosPerSecond;
  const bool same_process = release->base["process"].AsString() == process_;
  const Json base = same_process ? release->base : Json();
  facts.champion =
      Since(now.champion, now.champion_deployment, base["champion"], &now.champion_latency_us);
  facts.canary = Since(now.canary, now.canary_deployment, base["canary"], &now.canary_latency_us);
  const Json& carried = release->base["carried"];
  facts.before = CarriedFromJson(carried);
  const auto all = [&](const Json& before, const statistics::LogCounts& since) {
    return since.With(statistics::LogCounts::FromJson(before["latency_us"]));
  };
  seen.champion_latency_us = all(carried["champion"], now.champion_latency_us);
  seen.canary_latency_us = all(carried["canary"], now.canary_latency_us);
  facts.champion.latency_us_p99 = seen.champion_latency_us.Quantile(kSlowest);
  facts.canary.latency_us_p99 = seen.canary_latency_us.Quantile(kSlowest);
  const double slow_us = SlowFrom(release->plan, facts.champion.latency_us_p99);
  facts.champion.slow = now.champion_latency_us.Above(slow_us);
  facts.canary.slow = now.canary_latency_us.Above(slow_us);
  if (traffic_.judge && facts.alert.empty() && facts.champion_changed.empty()) {
    GYRE_DO(traffic_.judge(release->project, release->endpoint, release->model, release->created_us,
                           &facts));
  }
  return seen;
}

Json Releases::CarriedToJson(const CanaryPlan& plan, const Seen& seen) {
  const Carried carried = CarryOn(plan, seen.facts);
  return Json::Obj({{"champion", SideToJson("", carried.champion, seen.champion_latency_us)},
                    {"canary", SideToJson("", carried.canary, seen.canary_latency_us)},
                    {"errors", EvidenceToJson(carried.errors)},
                    {"latency", EvidenceToJson(carried.latency)}});
}

Result<> Releases::Apply(Release* release, const CanaryDecision& decision, Json carried) {
  const std::int64_t now_us = clock_.NowMicros();
  release->reason = decision.reason;
  switch (decision.move) {
    case CanaryMove::kHold:
      return {};
    case CanaryMove::kRollBack:
      // First the traffic, then the record: a crash in between looks, finds harm and repeats it.
      GYRE_DO(traffic_.take_back(release->project, release->endpoint, InFull(decision)));
      exec::Fault("canary.ending");
      release->state = "rolled back";
      release->ended_us = now_us;
      Note(release, "roll back", decision, 0, now_us);
      return Save(*release);
    case CanaryMove::kPromote:
      release->state = "passed";
      release->ended_us = now_us;
      release->reason = InFull(decision);
      Note(release, "pass", decision, release->plan.weights.back(), now_us);
      exec::Fault("canary.ending");
      GYRE_DO(Save(*release));
      exec::Fault("canary.ended");
      return {};
    case CanaryMove::kAdvance:
      break;
  }
  ++release->step;
  release->step_us = now_us;
  GYRE_TRY(const Traffic::Counts counts, traffic_.counts(release->project, release->endpoint));
  Json base = BaseOf(process_, counts);
  for (const std::string_view kept : {"looks", "champion_model"})
    base.Set(std::string(kept), release->base[kept]);
  Json steps_us = StepsOf(*release);
  steps_us.Push(now_us);
  base.Set("steps_us", std::move(steps_us));
  base.Set("carried", std::move(carried));
  release->base = std::move(base);
  release->reason = InFull(decision);
  Note(release, "advance", decision, ShareOf(*release), now_us);
  GYRE_DO(Save(*release));  // the intent: Look gives the share that stands here
  exec::Fault("canary.advanced");
  return Give(release);
}

Result<Release> Releases::Look(std::string_view id) {
  const MutexLock lock(mutex_);
  GYRE_TRY(Release release, Get(id));
  if (release.state != "baking") return release;
  GYRE_DO(Give(&release));
  const Watch watch = Watched(release);
  GYRE_TRY(Seen seen, FactsOf(&release));
  CanaryFacts& facts = seen.facts;
  facts.beside = watch.newest;
  CanaryDecision decision = DecideCanary(release.plan, facts);
  GYRE_DO(AskNowAndThen(&release, facts, watch, &decision));
  Tell(release, facts, decision);
  GYRE_DO(Apply(&release, decision, CarriedToJson(release.plan, seen)));
  return release;
}

// --- comparing -----------------------------------------------------------------------------------

Releases::~Releases() { stopping_.store(true); }

Releases::Watch Releases::Watched(const Release& release) {
  const MutexLock lock(watching_);
  if (release.state != "baking") {
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
  const std::int64_t look = release->base["looks"].AsInt() + 1;
  release->base.Set("looks", look);
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
                                   .steps_us = TimesOf(StepsOf(*release)),
                                   .cancelled = [this] { return stopping_.load(); }};
  const auto posted =
      comparer_->Post([this, question, look, id = release->id, step = release->step] {
        Beside beside;
        auto compared = stopping_.load() ? Result<Beside>(beside) : traffic_.compare(question);
        if (compared)
          beside = *std::move(compared);
        else
          beside.problem = compared.error().message();
        beside.looks = static_cast<int>(look);
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
  if (release.state != "baking") return release;
  GYRE_DO(Apply(&release, {CanaryMove::kRollBack, std::string(reason), {}}));
  return release;
}

Result<std::string> Releases::Fence(std::string_view run_id, std::string_view model) {
  const MutexLock lock(mutex_);
  GYRE_TRY(const auto found, OfRun(run_id));
  if (!found || found->model != model) return std::string();
  Release release = *found;
  const auto refuse = [&] {
    return FailedPrecondition("GY4813", "{} does not take over endpoint `{}`: {}", release.model,
                              release.endpoint, release.reason)
        .Why("it was judged beside one champion, and takes over from that one alone")
        .Fix(fmt::format("gyre pipelines retry {} --from STEP    (the one that judges)",
                         release.of_run.substr(0, 8)));
  };
  if (release.state != "passed") return refuse();
  GYRE_TRY(const Traffic::Counts now, traffic_.counts(release.project, release.endpoint));
  if (now.champion_model == release.model) return std::string();
  const std::string changed = ChampionChanged(release, now);
  if (changed.empty()) return release.base["champion_model"].AsString();
  GYRE_DO(Apply(&release, {CanaryMove::kRollBack, changed, {}}));
  return refuse();
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
  release.run_id.clear();
  if (release.state == "rolled back" || (release.state == "passed" && succeeded))
    return Save(release);
  const std::string reason = !run ? "its run was removed"
                             : run->reason.empty()
                                 ? "its run " + run->state
                                 : fmt::format("its run {}: {}", run->state, run->reason);
  return Apply(&release, {CanaryMove::kRollBack, reason, {}});
}

}  // namespace gyre::automation
