#include "ml/monitoring/signals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/time.h"

namespace gyre::monitoring {
namespace {

constexpr std::size_t kNumbers = 6, kCategories = 3;
constexpr std::size_t kReferenceRows = 12'000, kWindowRows = 500;
constexpr std::string_view kCities[] = {"Delft", "Gent", "Lyon", "Porto", "Turku"};

// Six numbers (some with few values) and three categories, of one distribution unless shifted.
table::Frame World(Random* random, std::size_t rows, double shift = 0) {
  table::Frame frame;
  for (std::size_t c = 0; c < kNumbers; ++c) {
    table::Column column{.name = fmt::format("n{}", c), .type = table::Type::kDouble};
    for (std::size_t i = 0; i < rows; ++i) {
      double value = random->Normal() + (c == 1 ? shift : 0);
      if (c == 2) value = std::exp(value);
      if (c == 3) value = std::round(3 * value);
      if (c == 4 && random->Below(10) == 0) {
        column.PushNull();
        continue;
      }
      column.PushDouble(value);
    }
    frame.columns.push_back(std::move(column));
  }
  for (std::size_t c = 0; c < kCategories; ++c) {
    table::Column column{.name = fmt::format("c{}", c), .type = table::Type::kText};
    for (std::size_t i = 0; i < rows; ++i) {
      double u = random->Uniform();
      if (c == 2 && shift > 0) u *= u;
      column.PushText(kCities[static_cast<std::size_t>(u * (c == 0 ? 2 : 5))]);
    }
    frame.columns.push_back(std::move(column));
  }
  return frame;
}

// Bins of equal shares, as training makes them.
std::vector<ReferenceColumn> ReferenceOf(const table::Frame& frame) {
  std::vector<ReferenceColumn> reference;
  for (const table::Column& column : frame.columns) {
    ReferenceColumn one;
    one.bins.name = column.name;
    one.bins.type = column.type;
    one.bins.is_number = column.type != table::Type::kText;
    if (one.bins.is_number) {
      std::vector<double> values;
      for (std::size_t i = 0; i < column.size(); ++i)
        if (column.IsValid(i)) values.push_back(column.doubles[i]);
      std::ranges::sort(values);
      for (std::size_t i = 0; i <= 256; ++i)
        one.bins.edges.push_back(values[i * (values.size() - 1) / 256]);
      one.bins.edges.erase(std::ranges::unique(one.bins.edges).begin(), one.bins.edges.end());
      one.bins.deviation = column.name == "n2" ? 2.16 : column.name == "n3" ? 3.0 : 1.0;
    } else {
      for (const std::string_view city : kCities)
        one.bins.values.emplace(city, one.bins.values.size());
    }
    one.counts = CountInto(one.bins, column);
    reference.push_back(std::move(one));
  }
  return reference;
}

std::vector<BinCounts> CountsOf(const std::vector<ReferenceColumn>& reference,
                                const table::Frame& frame) {
  std::vector<BinCounts> counts;
  for (std::size_t i = 0; i < reference.size(); ++i)
    counts.push_back(CountInto(reference[i].bins, frame.columns[i]));
  return counts;
}

DriftFindings Drift(const std::vector<ReferenceColumn>& reference, const table::Frame& window,
                    double effect_min) {
  return DriftOf(kDrift, reference, CountsOf(reference, window), {.effect_min = effect_min},
                 "the training data");
}

class DriftSignals : public testing::Test {
 protected:
  std::pair<Signal, Step> See(const AlertRule& rule, double shift, AlertState* state) {
    Signal signal = Drift(reference_, World(&random_, kWindowRows, shift), 0.1).signal;
    const Step step = Observe(rule, state,
                              {.level = signal.level,
                               .time_us = ++time_us_,
                               .what = signal.what,
                               .columns = signal.columns},
                              0);
    return {std::move(signal), step};
  }
  std::int64_t time_us_ = 0;
  Random random_{20'261'121};
  std::vector<ReferenceColumn> reference_ = ReferenceOf(World(&random_, kReferenceRows));
};

// Stated: at most one window in twenty has a column that is significant, and at most one window in
// 1,000 begins an alert, for that takes the same column twice and an effect that matters. Bounds:
// 99.9 % of the binomial of 2,000 windows.
TEST_F(DriftSignals, FalseAlarmsStayWithinTheStatedRate) {
  constexpr int kWindows = 2'000, kBound = 131, kAlertBound = 8;
  int significant = 0, signalled = 0, alerts = 0;
  AlertState state;
  for (int i = 0; i < kWindows; ++i) {
    const table::Frame window = World(&random_, kWindowRows);
    significant += Drift(reference_, window, 0).signal.score > 0;
    const DriftFindings found = Drift(reference_, window, statistics::kEffectMin);
    signalled += found.signal.level == Level::kBad;
    alerts += Observe({}, &state,
                      {.level = found.signal.level,
                       .time_us = i,
                       .what = "drift",
                       .columns = found.signal.columns},
                      0)
                  .began;
  }
  EXPECT_LE(significant, kBound);
  EXPECT_LE(signalled, significant);
  EXPECT_LE(alerts, kAlertBound);
  RecordProperty("alerts", alerts);
  RecordProperty("significant", significant);
}

statistics::DriftOptions By(std::string_view method, std::optional<double> threshold = {}) {
  return {.method = *statistics::FindDriftMethod(method), .threshold = threshold};
}

TEST_F(DriftSignals, AMethodJudgesTheColumnsThatItFitsAndOneOfItsOwnComesFirst) {
  for (ReferenceColumn& column : reference_) column.bins.tenths.resize(column.counts.counts.size());
  const table::Frame calm = World(&random_, kWindowRows), moved = World(&random_, kWindowRows, 1);
  const DriftRules rules{.all = By("wasserstein", 0.4), .columns = {{"c2", By("linf")}}};
  const auto found = [&](const table::Frame& window) {
    return DriftOf(kDrift, reference_, CountsOf(reference_, window), rules, "the training data");
  };
  EXPECT_EQ(found(calm).signal.level, Level::kCalm);
  const DriftFindings far = found(moved);
  EXPECT_EQ(far.signal.level, Level::kBad);
  EXPECT_EQ(far.signal.raise, 1);
  for (const ColumnDrift& column : far.columns) {
    const std::string_view method = column.drift.method;
    if (column.column == "c2") EXPECT_EQ(method, "l_infinity.values/tfdv");
    if (column.column == "n1") EXPECT_EQ(method, kBinnedWasserstein);
    if (column.column == "c1") EXPECT_TRUE(column.drift.calibrated) << method;
    EXPECT_EQ(column.drift.drifted, column.far >= 1) << column.column;
  }
}

TEST(DriftRules, ChangesWhatIsNamedAndSaysWhatIsWrong) {
  const auto change = [](DriftRules rules, const char* text) {
    return ChangedRules(std::move(rules), *Json::Parse(text));
  };
  const DriftRules rules =
      *change({}, R"({"method":"psi","threshold":0.2,"methods":{"age":"linf","city":"calibrated"},
                      "thresholds":{"age":0.3}})");
  EXPECT_EQ(rules.all, By("psi", 0.2));
  EXPECT_EQ(rules.Of("age"), By("linf", 0.3));
  EXPECT_EQ(rules.Of("city"), statistics::DriftOptions());
  EXPECT_EQ(rules.Of("other"), rules.all);
  Json json = Json::Obj();
  RulesToJson(rules, &json);
  EXPECT_EQ(*ChangedRules({}, json), rules);
  EXPECT_EQ(*change(rules, R"({"threshold":0.5})")->Of("x").threshold, 0.5);
  EXPECT_EQ(change(rules, R"({"method":"js"})")->all, By("js"));
  EXPECT_EQ(change(rules, R"({"methods":{"age":null}})")->Of("age"), rules.all);
  EXPECT_EQ(change(rules, R"({"thresholds":{"new":0.9}})")->Of("new"), By("psi", 0.9));
  for (const auto& [text, code] :
       {std::pair{R"({"method":"spi"})", "GY3007"}, std::pair{R"({"threshold":0.1})", "GY4524"},
        std::pair{R"({"methods":{"a":"ks"},"thresholds":{"a":2}})", "GY4525"},
        std::pair{R"({"methods":["psi"]})", "GY4501"}, std::pair{R"({"method":1})", "GY4501"},
        std::pair{R"({"effect_min":-1})", "GY4501"}})
    EXPECT_EQ(change({}, text).error().gy(), code) << text;
}

TEST(Service, SaysThatCapturesAreDropped) {
  EXPECT_EQ(ServiceOf({}, {}).level, Level::kUnknown);
  EXPECT_EQ(ServiceOf({}, {.dropped_share = 0.001}).level, Level::kUnknown);
  const Signal signal = ServiceOf({}, {.dropped_share = 0.25});
  EXPECT_EQ(signal.level, Level::kBad);
  EXPECT_EQ(signal.what.substr(0, 4), "25 %") << signal.what;
}

TEST_F(DriftSignals, InjectedDriftIsNamedInItsFirstWindowAndAlertsAfterTheRulesWindows) {
  const AlertRule rule;
  int named_by_chance = 0;
  for (int seed = 0; seed < 50; ++seed) {
    AlertState state;
    for (int i = 0; i < 3; ++i) See(rule, 0, &state);
    for (int i = 1; i <= rule.bad_windows; ++i) {
      const auto [signal, step] = See(rule, 1.0, &state);
      EXPECT_EQ(signal.level, Level::kBad);
      for (const std::string_view column : {"n1", "c2"})
        EXPECT_NE(std::ranges::find(signal.columns, column), signal.columns.end());
      named_by_chance += static_cast<int>(signal.columns.size()) - 2;
      EXPECT_EQ(step.began, i == rule.bad_windows);
      if (!step.began) continue;
      std::vector<std::string> columns = step.columns;
      std::ranges::sort(columns);
      EXPECT_EQ(columns, (std::vector<std::string>{"c2", "n1"}));
    }
  }
  EXPECT_LE(named_by_chance, 100 * 2 / 19);  // one false name among twenty
}

TEST_F(DriftSignals, FarAwayValuesCountByTheirDistance) {
  table::Frame window = World(&random_, kWindowRows);
  for (double& value : window.columns[0].doubles) value += 15;
  const DriftFindings found = Drift(reference_, window, 0.1);
  ASSERT_EQ(found.signal.columns, std::vector<std::string>{"n0"});
  EXPECT_NEAR(found.columns[0].drift.effect, 15, 0.2);
  EXPECT_EQ(found.columns[0].drift.method, kBinnedKs);
  EXPECT_EQ(found.signal.what, "1 column drifted from the training data: n0");
}

TEST_F(DriftSignals, QualityNamesMissingUnseenAndOutOfRange) {
  EXPECT_EQ(QualityOf(reference_, CountsOf(reference_, World(&random_, kWindowRows))).signal.level,
            Level::kCalm);
  table::Frame window = World(&random_, kWindowRows);
  window.columns[0] = {.name = "n0", .type = table::Type::kDouble};
  table::Column cities{.name = "c1", .type = table::Type::kText};
  for (std::size_t i = 0; i < kWindowRows; ++i) {
    if (i % 2 == 0)
      window.columns[0].PushNull();
    else
      window.columns[0].PushDouble(0);
    cities.PushText(i % 5 == 0 ? "Oslo" : "Gent");
    window.columns[5].doubles[i] = 100;
  }
  window.columns[kNumbers + 1] = cities;
  const Quality quality = QualityOf(reference_, CountsOf(reference_, window));
  ASSERT_EQ(quality.findings.size(), 3U);
  EXPECT_EQ(quality.findings[0].what, "n0 is missing in 50 % of the rows, 0 % before");
  EXPECT_EQ(quality.findings[1].kind, "out_of_range");
  EXPECT_EQ(quality.findings[2].kind, "unseen");
  EXPECT_EQ(quality.signal.level, Level::kBad);
  EXPECT_TRUE(quality.signal.broken_input);
  EXPECT_EQ(quality.signal.columns, (std::vector<std::string>{"n0", "n5", "c1"}));
}

TEST_F(DriftSignals, TimeGoesOnWithoutDrift) {
  std::vector<ReferenceColumn> reference(reference_.begin(), reference_.begin() + 1);
  table::Frame window = World(&random_, kWindowRows);
  window.columns.resize(1);
  for (double& value : window.columns[0].doubles) value += 100;
  EXPECT_EQ(Drift(reference, window, 0.1).signal.level, Level::kBad);
  reference[0].bins.type = table::Type::kDate;
  EXPECT_TRUE(Drift(reference, window, 0.1).columns.empty());
  EXPECT_EQ(QualityOf(reference, CountsOf(reference, window)).findings.size(), 0U);
}

TEST_F(DriftSignals, FewRowsSayNothing) {
  const table::Frame window = World(&random_, 20, 3.0);
  EXPECT_EQ(Drift(reference_, window, 0.1).signal.level, Level::kUnknown);
  EXPECT_EQ(QualityOf(reference_, CountsOf(reference_, window)).signal.level, Level::kUnknown);
}

TEST_F(DriftSignals, CountsSurviveAsJson) {
  const table::Frame window = World(&random_, 300, 2.0);
  for (std::size_t i = 0; i < reference_.size(); ++i) {
    const Bins& bins = reference_[i].bins;
    const BinCounts counts = CountInto(bins, window.columns[i]);
    EXPECT_EQ(*CountsFromJson(bins, *Json::Parse(CountsToJson(counts).Dump())), counts);
    EXPECT_FALSE(CountsFromJson(bins, Json()));
  }
}

const statistics::MetricInfo& Auc() { return *statistics::FindMetric("auc"); }

TEST(Performance, FallsWhenItSurelyFellByAnAmountThatMatters) {
  const Measured then{0.86, 0.85, 0.87};
  EXPECT_EQ(FallOf(kPerformance, Auc(), then, {0.80, 0.78, 0.82}, "before").level, Level::kBad);
  EXPECT_EQ(FallOf(kPerformance, Auc(), then, {0.80, 0.70, 0.88}, "before").level, Level::kBetween);
  EXPECT_EQ(FallOf(kPerformance, Auc(), then, {0.857, 0.856, 0.858}, "before").level, Level::kCalm);
  EXPECT_EQ(FallOf(kPerformance, Auc(), then, {0.90, 0.89, 0.91}, "before").level, Level::kCalm);
  const statistics::MetricInfo& rmse = *statistics::FindMetric("rmse");
  EXPECT_EQ(FallOf(kPerformance, rmse, {10, 9.5, 10.5}, {14, 13, 15}, "before").level, Level::kBad);
  EXPECT_EQ(FallOf(kPerformance, Auc(), then, {0.80, 0.78, 0.82}, "before").what,
            "auc 0.800 (0.780 to 0.820), 0.860 before");
}

TEST(Performance, GoalsAreNamedWhenTheyAreMissed) {
  const statistics::Kpi kpis[] = {*statistics::ParseKpi("auc >= 0.84"),
                                  *statistics::ParseKpi("cost per customer <= 12 EUR")};
  statistics::MetricSet metrics;
  EXPECT_EQ(KpisOf(kpis, metrics).level, Level::kUnknown);
  metrics.Add("auc", 0.8);
  const Signal signal = KpisOf(kpis, metrics);
  EXPECT_EQ(signal.level, Level::kBad);
  EXPECT_EQ(signal.what, "auc is 0.800, the goal is auc >= 0.84");
  // An expression of what the window knows is judged too; of anything else it is not known here.
  const statistics::Kpi more[] = {*statistics::ParseKpi("(auc - 0.5) * 2 >= 0.7"),
                                  *statistics::ParseKpi("live.auc[7d] >= 0.9"),
                                  *statistics::ParseKpi("auc@churn >= 0.9"),
                                  *statistics::ParseKpi("auc / feedback.count[1d] >= 0.9")};
  EXPECT_EQ(KpisOf(more, metrics).what,
            "(auc - 0.5) * 2 is 0.600, the goal is (auc - 0.5) * 2 >= 0.7");
  EXPECT_EQ(KpisOf(std::span(more).subspan(1), metrics).level, Level::kUnknown);
}

TEST(Performance, ConceptDriftIsAFallWithoutDrift) {
  Signal fell{.name = "performance", .level = Level::kBad, .what = "auc 0.7"};
  Signal drift{.name = "drift", .level = Level::kCalm};
  EXPECT_EQ(ConceptOf(fell, drift).what, "auc 0.7, while the inputs are as before");
  drift.level = Level::kBad;
  EXPECT_EQ(ConceptOf(fell, drift).level, Level::kCalm);
  drift.level = Level::kUnknown;
  EXPECT_EQ(ConceptOf(fell, drift).level, Level::kUnknown);
}

TEST(Feedback, TellsWhenLabelsComeForOtherRowsThanTheRest) {
  Random random(3);
  std::vector<double> scores(1'000);
  std::vector<std::int64_t> fair(1'000), biased(1'000);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = random.Uniform();
    fair[i] = random.Below(3) == 0 ? 5 : -1;
    biased[i] = scores[i] > 0.6 ? 5 : -1;
  }
  EXPECT_EQ(FeedbackOf(scores, fair).signal.level, Level::kCalm);
  const Feedback feedback = FeedbackOf(scores, biased);
  EXPECT_EQ(feedback.signal.level, Level::kBad);
  EXPECT_EQ(feedback.delay_p50_us, 5);
  EXPECT_EQ(FeedbackOf(scores, std::vector<std::int64_t>(1'000, -1)).signal.level, Level::kUnknown);
  scores[7] = scores[400] = std::nan("");  // answers of another kind
  EXPECT_EQ(FeedbackOf(scores, fair).signal.level, Level::kCalm);
}

TEST(LabelDelay, IsLaterThanUsualOrNoMore) {
  constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;
  // Hourly windows whose labels take about two hours; the two newest wait for theirs.
  std::vector<LabelsOfWindow> before;
  const auto see = [&](int windows, std::int64_t labelled, double hours) {
    for (int i = 0; i < windows; ++i)
      before.push_back({.end_us = 0,
                        .labelled = labelled,
                        .delay_us = (hours + 0.1 * (i % 3)) * static_cast<double>(kHour)});
    for (std::size_t i = 0; i < before.size(); ++i)
      before[i].age_us = static_cast<std::int64_t>(before.size() - i) * kHour;
    return LabelDelayOf(before);
  };
  EXPECT_EQ(see(7, 100, 2).level, Level::kUnknown);
  EXPECT_EQ(see(5, 100, 2).level, Level::kCalm);
  EXPECT_EQ(see(2, 0, 0).level, Level::kCalm);
  const Signal stopped = see(5, 0, 0);
  EXPECT_EQ(stopped.level, Level::kBad);
  EXPECT_EQ(stopped.what, "no labels for rows of 7 hours ago, usually they come after 2 hours");
  const Signal late = see(1, 100, 9);
  EXPECT_EQ(late.level, Level::kBad);
  EXPECT_EQ(late.what, "labels come 9 hours after their rows, usually 2 hours");
  EXPECT_EQ(see(1, 100, 2).level, Level::kCalm);
  EXPECT_EQ(LabelDelayOf({}).level, Level::kUnknown);
}

TEST(Service, IsJudgedByItsOwnHistory) {
  std::vector<Health> before(10, {.latency_p99_us = 2'000, .rows_per_hour = 100});
  for (std::size_t i = 0; i < before.size(); ++i) before[i].latency_p99_us += 20 * (i % 3);
  EXPECT_EQ(ServiceOf(std::span(before).first(5), before[0]).level, Level::kUnknown);
  EXPECT_EQ(ServiceOf(before, before[3]).level, Level::kCalm);
  Health slow = before[0];
  slow.latency_p99_us = 20'000;
  const Signal signal = ServiceOf(before, slow);
  EXPECT_EQ(signal.level, Level::kBad);
  EXPECT_EQ(signal.what, "the slowest of a hundred answers: 20 ms, usually 2.02 ms");
  Health failing = before[0];
  failing.failed_share = 0.3;
  EXPECT_EQ(ServiceOf(before, failing).level, Level::kBad);
  Health fast = before[0];
  fast.latency_p99_us = 1;
  EXPECT_EQ(ServiceOf(before, fast).level, Level::kCalm);
}

TEST(Signal, SurvivesAsJson) {
  Signal signal{.name = "drift", .level = Level::kBad, .score = 2, .raise = 1, .clear = 0.5};
  signal.columns = {"a"};
  signal.broken_input = true;
  EXPECT_EQ(SignalToJson(SignalFromJson(SignalToJson(signal))).Dump(), SignalToJson(signal).Dump());
}

}  // namespace
}  // namespace gyre::monitoring
