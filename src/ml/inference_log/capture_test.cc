#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <set>

#include "ml/inference_log/testing/log_house.h"
#include "ml/runners/testing/jobs_here.h"
#include "platform/exec/thread_pool.h"
#include "platform/table/reader.h"

namespace gyre::inference_log {
namespace {

class CaptureTest : public testing::Test {
 protected:
  CaptureStatus Status() {
    const auto status = house_.log->Status("p", "churn");
    EXPECT_TRUE(status) << status.error().ToString();
    return *status;
  }
  void Change(const std::string& json) {
    const auto changed = house_.log->SetPolicy("p", "churn", *Json::Parse(json), "ann");
    ASSERT_TRUE(changed) << changed.error().ToString();
  }
  LogHouse house_;
  Recorder recorder_;
};

TEST_F(CaptureTest, PolicyChangesAtTheSameTimeLoseNothing) {
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 1);
  for (int round = 0; round < 20; ++round) {
    Change(R"({"columns": {"age": "keep", "amount": "keep"}})");
    {
      const auto drop = [this](std::string column) {
        return [this, column](const exec::StopFlag&) {
          Change(fmt::format(R"({{"columns": {{"{}": "drop"}}}})", column));
        };
      };
      const exec::Worker one("age", drop("age")), two("amount", drop("amount"));
    }
    const Policy policy = *house_.log->GetPolicy("p", "churn");
    EXPECT_EQ(policy.Of("age"), Keep::kDrop);
    EXPECT_EQ(policy.Of("amount"), Keep::kDrop);
  }
}

TEST_F(CaptureTest, WhatWasAnsweredIsThereAfterAFlush) {
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 3);
  LogHouse::Answer(recorder_, *stream, 2, 1);
  EXPECT_EQ(Status().pending, 4);
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_EQ(Status().captured, 4);
  EXPECT_EQ(Status().pending, 0);
  const Joined joined = house_.Read();
  ASSERT_EQ(joined.frame.rows(), 4U);
  const auto text = [&](std::string_view column, std::size_t row) {
    return table::CellText(*joined.frame.Find(column), row);
  };
  EXPECT_EQ(text("inference_id", 0), "0000000000000abc0000000000000001");
  EXPECT_EQ(text("inference_id", 1), "0000000000000abc0000000000000001-1");
  EXPECT_EQ(text("model_version", 0), "churn:v1");
  EXPECT_EQ(text("role", 0), "champion");
  EXPECT_EQ(text("age", 2), "2");
  EXPECT_EQ(text("amount", 1), "");
  EXPECT_EQ(text("amount", 2), "1");
  EXPECT_EQ(text("country", 0), "Österreich");
  EXPECT_EQ(text("prediction", 0), "Yes");
  EXPECT_EQ(text("probability_Yes", 0), "0.75");
  EXPECT_EQ(text("label", 0), "");
  EXPECT_EQ(joined.target, "Churn");
}

// What another model answered under the same name tells something else, and took as an input what
// is the target now.
TEST_F(CaptureTest, OneTargetIsRead) {
  StreamSpec other = house_.Spec();
  other.deployment_id = "d0";
  other.model = "spend:v1";
  other.target = "spend";
  other.inputs[2].name = "Churn";
  const auto before = house_.log->Open(other);
  LogHouse::Answer(recorder_, *before, 1, 3, {.received_us = 1'000'000});
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 2, 2);
  ASSERT_TRUE(house_.log->Flush());
  auto plan = house_.log->Plan("p", "churn", INT64_MIN, INT64_MAX);
  ASSERT_TRUE(plan);
  plan->request.one_target = true;
  const auto joined = ReadJoined(ReadRequestFromJson(ReadRequestToJson(plan->request)));
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->frame.rows(), 2U);
  ASSERT_EQ(joined->problems.size(), 1U);
  EXPECT_EQ(joined->problems[0],
            "what spend:v1 answered is left out: it tells the class `spend`, churn:v1 tells the "
            "class `Churn`");
  std::set<std::string> names;
  const TrainingRows made = TrainingFrame(*joined, false, {});
  const auto& [frame, versions] = std::tie(made.frame, made.versions);
  for (const table::Column& column : frame.columns)
    EXPECT_TRUE(names.insert(column.name).second) << column.name;
  EXPECT_EQ(frame.rows(), 2U);
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].model, "churn:v1");
}

TEST_F(CaptureTest, WhatArrivedSinceIsPlannedByItsFiles) {
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 3, {.received_us = 1'000'000});
  ASSERT_TRUE(house_.log->Flush());
  LogHouse::Answer(recorder_, *stream, 2, 2, {.received_us = 5'000'000});
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_EQ(house_.log->PlanReceived("p", "churn", 0)->request.segments.size(), 2U);
  EXPECT_EQ(house_.log->PlanReceived("p", "churn", 2'000'000)->request.segments.size(), 1U);
  EXPECT_EQ(house_.log->PlanReceived("p", "churn", 6'000'000)->request.segments.size(), 0U);
}

TEST_F(CaptureTest, AnUnansweredRequestLeavesNothing) {
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 2);
  recorder_.Begin(stream.get(), 1, 9);
  const table::Cell cells[3] = {table::Cell::Null(table::Type::kInt),
                                table::Cell::Null(table::Type::kDouble),
                                table::Cell::Null(table::Type::kText)};
  recorder_.Row(cells, 0, 0, std::array<double, 2>{1, 0});
  recorder_.Discard();
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_EQ(house_.Read().frame.rows(), 2U);
  EXPECT_EQ(Status().captured + Status().dropped, 2);
}

TEST_F(CaptureTest, EventTimesAndOwnIdsAndKeysWin) {
  const auto stream = house_.log->Open(house_.Spec());
  const std::int64_t times[] = {1'000'000, 2'000'000};
  const std::string_view ids[] = {"order-1", "order-2"}, keys[] = {"17", "18"};
  LogHouse::Answer(
      recorder_, *stream, 1, 2,
      {.received_us = 5'000'000, .event_times_us = times, .inference_ids = ids, .keys = keys});
  ASSERT_TRUE(house_.log->Flush());
  const Joined second = house_.Read(2'000'000, 3'000'000);
  ASSERT_EQ(second.frame.rows(), 1U);
  EXPECT_EQ(second.frame.Find("inference_id")->text[0], "order-2");
  EXPECT_EQ(second.frame.Find("key")->text[0], "18");
  EXPECT_EQ(second.frame.Find("received_time")->ints[0], 5'000'000);
  const auto window = house_.log->Window("p", "churn", 0, 10'000'000);
  ASSERT_TRUE(window);
  EXPECT_EQ(window->rows, 2);
  EXPECT_EQ(window->event_max_us, 2'000'000);
  EXPECT_GT(window->complete_through_us, 5'000'000);
}

TEST_F(CaptureTest, AnEventAheadOfItsArrivalCountsAtItsArrival) {
  const auto stream = house_.log->Open(house_.Spec());
  constexpr std::int64_t kArrival = 1'000'000'000, kDay = 86'400'000'000;
  const std::int64_t times[] = {kArrival - 5, kArrival + kClockSkewMax, kArrival + kDay};
  LogHouse::Answer(recorder_, *stream, 1, 3, {.received_us = kArrival, .event_times_us = times});
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_EQ(Status().ahead, 1);
  EXPECT_EQ(Status().captured, 3);
  const auto window = house_.log->Window("p", "churn", 0, INT64_MAX);
  ASSERT_TRUE(window);
  EXPECT_EQ(window->event_max_us, kArrival + kClockSkewMax);
  EXPECT_EQ(house_.Read(kArrival, kArrival + 1).frame.rows(), 1U);
  const auto since = house_.log->Since("p", "churn", 0);
  ASSERT_TRUE(since);
  EXPECT_EQ(since->event_min_us, kArrival - 5);
  EXPECT_EQ(house_.log->Since("p", "churn", since->newest_us)->event_min_us, INT64_MAX);
}

TEST_F(CaptureTest, ColumnsAreKeptHashedOrDropped) {
  const auto stream = house_.log->Open(house_.Spec());
  Change(R"({"columns": {"country": "hash", "amount": "drop"}, "key_column": "country"})");
  LogHouse::Answer(recorder_, *stream, 1, 4);
  ASSERT_TRUE(house_.log->Flush());
  const Joined joined = house_.Read();
  EXPECT_EQ(joined.frame.Find("amount"), nullptr);
  const table::TextColumn& country = joined.frame.Find("country")->text;
  EXPECT_EQ(country[0].size(), 32U);
  EXPECT_EQ(country[0], country[3]);
  EXPECT_NE(country[0], country[1]);
  EXPECT_EQ(joined.frame.Find("key")->text[0], country[0]) << "labels come by the hash of the key";
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(house_.directory() / "blobs")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    EXPECT_EQ(bytes.find("Österreich"), std::string::npos) << "nothing of it is on the disk";
  }
}

// What is asked later is no hash: neither is to be learned from one, nor judged on one.
TEST_F(CaptureTest, HashedInputsTeachNothing) {
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 4);
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_TRUE(house_.log->WithheldInputs("p", "churn")->empty());
  Change(R"({"columns": {"country": "hash", "amount": "drop"}})");
  EXPECT_EQ(*house_.log->WithheldInputs("p", "churn"),
            (std::vector<std::string>{"amount", "country"}));
  LogHouse::Answer(recorder_, *stream, 2, 3);
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_EQ(TrainingFrame(house_.Read(), false, {}).frame.Find("country"), nullptr);

  const auto refused = house_.log->MakeDataset(
      {.project = "p", .endpoint = "churn", .dataset = "fresh", .retrain = true, .by = "ann"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY4619");

  auto plan = house_.log->Plan("p", "churn", INT64_MIN, INT64_MAX);
  ASSERT_TRUE(plan);
  plan->request.whole = {"age", "country"};
  const auto joined = ReadJoined(ReadRequestFromJson(ReadRequestToJson(plan->request)));
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->frame.rows(), 4U) << "those of before are whole";
  EXPECT_EQ(joined->problems, (std::vector<std::string>{
                                  "3 rows are left out: the policy hashed or dropped `country` of "
                                  "them"}));
  EXPECT_NE(TrainingFrame(*joined, false, {}).frame.Find("country"), nullptr);
}

// Keeping all columns instead would write what must not be written.
TEST_F(CaptureTest, NothingIsCapturedWhileThePolicyCannotBeRead) {
  const auto before = house_.log->Open(house_.Spec());
  Change(R"({"columns": {"country": "hash", "amount": "drop"}})");
  const auto rename = [&](const std::string& sql) {
    ASSERT_TRUE(house_.database->Write([&](db::Transaction& tx) { return tx.Execute(sql, {}); }));
  };
  rename("ALTER TABLE inference_policy RENAME TO elsewhere");
  house_.Reopen();
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 4);
  ASSERT_TRUE(house_.log->Flush());
  rename("ALTER TABLE elsewhere RENAME TO inference_policy");
  ASSERT_TRUE(house_.log->Flush());  // reads it
  LogHouse::Answer(recorder_, *stream, 2, 3);
  ASSERT_TRUE(house_.log->Flush());
  EXPECT_EQ(Status().captured, 3);
  EXPECT_EQ(Status().dropped, 4);
  const Joined joined = house_.Read();
  EXPECT_EQ(joined.frame.Find("amount"), nullptr);
  EXPECT_EQ(joined.frame.Find("country")->text[0].size(), 32U);
}

TEST_F(CaptureTest, APolicyThatCannotBeIsRefused) {
  const auto stream = house_.log->Open(house_.Spec());
  const auto code = [&](const std::string& json) {
    const auto changed = house_.log->SetPolicy("p", "churn", *Json::Parse(json), "ann");
    return changed ? std::string("ok") : changed.error().gy();
  };
  EXPECT_EQ(code(R"({"sample": 2})"), "GY4602");
  EXPECT_EQ(code(R"({"columns": {"agee": "hash"}})"), "GY4603");
  EXPECT_EQ(code(R"({"columns": {"age": "drop"}, "key_column": "age"})"), "GY4604");
  EXPECT_EQ(code(R"({"retention_days": 0})"), "GY4602");
  EXPECT_EQ(code(R"({"sample": 0.5, "retention_days": 7})"), "ok");
  house_.Reopen();
  EXPECT_EQ(house_.log->GetPolicy("p", "churn")->sample, 0.5);
}

TEST_F(CaptureTest, OffCapturesNothingAndASampleLeavesTheRestOutExactly) {
  const auto stream = house_.log->Open(house_.Spec());
  Change(R"({"on": false})");
  LogHouse::Answer(recorder_, *stream, 1, 100);
  EXPECT_EQ(Status().pending, 0);
  Change(R"({"on": true, "sample": 0.25})");
  for (std::uint64_t i = 0; i < 400; ++i) LogHouse::Answer(recorder_, *stream, i, 10);
  ASSERT_TRUE(house_.log->Flush());
  const CaptureStatus status = Status();
  EXPECT_EQ(status.captured + status.left_out, 4000);
  EXPECT_NEAR(static_cast<double>(status.captured), 1000, 150);
}

TEST(CaptureBounds, AStalledWriterDropsAndCountsExactly) {
  LogHouse house({.buffer_bytes_max = 100'000});  // no Start: nobody writes
  const auto stream = house.log->Open(house.Spec());
  constexpr int kThreads = 4, kRequests = 500, kRows = 7;
  {
    exec::ThreadPool pool({.name = "answer", .threads = kThreads});
    for (int t = 0; t < kThreads; ++t) {
      ASSERT_TRUE(pool.Post([&, t] {
        Recorder recorder;
        for (int i = 0; i < kRequests; ++i)
          LogHouse::Answer(recorder, *stream, static_cast<std::uint64_t>(t * kRequests + i), kRows);
      }));
    }
  }
  constexpr std::int64_t kAll = kThreads * kRequests * kRows;
  const auto stalled = house.log->Status("p", "churn");
  EXPECT_GT(stalled->dropped, 0);
  EXPECT_EQ(stalled->pending + stalled->dropped, kAll);
  ASSERT_TRUE(house.log->Flush());
  const auto after = house.log->Status("p", "churn");
  EXPECT_EQ(after->captured, stalled->pending);
  EXPECT_EQ(after->dropped, stalled->dropped);
  EXPECT_EQ(house.Read().frame.rows(), static_cast<std::size_t>(after->captured));
  const std::string text = house.metrics->ExposeText();
  EXPECT_NE(text.find(fmt::format("gyre_capture_dropped_rows_total{{endpoint=\"churn\"}} {}",
                                  after->dropped)),
            std::string::npos)
      << text;
  house.Reopen();
  EXPECT_EQ(house.log->Status("p", "churn")->dropped, after->dropped) << "also after a restart";
}

TEST(CaptureBounds, AWriterBesideTheAnswersLosesNothing) {
  LogHouse house({.segment_rows_max = 500, .seal_us = 1});
  house.log->Start();
  const auto stream = house.log->Open(house.Spec());
  constexpr int kThreads = 4, kRequests = 2000;
  {
    exec::ThreadPool pool({.name = "answer", .threads = kThreads});
    for (int t = 0; t < kThreads; ++t) {
      ASSERT_TRUE(pool.Post([&, t] {
        Recorder recorder;
        for (int i = 0; i < kRequests; ++i) {
          LogHouse::Answer(recorder, *stream, static_cast<std::uint64_t>(t * kRequests + i), 1);
          if (i % 500 != 0) continue;
          ASSERT_TRUE(house.log->Flush());
        }
      }));
    }
  }
  house.log->Stop();
  const Joined joined = house.Read();
  std::set<std::string> ids;
  for (std::size_t i = 0; i < joined.frame.rows(); ++i)
    ids.emplace(joined.frame.Find("inference_id")->text[i]);
  EXPECT_EQ(ids.size(), std::size_t{kThreads * kRequests});
  EXPECT_EQ(joined.frame.rows(), ids.size());
}

TEST(CaptureBounds, ADeploymentThatEndsKeepsItsRows) {
  LogHouse house;
  Recorder recorder;
  auto stream = house.log->Open(house.Spec());
  LogHouse::Answer(recorder, *stream, 1, 2);
  stream.reset();
  StreamSpec second = house.Spec();
  second.deployment_id = "d2";
  second.model = "churn:v2";
  second.inputs.push_back({"extra", table::Type::kInt});
  second.inputs[0].type = table::Type::kDouble;
  ASSERT_TRUE(house.log->Flush());
  const auto other = house.log->Open(second);
  recorder.Begin(other.get(), 1, 2);
  table::Cell cells[4] = {
      table::Cell::Null(table::Type::kDouble), table::Cell::Null(table::Type::kDouble),
      table::Cell::Null(table::Type::kText), table::Cell::Null(table::Type::kInt)};
  cells[0].valid = true;
  cells[0].d = 1.5;
  recorder.Row(cells, 0, 0, std::array<double, 2>{1, 0});
  recorder.Commit({.received_us = SystemClock().NowMicros()});
  ASSERT_TRUE(house.log->Flush());
  const Joined joined = house.Read();
  ASSERT_EQ(joined.frame.rows(), 3U);
  EXPECT_EQ(joined.frame.Find("age")->type, table::Type::kDouble) << "both versions in one column";
  EXPECT_EQ(joined.frame.Find("age")->doubles[2], 1.5);
  EXPECT_FALSE(joined.frame.Find("extra")->IsValid(0));
  EXPECT_EQ(joined.frame.Find("model_version")->text[2], "churn:v2");
}

TEST_F(CaptureTest, ADamagedSegmentIsNamedAndTheOthersAreRead) {
  const auto stream = house_.log->Open(house_.Spec());
  LogHouse::Answer(recorder_, *stream, 1, 3);
  ASSERT_TRUE(house_.log->Flush());
  const auto first = house_.log->Plan("p", "churn", INT64_MIN, INT64_MAX);
  LogHouse::Answer(recorder_, *stream, 2, 5);
  ASSERT_TRUE(house_.log->Flush());
  const std::string path = first->request.segments.at(0).path;
  const auto broken = first->request.segments.at(0).name;
  std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('!');
    file.put('!');
  }
  const Joined joined = house_.Read();
  EXPECT_EQ(joined.frame.rows(), 5U);
  EXPECT_EQ(joined.counts.damaged_segments, 1);
  EXPECT_EQ(joined.counts.damaged_rows, 3);
  ASSERT_EQ(joined.problems.size(), 1U);
  EXPECT_NE(joined.problems[0].find(broken), std::string::npos) << joined.problems[0];
}

TEST(CaptureBounds, WhatIsTooOldGoesAndIsCounted) {
  LogHouse house;
  const auto stream = house.log->Open(house.Spec());
  Recorder recorder;
  LogHouse::Answer(recorder, *stream, 1, 3, {.received_us = 1});  // in 1970
  ASSERT_TRUE(house.log->Flush());
  LogHouse::Answer(recorder, *stream, 2, 2);
  ASSERT_TRUE(house.log->Flush());
  EXPECT_EQ(house.log->Status("p", "churn")->captured, 5);
  house.log->Start();
  for (int i = 0; i < 200 && house.log->Status("p", "churn")->expired == 0; ++i) usleep(20'000);
  const auto status = house.log->Status("p", "churn");
  EXPECT_EQ(status->expired, 3);
  EXPECT_EQ(status->captured, 2);
}

// Takes a round of labels: so many each.
runners::Job Retrained(std::int64_t yes, std::int64_t slips, bool retrain) {
  LogHouse house;
  house.log.reset();
  runners::TaskRegistry tasks;
  data::AddTasks(tasks);
  AddTasks(tasks);
  runners::JobsHere jobs(tasks, house.blobs->scratch_directory());
  const auto datasets =
      *data::OpenDatasets(*house.database, *house.blobs, jobs, *house.events, SystemClock());
  const auto log = *OpenInferenceLog(*house.database, *house.blobs, jobs, *datasets, *house.metrics,
                                     SystemClock(), house.settings());
  const auto stream = log->Open(house.Spec());
  Recorder recorder;
  auto feedback = *log->NewFeedback("p", "churn");
  for (std::int64_t i = 0; i < yes + slips; ++i) {
    LogHouse::Answer(recorder, *stream, static_cast<std::uint64_t>(i), 1);
    const std::string id = fmt::format("{:016x}{:016x}", 0xabc, i);
    const std::string_view label = i >= yes ? "Yess" : i % 2 == 0 ? "Yes" : "No";
    GYRE_CHECK(
        feedback->Add(Json::Obj({{"inference_id", id}, {"label", label}}), "row").has_value());
  }
  GYRE_CHECK(feedback->Commit().has_value());
  return *log->MakeDataset({.project = "p",
                            .endpoint = "churn",
                            .dataset = "fresh",
                            .labelled_only = true,
                            .retrain = retrain,
                            .by = "ann"});
}

TEST(CaptureDataset, KeepsTheClassesOfTheModel) {
  const runners::Job slip = Retrained(80, 1, true);
  ASSERT_EQ(slip.state, "succeeded") << slip.error_message;
  EXPECT_EQ(slip.result["rows"].AsInt(), 80);
  EXPECT_EQ(slip.result["problems"].items()[0].AsString(),
            "1 of 81 labelled rows set aside: their label `Yess` is no class of the model");
  const runners::Job novel = Retrained(60, 20, true);
  EXPECT_EQ(novel.state, "failed");
  EXPECT_NE(novel.error_message.find("20 of 80 labels of churn say `Yess`"), std::string::npos)
      << novel.error_message;
  EXPECT_EQ(Retrained(60, 20, false).state, "succeeded") << "a person sees what was set aside";
}

// A job that waited for a second one would hold the slot that the second needs.
TEST(CaptureDataset, IsMadeByOneJobAlone) {
  LogHouse house;
  house.log.reset();
  runners::TaskRegistry tasks;
  data::AddTasks(tasks);
  AddTasks(tasks);
  runners::JobsHere jobs(tasks, house.blobs->scratch_directory());
  const auto datasets =
      *data::OpenDatasets(*house.database, *house.blobs, jobs, *house.events, SystemClock());
  const auto log = *OpenInferenceLog(*house.database, *house.blobs, jobs, *datasets, *house.metrics,
                                     SystemClock(), house.settings());
  const auto stream = log->Open(house.Spec());
  Recorder recorder;
  LogHouse::Answer(recorder, *stream, 1, 20);
  const auto job = log->MakeDataset(
      {.project = "p", .endpoint = "churn", .dataset = "fresh", .last_us = 0, .by = "ann"});
  ASSERT_TRUE(job) << job.error().ToString();
  ASSERT_EQ(job->state, "succeeded") << job->error_message;
  EXPECT_EQ(jobs.jobs_run, 1);
  EXPECT_EQ(job->result["reference"].AsString(), "fresh:v1");
  EXPECT_EQ(job->result["fresh_rows"].AsInt(), 20);
  const auto version = datasets->Resolve("p", "fresh");
  ASSERT_TRUE(version);
  EXPECT_EQ(version->rows, 20);
  EXPECT_EQ(version->created_by, "ann");
  EXPECT_EQ(version->source_name, "churn captures");
  for (const auto& entry : std::filesystem::directory_iterator(house.blobs->scratch_directory()))
    EXPECT_FALSE(entry.path().filename().string().starts_with("upload")) << entry.path();
}

TEST(CaptureMerge, ManySmallSegmentsBecomeOne) {
  LogHouse house;
  const auto stream = house.log->Open(house.Spec());
  Recorder recorder;
  for (std::uint64_t i = 0; i < 40; ++i) {
    LogHouse::Answer(recorder, *stream, i, 2);
    ASSERT_TRUE(house.log->Flush());
  }
  const Joined before = house.Read();
  house.log->Start();
  for (int i = 0; i < 200 && house.log->Status("p", "churn")->segments != 1; ++i) usleep(50'000);
  EXPECT_EQ(house.log->Status("p", "churn")->segments, 1);
  const Joined after = house.Read();
  ASSERT_EQ(after.frame.rows(), before.frame.rows());
  EXPECT_EQ(table::RowHashes(after.frame), table::RowHashes(before.frame));
}

// The first segment has nobody of its kind: that must not keep the others apart.
TEST(CaptureMerge, AnEarlyChangeOfPolicyDoesNotKeepTheRestApart) {
  LogHouse house;
  const auto stream = house.log->Open(house.Spec());
  Recorder recorder;
  const auto change = [&](const std::string& json) {
    ASSERT_TRUE(house.log->SetPolicy("p", "churn", *Json::Parse(json), "ann"));
  };
  LogHouse::Answer(recorder, *stream, 1, 2);
  ASSERT_TRUE(house.log->Flush());
  change(R"({"columns": {"amount": "drop"}})");
  for (std::uint64_t i = 2; i < 42; ++i) {
    LogHouse::Answer(recorder, *stream, i, 2);
    ASSERT_TRUE(house.log->Flush());
  }
  const Joined before = house.Read();
  house.log->Start();
  for (int i = 0; i < 60 && house.log->Status("p", "churn")->segments != 2; ++i) usleep(50'000);
  EXPECT_EQ(house.log->Status("p", "churn")->segments, 2);
  EXPECT_EQ(house.Read().frame.rows(), before.frame.rows());
}

// A stream whose segments are all unlike must not stand before one whose are alike.
TEST(CaptureMerge, AStreamThatGivesNothingIsSteppedOver) {
  LogHouse house;
  const auto stream = house.log->Open(house.Spec());
  Recorder recorder;
  for (int i = 0; i < 45; ++i) {
    const Json days = Json::Obj({{"retention_days", 10 + i}});
    ASSERT_TRUE(house.log->SetPolicy("p", "churn", days, "ann"));
    LogHouse::Answer(recorder, *stream, static_cast<std::uint64_t>(i), 1);
    ASSERT_TRUE(house.log->Flush());
  }
  StreamSpec spec = house.Spec();
  spec.endpoint = "other";
  spec.deployment_id = "d2";
  const auto second = house.log->Open(spec);
  for (std::uint64_t i = 0; i < 40; ++i) {
    LogHouse::Answer(recorder, *second, i, 1);
    ASSERT_TRUE(house.log->Flush());
  }
  house.log->Start();
  for (int i = 0; i < 60 && house.log->Status("p", "other")->segments != 1; ++i) usleep(50'000);
  EXPECT_EQ(house.log->Status("p", "other")->segments, 1);
  EXPECT_EQ(house.log->Status("p", "churn")->segments, 45);
}

}  // namespace
}  // namespace gyre::inference_log
