#include "ml/training/problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "ml/training/frames_for_tests.h"
#include "platform/table/append.h"

namespace gyre::training {
namespace {

FitRequest Ask(const std::string& target) {
  FitRequest request;
  request.target = target;
  return request;
}

table::Frame OneColumn(table::Type type, const std::vector<double>& values) {
  table::Frame frame = table::EmptyFrame({{"x", table::Type::kDouble}, {"y", type}});
  Random random(3);
  for (const double v : values) {
    frame.columns[0].PushDouble(random.Normal());
    if (v < 0) {
      frame.columns[1].PushNull();
    } else if (type == table::Type::kDouble) {
      frame.columns[1].PushDouble(v);
    } else {
      frame.columns[1].PushInt(static_cast<std::int64_t>(v));
    }
  }
  return frame;
}

TEST(Problem, LeavesOutWhatKnowsTheAnswer) {
  const auto problem = PrepareProblem(Ask("churn"), ChurnFrame(2'000, 1));
  ASSERT_TRUE(problem) << problem.error().ToString();
  EXPECT_EQ(problem->task(), predictors::Task::kBinary);
  EXPECT_EQ(problem->metric->name, "auc");
  EXPECT_EQ(problem->excluded, std::vector<std::string>{"leak"});
  FitRequest keep = Ask("churn");
  keep.keep_leaks = true;
  EXPECT_TRUE(PrepareProblem(keep, ChurnFrame(2'000, 1))->excluded.empty());
}

TEST(Problem, NamesWhatIsMissing) {
  const auto typo = PrepareProblem(Ask("chrun"), ChurnFrame(100, 1));
  ASSERT_FALSE(typo);
  EXPECT_EQ(typo.error().gy(), "GY3501");
  ASSERT_FALSE(typo.error().fixes().empty());
  EXPECT_NE(typo.error().fixes()[0].find("churn"), std::string::npos);
  FitRequest metric = Ask("churn");
  metric.metric = "rmse";
  EXPECT_EQ(PrepareProblem(metric, ChurnFrame(100, 1)).error().gy(), "GY3501");
}

TEST(Problem, TargetsThatCannotBeLearnedSayWhy) {
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, std::vector<double>(50, 1)))
                .error()
                .gy(),
            "GY3503");
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, std::vector<double>(50, -1)))
                .error()
                .gy(),
            "GY3502");
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, {1})).error().gy(), "GY3502");
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, {})).error().gy(), "GY3502");
}

TEST(Problem, WholeNumbersAreClassesWhenFewAndAmountsWhenMany) {
  std::vector<double> few, many, missing;
  for (int i = 0; i < 200; ++i) {
    few.push_back(i % 3);
    many.push_back(i % 40);
    missing.push_back(i % 4 == 0 ? -1 : i % 2);
  }
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, few))->task(),
            predictors::Task::kMulticlass);
  EXPECT_EQ(PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, many))->task(),
            predictors::Task::kRegression);
  const auto problem = PrepareProblem(Ask("y"), OneColumn(table::Type::kInt, missing));
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->task(), predictors::Task::kBinary);
  EXPECT_EQ(problem->train_target.rows() + problem->test_target.rows(), 150U);
  EXPECT_TRUE(std::ranges::any_of(problem->findings,
                                  [](const Finding& f) { return f.kind == "missing target"; }));
}

TEST(Problem, ABadRequestIsRefusedBeforeAnythingIsRead) {
  EXPECT_EQ(ParseFitRequest(Json::Obj({{"target", "y"}, {"budget_seconds", 0.0}})).error().gy(),
            "GY3501");
  EXPECT_EQ(ParseFitRequest(Json::Obj({{"target", "y"}, {"trials", -1}})).error().gy(), "GY3501");
  EXPECT_FALSE(ParseFitRequest(Json::Obj({{"target", "y"}, {"task", "guess"}})));
  EXPECT_TRUE(ParseFitRequest(Json::Obj({{"target", "y"}})));
}

table::Schema People() {
  return {{"day", table::Type::kDate},
          {"who", table::Type::kText},
          {"x", table::Type::kDouble},
          {"y", table::Type::kInt}};
}

TEST(Problem, ColumnsOfTheSplitAreCheckedByNameAndTypeBeforeAnythingIsRead) {
  FitRequest request = Ask("y");
  EXPECT_TRUE(CheckColumns(request, People()));
  const auto refused = [&](const char* time, const char* group) {
    request.time_column = time;
    request.group_column = group;
    const auto checked = CheckColumns(request, People());
    return checked ? std::string() : checked.error().message();
  };
  EXPECT_EQ(refused("day", "who"), "");
  EXPECT_EQ(refused("y", ""), "`y` is the target: it cannot be the time column too");
  EXPECT_EQ(refused("", "y"), "`y` is the target: it cannot be the group column too");
  EXPECT_EQ(refused("who", ""), "the time column `who` holds text");
  EXPECT_EQ(refused("", "whom"), "the data has no group column `whom`");
  EXPECT_EQ(refused("day", "day"), "`day` cannot be both the time and the group column");
}

// x, "when" that goes up by one per row, "who" that changes every `run` rows, y.
table::Frame Visits(std::size_t rows, std::size_t run, bool come_back) {
  table::Frame frame = table::EmptyFrame({{"x", table::Type::kDouble},
                                          {"when", table::Type::kDate},
                                          {"who_id", table::Type::kInt},
                                          {"y", table::Type::kDouble}});
  Random random(4);
  for (std::size_t i = 0; i < rows; ++i) {
    frame.columns[0].PushDouble(random.Normal());
    frame.columns[1].PushInt(static_cast<std::int64_t>(i));
    frame.columns[2].PushInt(static_cast<std::int64_t>(come_back ? i % run : i / run));
    frame.columns[3].PushDouble(random.Normal());
  }
  return frame;
}

TEST(Problem, TimeAndGroupTogetherShareNoGroupAndLearnFromThePastOnly) {
  FitRequest request = Ask("y");
  request.time_column = "when";
  request.group_column = "who_id";
  const auto problem = PrepareProblem(request, Visits(1'000, 7, false));
  ASSERT_TRUE(problem) << problem.error().ToString();
  EXPECT_EQ(SplitKindName(problem->split_kind), "time and group");
  const auto &train = problem->train, &test = problem->test;
  EXPECT_LT(std::ranges::max(train.Find("when")->ints), std::ranges::min(test.Find("when")->ints));
  EXPECT_LT(std::ranges::max(train.Find("who_id")->ints),
            std::ranges::min(test.Find("who_id")->ints));
  EXPECT_GE(test.rows(), 100U);
  EXPECT_EQ(problem->excluded, std::vector<std::string>{"who_id"});
}

TEST(Problem, GroupsThatRunThroughAllOfTheTimeCannotBeSplitByBoth) {
  FitRequest request = Ask("y");
  request.time_column = "when";
  request.group_column = "who_id";
  const auto problem = PrepareProblem(request, Visits(1'000, 50, true));
  ASSERT_FALSE(problem);
  EXPECT_EQ(problem.error().gy(), "GY3505");
  EXPECT_EQ(problem.error().fixes().size(), 2U);
}

TEST(Problem, AColumnThatSplitsNothingIsRefused) {
  table::Frame frame = Visits(200, 200, false);  // one group
  FitRequest request = Ask("y");
  request.group_column = "who_id";
  const auto one = PrepareProblem(request, frame);
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().message(),
            "the group column `who_id` has one value only: it splits nothing");
  const auto two = PrepareProblem(request, Visits(200, 100, false));
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().gy(), "GY3505");
  EXPECT_TRUE(PrepareProblem(request, Visits(200, 60, false)));
}

TEST(Problem, AGroupColumnThatDiffersInEveryRowIsSaidToSplitNothing) {
  FitRequest request = Ask("y");
  request.group_column = "who_id";
  const auto problem = PrepareProblem(request, Visits(200, 1, false));
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->split_kind, SplitKind::kStratified);
  const auto said = std::ranges::find(problem->findings, "who_id", &Finding::column);
  ASSERT_NE(said, problem->findings.end());
  EXPECT_EQ(said->kind, "no groups");
  EXPECT_TRUE(said->left_out);
}

TEST(Problem, RowsWithoutAKeyAreNotOneGroup) {
  FitRequest request = Ask("y");
  request.group_column = "who_id";
  table::Frame frame = Visits(1'000, 5, false);
  table::Column& who = frame.columns[2];
  who.valid.assign(who.size(), 1);
  for (std::size_t i = 0; i < who.size(); i += 2) who.valid[i] = 0;
  const auto problem = PrepareProblem(request, frame);
  ASSERT_TRUE(problem) << problem.error().ToString();
  EXPECT_EQ(problem->split_kind, SplitKind::kGroup);
  EXPECT_EQ(problem->test.rows(), 100U);
  const auto said = std::ranges::find(problem->findings, "missing groups", &Finding::kind);
  ASSERT_NE(said, problem->findings.end());
  EXPECT_EQ(said->text,
            "`who_id` is missing in 500 of 1,000 rows: each of them is a group of its own");
}

TEST(Problem, ARandomSplitOfRowsInTimeOrRepeatedIdsIsNamedWithTheCommandThatMendsIt) {
  FitRequest request = Ask("y");
  request.dataset = "visits";
  table::Frame twice = Visits(1'000, 20, false);
  for (std::int64_t& day : twice.columns[1].ints) day /= 2;
  const auto problem = PrepareProblem(request, twice);
  ASSERT_TRUE(problem) << problem.error().ToString();
  std::vector<std::string> kinds;
  for (const Finding& f : problem->findings) {
    kinds.push_back(f.kind);
    EXPECT_FALSE(f.left_out);
    EXPECT_NE(f.text.find("gyre train visits --target y --"), std::string::npos) << f.text;
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"time order", "repeats"}));
  request.time_column = "when";
  EXPECT_TRUE(PrepareProblem(request, Visits(1'000, 20, false))->findings.empty());
}

TEST(Problem, AClearColumnOfTimeOrPeopleSplitsAndThatIsSaid) {
  const auto split_of = [](const table::Frame& frame, bool random = false) {
    FitRequest request = Ask("y");
    request.random_split = random;
    const auto problem = PrepareProblem(request, frame);
    if (!problem) return problem.error().ToString();
    const auto said = std::ranges::count(problem->findings, "split", &Finding::kind);
    EXPECT_EQ(said == 1, problem->split_kind != SplitKind::kStratified);
    return std::string(SplitKindName(problem->split_kind));
  };
  const table::Frame visits = Visits(1'000, 20, true);
  EXPECT_EQ(split_of(visits), "time");
  EXPECT_EQ(split_of(visits, true), "stratified");
  table::Frame two_times = visits;
  two_times.columns.push_back(visits.columns[1]);
  two_times.columns.back().name = "later";
  EXPECT_EQ(split_of(two_times), "stratified") << "which of them?";
  table::Frame people = visits.WithoutColumns({"when"});
  EXPECT_EQ(split_of(people), "stratified") << "who_id names nobody in particular";
  people.columns[1].name = "Customer_ID";
  EXPECT_EQ(split_of(people), "group");
  EXPECT_EQ(split_of(people, true), "stratified");
  EXPECT_EQ(split_of(people.Select([] {
              std::vector<std::uint32_t> some(30);
              std::iota(some.begin(), some.end(), 0U);
              return some;
            }())),
            "stratified")
      << "each stands there once or twice";
}

TEST(Problem, AClearTimeThatLeavesOneClassOnASideDoesNotSplit) {
  table::Frame frame = Visits(400, 20, false).WithoutColumns({"y"});
  table::Column y{.name = "y", .type = table::Type::kInt};
  for (std::size_t i = 0; i < 400; ++i) y.PushInt(i < 320 ? 0 : 1);
  frame.columns.push_back(std::move(y));
  const auto problem = PrepareProblem(Ask("y"), frame);
  ASSERT_TRUE(problem) << problem.error().ToString();
  EXPECT_EQ(problem->split_kind, SplitKind::kStratified);
}

TEST(Problem, ARecipeThatChoosesWordsByTheAnswerIsRefused) {
  const auto checked = [](const char* args) -> std::string {
    FitRequest request = Ask("y");
    request.recipe = *recipes::Spec::FromYaml(
        fmt::format("input: {{schema: {{note: text}}}}\n"
                    "steps: [{{id: w, op: text.ngrams, in: note, args: {}}}]\noutput: [w]\n",
                    args));
    const auto result =
        CheckColumns(request, {{"note", table::Type::kText}, {"y", table::Type::kInt}});
    return result ? "" : result.error().gy();
  };
  EXPECT_EQ(checked("{columns: 300}"), "GY3523");
  EXPECT_EQ(checked("{columns: 300, select: frequency}"), "");
  EXPECT_EQ(checked("{columns: 300, to: hash}"), "");
}

TEST(Problem, ARecipeMaySayHowRowsAreSplit) {
  const auto split_of = [](const char* roles, const Json& more = Json::Obj()) -> std::string {
    Json json = Json::Obj({{"target", "y"}});
    for (const auto& [key, value] : more.members()) json.Set(key, value);
    json.Set("recipe", recipes::Spec::FromYaml(
                           fmt::format("input: {{schema: {{x: double}}{}}}\n"
                                       "steps: [{{id: a, op: number, in: x}}]\noutput: [a]\n",
                                       roles))
                           ->ToJson());
    auto request = ParseFitRequest(json);
    if (!request) return request.error().gy();
    table::Frame frame = Visits(1'000, 20, true);
    for (std::int64_t& day : frame.columns[1].ints) day = day * 7 % 1'000;
    const auto problem = PrepareProblem(*std::move(request), std::move(frame));
    return problem ? std::string(SplitKindName(problem->split_kind)) : problem.error().gy();
  };
  EXPECT_EQ(split_of(""), "stratified");
  EXPECT_EQ(split_of(", label: y"), "stratified");
  EXPECT_EQ(split_of(", label: x"), "GY3118");
  EXPECT_EQ(split_of(", time: when"), "time");
  EXPECT_EQ(split_of(", key: who_id"), "group");
  EXPECT_EQ(split_of(", key: when"), "stratified") << "every row is its own";
  EXPECT_EQ(split_of(", key: who_id, time: when"), "time");
  EXPECT_EQ(split_of(", key: whom"), "GY3501");
  EXPECT_EQ(split_of(", time: when", Json::Obj({{"time_column", "who_id"}})), "GY3501");
}

TEST(Problem, TrialsAloneReadNoClockAndABudgetBesideThemDoes) {
  const auto budget = [](Json extra) {
    extra.Set("target", "y");
    return ParseFitRequest(extra)->budget_seconds;
  };
  EXPECT_EQ(budget(Json::Obj()), kBudgetSeconds);
  EXPECT_EQ(budget(Json::Obj({{"trials", 3}})), 0);
  EXPECT_EQ(budget(Json::Obj({{"trials", 3}, {"budget_seconds", 5}})), 5);
}

TEST(Problem, RefusesARecipeThatReadsTheAnswer) {
  const auto prepare = [](std::string_view column, bool keep_leaks, std::string group) {
    FitRequest request;
    request.target = "churn";
    request.keep_leaks = keep_leaks;
    request.group_column = std::move(group);
    request.recipe = *recipes::Spec::FromYaml(
        fmt::format("input: {{schema: {{{0}: text}}}}\n"
                    "steps: [{{id: s, op: encode.onehot, in: {0}}}]\noutput: [s]\n",
                    column));
    const auto problem = PrepareProblem(std::move(request), ChurnFrame(2'000, 1));
    return problem ? std::string() : std::string(problem.error().gy());
  };
  EXPECT_EQ(prepare("city", false, ""), "");
  EXPECT_EQ(prepare("leak", false, ""), "GY3506");
  EXPECT_EQ(prepare("leak", true, ""), "");
  EXPECT_EQ(prepare("churn", true, ""), "GY3116");
  EXPECT_EQ(prepare("citi", false, ""), "GY3111");
  EXPECT_EQ(prepare("city", false, "city"), "GY3507");
}

TEST(Problem, CopiesOnBothSidesAreTold) {
  const table::Frame once = ChurnFrame(300, 8).WithoutColumns({"leak"});
  const auto told = [](const table::Frame& frame) {
    FitRequest request;
    request.target = "churn";
    const auto problem = PrepareProblem(request, frame);
    EXPECT_TRUE(problem) << problem.error().ToString();
    return std::ranges::any_of(problem->findings,
                               [](const Finding& finding) { return finding.kind == "copies"; });
  };
  EXPECT_FALSE(told(once));
  std::vector<std::uint32_t> thrice;
  for (std::uint32_t i = 0; i < 900; ++i) thrice.push_back(i / 3);
  EXPECT_TRUE(told(once.Select(thrice)));
  // Few kinds of rows are no copies.
  EXPECT_FALSE(told(once.WithoutColumns({"x"}).Select(thrice)));
}

}  // namespace
}  // namespace gyre::training
