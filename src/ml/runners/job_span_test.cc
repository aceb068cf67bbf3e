// What a job was begun by, and what it was expected to use.
#include "ml/runners/job_span.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/mutex.h"
#include "ledger/usage/expected.h"
#include "platform/exec/files.h"

namespace gyre::runners {
namespace {

constexpr std::string_view kRequest = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kGiven = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view kUnsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

class JobSpanTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = exec::MakeTemporaryDirectory().value();
    database_ = *db::OpenSqlite({.path = folder_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), usage::UsageSchema(), RunnersSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    blobs_ = *blob::OpenLocalStore(folder_ + "/blobs");
    telemetry::SetSpanTap([this](telemetry::Span span) {
      const MutexLock lock(mutex_);
      spans_.push_back(std::move(span));
    });
    jobs_ = *OpenJobs(*database_, *blobs_, SystemClock(), {});
    const auto execute = [this](JobRun& run) -> Result<Json> {
      {
        const MutexLock lock(mutex_);
        inside_ = telemetry::CurrentSpan();
      }
      if (run.job().title == "bad") return InvalidArgument("GY3314", "it cannot work");
      return Json::Obj();
    };
    for (const char* const kind : {"import", "train"})
      jobs_->Register({.name = kind, .execute = execute});
    ASSERT_TRUE(jobs_->Start());
  }
  void TearDown() override {
    jobs_.reset();
    telemetry::SetSpanTap({});
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  Job Ended(const std::string& kind, const std::string& title = "t", Json input = Json::Obj()) {
    const auto job = jobs_->Submit({.kind = kind,
                                    .project = "p",
                                    .title = title,
                                    .created_by = "ana",
                                    .input = std::move(input)});
    EXPECT_TRUE(job) << job.error().ToString();
    return *jobs_->Wait(job->id, -1, {});
  }
  // The end is seen a moment before its span is told.
  telemetry::Span Told(std::size_t at = 0) {
    jobs_.reset();
    const MutexLock lock(mutex_);
    EXPECT_GT(spans_.size(), at);
    return spans_.size() > at ? spans_[at] : telemetry::Span();
  }
  std::optional<usage::Expected> Expected(const std::string& job) {
    std::optional<usage::Expected> expected;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY(expected, usage::ExpectedOf(reader, job));
      return {};
    }));
    return expected;
  }
  void Used(const std::string& job, double cpu_seconds) {
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
      return tx.Execute("UPDATE job SET cpu_seconds = ?2 WHERE id = ?1", {job, cpu_seconds});
    }));
  }

  std::string folder_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  Mutex mutex_;
  std::vector<telemetry::Span> spans_ GYRE_GUARDED_BY(mutex_);
  telemetry::SpanContext inside_ GYRE_GUARDED_BY(mutex_);
  std::unique_ptr<Jobs> jobs_;
};

TEST_F(JobSpanTest, IsAChildOfWhatItBeganIn) {
  bool led_on = false;
  Job job;
  {
    const telemetry::TraceScope request(kRequest, kGiven, &led_on);
    job = Ended("import", "bad");
  }
  EXPECT_TRUE(led_on);
  const telemetry::Span span = Told();
  EXPECT_EQ(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span.parent_id, kRequest.substr(0, 16));
  EXPECT_EQ(span.span_id, telemetry::SpanIdOf(job.id));
  EXPECT_EQ(span.name, "import");
  EXPECT_TRUE(span.failed);
  EXPECT_EQ(span.message, "it cannot work");
  const MutexLock lock(mutex_);
  EXPECT_EQ(inside_, (telemetry::SpanContext{span.trace_id, span.span_id, true}));
}

TEST_F(JobSpanTest, BeginsATraceOfItsIdWhereThereIsNone) {
  const Job job = Ended("import");
  const telemetry::Span span = Told();
  EXPECT_EQ(span.trace_id, job.id);
  EXPECT_EQ(span.parent_id, "");
  EXPECT_FALSE(span.failed);
}

TEST_F(JobSpanTest, WhatTheCallerDoesNotSampleIsNotTold) {
  {
    const telemetry::TraceScope request(kRequest, kUnsampled, nullptr);
    Ended("import");
  }
  Ended("import", "sampled");
  const telemetry::Span span = Told();
  EXPECT_NE(span.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(JobSpanTest, ExpectsTheMedianOfThoseLikeIt) {
  const auto of = [](const char* dataset, const char* target) {
    return Json::Obj({{"dataset", dataset}, {"target", target}});
  };
  const Job first = Ended("train", "t", of("churn:v1", "left"));
  EXPECT_FALSE(Expected(first.id)) << "nothing like it has run";
  Used(first.id, 3);
  Used(Ended("train", "t", of("churn:v2", "left")).id, 5);
  Used(Ended("train", "bad", of("churn:v2", "left")).id, 100);  // it failed
  Used(Ended("train", "t", of("churn:v2", "income")).id, 100);
  Used(Ended("train", "t", of("other:v1", "left")).id, 100);
  Used(Ended("import", "t", of("churn:v2", "left")).id, 100);
  const auto expected = Expected(Ended("train", "t", of("churn:v3", "left")).id);
  ASSERT_TRUE(expected);
  EXPECT_EQ(expected->quantities.cpu_us, 4'000'000);
  EXPECT_EQ(expected->measured, 2);
  EXPECT_EQ(expected->how, "the median of 2 like it");
}

}  // namespace
}  // namespace gyre::runners
