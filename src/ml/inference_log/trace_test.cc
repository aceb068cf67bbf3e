#include "ml/inference_log/trace.h"

#include <gtest/gtest.h>

#include "ml/inference_log/testing/log_house.h"
#include "ml/runners/testing/jobs_here.h"

namespace gyre::inference_log {
namespace {

constexpr std::uint64_t kFirst = 17;

TEST(OwnIdTest, IdsOfGyreAreRead) {
  const auto id = ParseOwnId("0000000000000abc0000000000000011-3");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->high, 0xabcU);
  EXPECT_EQ(id->low, kFirst);
  EXPECT_EQ(id->row, 3);
  EXPECT_EQ(ParseOwnId("0000000000000abc0000000000000011")->row, 0);
  for (const char* other :
       {"", "order-9", "0000000000000abc00000000000000zz", "0000000000000abc",
        "0000000000000abc0000000000000011-", "0000000000000abc0000000000000011x1",
        "0000000000000abc0000000000000011--1"})
    EXPECT_FALSE(ParseOwnId(other)) << other;
}

TEST(OwnIdTest, AnswersBetweenTwoIdsAreCounted) {
  EXPECT_EQ(AnswersBetween(kFirst, kFirst), 0);
  EXPECT_EQ(AnswersBetween(kFirst, kFirst + 5 * kIdStep), 5);
  EXPECT_EQ(AnswersBetween(kFirst + 1'000'000 * kIdStep, kFirst), -1'000'000);
}

class TraceTest : public testing::Test {
 protected:
  TraceTest() : jobs_(Tasks(), house_.blobs->scratch_directory()) {
    log_ = *OpenInferenceLog(*house_.database, *house_.blobs, jobs_, *house_.datasets,
                             *house_.metrics, SystemClock(), house_.settings());
  }
  static const runners::TaskRegistry& Tasks() {
    static const runners::TaskRegistry* const kTasks = [] {
      auto* tasks = new runners::TaskRegistry;
      AddTasks(*tasks);
      return tasks;
    }();
    return *kTasks;
  }
  // Answer number `n` of one thread, `n` seconds after the beginning.
  void Answer(const Stream& stream, std::int64_t n, std::int64_t rows = 1) {
    LogHouse::Answer(recorder_, stream, Low(n), rows,
                     {.received_us = kBeganUs + n * kMicrosPerSecond});
  }
  static std::uint64_t Low(std::int64_t n) {
    return kFirst + static_cast<std::uint64_t>(n) * kIdStep;
  }
  static std::string Id(std::int64_t n) { return fmt::format("{:016x}{:016x}", 0xabc, Low(n)); }
  Trace Find(const std::string& id) {
    const auto trace = log_->Find("p", id);
    EXPECT_TRUE(trace) << trace.error().ToString();
    return trace.value_or(Trace());
  }

  static constexpr std::int64_t kBeganUs = 1'000'000'000'000;
  LogHouse house_;
  runners::JobsHere jobs_;
  std::unique_ptr<InferenceLog> log_;
  Recorder recorder_;
};

TEST_F(TraceTest, ACapturedAnswerTellsWhatGaveIt) {
  StreamSpec shadow = house_.Spec();
  shadow.role = "shadow";
  shadow.model = "churn:v2";
  const auto beside = log_->Open(shadow);
  const auto stream = log_->Open(house_.Spec());
  Answer(*stream, 1);
  Answer(*stream, 2, 3);
  Answer(*beside, 2, 3);
  const Trace trace = Find(Id(2) + "-2");
  EXPECT_TRUE(trace.captured);
  EXPECT_EQ(trace.matches, 1);
  EXPECT_EQ(trace.endpoint, "churn");
  EXPECT_EQ(trace.model, "churn:v1");
  EXPECT_EQ(trace.deployment_id, "d1");
  EXPECT_EQ(trace.model_version_id, "m1");
  EXPECT_EQ(trace.received_us, kBeganUs + 2 * kMicrosPerSecond);
  EXPECT_EQ(trace.prediction.AsString(), "Yes");
  EXPECT_TRUE(trace.label.is_null());
  EXPECT_TRUE(Find(Id(2) + "-0").captured);
  EXPECT_FALSE(log_->Find("other", Id(2))->captured) << "another project's answers are not told";
}

TEST_F(TraceTest, ALabelIsToldWithIt) {
  const auto stream = log_->Open(house_.Spec());
  Answer(*stream, 1);
  ASSERT_TRUE(log_->Flush());
  auto feedback = *log_->NewFeedback("p", "churn");
  ASSERT_TRUE(feedback->Add(Json::Obj({{"inference_id", Id(1)}, {"label", "No"}}), "rows[0]"));
  ASSERT_TRUE(feedback->Commit());
  EXPECT_EQ(Find(Id(1)).label.AsString(), "No");
}

TEST_F(TraceTest, ALostAnswerLiesBetweenItsNeighbours) {
  const auto stream = log_->Open(house_.Spec());
  for (const std::int64_t n : {1, 4, 9, 20}) Answer(*stream, n);
  Trace trace = Find(Id(6));
  EXPECT_FALSE(trace.captured);
  EXPECT_EQ(trace.after_us, kBeganUs + 4 * kMicrosPerSecond);
  EXPECT_EQ(trace.before_us, kBeganUs + 9 * kMicrosPerSecond);
  trace = Find(Id(30));
  EXPECT_EQ(trace.after_us, kBeganUs + 20 * kMicrosPerSecond);
  EXPECT_EQ(trace.before_us, 0);
  trace = Find(Id(9) + "-1");  // of a request whose other rows were left out
  EXPECT_EQ(trace.after_us, trace.before_us);
  trace = Find("0000000000000abd" + Id(6).substr(16));
  EXPECT_EQ(trace.after_us, 0) << "another thread";
  EXPECT_EQ(trace.before_us, 0);
}

TEST_F(TraceTest, AClientsOwnIdIsFound) {
  const auto stream = log_->Open(house_.Spec());
  const std::string_view names[] = {"order-9"};
  for (const std::int64_t second : {1, 3, 2})
    LogHouse::Answer(recorder_, *stream, Low(second), 1,
                     {.received_us = kBeganUs + second * kMicrosPerSecond, .inference_ids = names});
  const Trace trace = Find("order-9");
  EXPECT_EQ(trace.matches, 3);
  EXPECT_EQ(trace.received_us, kBeganUs + 3 * kMicrosPerSecond) << "the newest";
  EXPECT_FALSE(Find("order-8").captured);
}

}  // namespace
}  // namespace gyre::inference_log
