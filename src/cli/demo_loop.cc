#include "cli/demo_loop.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "cli/demo_story.h"
#include "cli/output.h"

namespace gyre::cli {
namespace {

constexpr std::int64_t kTrainingSeconds = 4;
constexpr std::int64_t kTrainedWithinMicros = 60 * kMicrosPerSecond;
constexpr std::int64_t kCanaryMovesWithinMicros = kMicrosPerSecond / 2;
constexpr std::chrono::milliseconds kLookEvery(20);

std::string ProjectPath() { return fmt::format("/api/v1/projects/{}", kDemoProject); }
std::string Percent(double share) { return fmt::format("{:g} %", 100 * share); }

bool IsOver(const Json& firing) { return !firing["ended_at"].is_null(); }

// Only a canary is at work, or nothing.
bool WaitsForTraffic(const Json& run) {
  return std::ranges::all_of(run["steps"].items(), [](const Json& step) {
    const std::string& state = step["state"].AsString();
    return step["step"].AsString() == "canary" ? state != "waiting" : state != "running";
  });
}

Error LoopFailed(std::string_view why) {
  return Error(Code::kInternal, "GY4080", fmt::format("the demo failed at station loop: {}", why));
}

}  // namespace

Result<> DemoLoop::Arm() {
  Json shares = Json::Arr();
  std::vector<std::string> steps;
  for (const double share : kDemoCanaryShares) {
    shares.Push(share);
    steps.push_back(Percent(share));
  }
  steps.emplace_back("100 %");
  const Json canary = Json::Obj({{"weights", std::move(shares)}, {"bake_s", 0}, {"rows_min", 80}});
  const Json params = Json::Obj({{"endpoint", kDemoEndpoint},
                                 {"budget_seconds", kTrainingSeconds},
                                 {"seed", 1},
                                 {"last_s", kDemoLearnedDays * 86'400},
                                 {"history_below", 0},
                                 {"canary", canary}});
  GYRE_TRY(month_.trigger,
           session_.Post(
               ProjectPath() + "/triggers",
               Json::Obj({{"name", fmt::format("{}-drift", kDemoEndpoint)},
                          {"on", Json::Obj({{"kind", "drift"}, {"endpoint", kDemoEndpoint}})},
                          {"run", Json::Obj({{"pipeline", "retrain"}, {"params", params}})}})));
  const std::string arrow = fmt::format(" {} ", out_.Mark("arrow"));
  out_.Done(fmt::format("trigger {}   {} of {}{}{}{}gate{}canary {}",
                        month_.trigger["name"].AsString(), month_.trigger["on"]["kind"].AsString(),
                        kDemoEndpoint, arrow, month_.trigger["run"]["pipeline"].AsString(), arrow,
                        arrow, Join(steps, arrow)));
  return {};
}

// The trigger hears of an alert a moment after it has begun.
Result<std::string> DemoLoop::FirstFiring() {
  const std::string path =
      fmt::format("{}/firings?trigger={}", ProjectPath(), month_.trigger["name"].AsString());
  const std::int64_t begin_us = SystemClock().MonotonicMicros();
  while (month_.drift_day != 0) {
    GYRE_TRY(const Json firings, session_.Get(path));
    if (firings["items"].size() > 0) return firings["items"].items().back()["id"].AsString();
    if (SystemClock().MonotonicMicros() - begin_us > kTrainedWithinMicros)
      return LoopFailed("the trigger heard nothing");
    std::this_thread::sleep_for(kLookEvery);
  }
  return std::string();
}

Result<bool> DemoLoop::WaitForNews() {
  GYRE_TRY(const std::string id, FirstFiring());
  if (id.empty()) return false;
  const std::int64_t begin_us = SystemClock().MonotonicMicros();
  for (;;) {
    GYRE_TRY(month_.firing, session_.Get(fmt::format("{}/firings/{}", ProjectPath(), id)));
    const std::string& run = month_.firing["run"].AsString();
    if (!run.empty()) {
      GYRE_TRY(month_.run, session_.Get(fmt::format("/api/v1/pipeline_runs/{}", run)));
      if (WaitsForTraffic(month_.run)) return true;
    }
    if (IsOver(month_.firing)) return true;
    if (SystemClock().MonotonicMicros() - begin_us > kTrainedWithinMicros)
      return LoopFailed(fmt::format("{} after a minute: {}", month_.firing["state"].AsString(),
                                    month_.firing["reason"].AsString()));
    std::this_thread::sleep_for(kLookEvery);
  }
}

Result<> DemoLoop::Look(int day) {
  if (month_.promoted_day != 0) return {};
  const bool first = month_.firing.is_null();
  GYRE_TRY(const bool fired, WaitForNews());
  if (!fired) return {};
  if (first) {
    Say(day, "arrow",
        fmt::format("trigger {} started {}", month_.firing["trigger"].AsString(),
                    month_.run["pipeline"].AsString()));
  }
  if (!told_judgement_) GYRE_DO(TellJudgement(day));
  return TellTraffic(day);
}

// Of the model that the run has made.
Result<> DemoLoop::TellJudgement(int day) {
  told_judgement_ = true;
  GYRE_TRY(const Json run, session_.Get(fmt::format("/api/v1/pipeline_runs/{}?tasks=100",
                                                    month_.firing["run"].AsString())));
  Json fresh, trained;
  for (const Json& task : run["tasks"].items()) {
    if (task["step"].AsString() == "fresh") fresh = task["outputs"];
    if (task["step"].AsString() == "train") trained = task["outputs"];
  }
  const std::string& model = trained["model"].AsString();
  if (model.empty()) return LoopFailed(month_.firing["reason"].AsString());
  month_.challenger = model;
  GYRE_TRY(const Json version, session_.Get(fmt::format("{}/models/{}/versions/v{}", ProjectPath(),
                                                        kDemoModel, trained["version"].AsInt())));
  month_.learned = fresh["fresh_rows"].AsInt();
  month_.verdict = version["verdict"];
  Say(day, "arrow",
      fmt::format("{} learned from {} labelled answers of {} days", model,
                  GroupDigits(month_.learned), kDemoLearnedDays));
  for (const Json& reason : version["verdict"]["reasons"].items()) {
    Say(day, reason["pass"].AsBool() ? "ok" : "fail",
        fmt::format("gate {}: {}", reason["rule"].AsString(), reason["text"].AsString()));
  }
  return {};
}

// Each share that the canary was given since the last look, from the release's own history: steps
// may follow one another faster than anybody looks.
Result<bool> DemoLoop::TellShares(int day) {
  GYRE_TRY(month_.firing, session_.Get(fmt::format("{}/firings/{}", ProjectPath(),
                                                   month_.firing["id"].AsString())));
  std::size_t shares = 0;
  const std::size_t told = told_shares_;
  for (const Json& moved : month_.firing["release"]["history"].items()) {
    const std::string& move = moved["move"].AsString();
    if ((move != "begin" && move != "advance") || ++shares <= told) continue;
    Say(day, "arrow", fmt::format("canary {}", Percent(moved["weight"].AsDouble())));
  }
  told_shares_ = shares;
  return shares > told;
}

// A canary is given its next share once its rows have been looked at, a moment after they came.
Result<> DemoLoop::TellTraffic(int day) {
  const std::int64_t begin_us = SystemClock().MonotonicMicros();
  for (;;) {
    GYRE_TRY(const Json endpoint,
             session_.Get(fmt::format("{}/endpoints/{}", ProjectPath(), kDemoEndpoint)));
    GYRE_TRY(const bool told, TellShares(day));
    if (endpoint["model"].AsString() == month_.challenger) {
      month_.promoted_day = day;
      Say(day, "ok",
          fmt::format("{} {} @champion, 100 % of the traffic", month_.challenger,
                      out_.Mark("arrow")));
      return {};
    }
    if (told || SystemClock().MonotonicMicros() - begin_us > kCanaryMovesWithinMicros) return {};
    std::this_thread::sleep_for(kLookEvery);
  }
}

Result<> DemoLoop::Finish(int day) {
  GYRE_DO(Look(day));
  const std::int64_t begin_us = SystemClock().MonotonicMicros();
  while (!IsOver(month_.firing)) {
    if (SystemClock().MonotonicMicros() - begin_us > kTrainedWithinMicros) break;
    std::this_thread::sleep_for(kLookEvery);
    GYRE_TRY(const bool fired, WaitForNews());
    if (!fired) break;
  }
  if (month_.firing.is_null()) return LoopFailed("no drift alert began");
  if (month_.firing["state"].AsString() != "succeeded")
    return LoopFailed(month_.firing["reason"].AsString());
  if (month_.promoted_day == 0)
    return LoopFailed(fmt::format("{} was not promoted", month_.challenger));
  return {};
}

Result<std::vector<std::string>> ChainOfChampion(Session& session, const Json& alert) {
  GYRE_TRY(const Json graph,
           session.Get(fmt::format("{}/lineage?id={}&direction=up", ProjectPath(),
                                   PercentEncode(fmt::format("{}@champion", kDemoModel)))));
  return WayFrom(graph, alert["incident"].AsString());
}

Result<> DemoLoop::TellChain() {
  GYRE_TRY(const std::vector<std::string> chain, ChainOfChampion(session_, month_.drift));
  if (chain.empty()) return LoopFailed("no chain of lineage leads from the alert to the champion");
  out_.Done(fmt::format("lineage   {}", Join(chain, fmt::format(" {} ", out_.Mark("arrow")))));
  return {};
}

void DemoLoop::Say(int day, std::string_view mark, std::string_view text) {
  out_.EndProgress();
  out_.Print(fmt::format("  day {:2}  {} {}\n", day, out_.Mark(mark), text));
}

std::vector<std::string> WayFrom(const Json& lineage, std::string_view origin) {
  std::map<std::string, std::string> names, next;  // of a node: what it led to
  for (const Json& node : lineage["nodes"].items())
    names[node["id"].AsString()] = node["name"].AsString();
  // Edges lead from cause to effect; breadth first from the node asked for gives a shortest way.
  std::vector<std::string> queue = {lineage["start"]["id"].AsString()};
  next[queue[0]] = "";
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const std::string effect = queue[at];
    for (const Json& edge : lineage["edges"].items()) {
      const std::string& cause = edge["from"].AsString();
      if (edge["to"].AsString() != effect || next.contains(cause)) continue;
      next[cause] = effect;
      queue.push_back(cause);
    }
  }
  std::vector<std::string> way;
  if (!next.contains(std::string(origin))) return way;
  for (std::string at(origin); !at.empty(); at = next[at]) way.push_back(names[at]);
  return way;
}

}  // namespace gyre::cli
