#include "ml/monitoring/judgement.h"

#include <gtest/gtest.h>

#include <map>

namespace gyre::monitoring {
namespace {

Json SignalJson(std::string_view name, Level level, std::vector<std::string> columns = {},
                bool broken = false) {
  Signal signal{.name = std::string(name), .level = level, .what = "something"};
  signal.columns = std::move(columns);
  signal.broken_input = broken;
  return SignalToJson(signal);
}

// A monitor whose alerts are kept as the store keeps them.
class Kept {
 public:
  Kept() {
    monitor.id = "m";
    monitor.name = monitor.endpoint = "churn";
  }
  std::vector<AlertMove> See(std::vector<Json> signals, std::int64_t labelled = 0) {
    ++number;
    window = {.id = WindowId("m", number), .monitor_id = "m", .number = number};
    window.begin_us = number * 10;
    window.end_us = number * 10 + 10;
    window.rows = 100;
    window.document = Json::Obj({{"model", "churn:" + version}, {"model_version_id", version}});
    Json answering = Json::Arr();
    for (const std::string& id : {version, canary}) {
      if (!id.empty())
        answering.Push(Json::Obj({{"model", "churn:" + id}, {"model_version_id", id}}));
    }
    window.document.Set("versions", std::move(answering));
    observed.clear();
    return Again(std::move(signals), labelled);
  }
  // The same window, judged again.
  std::vector<AlertMove> Again(std::vector<Json> signals, std::int64_t labelled) {
    window.labelled = labelled;
    window.document.Set("signals", Json(Json::Array(signals)));
    std::vector<AlertMove> moves = MoveAlerts(monitor, window, alerts, observed, {.now_us = 1});
    for (const AlertMove& move : moves) {
      observed.push_back(move.alert.signal);
      std::erase_if(alerts, [&](const Alert& alert) { return alert.id == move.alert.id; });
      alerts.push_back(move.alert);
    }
    return moves;
  }
  Monitor monitor;
  std::string version = "v1", canary;  // that answer
  JudgedWindow window;
  std::vector<Alert> alerts;
  std::vector<std::string> observed;
  std::int64_t number = 0;
};

TEST(Judgement, AnAlertBeginsWithTheColumnsThatSeveralWindowsNamed) {
  Kept kept;
  auto moves = kept.See({SignalJson(kDrift, Level::kBad, {"hour", "chance"})});
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_EQ(moves[0].change->to, Phase::kPending);
  moves = kept.See({SignalJson(kDrift, Level::kBad, {"temp", "hour"})});
  ASSERT_TRUE(moves[0].step.began);
  EXPECT_EQ(moves[0].alert.what, "1 column drifted: hour");
  const Json event = AlertEvent(moves[0], kept.window);
  EXPECT_EQ(event["name"].AsString(), "churn:drift");
  EXPECT_EQ(event["columns"].Dump(), R"(["hour"])");
  EXPECT_EQ(event["model_version_id"].AsString(), "v1");
  EXPECT_EQ(event["window"].AsString(), kept.window.id);
  EXPECT_FALSE(event["incident"].AsString().empty());
}

TEST(Judgement, ACalmWindowLeavesWhatTheAlertIsAbout) {
  Kept kept;
  for (int i = 0; i < 2; ++i) kept.See({SignalJson(kDrift, Level::kBad, {"hour"})});
  const auto moves = kept.See({SignalJson(kDrift, Level::kCalm)});
  EXPECT_EQ(moves[0].alert.state.phase, Phase::kFiring);
  EXPECT_EQ(moves[0].alert.what, "something");
  EXPECT_EQ(moves[0].alert.columns, std::vector<std::string>{"hour"});
}

TEST(Judgement, TheSameWindowIsObservedOnce) {
  Kept kept;
  const std::vector<Json> bad = {SignalJson(kDrift, Level::kBad, {"hour"})};
  kept.See(bad);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(kept.Again(bad, 0).empty());
  EXPECT_EQ(kept.alerts[0].state.windows, 1);
}

TEST(Judgement, PerformanceWaitsForLabels) {
  Kept kept;
  const std::vector<Json> fell = {SignalJson(kPerformance, Level::kBad)};
  EXPECT_TRUE(kept.See(fell, 40).empty());
  EXPECT_EQ(kept.Again(fell, 60).size(), 1U);
  EXPECT_TRUE(kept.See(fell, 40).empty());
  kept.window.state = WindowState::kFinal;
  const auto moves = kept.Again(fell, 40);
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_TRUE(moves[0].step.began);
}

TEST(Judgement, LostValuesExplainDriftInTheSameColumnsOnly) {
  Kept kept;
  const Json quality = SignalJson(kDataQuality, Level::kBad, {"hour"}, true);
  for (int i = 0; i < 4; ++i) {
    const auto moves = kept.See({quality, SignalJson(kDrift, Level::kBad, {"hour"})});
    EXPECT_EQ(moves[1].alert.state.phase, Phase::kPending);
  }
  Kept other;
  other.See({quality, SignalJson(kDrift, Level::kBad, {"hour", "temp"})});
  EXPECT_TRUE(
      other.See({quality, SignalJson(kDrift, Level::kBad, {"hour", "temp"})})[1].step.began);
}

TEST(Judgement, QuietSignalsAndUnknownLevelsRaiseNothing) {
  Kept kept;
  kept.monitor.spec.quiet = {std::string(kService)};
  EXPECT_TRUE(kept.See({SignalJson(kService, Level::kBad), SignalJson(kDrift, Level::kUnknown),
                        SignalJson("made up", Level::kBad)})
                  .empty());
}

// Else the trouble of the model that was replaced would hide that of the one that came.
TEST(Judgement, AModelThatComesIsJudgedAnew) {
  Kept kept;
  const std::vector<Json> bad = {SignalJson(kDataQuality, Level::kBad),
                                 SignalJson(kPerformance, Level::kBad)};
  kept.See(bad, 100);
  auto moves = kept.See(bad, 100);
  ASSERT_TRUE(moves[1].step.began);
  const std::string incident = moves[1].alert.incident_id;
  kept.version = "v2";
  moves = kept.See(bad, 100);
  EXPECT_EQ(moves[0].step.to, Phase::kFiring);  // the data is as broken as before
  EXPECT_TRUE(moves[1].step.ended && moves[1].step.tell);
  EXPECT_EQ(moves[1].step.reason, "churn:v2 answers since and is judged anew");
  EXPECT_EQ(moves[1].step.to, Phase::kPending);
  moves = kept.See(bad, 100);
  EXPECT_TRUE(moves[1].step.began);
  EXPECT_EQ(moves[1].alert.model, "churn:v2");
  EXPECT_NE(moves[1].alert.incident_id, incident);
  kept.version = "v3";
  moves = kept.See({SignalJson(kPerformance, Level::kCalm)}, 100);
  EXPECT_TRUE(moves[0].step.ended);
  EXPECT_EQ(moves[0].step.to, Phase::kOk);
}

// The signal is of the worse version, which may be another in each window.
TEST(Judgement, TwoVersionsThatAnswerAreNoChangeOfModel) {
  Kept kept;
  kept.canary = "v2";
  const auto of = [](const std::string& version, Level level) {
    return SignalJson(kPerformance, level).Set("model_version_id", version);
  };
  kept.See({of("v1", Level::kBad)}, 100);
  auto moves = kept.See({of("v2", Level::kBad)}, 100);
  EXPECT_EQ(moves[0].step.to, Phase::kPending) << "one bad window of each is no streak of either";
  moves = kept.See({of("v2", Level::kBad)}, 100);
  ASSERT_TRUE(moves[0].step.began);
  EXPECT_EQ(moves[0].alert.model_version_id, "v2");
  moves = kept.See({of("v1", Level::kCalm)}, 100);
  EXPECT_FALSE(moves[0].step.ended) << "one calm window ends nothing";
  EXPECT_EQ(moves[0].step.to, Phase::kFiring);
  std::swap(kept.version, kept.canary);  // which of them answers more is no change either
  moves = kept.See({of("v1", Level::kBad)}, 100);
  EXPECT_EQ(moves[0].step.to, Phase::kFiring);
  kept.version = "v2";
  kept.canary.clear();
  moves = kept.See({of("v2", Level::kBad)}, 100);
  EXPECT_TRUE(moves[0].step.ended) << "v1 answers no more";
  EXPECT_EQ(moves[0].step.to, Phase::kPending);
}

// The worse one hides the other, whose streak goes on all the same.
TEST(Judgement, AVersionThatWasBadBesideAWorseOneWasBad) {
  Kept kept;
  kept.canary = "v2";
  const auto of = [](const std::string& version, std::vector<Json> bad) {
    return SignalJson(kPerformance, Level::kBad)
        .Set("model_version_id", version)
        .Set("bad_versions", Json(Json::Array(std::move(bad))));
  };
  kept.See({of("v2", {"v2", "v1"})}, 100);
  const auto moves = kept.See({of("v1", {"v1"})}, 100);
  ASSERT_TRUE(moves[0].step.began);
  EXPECT_EQ(moves[0].alert.model_version_id, "v1");
  EXPECT_NE(moves[0].step.reason.find("2 of the last 2 windows"), std::string::npos);
  const AlertState again = StateFromJson(StateToJson(kept.alerts[0].state));
  EXPECT_EQ(again, kept.alerts[0].state);
}

// Most rows are the canary's, the fall is the champion's: it must not be held against the canary.
TEST(Judgement, AnAlertIsOfTheVersionThatItsSignalMeasured) {
  Kept kept;
  kept.version = "v3";
  kept.canary = "v1";
  const Json fell = SignalJson(kPerformance, Level::kBad).Set("model_version_id", "v1");
  kept.See({fell}, 100);
  Alert alert = kept.See({fell}, 100)[0].alert;
  ASSERT_EQ(alert.state.phase, Phase::kFiring);
  EXPECT_EQ(alert.model, "churn:v1");
  EXPECT_FALSE(IsOfVersionAlone(alert, kept.window, "v3"));
  EXPECT_TRUE(IsOfVersionAlone(alert, kept.window, "v1"));
  alert =
      kept.See({SignalJson(kPerformance, Level::kBad).Set("model_version_id", "v3")}, 100)[0].alert;
  EXPECT_EQ(alert.model, "churn:v3");
  EXPECT_TRUE(IsOfVersionAlone(alert, kept.window, "v3"));
  EXPECT_FALSE(IsOfVersionAlone(alert, kept.window, ""));
}

TEST(Judgement, AGoalThatAnUnknownVersionMissedIsNotTheOthers) {
  Kept kept;
  kept.version = "v3";
  kept.canary = "v1";
  const Json missed = SignalJson(kKpi, Level::kBad);
  kept.See({missed}, 100);
  const Alert alert = kept.See({missed}, 100)[0].alert;
  EXPECT_EQ(alert.model + alert.model_version_id, "");
  EXPECT_FALSE(IsOfVersionAlone(alert, kept.window, "v3"));
}

TEST(Judgement, ASignalOfAllRowsIsOfAVersionThatAnsweredThemAll) {
  for (const std::string_view signal : {kDrift, kPredictionDrift, kDataQuality, kFeedback}) {
    Kept kept;
    kept.version = "v3";
    kept.canary = "v1";
    kept.See({SignalJson(signal, Level::kBad, {"hour"})});
    const auto mixed = kept.See({SignalJson(signal, Level::kBad, {"hour"})});
    EXPECT_EQ(mixed[0].alert.model_version_id, "v3");
    EXPECT_FALSE(IsOfVersionAlone(mixed[0].alert, kept.window, "v3")) << signal;
    kept.canary.clear();
    const auto calm = kept.See({SignalJson(signal, Level::kCalm)});
    EXPECT_FALSE(IsOfVersionAlone(calm[0].alert, kept.window, "v3")) << signal;
    const auto own = kept.See({SignalJson(signal, Level::kBad, {"hour"})});
    EXPECT_TRUE(IsOfVersionAlone(own[0].alert, kept.window, "v3")) << signal;
    EXPECT_FALSE(IsOfVersionAlone(own[0].alert, kept.window, "v1")) << signal;
  }
}

TEST(Judgement, IdsAreThoseOfTheThing) {
  EXPECT_EQ(WindowId("m", 5), WindowId("m", 5));
  EXPECT_NE(WindowId("m", 5), WindowId("n", 5));
  EXPECT_EQ(AlertId("m", "drift").size(), 32U);
}

}  // namespace
}  // namespace gyre::monitoring
