#include "ml/tracking/run_search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/run_fields.h"
#include "ml/tracking/run_rows_for_tests.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// --- the same, said as plainly as can be --------------------------------------------------------
FieldValue MetricOf(const RunForTests& run, Entity entity, const std::string& key) {
  const auto metric = run.metrics.find(key);
  if (metric == run.metrics.end()) return {};
  if (entity == Entity::kMetric) return metric->second.value;
  const bool least =
      entity == Entity::kMetricLeast || (entity == Entity::kMetricBest && IsLowerBetter(key));
  const auto& value = least ? metric->second.least : metric->second.most;
  return value ? FieldValue(*value) : FieldValue();
}

FieldValue TextOf(const std::map<std::string, std::string>& texts, const std::string& key) {
  const auto text = texts.find(key);
  return text == texts.end() ? FieldValue() : FieldValue(text->second);
}

FieldValue AttributeOf(const RunForTests& run, const std::string& key, bool to_order) {
  const double unit = to_order ? 1 : 1000;
  if (key == "run_id") return run.id;
  if (key == "run_name") return run.name;
  if (key == "status") return run.status;
  if (key == "user_id") return run.user_name;
  if (key == "start_time") return std::floor(static_cast<double>(run.started_us) / unit);
  if (key == "end_time") {
    if (run.ended_us == 0) return {};
    return std::floor(static_cast<double>(run.ended_us) / unit);
  }
  if (!run.artifact_root.empty()) return run.artifact_root;
  return fmt::format("mlflow-artifacts:/{}/{}/artifacts", run.experiment, run.id);
}

FieldValue FieldOfRun(const RunForTests& run, Entity entity, const std::string& key,
                      bool to_order) {
  if (entity == Entity::kAttribute) return AttributeOf(run, key, to_order);
  if (entity == Entity::kParam) return TextOf(run.params, key);
  if (entity == Entity::kTag) return TextOf(run.tags, key);
  return MetricOf(run, entity, key);
}

bool IsMet(const RunForTests& run, Comparison comparison) {
  if (comparison.entity == Entity::kDataset) {
    return std::ranges::any_of(run.datasets, [&](const DatasetForTests& dataset) {
      const bool name = comparison.key == "name", digest = comparison.key == "digest";
      if (!name && !digest && dataset.context.empty()) return false;
      return Holds(comparison, name ? dataset.name : digest ? dataset.digest : dataset.context);
    });
  }
  if (auto* text = std::get_if<std::string>(&comparison.value); text && comparison.key == "status")
    std::ranges::transform(*text, text->begin(), ::tolower);
  return Holds(comparison, FieldOfRun(run, comparison.entity, comparison.key, false));
}

bool IsMet(const RunForTests& run, const FilterNode& node) {
  const auto met = [&](const FilterNode& child) { return IsMet(run, child); };
  switch (node.kind) {
    case FilterNode::Kind::kComparison:
      return IsMet(run, node.comparison);
    case FilterNode::Kind::kAnd:
      return std::ranges::all_of(node.children, met);
    case FilterNode::Kind::kOr:
      return std::ranges::any_of(node.children, met);
    case FilterNode::Kind::kNot:
      return !met(node.children.front());
  }
  return false;
}

// 0 a value, 1 NaN, 2 nothing.
int Rank(const FieldValue& value) {
  if (value.index() == 0) return 2;
  return value.index() == 1 && std::isnan(std::get<double>(value)) ? 1 : 0;
}

bool StandsBefore(const RunForTests& a, const RunForTests& b, const RunSearch& search) {
  bool by_start = true;
  for (const OrderBy& order : search.order) {
    by_start &= order.key != "start_time" || order.entity != Entity::kAttribute;
    const FieldValue x = FieldOfRun(a, order.entity, order.key, true);
    const FieldValue y = FieldOfRun(b, order.entity, order.key, true);
    if (Rank(x) != Rank(y)) return Rank(x) < Rank(y);
    if (Rank(x) != 0 || x == y) continue;
    return order.ascending ? x < y : y < x;
  }
  if (by_start && a.started_us != b.started_us) return a.started_us > b.started_us;
  return a.id < b.id;
}

std::vector<std::string> Oracle(const std::vector<RunForTests>& runs, const RunSearch& search) {
  std::vector<const RunForTests*> found;
  for (const RunForTests& run : runs) {
    const bool among =
        run.project == search.project &&
        std::ranges::find(search.experiments, run.experiment) != search.experiments.end();
    const bool viewed =
        search.view == View::kAll || (run.deleted_us == 0) == (search.view == View::kActive);
    if (among && viewed && (search.filter.empty() || IsMet(run, search.filter.root.front())))
      found.push_back(&run);
  }
  std::ranges::sort(found, [&](const RunForTests* a, const RunForTests* b) {
    return StandsBefore(*a, *b, search);
  });
  std::vector<std::string> ids;
  for (const RunForTests* run : found) ids.push_back(run->id);
  return ids;
}

// --- anything -----------------------------------------------------------------------------------
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  std::size_t Below(std::size_t n) { return random_() % n; }
  bool Chance(std::size_t percent) { return Below(100) < percent; }
  template <class T>
  const T& One(const std::vector<T>& of) {
    return of[Below(of.size())];
  }

 private:
  std::mt19937 random_;  // NOLINT: the same every time
};

const std::vector<std::string> kTexts = {"",
                                         "a",
                                         "b",
                                         "A",
                                         "a%",
                                         "ab",
                                         "é",
                                         "日本",
                                         std::string(64, 'x'),
                                         std::string(64, 'x') + "1",
                                         std::string(64, 'x') + "2",
                                         std::string(63, 'x') + "é1"};
const std::vector<double> kValues = {0, 0, 0.5, 1, -1, 2.5, 1e300, kInfinity, -kInfinity, kNaN};
const std::vector<std::string> kMetrics = {"auc", "val_loss", "m m"};

RunForTests AnyRun(Dice& dice, std::int64_t number) {
  RunForTests run = {.number = number, .experiment = 1 + static_cast<std::int64_t>(dice.Below(4))};
  if (run.experiment == 4) run.project = "q";
  run.id = fmt::format("{:032x}", static_cast<std::uint64_t>(number) * 0x9E3779B97F4A7C15U);
  run.name = dice.One<std::string>({"calm-cat-1", "bold-dog-2", "x"});
  run.user_name = dice.One<std::string>({"ana", "ben"});
  run.status = dice.One<std::string>({"running", "finished", "failed"});
  if (dice.Chance(30)) run.artifact_root = "s3://b/" + run.name;
  run.started_us = 1'000'000 + static_cast<std::int64_t>(dice.Below(40)) * 500;
  if (dice.Chance(70)) run.ended_us = run.started_us + static_cast<std::int64_t>(dice.Below(5000));
  if (dice.Chance(20)) run.deleted_us = 1 + static_cast<std::int64_t>(dice.Below(3));
  for (const std::string& key : kMetrics) {
    if (dice.Chance(30)) continue;
    const double value = dice.One(kValues);
    std::optional<double> least, most;
    if (dice.Chance(90)) least = dice.One<double>({-3, -2, 0}), most = dice.One<double>({1, 3, 9});
    run.metrics[key] = {value, least, most};
  }
  for (const std::string key : {"p", "q q"})
    if (dice.Chance(70)) run.params[key] = dice.One(kTexts);
  for (const std::string key : {"t", "mlflow.parentRunId"})
    if (dice.Chance(50)) run.tags[key] = dice.One(kTexts);
  for (std::size_t i = dice.Below(3); i > 0; --i)
    run.datasets.push_back({dice.One<std::string>({"d0", "d1"}),
                            std::to_string(i) + dice.One<std::string>({"x", "y"}),
                            dice.One<std::string>({"train", "eval", ""})});
  return run;
}

std::string Quoted(const std::string& text) { return "'" + text + "'"; }

std::string AnyComparison(Dice& dice, const std::vector<RunForTests>& runs) {
  const std::string number = dice.One<std::string>({">", ">=", "<", "<=", "=", "!="});
  const std::string text = dice.One<std::string>({"=", "=", "=", "!=", "LIKE", "ILIKE"});
  const std::string value = dice.One<std::string>({"0", "0.5", "1", "-1", "2.5", "-7", "1e300"});
  const std::string wanted = Quoted(dice.One(kTexts) + (dice.Chance(20) ? "%" : ""));
  const std::string id = dice.One(runs).id;
  switch (dice.Below(12)) {
    case 0:
    case 1:
    case 2:
      return fmt::format("{}.`{}` {} {}",
                         dice.One<std::string>({"metrics", "metrics", "min", "max", "best"}),
                         dice.One(kMetrics), number, value);
    case 3:
      return fmt::format("params.p {} {}", text, wanted);
    case 4:
      return fmt::format("params.`q q` {} {}", text, wanted);
    case 5:
      return fmt::format("tags.t {} {}", text, wanted);
    case 6:
      return fmt::format("tags.mlflow.parentRunId IS {}NULL", dice.Chance(50) ? "NOT " : "");
    case 7:
      return fmt::format("start_time {} {}", number, 1000 + dice.Below(20));
    case 8:
      return fmt::format("end_time {} {}.5", number, 1000 + dice.Below(20));
    case 9:
      return dice.One<std::string>({"status = 'FINISHED'", "status != 'failed'",
                                    "status = 'RUNNING'", "status LIKE 'F%'", "run_name = 'x'",
                                    "run_name ILIKE 'CALM%'", "user_id = 'ana'",
                                    "artifact_uri LIKE 'mlflow%'"});
    case 10:
      return dice.Chance(50) ? fmt::format("run_id {} '{}'", dice.One<std::string>({"=", "!="}), id)
                             : fmt::format("run_id {}IN ('{}', 'x', '{}')",
                                           dice.Chance(30) ? "NOT " : "", id, dice.One(runs).id);
    default:
      return dice.One<std::string>({"dataset.name = 'd0'", "dataset.name = 'd1'",
                                    "dataset.name IN ('d0', 'd9')", "dataset.digest LIKE '1%'",
                                    "dataset.context != 'train'", "metrics.nobody > 1",
                                    "params.nobody = 'x'"});
  }
}

std::string AnyFilter(Dice& dice, const std::vector<RunForTests>& runs, int depth) {
  if (depth == 0 || dice.Chance(30)) return AnyComparison(dice, runs);
  const std::string a = AnyFilter(dice, runs, depth - 1), b = AnyFilter(dice, runs, depth - 1);
  switch (dice.Below(6)) {
    case 0:
      return fmt::format("({} OR {})", a, b);
    case 1:
      return fmt::format("NOT ({})", a);
    default:
      return fmt::format("{} AND {}", a, b);
  }
}

std::vector<std::string> AnyOrder(Dice& dice) {
  std::vector<std::string> fields = {
      "metrics.auc",   "metrics.val_loss", "metrics.`m m`", "metrics.nobody", "min.auc",
      "best.val_loss", "params.p",         "params.nobody", "tags.t",         "start_time",
      "end_time",      "status",           "run_name",      "run_id",         "artifact_uri"};
  std::vector<std::string> order;
  for (std::size_t i = dice.Below(4) == 0 ? dice.Below(4) : dice.Below(2); i > 0; --i) {
    const std::size_t one = dice.Below(fields.size());
    order.push_back(fields[one] + dice.One<std::string>({"", " ASC", " DESC"}));
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(one));
  }
  return order;
}

// --- tests --------------------------------------------------------------------------------------
class RunSearchTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-run-search-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    const auto written = database_->Write([](db::Transaction& tx) -> Result<> {
      for (const std::int64_t number : {1, 2, 3}) GYRE_DO(WriteExperiment(tx, number, "p"));
      return WriteExperiment(tx, 4, "q");
    });
    ASSERT_TRUE(written) << written.error().ToString();
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Write(std::vector<RunForTests> runs) {
    const auto written = database_->Write([&](db::Transaction& tx) -> Result<> {
      for (const RunForTests& run : runs) GYRE_DO(WriteRun(tx, run));
      return {};
    });
    ASSERT_TRUE(written) << written.error().ToString();
    runs_.insert(runs_.end(), runs.begin(), runs.end());
  }
  void WriteAny(Dice& dice, int count) {
    std::vector<RunForTests> runs;
    for (int i = 1; i <= count; ++i) runs.push_back(AnyRun(dice, i));
    Write(std::move(runs));
  }

  static RunSearch SearchOf(const std::string& filter, const std::vector<std::string>& order = {}) {
    RunSearch search = {.project = "p", .experiments = {1, 2, 3}};
    auto parsed = ParseFilter(filter, kRunFields);
    EXPECT_TRUE(parsed) << filter << ": " << parsed.error().ToString();
    search.filter = *std::move(parsed);
    search.order = *ParseOrder(order, kRunFields);
    return search;
  }

  // All pages, one after the other.
  std::vector<std::string> Walk(RunSearch search, const RunSearchEffort& effort) {
    RunSearcher searcher(*database_, {}, effort);
    std::vector<std::string> ids;
    for (std::size_t pages = 0; pages <= runs_.size() + 1; ++pages) {
      auto page = searcher.Find(search);
      EXPECT_TRUE(page) << page.error().ToString();
      if (!page) return ids;
      EXPECT_EQ(page->next_page_token.empty(),
                page->ids.size() < static_cast<std::size_t>(search.limit));
      EXPECT_EQ(page->numbers.size(), page->ids.size());
      ids.insert(ids.end(), page->ids.begin(), page->ids.end());
      if (page->next_page_token.empty()) return ids;
      search.page_token = page->next_page_token;
    }
    ADD_FAILURE() << "the pages do not end";
    return ids;
  }

  std::string directory_;
  std::unique_ptr<db::Database> database_;
  std::vector<RunForTests> runs_;
};

TEST_F(RunSearchTest, FindsWhatIsThereInItsOrderPageByPage) {
  // Others with --gtest_shuffle --gtest_random_seed=N.
  Dice dice(11 + static_cast<unsigned>(testing::UnitTest::GetInstance()->random_seed()));
  WriteAny(dice, 400);
  for (int i = 0; i < 1'500; ++i) {
    const std::string filter = dice.Chance(15) ? "" : AnyFilter(dice, runs_, 3);
    const std::vector<std::string> order = AnyOrder(dice);
    RunSearch search = SearchOf(filter, order);
    search.view = dice.One<View>({View::kActive, View::kActive, View::kDeleted, View::kAll});
    search.limit = dice.One<int>({1, 7, 50, 50, 1000});
    if (search.limit == 1 && dice.Chance(80)) search.limit = 20;
    search.experiments = dice.One<std::vector<std::int64_t>>({{1}, {2, 1}, {3, 2, 1, 4}, {4}, {}});
    const RunSearchEffort effort = {.few = dice.One<std::int64_t>({0, 20, 100}),
                                    .walked = dice.One<std::int64_t>({0, 40, 2'000}),
                                    .walked_per_run = dice.One<std::int64_t>({0, 4}),
                                    .many = dice.One<std::int64_t>({0, 60, 20'000})};
    ASSERT_EQ(Walk(search, effort), Oracle(runs_, search))
        << filter << " by " << testing::PrintToString(order) << " view "
        << static_cast<int>(search.view) << " limit " << search.limit << " of "
        << testing::PrintToString(search.experiments) << " few " << effort.few << " walked "
        << effort.walked << " many " << effort.many << " turn " << i;
  }
}

TEST_F(RunSearchTest, NumbersComeBeforeNaNBeforeNothingBothWays) {
  Write({{.number = 1, .experiment = 1, .id = "a", .metrics = {{"m", {kNaN}}}},
         {.number = 2, .experiment = 1, .id = "b"},
         {.number = 3, .experiment = 1, .id = "c", .metrics = {{"m", {2}}}},
         {.number = 4, .experiment = 1, .id = "d", .metrics = {{"m", {-kInfinity}}}}});
  const std::vector<std::string> up = {"d", "c", "a", "b"}, down = {"c", "d", "a", "b"};
  EXPECT_EQ(Walk(SearchOf("", {"metrics.m ASC"}), {}), up);
  EXPECT_EQ(Walk(SearchOf("", {"metrics.m DESC"}), {}), down);
  const std::vector<std::string> other = {"a", "d"};
  EXPECT_EQ(Walk(SearchOf("metrics.m != 2"), {}), other);
}

TEST_F(RunSearchTest, RefusesATokenOfAnotherSearch) {
  Dice dice(3);
  WriteAny(dice, 30);
  RunSearch search = SearchOf("", {"metrics.auc"});
  search.limit = 2;
  RunSearcher searcher(*database_);
  const std::string token = searcher.Find(search)->next_page_token;
  ASSERT_FALSE(token.empty());
  RunSearch other = SearchOf("", {"metrics.auc DESC"});
  RunSearch filtered = SearchOf("run_name = 'x'", {"metrics.auc"});
  for (RunSearch* one : {&other, &filtered}) {
    one->page_token = token;
    const auto found = searcher.Find(*one);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().gy(), "GY3432");
  }
  for (const std::string& wrong : {std::string("x"), std::string("eyJvZmZzZXQiOiAyfQ=="),
                                   token.substr(0, token.size() - 4), token + "AAAA"}) {
    search.page_token = wrong;
    EXPECT_FALSE(searcher.Find(search)) << wrong;
  }
}

TEST_F(RunSearchTest, TakesWhatPeopleWriteAsText) {
  const std::string evil = "'; DROP TABLE tracking_run; --";
  Write({{.number = 1, .experiment = 1, .id = "a", .params = {{evil, evil}}}});
  EXPECT_EQ(Walk(SearchOf("params.`'; DROP TABLE tracking_run; --` = "
                          "\"'; DROP TABLE tracking_run; --\""),
                 {})
                .size(),
            1U);
}

TEST_F(RunSearchTest, SaysHowManyNamesAreTooMany) {
  std::string filter = "params.p0 = 'x'";
  for (int i = 1; i < 60; ++i) filter += fmt::format(" OR params.p{} = 'x'", i);
  Dice dice(5);
  std::vector<RunForTests> runs(1);
  runs[0] = {.number = 1, .experiment = 1, .id = "a"};
  for (int i = 0; i < 60; ++i) runs[0].params[fmt::format("p{}", i)] = "x";
  Write(std::move(runs));
  const auto found = RunSearcher(*database_).Find(SearchOf(filter));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().gy(), "GY3430");
}

TEST(RunFields, KnowWhichWayAMetricIsBetter) {
  for (const std::string_view lower : {"loss", "val_loss", "eval/rmse", "train.mae", "log_loss",
                                       "word-error-rate", "Perplexity", "final loss of all"})
    EXPECT_TRUE(IsLowerBetter(lower)) << lower;
  for (const std::string_view higher : {"auc", "val_accuracy", "f1", "eval/r2", "reward", ""})
    EXPECT_FALSE(IsLowerBetter(higher)) << higher;
}

}  // namespace
}  // namespace gyre::tracking
