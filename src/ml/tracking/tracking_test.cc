#include "ml/tracking/tracking.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

class TrackingTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-tracking-XXXXXX";
    directory_ = mkdtemp(pattern);
    auto database = db::OpenSqlite({.path = directory_ + "/gyre.db"});
    ASSERT_TRUE(database);
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    const auto migrated = database_->Migrate(schemas);
    ASSERT_TRUE(migrated) << migrated.error().ToString();
    auto tracking = OpenTracking(*database_, SystemClock(), stamps_);
    ASSERT_TRUE(tracking);
    tracking_ = *std::move(tracking);
  }
  void TearDown() override {
    tracking_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  tracking::Run Create(const std::string& name, const std::string& project = "p") {
    NewRun run;
    run.project = project;
    run.name = name;
    run.params = {{"lr", "0.1"}};
    run.tags = {{"team", "blue"}};
    run.seed = std::uint64_t{1} << 63;
    auto made = tracking_->CreateRun(std::move(run));
    EXPECT_TRUE(made) << made.error().ToString();
    return *made;
  }

  std::int64_t Count(std::string_view sql) {
    std::int64_t count = -1;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found,
               reader.QueryOne(sql, {}, [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Tracking> tracking_;
};

TEST_F(TrackingTest, WhatARunReadIsAnInputAndAnEdgeOnce) {
  NewRun from{.project = "p", .kind = "program"};
  const tracking::Run run = *tracking_->CreateRun(from);
  const RunInput sales{"dataset_version", "data1", "sales:v1", "hash1"};
  const RunInput people{"dataset_version", "data2", "people:v3", "hash2", true};
  for (const RunInput& input : {sales, sales, people})
    ASSERT_TRUE(tracking_->AddInput(run.id, input));
  RunInput later = sales;
  later.latest = true;
  ASSERT_TRUE(tracking_->AddInput(run.id, later));
  ASSERT_TRUE(tracking_->AddInput(run.id, sales));
  const Json inputs = tracking_->GetRun("p", run.id)->inputs;
  EXPECT_EQ(inputs.Dump(),
            R"([{"kind":"dataset_version","id":"data1","name":"sales:v1","digest":"hash1",)"
            R"("latest":true},{"kind":"dataset_version","id":"data2","name":"people:v3",)"
            R"("digest":"hash2","latest":true}])");
  const lineage::Lineage lineage(*database_);
  const auto up = lineage.Walk(run.id, lineage::Direction::kUp);
  ASSERT_TRUE(up);
  ASSERT_EQ(up->nodes.size(), 3u);
  EXPECT_EQ(up->nodes[1].label, "sales:v1");
  EXPECT_EQ(up->edges.size(), 2u);
  EXPECT_EQ(tracking_->AddInput("nobody", sales).error().gy(), "GY3401");
}

TEST_F(TrackingTest, PartsOfARunComeFromWhatItRead) {
  NewRun from{.project = "p", .kind = "training"};
  from.inputs = Json::Arr({Json::Obj(
      {{"kind", "dataset_version"}, {"id", "data1"}, {"name", "sales:v1"}, {"digest", "hash1"}})});
  const tracking::Run training = *tracking_->CreateRun(from);
  from.kind = "candidate";
  from.parent = training.id;
  const tracking::Run candidate = *tracking_->CreateRun(from);
  const lineage::Lineage lineage(*database_);
  EXPECT_EQ(lineage.Walk(candidate.id, lineage::Direction::kUp)->nodes.back().id, "data1");
  EXPECT_EQ(lineage.Walk("data1", lineage::Direction::kDown)->nodes.back().id, candidate.id);
}

TEST_F(TrackingTest, ARerunIsNewWorkToABudget) {
  const tracking::Run before = *tracking_->CreateRun({.project = "p", .kind = "program"});
  usage::Usage usage(*database_, SystemClock());
  ASSERT_TRUE(usage.SetPrices({.cpu_hour_micros = 1'000'000, .valid_from_us = 1}));
  ASSERT_TRUE(usage.Record({.project = "p",
                            .subject_kind = "run",
                            .subject_id = "r",
                            .at_us = SystemClock().NowMicros(),
                            .quantities = {.cpu_us = usage::kMicrosPerHour}}));
  usage::Budgets budgets(*database_, SystemClock());
  ASSERT_TRUE(budgets.Add({.name = "spent", .limit_nanos = 1, .period = "total", .stops = true}));
  const auto begin = [&](const std::string& kind) {
    return tracking_->CreateRun({.project = "p", .kind = kind, .parent = before.id});
  };
  EXPECT_EQ(begin("program").error().gy(), "GY4134");
  EXPECT_TRUE(begin("candidate")) << "a part of what was begun";
}

TEST_F(TrackingTest, WhatAProgramUsedIsBookedAtItsFirstEnd) {
  const tracking::Run program =
      *tracking_->CreateRun({.project = "p", .name = "night", .kind = "program"});
  const tracking::Run candidate = *tracking_->CreateRun({.project = "p", .kind = "candidate"});
  const tracking::Run boaster = *tracking_->CreateRun({.project = "q", .kind = "program"});
  const Json used = Json::Obj({{"cpu_seconds", 1.5},
                               {"wall_seconds", 2.0},
                               {"memory_bytes_peak", 3 << 20},
                               {"read_bytes", 40},
                               {"written_bytes", 2}});
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(tracking_->EndRun(program.id, {RunStatus::kFinished, "", used, 0}));
    ASSERT_TRUE(tracking_->EndRun(candidate.id, {RunStatus::kFinished, "", used, 0}));
  }
  ASSERT_TRUE(tracking_->EndRun(
      boaster.id,
      {RunStatus::kFinished, "", Json::Obj({{"cpu_seconds", 1e300}, {"written_bytes", -5}}), 0}));
  const usage::Usage usage(*database_, SystemClock());
  const auto report = usage.Sum({.projects = std::vector<std::string>{"p"}});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->lines.size(), 1u);
  EXPECT_EQ(report->lines[0].subject_kind, "run");
  EXPECT_EQ(report->lines[0].subject_label, "night");
  EXPECT_EQ(report->total, (usage::Quantities{1'500'000, 6'000, 42, 0}));
  EXPECT_EQ(usage.Sum({.projects = std::vector<std::string>{"q"}})->total,
            (usage::Quantities{10'000'000'000'000, 0, 0, 0}));
}

TEST_F(TrackingTest, GpuSecondsAreBookedAsTheProgramTellsThem) {
  const usage::Usage usage(*database_, SystemClock());
  const auto booked = [&](const std::string& project, const Json& resources,
                          std::vector<double> logged) {
    const tracking::Run run = *tracking_->CreateRun({.project = project, .kind = "program"});
    std::int64_t step = 0;
    for (const double value : logged)
      EXPECT_TRUE(tracking_->LogBatch(run.id, {.metrics = {{"gpu_seconds", value, ++step, 5}}}));
    EXPECT_TRUE(tracking_->EndRun(run.id, {RunStatus::kFinished, "", resources, 0}));
    return usage.Sum({.projects = {{project}}})->total.gpu_us;
  };
  // 0.29 s is a little less than 0.29 as a double.
  EXPECT_EQ(booked("a", Json::Obj({{"gpu_seconds", 0.29}}), {}), 290'000);
  EXPECT_EQ(booked("b", Json::Obj({{"gpu_seconds", 1234.567891}}), {7}), 1'234'567'891)
      << "the end counts";
  EXPECT_EQ(booked("c", Json::Obj({{"cpu_seconds", 1.0}}), {3.5, 9.000001}), 9'000'001)
      << "of a metric the last";
  EXPECT_EQ(booked("d", Json::Obj(), {-1}), 0);
  EXPECT_EQ(booked("e", Json::Obj(), {std::numeric_limits<double>::quiet_NaN()}), 0);
}

TEST_F(TrackingTest, ARunComesBackWhole) {
  const tracking::Run made = Create("first");
  ASSERT_TRUE(tracking_->LogBatch(
      made.id,
      {.params = {{"depth", "3"}}, .tags = {{"team", "red"}}, .metrics = {{"auc", 0.8, 1, 5}}}));
  ASSERT_TRUE(
      tracking_->EndRun(made.id, {RunStatus::kFinished, "", Json::Obj({{"cpu_seconds", 1.5}}), 0}));
  const auto run = tracking_->GetRun("p", made.id.substr(0, 10));
  ASSERT_TRUE(run) << run.error().ToString();
  EXPECT_EQ(run->name, "first");
  EXPECT_EQ(run->experiment, "Default");
  EXPECT_EQ(run->params.at("depth"), "3");
  EXPECT_EQ(run->params.at("lr"), "0.1");
  EXPECT_EQ(run->tags.at("team"), "red");
  EXPECT_EQ(run->metrics.at("auc").value, 0.8);
  EXPECT_EQ(run->seed, std::uint64_t{1} << 63);
  EXPECT_EQ(run->status, RunStatus::kFinished);
  EXPECT_EQ(run->resources["cpu_seconds"].AsDouble(), 1.5);
  EXPECT_GT(run->ended_us, 0);
}

TEST_F(TrackingTest, ReferencesByNameAndNewest) {
  Create("one");
  const tracking::Run two = Create("two");
  EXPECT_EQ(tracking_->GetRun("p", "-")->id, two.id);
  EXPECT_EQ(tracking_->GetRun("p", "one")->name, "one");
  EXPECT_EQ(tracking_->GetRun("p", "three").error().gy(), "GY3401");
  EXPECT_EQ(tracking_->GetRun("other", two.id).error().gy(), "GY3401");
}

TEST_F(TrackingTest, AParamIsWrittenOnce) {
  const tracking::Run run = Create("a");
  EXPECT_TRUE(tracking_->LogBatch(run.id, {.params = {{"lr", "0.1"}}, .tags = {}, .metrics = {}}));
  const auto changed =
      tracking_->LogBatch(run.id, {.params = {{"lr", "0.2"}}, .tags = {{"x", "y"}}, .metrics = {}});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().gy(), "GY3404");
  EXPECT_FALSE(
      tracking_->GetRun("p", run.id)->tags.contains("x"));  // nothing of a refused batch stays
}

TEST_F(TrackingTest, HistoryAndLatestOverManyBatches) {
  const tracking::Run run = Create("a");
  for (int i = 0; i < 20; ++i) {
    Batch batch;
    for (int j = 0; j < 10; ++j)
      batch.metrics.push_back({"loss", 1.0 / (i * 10 + j + 1), i * 10 + j, 1'000 + i});
    batch.metrics.push_back({"other", static_cast<double>(i), -i, 0});
    ASSERT_TRUE(tracking_->LogBatch(run.id, batch));
  }
  const auto before = tracking_->MetricHistory(run.id, "loss", 0);
  ASSERT_TRUE(tracking_->EndRun(run.id, {}));
  const auto after = tracking_->MetricHistory(run.id, "loss", 0);
  ASSERT_EQ(before->size(), 200U);
  ASSERT_EQ(after->size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ((*after)[i].step, static_cast<std::int64_t>(i));
    EXPECT_EQ((*after)[i].value, (*before)[i].value);
  }
  const auto read = tracking_->GetRun("p", run.id);
  EXPECT_EQ(read->metrics.at("loss").step, 199);
  EXPECT_EQ(read->metrics.at("loss").points, 200);
  EXPECT_EQ(read->metrics.at("other").value,
            0);  // steps went down: the first point has the highest
  const auto thin = tracking_->MetricHistory(run.id, "loss", 5);
  ASSERT_EQ(thin->size(), 5U);
  EXPECT_EQ(thin->front().step, 0);
  EXPECT_EQ(thin->back().step, 199);
  // What the end of a run asks for is done soon: a segment for each key, and no batch.
  for (int i = 0; i < 1'000 && Count("SELECT COUNT(*) FROM tracking_metric_tail") > 0; ++i)
    usleep(10'000);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM tracking_metric_tail"), 0);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM tracking_metric_segment"), 2);
  EXPECT_EQ(tracking_->MetricHistory(run.id, "loss", 0)->size(), 200U);
}

TEST_F(TrackingTest, WhatIsLoggedIsSeenBeforeItIsSettledAndAfter) {
  const tracking::Run run = Create("a"), other = Create("b");
  const auto log = [&](const std::string& id, double value, std::int64_t step) {
    ASSERT_TRUE(tracking_->LogBatch(id, {.metrics = {{"auc", value, step, step * 10}}}));
  };
  const auto expect = [&](double value, std::int64_t points, double least, double most) {
    const LatestMetric auc = tracking_->GetRunById(run.id)->metrics.at("auc");
    EXPECT_EQ(auc.value, value);
    EXPECT_EQ(auc.points, points);
    EXPECT_EQ(auc.least, least);
    EXPECT_EQ(auc.most, most);
  };
  log(run.id, 0.5, 1);
  expect(0.5, 1, 0.5, 0.5);
  EXPECT_EQ(Count("SELECT COUNT(*) FROM tracking_metric"), 0);
  ASSERT_TRUE(tracking_->SettleMetrics("p", {}));
  EXPECT_EQ(Count("SELECT COUNT(*) FROM tracking_metric_unsettled"), 0);
  expect(0.5, 1, 0.5, 0.5);
  log(run.id, 0.9, 2);
  log(run.id, std::nan(""), 3);
  log(run.id, 0.1, 2);
  log(other.id, 0.7, 1);
  const LatestMetric before = tracking_->GetRunById(run.id)->metrics.at("auc");
  EXPECT_TRUE(std::isnan(before.value));
  EXPECT_EQ(before.points, 4);
  EXPECT_EQ(before.least, 0.1);
  const auto ordered = tracking_->ListRuns({.project = "p", .order_by_metric = "auc"});
  ASSERT_TRUE(ordered);
  EXPECT_EQ(ordered->runs.front().id, other.id) << "a list settles first";
  EXPECT_EQ(Count("SELECT COUNT(*) FROM tracking_metric_unsettled"), 0);
  log(run.id, 0.6, 4);
  expect(0.6, 5, 0.1, 0.9);
}

TEST_F(TrackingTest, NaNIsAValue) {
  const tracking::Run run = Create("a");
  ASSERT_TRUE(tracking_->LogBatch(
      run.id, {.params = {}, .tags = {}, .metrics = {{"loss", std::nan(""), 1, 1}}}));
  EXPECT_TRUE(std::isnan(tracking_->GetRun("p", run.id)->metrics.at("loss").value));
  EXPECT_TRUE(std::isnan(tracking_->MetricHistory(run.id, "loss", 0)->at(0).value));
}

TEST_F(TrackingTest, ListsByTagMetricAndPage) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    const tracking::Run run = Create(fmt::format("run{}", i));
    ids.push_back(run.id);
    Batch batch;
    if (i != 2) batch.metrics.push_back({"auc", 0.1 * ((i * 3) % 5), 0, 1});
    batch.tags = {{"odd", i % 2 == 1 ? "yes" : "no"}};
    ASSERT_TRUE(tracking_->LogBatch(run.id, batch));
  }
  RunQuery query;
  query.project = "p";
  query.tags = {{"odd", "yes"}};
  EXPECT_EQ(tracking_->ListRuns(query)->runs.size(), 2U);
  query.tags.clear();
  query.limit = 2;
  std::vector<std::string> seen;
  do {
    const auto page = tracking_->ListRuns(query);
    ASSERT_TRUE(page) << page.error().ToString();
    for (const tracking::Run& run : page->runs) seen.push_back(run.id);
    query.page_token = page->next_page_token;
  } while (!query.page_token.empty());
  EXPECT_EQ(seen, std::vector<std::string>(ids.rbegin(), ids.rend()));
  query.limit = 10;
  query.order_by_metric = "auc";
  const auto ordered = tracking_->ListRuns(query);
  ASSERT_EQ(ordered->runs.size(), 5U);
  EXPECT_EQ(ordered->runs.front().id, ids[3]);
  EXPECT_EQ(ordered->runs.back().id, ids[2]);  // without the metric: last
  query.order_by_metric = "auk";
  const auto slip = tracking_->ListRuns(query);
  ASSERT_FALSE(slip);
  EXPECT_EQ(slip.error().gy(), "GY3415");
  EXPECT_EQ(slip.error().fixes().front(), "did you mean `auc`?");
  query.project = "empty";
  EXPECT_TRUE(tracking_->ListRuns(query)) << "nothing has been measured yet";
}

TEST_F(TrackingTest, ArtifactsKeepTheirBlobs) {
  const tracking::Run run = Create("a");
  const blob::Object object{std::string(64, 'a'), 3};
  ASSERT_TRUE(
      tracking_->AddArtifacts(run.id, {{"model/a.json", object, ""}, {"notes.txt", object, ""}}));
  EXPECT_EQ(tracking_->ListArtifacts(run.id, "model/")->size(), 1U);
  EXPECT_EQ(tracking_->GetArtifact(run.id, "model/a.json")->media_type, "application/json");
  EXPECT_EQ(tracking_->GetArtifact(run.id, "model").error().gy(), "GY3403");
  for (const char* bad : {"", "/etc/passwd", "../up", "a//b", "a/./b", "a/..", "back\\slash"}) {
    EXPECT_EQ(tracking_->AddArtifacts(run.id, {{bad, object, ""}}).error().gy(), "GY3405") << bad;
  }
  ASSERT_TRUE(tracking_->AddOutput(run.id, {"model_version", "v-id", "churn:v1"}));
  EXPECT_EQ(tracking_->ListOutputs(run.id)->at(0).name, "churn:v1");
  trash::Trash trash(*database_, SystemClock(), kMicrosPerSecond);
  trash.Register(RunTrash(*tracking_));
  const auto gone = trash.Remove("run", {.project = "p", .name = run.id, .by = "ann"});
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_EQ(gone->name, run.id.substr(0, 8));
  EXPECT_EQ(tracking_->GetRun("p", run.id).error().gy(), "GY3401");
  ASSERT_TRUE(trash.Restore(*gone, ""));
  EXPECT_EQ(tracking_->GetRun("p", run.id)->name, run.name);
  EXPECT_EQ(tracking_->ListArtifacts(run.id, "model/")->size(), 1U);
  EXPECT_EQ(tracking_->ListOutputs(run.id)->at(0).name, "churn:v1");
  ASSERT_TRUE(tracking_->DeleteRun(run.id, "ann"));
  EXPECT_EQ(tracking_->GetRun("p", run.id).error().gy(), "GY3401");
}

TEST_F(TrackingTest, ARunMadeElsewhereIsTakenOnceAndGoesOn) {
  NewRun from;
  from.project = "p";
  from.kind = "imported";
  from.import_key = "tensorboard:train:ab12";
  from.created_us = 1'600'000'000'000'000;
  const auto run = tracking_->CreateRun(from);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->created_us, from.created_us);
  EXPECT_EQ(tracking_->CreateRun(from)->id, run->id);
  from.project = "q";
  EXPECT_NE(tracking_->CreateRun(from)->id, run->id);
  Batch batch;
  batch.metrics = {{"loss", 1, 0, 5}, {"loss", 0.5, 1, 6}};
  batch.slice = ImportSlice{0, 2};
  ASSERT_TRUE(tracking_->LogBatch(run->id, batch));
  EXPECT_EQ(tracking_->LogBatch(run->id, batch).error().gy(), "GY3418");
  EXPECT_EQ(tracking_->GetRun("p", run->id)->tags.at(std::string(kImportPosition)), "2");
  batch.metrics = {{"loss", 0.4, 2, 7}, {"loss", 0.3, 3, 8}};
  batch.slice = ImportSlice{2, 4};
  ASSERT_TRUE(tracking_->LogBatch(run->id, batch));
  EXPECT_EQ(tracking_->MetricHistory(run->id, "loss", 0)->size(), 4U);
  // What tells it from others is not the tag, which anybody may take away.
  ASSERT_TRUE(tracking_->DeleteTag(run->id, kImportKey));
  from.project = "p";
  EXPECT_EQ(tracking_->CreateRun(from)->id, run->id);
  const auto listed =
      tracking_->ListRuns({.project = "p", .tags = {{std::string(kImportKey), from.import_key}}});
  ASSERT_EQ(listed->runs.size(), 1U);
  EXPECT_EQ(listed->runs[0].id, run->id);
}

TEST_F(TrackingTest, ARunThatKeptItsIdIsTakenOnceThoughItIsDeleted) {
  NewRun from;
  from.project = "p";
  from.kind = "imported";
  from.import_key = "mlflow:00112233445566778899aabbccddeeff";
  from.id = "00112233445566778899aabbccddeeff";
  const auto run = tracking_->CreateRun(from);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->id, from.id);
  ASSERT_TRUE(tracking_->HideRun(run->id));
  const auto again = tracking_->CreateRun(from);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->id, from.id);
  EXPECT_NE(again->deleted_us, 0);
  from.import_key = "another";
  EXPECT_EQ(tracking_->CreateRun(from).error().gy(), "GY3425");
}

TEST_F(TrackingTest, OrphansEndAsKilled) {
  const tracking::Run run = Create("a");
  EXPECT_EQ(*tracking_->EndOrphans("the server stopped", {}), 1);
  const auto read = tracking_->GetRun("p", run.id);
  EXPECT_EQ(read->status, RunStatus::kKilled);
  EXPECT_EQ(read->error, "the server stopped");
  EXPECT_EQ(*tracking_->EndOrphans("again", {}), 0);
  NewRun elsewhere;
  elsewhere.project = "p";
  elsewhere.kind = kImportedKind;
  elsewhere.import_key = "x";
  const auto imported = tracking_->CreateRun(elsewhere);
  ASSERT_TRUE(imported);
  EXPECT_EQ(*tracking_->EndOrphans("again", {}), 0) << "it runs there, whatever ends here";
  EXPECT_EQ(tracking_->GetRun("p", imported->id)->status, RunStatus::kRunning);
  const std::vector<std::string> alive = {Create("b").id};
  EXPECT_EQ(*tracking_->EndOrphans("again", alive), 0);
  EXPECT_EQ(tracking_->GetRun("p", alive[0])->status, RunStatus::kRunning);
}

TEST_F(TrackingTest, BadNamesAreRefused) {
  NewRun run;
  run.project = "p";
  run.experiment = "";
  EXPECT_EQ(tracking_->CreateRun(run).error().gy(), "GY3421");
  run.experiment = "ok";
  run.params = {{std::string(1'001, 'k'), "v"}};
  EXPECT_EQ(tracking_->CreateRun(run).error().gy(), "GY3407");
  EXPECT_EQ(tracking_->LogBatch("nobody", {}).error().gy(), "GY3401");
}

TEST_F(TrackingTest, WhoExtendsATagTakesNothingFromOthers) {
  const tracking::Run run = Create("r");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(tracking_->RewriteTag(run.id, "log", [](std::string_view before) {
        return Result<std::string>(std::string(before) + "x");
      }));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tracking_->GetRunById(run.id)->tags.at("log"), std::string(8, 'x'));
  const auto refused = tracking_->RewriteTag(run.id, "log", [](std::string_view) {
    return Result<std::string>(std::string(70'000, 'y'));
  });
  EXPECT_FALSE(refused);
  EXPECT_EQ(tracking_->RewriteTag("none", "a", {}).error().gy(), "GY3401");
  EXPECT_EQ(tracking_->GetRunById(run.id)->tags.at("log").size(), 8u);
}

}  // namespace
}  // namespace gyre::tracking
