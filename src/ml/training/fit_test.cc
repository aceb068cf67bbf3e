#include <gtest/gtest.h>

#include <numeric>

#include "ml/predictors/scorer.h"
#include "ml/training/fit_task.h"
#include "ml/training/frames_for_tests.h"
#include "platform/exec/files.h"
#include "platform/table/append.h"
#include "platform/table/writer.h"

namespace gyre::training {
namespace {

class FakeContext final : public runners::TaskContext {
 public:
  FakeContext() {
    auto made = exec::MakeTemporaryDirectory();
    EXPECT_TRUE(made);
    directory_ = *made;
  }
  ~FakeContext() override { EXPECT_TRUE(exec::RemoveTree(directory_)); }
  const Json& input() const override { return input_; }
  const std::string& scratch_directory() const override { return directory_; }
  void Progress(double, std::string_view) override {}
  void Log(std::string_view) override {}
  void Event(std::string_view kind, const Json& data) override {
    EXPECT_EQ(kind, "candidate");
    candidates.push_back(data);
  }
  bool cancelled() const override { return cancel; }
  std::vector<Json> candidates;
  bool cancel = false;

 private:
  Json input_;
  std::string directory_;
};

FitRequest Ask(const std::string& target, int trials, int threads) {
  FitRequest request;
  request.target = target;
  request.trials = trials;
  request.threads = threads;
  request.seed = 7;
  return request;
}

TEST(Fit, BeatsTheBaselineAndReportsEveryCandidate) {
  FakeContext context;
  const auto problem = PrepareProblem(Ask("churn", 2, 2), ChurnFrame(1'500, 1));
  ASSERT_TRUE(problem);
  const auto fit = FitProblem(context, *problem);
  ASSERT_TRUE(fit) << fit.error().ToString();
  EXPECT_EQ((*fit)["task"].AsString(), "binary");
  EXPECT_GT((*fit)["test_metrics"]["auc"].AsDouble(), 0.75);
  EXPECT_EQ(context.candidates.size(), 5U);  // constant, two linear ones, two settings
  EXPECT_EQ((*fit)["leaderboard"].size(), 4U);
  EXPECT_EQ((*fit)["leaderboard"].items().back()["learner"].AsString(), "constant");
  EXPECT_TRUE((*fit)["judged"].Has("gate_numbers")) << (*fit)["judged"].Dump();
  for (const char* file : {"model.json", "baseline.json", "holdout.parquet"}) {
    EXPECT_TRUE(exec::FileExists(context.scratch_directory() + "/" + file)) << file;
  }
  const auto bytes = exec::ReadFile(context.scratch_directory() + "/model.json");
  const auto scorer = predictors::Scorer::Load(*bytes);
  ASSERT_TRUE(scorer);
  EXPECT_TRUE((*scorer)->Score(problem->test));
}

TEST(Fit, TreesSplitSetsOfCategoriesWhereEachHasManyRows) {
  FakeContext context;
  table::Frame frame = ChurnFrame(6'000, 5).WithoutColumns({"leak", "churn"});
  table::Column churn{.name = "churn",
                      .type = table::Type::kText,
                      .valid = {},
                      .ints = {},
                      .doubles = {},
                      .text = {}};
  for (std::size_t i = 0; i < frame.rows(); ++i)  // no linear model can say this
    churn.PushText(
        (frame.columns[0].doubles[i] > 0) == (frame.columns[2].text[i] == "Oslo") ? "yes" : "no");
  frame.columns.push_back(std::move(churn));
  const auto problem = PrepareProblem(Ask("churn", 1, 1), std::move(frame));
  ASSERT_TRUE(problem);
  ASSERT_TRUE(FitProblem(context, *problem));
  const auto bytes = exec::ReadFile(context.scratch_directory() + "/model.json");
  ASSERT_TRUE(bytes);
  EXPECT_NE(bytes->find("encode.ordinal"), std::string::npos);
  EXPECT_NE(bytes->find("cat_threshold="), std::string::npos);
}

TEST(Fit, UsesTheRecipeThatWasAskedForAsItStands) {
  for (const bool leaves_missing : {false, true}) {
    FitRequest request = Ask("churn", 2, 2);
    request.recipe = *recipes::Spec::FromYaml(
        fmt::format("input: {{schema: {{x: double, z: int, city: text}}}}\n"
                    "steps:\n"
                    "  - {{id: a, op: number, in: x}}\n"
                    "  - {{id: b, op: {}, in: z}}\n"
                    "  - {{id: c, op: encode.target, in: city}}\n"
                    "output: {{vector: [a, b, c]}}\n",
                    leaves_missing ? "number" : "impute.mean"));
    const std::string hash = request.recipe->hash();
    FakeContext context;
    const auto problem = PrepareProblem(std::move(request), ChurnFrame(1'000, 1));
    ASSERT_TRUE(problem) << problem.error().ToString();
    const auto fit = FitProblem(context, *problem);
    ASSERT_TRUE(fit) << fit.error().ToString();
    EXPECT_EQ((*fit)["recipe_hash"].AsString(), hash);
    EXPECT_EQ((*fit)["signature"]["inputs"].size(), 3U);
    EXPECT_EQ((*fit)["leaderboard"].size(), leaves_missing ? 2U : 4U);
    EXPECT_EQ((*fit)["notes"].Dump().contains("no linear model"), leaves_missing);
  }
}

TEST(Fit, SameInputsSeedAndTrialsGiveTheSameBytesWhateverTheThreads) {
  const auto trees = [](const Json& fit) {
    for (const Json& entry : fit["leaderboard"].items()) {
      if (entry["learner"].AsString() == "lightgbm") return entry["valid"].AsDouble();
    }
    return 0.0;
  };
  std::vector<std::string> hashes;
  double valid = 0;
  for (const int threads : {1, 2, 2}) {
    FakeContext context;
    const auto problem = PrepareProblem(Ask("churn", 3, threads), ChurnFrame(800, 2));
    ASSERT_TRUE(problem);
    const auto fit = FitProblem(context, *problem);
    ASSERT_TRUE(fit) << fit.error().ToString();
    hashes.push_back((*fit)["package_sha256"].AsString());
    valid = trees(*fit);
  }
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[1], hashes[2]);
  FakeContext context;
  FitRequest other = Ask("churn", 3, 1);
  other.seed = 8;
  const auto fit = FitProblem(context, *PrepareProblem(other, ChurnFrame(800, 2)));
  ASSERT_TRUE(fit);
  // Another seed draws other folds and samples; the winner may be a linear model, which draws
  // nothing.
  EXPECT_NE(trees(*fit), 0);
  EXPECT_NE(trees(*fit), valid);
}

TEST(Fit, RegressionInTimeOrderHoldsOutTheNewestRowsAndRefits) {
  FakeContext context;
  table::Frame frame = ChurnFrame(600, 3).WithoutColumns({"leak", "churn"});
  table::Column day{
      .name = "day", .type = table::Type::kInt, .valid = {}, .ints = {}, .doubles = {}, .text = {}};
  table::Column amount{.name = "amount",
                       .type = table::Type::kDouble,
                       .valid = {},
                       .ints = {},
                       .doubles = {},
                       .text = {}};
  for (std::size_t i = 0; i < frame.rows(); ++i) {
    day.PushInt(static_cast<std::int64_t>(i / 2));
    amount.PushDouble(3 * frame.columns[0].doubles[i] + 10);
  }
  frame.columns.push_back(std::move(day));
  frame.columns.push_back(std::move(amount));
  FitRequest request = Ask("amount", 1, 1);
  request.time_column = "day";
  request.keep_leaks = true;
  const auto problem = PrepareProblem(request, std::move(frame));
  ASSERT_TRUE(problem) << problem.error().ToString();
  EXPECT_EQ(problem->split_kind, SplitKind::kTime);
  const auto fit = FitProblem(context, *problem);
  ASSERT_TRUE(fit) << fit.error().ToString();
  EXPECT_LT((*fit)["test_metrics"]["rmse"].AsDouble(), 0.5);
}

TEST(Fit, AColumnThatIsAllMissingDoesNoHarm) {
  FakeContext context;
  table::Frame frame = ChurnFrame(300, 4);
  table::Column empty{.name = "empty",
                      .type = table::Type::kText,
                      .valid = {},
                      .ints = {},
                      .doubles = {},
                      .text = {}};
  for (std::size_t i = 0; i < frame.rows(); ++i) empty.PushNull();
  frame.columns.push_back(std::move(empty));
  const auto fit = FitProblem(context, *PrepareProblem(Ask("churn", 1, 1), std::move(frame)));
  EXPECT_TRUE(fit) << fit.error().ToString();
}

// Categories and answers of their own: whoever scores well on validation rows has seen them.
TEST(Fit, EncodingsOfTheAnswerDoNotFlatterTheRowsThatChooseAModel) {
  table::Frame frame = table::EmptyFrame({{"city", table::Type::kText}, {"y", table::Type::kText}});
  Random random(9);
  for (int i = 0; i < 1'500; ++i) {
    frame.columns[0].PushText(fmt::format("c{}", random.Below(500)));
    frame.columns[1].PushText(random.Below(2) == 0 ? "no" : "yes");
  }
  FitRequest request = Ask("y", 2, 2);
  request.recipe = *recipes::Spec::FromYaml(
      "input: {schema: {city: text}}\nsteps:\n"
      "  - {id: a, op: encode.target, in: city, args: {smoothing: 1}}\n"
      "  - {id: b, op: encode.onehot, in: city, args: {max: 500, min_count: 1}}\n"
      "output: [a, b]\n");
  FakeContext context;
  const auto problem = PrepareProblem(request, std::move(frame));
  ASSERT_TRUE(problem) << problem.error().ToString();
  const auto fit = FitProblem(context, *problem);
  ASSERT_TRUE(fit) << fit.error().ToString();
  for (const Json& entry : (*fit)["leaderboard"].items())
    EXPECT_LT(entry["valid"].AsDouble(), 0.6) << entry.Dump();
}

// Texts of chance beside towns: what towns say is heard, and what they do not say is not.
TEST(Fit, ALinearModelOfTextsLearnsFromManyCategoriesHonestly) {
  const auto linear = [](bool towns_tell) {
    table::Frame frame = table::EmptyFrame(
        {{"note", table::Type::kText}, {"town", table::Type::kText}, {"y", table::Type::kText}});
    Random random(11);
    for (int i = 0; i < 1'500; ++i) {
      const std::uint64_t town = random.Below(80);
      std::string note;
      for (int word = 0; word < 8; ++word) note += fmt::format("word{} ", random.Below(60));
      const bool often = towns_tell ? town % 2 == 0 : random.Below(2) == 0;
      frame.columns[0].PushText(note);
      frame.columns[1].PushText(fmt::format("t{}", town));
      frame.columns[2].PushText(random.Below(10) < (often ? 8U : 2U) ? "yes" : "no");
    }
    FakeContext context;
    const auto fit = FitProblem(context, *PrepareProblem(Ask("y", 1, 2), std::move(frame)));
    EXPECT_TRUE(fit) << fit.error().ToString();
    Json found;
    for (const Json& entry : (*fit)["leaderboard"].items()) {
      if (entry["name"].AsString() == "logistic") found = entry;
    }
    return found;
  };
  const Json heard = linear(true), chance = linear(false);
  EXPECT_GT(heard["test"].AsDouble(), 0.72) << heard.Dump();
  EXPECT_LT(chance["valid"].AsDouble(), 0.57) << chance.Dump();
}

// One tree sees a share of the columns. When the time ends after it, a refit with another seed
// would see others: what was measured must be what is kept.
TEST(Fit, AFitOfOneTreeIsKeptAsItWasMeasured) {
  table::Frame frame = table::EmptyFrame(
      {{"a", table::Type::kDouble}, {"b", table::Type::kDouble}, {"y", table::Type::kText}});
  Random random(3);
  for (int i = 0; i < 80'000; ++i) {
    const double a = random.Normal();
    frame.columns[0].PushDouble(a);
    frame.columns[1].PushDouble(random.Normal());
    frame.columns[2].PushText(a + 0.5 * random.Normal() > 0 ? "yes" : "no");
  }
  for (int seed = 0; seed < 6; ++seed) {
    FitRequest request = Ask("y", 0, 2);
    request.seed = seed;
    request.budget_seconds = 0.01;
    FakeContext context;
    const auto fit = FitProblem(context, *PrepareProblem(std::move(request), frame));
    ASSERT_TRUE(fit) << fit.error().ToString();
    for (const Json& entry : (*fit)["leaderboard"].items()) {
      EXPECT_NEAR(entry["valid"].AsDouble(), entry["test"].AsDouble(), 0.05) << entry.Dump();
    }
  }
}

// A champion whose rows were split otherwise knows answers of the rows that judge the new model.
TEST(Fit, TheChampionIsComparedOnRowsThatItDidNotLearnFrom) {
  FakeContext context;
  auto problem = PrepareProblem(Ask("churn", 1, 2), ChurnFrame(2'500, 3));
  ASSERT_TRUE(problem);
  ASSERT_TRUE(FitProblem(context, *problem));
  const std::string folder = context.scratch_directory() + "/";
  const std::string all = folder + "all.parquet", held = folder + "held.parquet";
  const std::string taught = folder + "taught.parquet";
  problem->request.champion_package = folder + "champion.json";
  problem->request.champion_name = "churn:v1";
  ASSERT_TRUE(
      exec::WriteFile(problem->request.champion_package, *exec::ReadFile(folder + "model.json")));
  const std::size_t rows = problem->test.rows();
  ASSERT_GT(rows, 120U);
  std::vector<std::uint32_t> some(rows - 110);
  std::iota(some.begin(), some.end(), 0U);
  ASSERT_TRUE(table::WriteParquet(ChurnFrame(2'500, 3), all));
  ASSERT_TRUE(table::WriteParquet(problem->test, held));
  ASSERT_TRUE(table::WriteParquet(problem->test.Select(some), taught));
  const auto judged = [&](std::vector<std::string> parts, std::string holdout) {
    problem->request.champion_lessons = {"churn:v1", std::move(parts), std::move(holdout)};
    const auto fit = FitProblem(context, *problem);
    EXPECT_TRUE(fit);
    return fit ? (*fit)["judged"] : Json();
  };
  const std::string known = fmt::format("learned from {} of the {} rows", rows - 110, rows);
  const Json honest = judged({all}, held);
  EXPECT_EQ(honest["comparison"]["rows"].AsInt(), static_cast<std::int64_t>(rows));
  EXPECT_EQ(honest["evaluation"]["warnings"].Dump().find("learned"), std::string::npos);
  const Json partly = judged({taught}, "");
  EXPECT_EQ(partly["comparison"]["rows"].AsInt(), 110) << partly.Dump();
  EXPECT_NE(partly["evaluation"]["warnings"].Dump().find(known), std::string::npos);
  const Json leaky = judged({all}, "");
  EXPECT_FALSE(leaky.Has("comparison"));
  EXPECT_NE(leaky["not_compared"].AsString().find("0 are new to it, too few"), std::string::npos)
      << leaky["not_compared"].AsString();
}

TEST(Fit, EveryFinalistSaysWhatItTook) {
  FakeContext context;
  const auto fit = FitProblem(context, *PrepareProblem(Ask("churn", 2, 2), ChurnFrame(600, 6)));
  ASSERT_TRUE(fit);
  for (const Json& entry : (*fit)["leaderboard"].items()) {
    EXPECT_GT(entry["effort"]["memory_bytes_peak"].AsInt(), 1'000'000) << entry.Dump();
    EXPECT_GT(entry["effort"]["cpu_seconds"].AsDouble(), 0) << entry.Dump();
    EXPECT_GT(entry["effort"]["wall_seconds"].AsDouble(), 0) << entry.Dump();
  }
}

TEST(Fit, ABudgetBesideTrialsEndsThemAndThatIsSaid) {
  FakeContext context;
  FitRequest request = Ask("churn", 10'000, 2);
  request.budget_seconds = 2;
  const auto problem = PrepareProblem(request, ChurnFrame(1'000, 7));
  const auto fit = FitProblem(context, *problem);
  ASSERT_TRUE(fit);
  ASSERT_EQ((*fit)["notes"].size(), 1U);
  const std::string& note = (*fit)["notes"].items()[0].AsString();
  EXPECT_NE(note.find("of 10000 settings: another run may give other bytes"), std::string::npos)
      << note;
}

TEST(Fit, AFewGroupsMakeFewFolds) {
  FakeContext context;
  table::Frame frame = ChurnFrame(600, 8);
  FitRequest request = Ask("churn", 1, 1);
  request.group_column = "city";
  const auto fit = FitProblem(context, *PrepareProblem(request, std::move(frame)));
  ASSERT_TRUE(fit) << fit.error().ToString();
}

TEST(Fit, CancelEndsIt) {
  FakeContext context;
  context.cancel = true;
  const auto fit = FitProblem(context, *PrepareProblem(Ask("churn", 50, 1), ChurnFrame(500, 5)));
  ASSERT_FALSE(fit);
  EXPECT_EQ(fit.error().code(), Code::kCancelled);
}

}  // namespace
}  // namespace gyre::training
