#include "ml/monitoring/window_task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/time.h"
#include "ml/monitoring/answers.h"
#include "ml/training/reference_profile.h"
#include "platform/table/append.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

// Rows of one model with one input, as the log joins them.
struct Log {
  inference_log::Joined head;
  table::Frame rows;
};

table::Column Column(std::string name, table::Type type) {
  return {.name = std::move(name), .type = type};
}

// `labels`: of so many rows from the first on. `shift` moves the input, `flip` turns the truth.
Log MakeLog(std::size_t classes, std::size_t rows, std::size_t labels, double shift, bool flip,
            std::uint64_t seed = 23) {
  Log log;
  Random random(seed);
  log.head.inputs = {{"x", "x"}};
  for (std::size_t k = 0; k < classes; ++k) log.head.classes.push_back(fmt::format("c{}", k));
  table::Column event = Column("event_time", table::Type::kTimestamp);
  table::Column received = Column("received_time", table::Type::kTimestamp);
  table::Column model = Column("model_version", table::Type::kText);
  table::Column x = Column("x", table::Type::kDouble);
  const table::Type answer = classes == 0 ? table::Type::kDouble : table::Type::kText;
  table::Column prediction = Column("prediction", answer), label = Column("label", answer);
  table::Column time = Column("label_time", table::Type::kTimestamp);
  std::vector<table::Column> p;
  for (const std::string& name : log.head.classes)
    p.push_back(Column("probability_" + name, table::Type::kDouble));
  for (std::size_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::int64_t>(i) * kMicrosPerSecond;
    event.PushInt(at);
    received.PushInt(at);
    model.PushText("churn:v1");
    const double value = random.Normal();
    x.PushDouble(value + shift);
    std::size_t truth = 0;
    if (classes == 0) {
      prediction.PushDouble(value);
    } else {
      double rest = 1;
      const double high = 0.5 + 0.5 * random.Uniform();
      const std::size_t decided = random.Below(classes);
      for (std::size_t k = 0; k < classes; ++k) {
        const double share = k == decided ? high : (1 - high) / static_cast<double>(classes - 1);
        p[k].PushDouble(share);
        rest -= share;
      }
      prediction.PushText(log.head.classes[decided]);
      truth = random.Uniform() < high ? decided : (decided + 1) % classes;
      if (flip) truth = (truth + 1) % classes;
    }
    if (i >= labels) {
      label.PushNull();
      time.PushNull();
      continue;
    }
    if (classes == 0)
      label.PushDouble((flip ? -value : value) + 0.1 * random.Normal());
    else
      label.PushText(log.head.classes[truth]);
    time.PushInt(at + kHour);
  }
  log.rows.columns = {event, received, model, x, prediction, label, time};
  log.rows.columns.insert(log.rows.columns.end(), p.begin(), p.end());
  return log;
}

WindowTask TaskFor(const Log& log, std::string primary, double promised) {
  WindowTask task;
  task.window = {.period_us = kHour};
  Promise promise;
  promise.version_id = "v1";
  promise.primary = std::move(primary);
  promise.metrics[promise.primary] = {promised, promised - 0.01, promised + 0.01};
  Random random(3);
  table::Column x = Column("x", table::Type::kDouble);
  for (int i = 0; i < 11'000; ++i) x.PushDouble(random.Normal());
  const Json document = Json::Obj({{"schema", "gyre.reference.v1"},
                                   {"columns", Json::Arr({training::BinnedColumn(x)})},
                                   {"predictions", Json::Obj({{"columns", Json::Arr()}})}});
  const std::string inputs[] = {log.head.inputs[0].name};
  promise.reference = *ReadReference(document, inputs);
  promise.has_reference = true;
  task.promises.emplace("churn:v1", std::move(promise));
  return task;
}

Json Judge(const WindowTask& task, const Log& log) {
  return *JudgeWindow(task, log.head, log.rows, {0, kHour, 0, true}, false);
}

std::string LevelOfSignal(const Json& document, std::string_view name) {
  for (const Json& signal : document["signals"].items()) {
    if (signal["signal"].AsString() == name) return signal["level"].AsString();
  }
  return "absent";
}

TEST(JudgeWindow, SaysWhatDriftedAndHowGoodTwoClassesAre) {
  const Log log = MakeLog(2, 600, 600, 1.0, false);
  const WindowTask task = TaskFor(log, "auc", 0.8);
  const Json document = Judge(task, log);
  EXPECT_EQ(LevelOfSignal(document, kDrift), "bad");
  EXPECT_EQ(document["columns"].items()[0]["name"].AsString(), "x");
  EXPECT_EQ(document["labelled"].AsInt(), 600);
  EXPECT_EQ(document["labels"]["delay_p50"].AsDouble(), 3600);
  const Json& performance = document["performance"].items()[0];
  EXPECT_EQ(performance["model"].AsString(), "churn:v1");
  // What the scores promise is what the labels say.
  const double realised = performance["metrics"]["auc"]["estimate"].AsDouble();
  const Json& interval = document["estimate"].items()[0]["interval"];
  EXPECT_GT(realised, interval["lower"].AsDouble());
  EXPECT_LT(realised, interval["upper"].AsDouble());
  EXPECT_EQ(LevelOfSignal(document, kPerformance), "calm");
  EXPECT_EQ(LevelOfSignal(document, kConceptDrift), "calm");
}

TEST(JudgeWindow, ConceptDriftIsAFallOnInputsAsBefore) {
  const Log log = MakeLog(2, 600, 600, 0, true);
  const Json document = Judge(TaskFor(log, "auc", 0.8), log);
  EXPECT_EQ(LevelOfSignal(document, kDrift), "calm");
  EXPECT_EQ(LevelOfSignal(document, kPerformance), "bad");
  EXPECT_EQ(LevelOfSignal(document, kConceptDrift), "bad");
}

TEST(JudgeWindow, EstimatesHoldTheTruthAsOftenAsTheySay) {
  int inside = 0;
  constexpr int kWindows = 60;
  for (std::uint64_t seed = 100; seed < 100 + kWindows; ++seed) {
    const Log log = MakeLog(2, 300, 300, 0, false, seed);
    const Json document = Judge(TaskFor(log, "accuracy", 0.75), log);
    const double realised =
        document["performance"].items()[0]["metrics"]["accuracy"]["estimate"].AsDouble();
    const Json& interval = document["estimate"].items()[0]["interval"];
    inside += realised >= interval["lower"].AsDouble() && realised <= interval["upper"].AsDouble();
  }
  EXPECT_GE(inside, 51);  // 99.9 % bound of the binomial of 0.95
}

// Answers of two classes whose scores are right; a label is 1 as often as its score says.
Answers RightAnswers(std::size_t rows, Random* random) {
  Answers answers{.classes = 2};
  for (std::uint32_t i = 0; i < rows; ++i) {
    const double p = random->Uniform();
    answers.p.insert(answers.p.end(), {1 - p, p});
    answers.decided.push_back(p >= 0.5);
    answers.delays_us.push_back(0);
    answers.labelled.push_back(i);
    answers.label.push_back(random->Uniform() < p);
  }
  return answers;
}

TEST(IntervalsOf, ASampleHoldsTheTruthAsOftenAndAsCloselyAsAllRows) {
  Random random(8);
  constexpr int kTimes = 200;
  constexpr double kAccuracy = 0.75, kAuc = 5.0 / 6;  // of such answers, by integration
  int accuracy = 0, auc = 0;
  double sampled = 0, whole = 0;
  for (int i = 0; i < kTimes; ++i) {
    const Answers answers = RightAnswers(6'000, &random);
    const auto scored = ScoredOf(answers);
    const auto set = IntervalsOf(answers, *scored, 1'500);
    const auto holds = [&](std::string_view name, double truth) {
      const statistics::MetricInterval& one = *set->Find(name);
      EXPECT_EQ(one.estimate, *scored->Values().Find(name)) << "of all rows";
      return one.lower <= truth && truth <= one.upper;
    };
    accuracy += holds("accuracy", kAccuracy);
    auc += holds("auc", kAuc);
    sampled += set->Find("auc")->upper - set->Find("auc")->lower;
    if (i % 10 != 0) continue;
    const auto all = IntervalsOf(answers, *scored);
    whole += 10 * (all->Find("auc")->upper - all->Find("auc")->lower);
  }
  // 99.9 % bounds of the binomial of 0.95, less what 200 resamples cost.
  EXPECT_GE(accuracy, 176);
  EXPECT_GE(auc, 176);
  EXPECT_LE(accuracy, 199);
  EXPECT_NEAR(sampled / whole, 1, 0.1);
}

TEST(IntervalsOf, ARareClassIsNotLostInASample) {
  Random random(9);
  Answers answers = RightAnswers(20'000, &random);
  for (std::size_t i = 0; i < answers.label.size(); ++i) answers.label[i] = i % 1000 == 0;
  const auto scored = ScoredOf(answers);
  const auto few = IntervalsOf(answers, *scored, 1'000), all = IntervalsOf(answers, *scored);
  EXPECT_EQ(few->Find("recall")->lower, all->Find("recall")->lower);
}

TEST(JudgeWindow, ManyClassesAreMeasuredAndEstimated) {
  const Log log = MakeLog(3, 900, 900, 0, false);
  const Json document = Judge(TaskFor(log, "accuracy", 0.75), log);
  const double realised =
      document["performance"].items()[0]["metrics"]["accuracy"]["estimate"].AsDouble();
  const Json& interval = document["estimate"].items()[0]["interval"];
  EXPECT_NEAR(realised, 0.75, 0.06);
  EXPECT_GT(realised, interval["lower"].AsDouble());
  EXPECT_LT(realised, interval["upper"].AsDouble());
  EXPECT_EQ(LevelOfSignal(document, kPerformance), "calm");
  // A model that was chosen by what cannot be estimated.
  const Json by_loss = Judge(TaskFor(log, "log_loss", 0.6), log);
  ASSERT_EQ(by_loss["estimate"].size(), 1U);
  EXPECT_EQ(by_loss["estimate"].items()[0]["primary"].AsString(), "accuracy");
}

TEST(JudgeWindow, NumbersAreMeasuredAndNotEstimated) {
  const Log log = MakeLog(0, 300, 300, 0, false);
  WindowTask task = TaskFor(log, "rmse", 0.1);
  task.kpis = {*statistics::ParseKpi("rmse <= 0.05")};
  const Json document = Judge(task, log);
  EXPECT_NEAR(document["performance"].items()[0]["metrics"]["rmse"]["estimate"].AsDouble(), 0.1,
              0.02);
  EXPECT_EQ(document["estimate"].size(), 0U);
  EXPECT_EQ(LevelOfSignal(document, kPerformance), "calm");
  EXPECT_EQ(LevelOfSignal(document, kKpi), "bad");
  const Log turned = MakeLog(0, 300, 300, 0, true);
  EXPECT_EQ(LevelOfSignal(Judge(task, turned), kPerformance), "bad");
}

TEST(JudgeWindow, WithoutLabelsOrProfileItSaysSo) {
  const Log log = MakeLog(2, 200, 10, 3.0, false);
  WindowTask task = TaskFor(log, "auc", 0.8);
  task.promises.clear();
  const Json document = Judge(task, log);
  for (const std::string_view name : {kDataQuality, kDrift, kPredictionDrift, kPerformance, kKpi})
    EXPECT_EQ(LevelOfSignal(document, name), "unknown") << name;
  EXPECT_EQ(document["estimate"].size(), 1U);
}

TEST(JudgeWindow, IgnoredColumnsAreNotCompared) {
  const Log log = MakeLog(2, 400, 0, 3.0, false);
  WindowTask task = TaskFor(log, "auc", 0.8);
  task.ignore = {"x"};
  EXPECT_EQ(Judge(task, log)["columns"].size(), 0U);
}

// The log as it is when another model has answered at the endpoint since.
void Follow(Log* log, const std::vector<std::string>& classes) {
  log->head.versions = {{"churn:v1", "v1", log->head.classes}, {"price:v1", "w1", classes}};
  log->head.classes = classes;
}

TEST(JudgeWindow, AnotherModelThatAnsweredSinceTakesNothingAway) {
  const auto follow = [](std::size_t classes, const std::vector<std::string>& then) {
    Log log = MakeLog(classes, 400, 400, 0, false);
    const WindowTask task = TaskFor(log, classes == 0 ? "rmse" : "accuracy", 0.75);
    const Json before = Judge(task, log);
    Follow(&log, then);
    if (classes == 0) {
      // Numbers stand as text where other answers are classes.
      for (table::Column& column : log.rows.columns) {
        if (column.name != "prediction" && column.name != "label") continue;
        table::Column text = Column(column.name, table::Type::kText);
        for (const double value : column.doubles) text.PushText(fmt::format("{}", value));
        column = text;
      }
    }
    const Json after = Judge(task, log);
    EXPECT_EQ(before["performance"].size(), 1U);
    EXPECT_EQ(after["performance"].Dump(), before["performance"].Dump());
    EXPECT_EQ(after["estimate"].Dump(), before["estimate"].Dump());
    EXPECT_EQ(after["labels"].Dump(), before["labels"].Dump());
  };
  follow(2, {"a", "b", "c"});
  follow(3, {"c0", "c1"});
  follow(2, {});
  follow(0, {"yes", "no"});
}

TEST(JudgeWindow, EachVersionIsMeasuredForItself) {
  Log log = MakeLog(2, 400, 400, 0, false), other = MakeLog(2, 300, 300, 0, true, 24);
  log.head.versions = {{"churn:v1", "v1", log.head.classes}, {"churn:v2", "v2", log.head.classes}};
  table::Column& model =
      *std::ranges::find(other.rows.columns, "model_version", &table::Column::name);
  model = Column("model_version", table::Type::kText);
  for (int i = 0; i < 300; ++i) model.PushText("churn:v2");
  table::AppendFrame(other.rows, &log.rows);
  const Json document = Judge(TaskFor(log, "auc", 0.8), log);
  ASSERT_EQ(document["performance"].size(), 2U);
  const Json &one = document["performance"].items()[0], &two = document["performance"].items()[1];
  EXPECT_EQ(one["model"].AsString() + " " + two["model"].AsString(), "churn:v1 churn:v2");
  for (const Json* of : {&one, &two}) {
    const Json& auc = (*of)["metrics"]["auc"];
    EXPECT_LT(auc["lower"].AsDouble(), auc["estimate"].AsDouble());
    EXPECT_LT(auc["estimate"].AsDouble(), auc["upper"].AsDouble());
  }
  EXPECT_GT(one["metrics"]["auc"]["estimate"].AsDouble(), 0.7);
  EXPECT_LT(two["metrics"]["auc"]["estimate"].AsDouble(), 0.3);
  const Json::Array& versions = document["versions"].items();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0]["model"].AsString(), "churn:v1");
  EXPECT_EQ(versions[0]["rows"].AsInt(), 400);
  EXPECT_EQ(versions[1]["model"].AsString(), "churn:v2") << "also one whose promise nobody knows";
  EXPECT_EQ(versions[1]["rows"].AsInt(), 300);
}

TEST(JudgeWindow, TheWindowBeforeMayBeTheReference) {
  const Log shifted = MakeLog(2, 400, 0, 3.0, false);
  WindowTask task = TaskFor(shifted, "auc", 0.8);
  task.against_previous = true;
  const Json first = Judge(task, shifted);
  EXPECT_EQ(LevelOfSignal(first, kDrift), "unknown");  // there is none before
  task.previous = first["counts"];
  EXPECT_EQ(LevelOfSignal(Judge(task, shifted), kDrift), "calm");
  EXPECT_EQ(LevelOfSignal(Judge(task, MakeLog(2, 400, 0, 0, false)), kDrift), "bad");
}

}  // namespace
}  // namespace gyre::monitoring
