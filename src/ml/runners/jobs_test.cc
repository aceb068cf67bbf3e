#include "ml/runners/jobs.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

#include "ledger/usage/usage.h"
#include "platform/exec/files.h"
#include "platform/exec/process.h"

namespace gyre::runners {
namespace {

constexpr std::int64_t kForEver = -1;

std::string WorkerProgram() {
  const std::string self = exec::SelfPath();
  return self.substr(0, self.rfind('/')) + "/ml_runners_worker_for_tests";
}

// Answers as SQLite does when it meets a damaged page, in statements that hold `part`.
class DamagedSql final : public db::Database {
 public:
  DamagedSql(std::unique_ptr<db::Database> whole, const std::string& part)
      : whole_(std::move(whole)), part_(part) {}
  Result<> Write(WriteBody body) override {
    return whole_->Write([&](db::Transaction& tx) -> Result<> {
      Damaged damaged(tx, part_);
      return body(damaged);
    });
  }
  void WriteLater(WriteBody body, WriteDone done) override {
    whole_->WriteLater(std::move(body), std::move(done));
  }
  Result<> Read(const std::function<Result<>(db::Reader&)>& body) override {
    return whole_->Read(body);
  }
  Result<> Migrate(std::span<const db::ModuleSchema> schemas) override {
    return whole_->Migrate(schemas);
  }
  Result<> BackupTo(const std::string& path) override { return whole_->BackupTo(path); }
  Result<std::vector<std::string>> IntegrityProblems() override {
    return whole_->IntegrityProblems();
  }

 private:
  class Damaged final : public db::Transaction {
   public:
    Damaged(db::Transaction& tx, const std::string& part) : tx_(tx), part_(part) {}
    Result<> Query(std::string_view sql, db::Params params, const RowCallback& row) override {
      GYRE_DO(Look(sql));
      return tx_.Query(sql, params, row);
    }
    Result<> QueryList(std::string_view sql, std::span<const db::Value> params,
                       const RowCallback& row) override {
      GYRE_DO(Look(sql));
      return tx_.QueryList(sql, params, row);
    }
    Result<> Execute(std::string_view sql, db::Params params) override {
      GYRE_DO(Look(sql));
      return tx_.Execute(sql, params);
    }
    Result<> ExecuteList(std::string_view sql, std::span<const db::Value> params) override {
      GYRE_DO(Look(sql));
      return tx_.ExecuteList(sql, params);
    }
    std::int64_t last_insert_id() const override { return tx_.last_insert_id(); }
    std::int64_t changes() const override { return tx_.changes(); }
    void AfterCommit(std::move_only_function<void()> then) override {
      tx_.AfterCommit(std::move(then));
    }

   private:
    Result<> Look(std::string_view sql) const {
      if (!sql.contains(part_)) return {};
      return Error(Code::kDataLoss, "GY1405", "the database is damaged");
    }
    db::Transaction& tx_;
    const std::string& part_;
  };

  const std::unique_ptr<db::Database> whole_;
  const std::string& part_;
};

class JobsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-jobs-XXXXXX";
    directory_ = mkdtemp(pattern);
    Open();
  }
  void TearDown() override {
    Close();
    ASSERT_TRUE(exec::RemoveTree(directory_));
  }

  void Open() {
    auto database = db::OpenSqlite({.path = directory_ + "/gyre.db"});
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = std::make_unique<DamagedSql>(*std::move(database), damaged_sql_);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), usage::UsageSchema(), RunnersSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    auto blobs = blob::OpenLocalStore(directory_ + "/blobs");
    ASSERT_TRUE(blobs) << blobs.error().ToString();
    blobs_ = *std::move(blobs);
    JobSettings settings;
    settings.worker_program = WorkerProgram();
    settings.log_directory = directory_ + "/logs";
    settings.queue_length_max = 5;
    settings.request_timeout_ms = request_timeout_ms_;
    auto jobs = OpenJobs(*database_, *blobs_, SystemClock(), settings);
    ASSERT_TRUE(jobs);
    jobs_ = *std::move(jobs);
    // A kind per test task: runs it and hands on what it answers.
    for (const char* task :
         {"echo", "wait", "deaf", "tell", "fail", "crash", "devour", "environment"}) {
      jobs_->Register(
          {.name = task, .execute = [this, task](JobRun& run) { return RunIt(run, task); }});
    }
    jobs_->Register({.name = "again",
                     .execute = [this](JobRun& run) { return RunIt(run, "echo"); },
                     .requeue_after_restart = true});
    jobs_->Register({.name = "long wait",
                     .execute = [this](JobRun& run) { return RunIt(run, "wait"); },
                     .is_long = true});
    jobs_->Register({.name = "deaf again",
                     .execute = [this](JobRun& run) { return RunIt(run, "deaf"); },
                     .requeue_after_restart = true});
  }
  void Close() {
    jobs_.reset();
    blobs_.reset();
    database_.reset();
  }

  Result<Json> RunIt(JobRun& run, std::string_view task) {
    JobRun::TaskOptions options;
    options.on_event = [this](std::string_view, const Json& data) -> Result<> {
      ++events_;
      if (data.Has("pid")) pid_.store(static_cast<int>(data["pid"].AsInt()));
      return {};
    };
    if (task == "devour") options.memory_bytes_max = std::int64_t{100} << 20;
    GYRE_TRY(Json answer, run.RunTask(task, run.job().input, options));
    if (answer.Has("file")) {
      GYRE_TRY(const auto text,
               exec::ReadFile(run.scratch_directory() + "/" + answer["file"].AsString()));
      answer.Set("text", text);
    }
    return answer;
  }

  Job SubmitAndWait(const std::string& kind, double cpu_slots = 1) {
    auto job = jobs_->Submit({.kind = kind,
                              .project = "default",
                              .title = kind,
                              .created_by = "me",
                              .input = Json::Obj({{"a", 1}}),
                              .cpu_slots = cpu_slots});
    EXPECT_TRUE(job) << job.error().ToString();
    auto ended = jobs_->Wait(job->id, kForEver, {});
    EXPECT_TRUE(ended);
    return *ended;
  }
  // Until its task says that it runs.
  void WaitForPid() {
    while (pid_.load() == 0) usleep(1'000);
  }
  void WaitForState(const std::string& id, const std::string& state) {
    ASSERT_TRUE(jobs_->Wait(id, kForEver, [&](const Job& job) { return job.state != state; }));
  }

  // As a full disk does, for jobs that end like this.
  void RefuseEnds(std::string_view state) {
    const std::string sql = fmt::format(
        "CREATE TRIGGER refuse BEFORE UPDATE ON job WHEN NEW.state = '{}' "
        "BEGIN SELECT RAISE(ABORT, 'no space left'); END",
        state);
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) { return tx.Execute(sql, {}); }));
  }
  void AcceptEnds() {
    ASSERT_TRUE(database_->Write(
        [](db::Transaction& tx) { return tx.Execute("DROP TRIGGER refuse", {}); }));
  }

  std::string directory_;
  std::string damaged_sql_ = "nothing";
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<Jobs> jobs_;
  std::atomic<int> events_{0}, pid_{0};
  std::int64_t request_timeout_ms_ = 600'000;
};

TEST_F(JobsTest, ShortJobsPassLongOnesThatWaitAndTwoLongOnesQueue) {
  ASSERT_TRUE(jobs_->Start());
  const JobSpec training = {.kind = "long wait", .project = "p", .cpu_slots = 2};
  const auto first = jobs_->Submit(training), second = jobs_->Submit(training);
  ASSERT_TRUE(first && second);
  WaitForPid();
  EXPECT_EQ(SubmitAndWait("echo").state, "succeeded");
  EXPECT_EQ(jobs_->Get(first->id)->state, "running");
  EXPECT_EQ(jobs_->Get(second->id)->state, "queued");
  // Two short ones share the one slot that the long one leaves.
  const auto holds = jobs_->Submit({.kind = "wait", .project = "p"});
  WaitForState(holds->id, "running");
  const auto waits = jobs_->Submit({.kind = "wait", .project = "p"});
  EXPECT_EQ(jobs_->Get(waits->id)->state, "queued");
  // The second long one comes when the first has ended, though a short one runs.
  ASSERT_TRUE(jobs_->Cancel(first->id, "ann"));
  WaitForState(second->id, "running");
  EXPECT_EQ(jobs_->Get(waits->id)->state, "queued");
  for (const auto& job : {second, holds, waits}) ASSERT_TRUE(jobs_->Cancel(job->id, "ann"));
}

TEST_F(JobsTest, ADamagedDatabaseFailsJobsAndKeepsNobodyWaiting) {
  ASSERT_TRUE(jobs_->Start());
  damaged_sql_ = "INTO usage_line";
  const Job job = SubmitAndWait("echo");
  EXPECT_EQ(job.state, "succeeded") << "what it did stands, though nobody books it";
  EXPECT_EQ(jobs_->Get(job.id)->state, "succeeded");
  damaged_sql_ = "ended_us = ?";  // not even the end of a job can be written
  const Job lost = SubmitAndWait("echo");
  EXPECT_EQ(lost.state, "failed");
  EXPECT_EQ(lost.error_code, "GY1405");
  EXPECT_EQ(jobs_->Get(lost.id)->state, "failed");
  EXPECT_EQ(jobs_->List({})->front().state, "failed");
  EXPECT_FALSE(jobs_->busy());
}

TEST_F(JobsTest, RunsATaskAndKeepsItsResult) {
  ASSERT_TRUE(jobs_->Start());
  const Job job = SubmitAndWait("echo");
  EXPECT_EQ(job.state, "succeeded");
  EXPECT_EQ(job.result["echo"]["a"].AsInt(), 1);
  EXPECT_GT(job.memory_bytes_peak, 0);
  const auto stored = jobs_->Get(job.id.substr(0, 12));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->state, "succeeded");
  EXPECT_EQ(stored->result, job.result);
  EXPECT_EQ(jobs_->List({.projects = {{"default"}}})->size(), 1U);
  EXPECT_EQ(jobs_->List({.projects = {{"other"}}})->size(), 0U);
}

TEST_F(JobsTest, PassesOnEventsOutputProgressAndFiles) {
  ASSERT_TRUE(jobs_->Start());
  const Job job = SubmitAndWait("tell");
  EXPECT_EQ(job.state, "succeeded");
  EXPECT_EQ(job.result["text"].AsString(), "made by the task");
  EXPECT_EQ(events_.load(), 3);
  const auto log = jobs_->ReadLog(job.id, 0);
  ASSERT_TRUE(log);
  EXPECT_NE(log->find("a line of the task\n"), std::string::npos) << *log;
  EXPECT_NE(log->find("a line of a library\n"), std::string::npos) << *log;
  EXPECT_FALSE(std::filesystem::exists(blobs_->scratch_directory() + "/job-" + job.id));
}

TEST_F(JobsTest, KeepsAWorkerWarmBetweenTasks) {
  ASSERT_TRUE(jobs_->Start());
  const Json first = SubmitAndWait("echo").result, second = SubmitAndWait("echo").result;
  EXPECT_EQ(first["pid"].AsInt(), second["pid"].AsInt());
}

TEST_F(JobsTest, AnErrorTravelsWhole) {
  ASSERT_TRUE(jobs_->Start());
  const Job job = SubmitAndWait("fail");
  EXPECT_EQ(job.state, "failed");
  EXPECT_EQ(job.error_code, "GY2041");
  EXPECT_EQ(job.error_message, "column `age` is not a number");
  EXPECT_EQ(job.error_why, "it was read as text");
  ASSERT_EQ(job.error_fixes.size(), 1U);
  EXPECT_EQ(jobs_->Get(job.id)->error_code, "GY2041");
}

TEST_F(JobsTest, AKilledWorkerFailsItsJobHonestly) {
  ASSERT_TRUE(jobs_->Start());
  const Job job = SubmitAndWait("crash");
  EXPECT_EQ(job.state, "failed");
  EXPECT_EQ(job.error_code, "GY3305");
  EXPECT_NE(job.error_message.find("signal 9"), std::string::npos) << job.error_message;
  EXPECT_NE(jobs_->ReadLog(job.id, 0)->find("about to die"), std::string::npos);
  EXPECT_EQ(SubmitAndWait("echo").state, "succeeded");  // and the next one runs
}

TEST_F(JobsTest, SomebodyKillsTheWorkerInTheMiddle) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "wait", .project = "p"});
  ASSERT_TRUE(job);
  WaitForPid();
  kill(pid_.load(), SIGKILL);
  const auto ended = jobs_->Wait(job->id, kForEver, {});
  EXPECT_EQ(ended->state, "failed");
  EXPECT_EQ(ended->error_code, "GY3305");
}

TEST_F(JobsTest, AWorkerThatDiedWhileIdleIsReplaced) {
  ASSERT_TRUE(jobs_->Start());
  const auto pid = static_cast<int>(SubmitAndWait("echo").result["pid"].AsInt());
  kill(pid, SIGKILL);
  siginfo_t dead{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &dead, WEXITED | WNOWAIT), 0);
  const Job job = SubmitAndWait("echo");
  EXPECT_EQ(job.state, "succeeded");
  EXPECT_NE(job.result["pid"].AsInt(), pid);
}

TEST_F(JobsTest, CancelReachesARunningTask) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "wait", .project = "p"});
  WaitForPid();
  ASSERT_TRUE(jobs_->Cancel(job->id, "ann"));
  EXPECT_EQ(jobs_->Wait(job->id, kForEver, {})->state, "cancelled");
  EXPECT_EQ(jobs_->Get(job->id)->state, "cancelled");
  ASSERT_TRUE(jobs_->Cancel(job->id, "bo"));  // nothing left to do
  EXPECT_EQ(jobs_->Get(job->id)->cancelled_by, "ann");
}

TEST_F(JobsTest, WhoCancelledFirstIsKept) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "deaf", .project = "p", .title = "the night's"});
  WaitForPid();
  ASSERT_TRUE(jobs_->Cancel(job->id, "budget night"));
  ASSERT_TRUE(jobs_->Cancel(job->id, "bo"));
  EXPECT_EQ(jobs_->Get(job->id)->cancelled_by, "budget night") << "while it still runs";
  const auto ended = jobs_->Wait(job->id, kForEver, {});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ErrorOf(*ended).message(), "the job was cancelled by budget night: the night's");
  Close();
  Open();
  EXPECT_EQ(jobs_->Get(job->id)->cancelled_by, "budget night");
  EXPECT_EQ(JobToJson(*jobs_->Get(job->id))["cancelled_by"].AsString(), "budget night");
}

TEST_F(JobsTest, CancelEndsATaskThatDoesNotListen) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "deaf", .project = "p"});
  WaitForPid();
  ASSERT_TRUE(jobs_->Cancel(job->id, "ann"));
  EXPECT_EQ(jobs_->Wait(job->id, kForEver, {})->state, "cancelled");
  EXPECT_NE(kill(pid_.load(), 0), 0);
}

TEST_F(JobsTest, TwoThatWantEverythingRunOneAfterTheOther) {
  ASSERT_TRUE(jobs_->Start());
  const auto first = jobs_->Submit({.kind = "wait", .project = "p", .cpu_slots = 2});
  const auto second = jobs_->Submit({.kind = "echo", .project = "p", .cpu_slots = 2});
  WaitForPid();
  EXPECT_EQ(jobs_->Get(second->id)->state, "queued");
  ASSERT_TRUE(jobs_->Cancel(first->id, "ann"));
  EXPECT_EQ(jobs_->Wait(second->id, kForEver, {})->state, "succeeded");
}

TEST_F(JobsTest, AQueuedJobIsCancelledBeforeItBegins) {
  ASSERT_TRUE(jobs_->Start());
  const auto first = jobs_->Submit({.kind = "wait", .project = "p", .cpu_slots = 2});
  const auto second = jobs_->Submit({.kind = "echo", .project = "p"});
  ASSERT_TRUE(jobs_->Cancel(second->id, "ann"));
  EXPECT_EQ(jobs_->Get(second->id)->state, "cancelled");
  ASSERT_TRUE(jobs_->Cancel(first->id, "ann"));
  EXPECT_EQ(jobs_->Wait(first->id, kForEver, {})->state, "cancelled");
}

TEST_F(JobsTest, AFullQueueSaysSo) {
  ASSERT_TRUE(jobs_->Start());
  const auto first = jobs_->Submit({.kind = "wait", .project = "p", .cpu_slots = 2});
  WaitForState(first->id, "running");
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(jobs_->Submit({.kind = "echo", .project = "p"}));
  const auto refused = jobs_->Submit({.kind = "echo", .project = "p"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY3301");
  ASSERT_TRUE(jobs_->Cancel(first->id, "ann"));
}

TEST_F(JobsTest, WhatRanWhenTheServerStoppedIsInterruptedAndTheQueueGoesOn) {
  ASSERT_TRUE(jobs_->Start());
  const auto ran = jobs_->Submit({.kind = "wait", .project = "p", .cpu_slots = 2});
  WaitForPid();
  const auto queued = jobs_->Submit({.kind = "echo", .project = "p"});
  Close();
  Open();
  ASSERT_TRUE(jobs_->Start());
  EXPECT_EQ(jobs_->Get(ran->id)->state, "interrupted");
  EXPECT_EQ(jobs_->Get(ran->id)->error_code, "GY3303");
  EXPECT_EQ(jobs_->Wait(queued->id, kForEver, {})->state, "succeeded");
}

TEST_F(JobsTest, AfterADeathTheRowsTellTheTruth) {
  // As a server that was killed leaves them: both rows say "running".
  const auto harmless = jobs_->Submit({.kind = "again", .project = "p"});
  const auto other = jobs_->Submit({.kind = "echo", .project = "p"});
  ASSERT_TRUE(database_->Write(
      [](db::Transaction& tx) { return tx.Execute("UPDATE job SET state = 'running'", {}); }));
  Close();
  Open();
  ASSERT_TRUE(jobs_->Start());
  EXPECT_EQ(jobs_->Wait(harmless->id, kForEver, {})->state, "succeeded");
  EXPECT_EQ(jobs_->Get(other->id)->state, "interrupted");
}

TEST_F(JobsTest, ACancelOutlivesADeath) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "deaf again", .project = "p"});
  WaitForPid();
  ASSERT_TRUE(jobs_->Cancel(job->id, "ann"));
  Close();
  Open();
  // As a server leaves it that was killed before the worker had ended.
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
    return tx.Execute("UPDATE job SET state = 'running', ended_us = 0", {});
  }));
  ASSERT_TRUE(jobs_->Start());
  EXPECT_EQ(jobs_->Get(job->id)->state, "cancelled");
  EXPECT_EQ(jobs_->Get(job->id)->cancelled_by, "ann");
}

TEST_F(JobsTest, ACancelThatCannotBeWrittenStopsTheJobAndSaysSo) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "wait", .project = "p"});
  WaitForPid();
  RefuseEnds("running");
  const auto cancelled = jobs_->Cancel(job->id, "ann");
  ASSERT_FALSE(cancelled);
  EXPECT_NE(cancelled.error().ToString().find("may come back after a restart"), std::string::npos)
      << cancelled.error().ToString();
  EXPECT_EQ(jobs_->Wait(job->id, kForEver, {})->state, "cancelled");
}

TEST_F(JobsTest, ACancelledJobIsNotQueuedAgainByAStop) {
  ASSERT_TRUE(jobs_->Start());
  const auto job = jobs_->Submit({.kind = "deaf again", .project = "p"});
  WaitForPid();
  ASSERT_TRUE(jobs_->Cancel(job->id, "ann"));
  Close();  // before the task, which does not listen, has ended
  Open();
  EXPECT_EQ(jobs_->Get(job->id)->state, "cancelled");
}

TEST_F(JobsTest, ACancelThatCannotBeWrittenIsAnError) {
  ASSERT_TRUE(jobs_->Start());
  const auto first = jobs_->Submit({.kind = "wait", .project = "p", .cpu_slots = 2});
  WaitForPid();
  const auto second = jobs_->Submit({.kind = "echo", .project = "p"});
  RefuseEnds("cancelled");
  EXPECT_FALSE(jobs_->Cancel(second->id, "ann"));
  EXPECT_EQ(jobs_->Get(second->id)->state, "queued");
  AcceptEnds();
  ASSERT_TRUE(jobs_->Cancel(second->id, "ann"));
  EXPECT_EQ(jobs_->Get(second->id)->state, "cancelled");
  ASSERT_TRUE(jobs_->Cancel(first->id, "ann"));
}

TEST_F(JobsTest, AnEndThatCannotBeWrittenIsTriedAgain) {
  ASSERT_TRUE(jobs_->Start());
  RefuseEnds("failed");
  const auto job = jobs_->Submit({.kind = "fail", .project = "p"});
  WaitForState(job->id, "running");
  usleep(100'000);
  EXPECT_TRUE(jobs_->busy());
  AcceptEnds();
  EXPECT_EQ(jobs_->Wait(job->id, kForEver, {})->state, "failed");
  Close();
  Open();
  EXPECT_EQ(jobs_->Get(job->id)->state, "failed");
}

TEST_F(JobsTest, JobsOfOtherProjectsDoNotUseUpTheLimit) {
  const auto mine = jobs_->Submit({.kind = "echo", .project = "mine"});
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(jobs_->Submit({.kind = "echo", .project = "theirs"}));
  const std::vector<std::string> projects = {"none", "mine"};
  const auto seen = jobs_->List({.projects = projects, .limit = 2});
  ASSERT_TRUE(seen) << seen.error().ToString();
  ASSERT_EQ(seen->size(), 1U);
  EXPECT_EQ(seen->front().id, mine->id);
  EXPECT_EQ(jobs_->List({.projects = std::vector<std::string>()})->size(), 0U);
  std::vector<std::string> ids;
  for (JobQuery page{.limit = 1}; ids.size() < 9; page.after = ids.back()) {
    const auto next = jobs_->List(page);
    ASSERT_TRUE(next) << next.error().ToString();
    if (next->empty()) break;
    ids.push_back(next->front().id);
  }
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_EQ(ids.back(), mine->id) << "the newest come first";
}

TEST_F(JobsTest, AMemoryLimitIsAnErrorNotACrash) {
  if (std::getenv("GYRE_SANITIZER") != nullptr)
    GTEST_SKIP() << "a sanitizer's own address space is beyond every limit";
  ASSERT_TRUE(jobs_->Start());
  const Job job = SubmitAndWait("devour");
  EXPECT_EQ(job.state, "failed");
  EXPECT_EQ(job.error_code, "GY3309");
  EXPECT_TRUE(job.error_message.ends_with(" that it may use")) << job.error_message;
}

TEST_F(JobsTest, WorkersDoNotInheritSecrets) {
  setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
  ASSERT_TRUE(jobs_->Start());
  const Job job = SubmitAndWait("environment");
  unsetenv("AWS_SECRET_ACCESS_KEY");
  const std::string text = job.result.Dump();
  EXPECT_EQ(text.find("hidden"), std::string::npos);
  EXPECT_NE(text.find("OMP_WAIT_POLICY=passive"), std::string::npos);
  EXPECT_NE(text.find("\"PATH="), std::string::npos);
}

TEST_F(JobsTest, ATaskForARequestRunsBesideTheQueue) {
  ASSERT_TRUE(jobs_->Start());
  const auto waits = jobs_->Submit({.kind = "wait", .project = "p", .cpu_slots = 2});
  WaitForPid();
  const auto answer = jobs_->RunTaskNow("echo", Json::Obj({{"b", 2}}), {});
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ((*answer)["echo"]["b"].AsInt(), 2);
  JobRun::TaskOptions late;
  late.timeout_ms = 50;
  const auto slow = jobs_->RunTaskNow("wait", Json(), late);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code(), Code::kDeadlineExceeded);
  ASSERT_TRUE(jobs_->Cancel(waits->id, "ann"));
}

TEST_F(JobsTest, ATaskForARequestEndsWithItsClientOrItsTime) {
  Close();
  request_timeout_ms_ = 50;
  Open();
  ASSERT_TRUE(jobs_->Start());
  EXPECT_EQ(jobs_->RunTaskNow("wait", Json(), {}).error().code(), Code::kDeadlineExceeded);
  JobRun::TaskOptions left;
  left.timeout_ms = 60'000;
  left.cancelled = [] { return true; };
  EXPECT_EQ(jobs_->RunTaskNow("wait", Json(), left).error().code(), Code::kCancelled);
}

TEST_F(JobsTest, ForgetsWhatEndedLongAgo) {
  ASSERT_TRUE(jobs_->Start());
  const Job old = SubmitAndWait("echo"), other = SubmitAndWait("again");
  EXPECT_EQ(*jobs_->Forget("echo", old.ended_us), 0);
  EXPECT_EQ(*jobs_->Forget("echo", old.ended_us + 1), 1);
  EXPECT_EQ(jobs_->Get(old.id).error().gy(), "GY3302");
  EXPECT_FALSE(jobs_->ReadLog(old.id, 0));
  EXPECT_TRUE(jobs_->Get(other.id));
}

TEST_F(JobsTest, AJobThatHasEndedSaysWhy) {
  ASSERT_TRUE(jobs_->Start());
  const Error failed = ErrorOf(SubmitAndWait("fail"));
  EXPECT_EQ(failed.code(), Code::kInvalidArgument);
  EXPECT_EQ(failed.gy(), "GY2041");
  const auto waits = jobs_->Submit({.kind = "wait", .project = "p", .title = "it"});
  WaitForPid();
  ASSERT_TRUE(jobs_->Cancel(waits->id, "ann"));
  const auto ended = jobs_->Wait(waits->id, kForEver, {});
  EXPECT_EQ(ErrorOf(*ended).code(), Code::kCancelled);
  EXPECT_EQ(ErrorOf(*ended).gy(), "GY3317");
}

TEST_F(JobsTest, UnknownThingsAreNamed) {
  ASSERT_TRUE(jobs_->Start());
  EXPECT_EQ(jobs_->Submit({.kind = "nonsense"}).error().gy(), "GY3314");
  EXPECT_EQ(jobs_->Get("abc").error().gy(), "GY3302");
  EXPECT_EQ(jobs_->RunTaskNow("nonsense", Json(), {}).error().gy(), "GY3311");
}

}  // namespace
}  // namespace gyre::runners
