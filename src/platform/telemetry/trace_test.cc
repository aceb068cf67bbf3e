#include "platform/telemetry/trace.h"

#include <gtest/gtest.h>

#include "platform/telemetry/log.h"
#include "platform/telemetry/log_tap.h"

namespace gyre::telemetry {
namespace {

constexpr std::string_view kId = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kGiven = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceParentTest, IsReadAndWritten) {
  const auto parent = ParseTraceParent(kGiven);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(parent->span_id, "00f067aa0ba902b7");
  EXPECT_TRUE(parent->sampled);
  EXPECT_EQ(TraceParentOf(*parent), kGiven);
  const auto later =
      ParseTraceParent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0e-later");
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->sampled);
  EXPECT_EQ(TraceParentOf({}), "");
  for (const char* wrong : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"})
    EXPECT_FALSE(ParseTraceParent(wrong)) << wrong;
}

TEST(TraceScopeTest, ARequestGoesOnWithATraceOrBeginsOneOfItsId) {
  EXPECT_EQ(CurrentSpan(), SpanContext());
  EXPECT_EQ(ParentOfWork(), SpanContext());
  bool led_on = false;
  {
    const TraceScope scope(kId, "", &led_on);
    EXPECT_EQ(CurrentSpan(), (SpanContext{std::string(kId), "0af7651916cd43dd", true}));
    EXPECT_EQ(CurrentParent(), "");
    EXPECT_FALSE(WorkHasBegun());
    EXPECT_EQ(ParentOfWork(), CurrentSpan());
    EXPECT_TRUE(WorkHasBegun());
  }
  EXPECT_TRUE(led_on);
  const TraceScope scope(kId, kGiven, nullptr);
  EXPECT_EQ(CurrentSpan(),
            (SpanContext{"4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd", true}));
  EXPECT_EQ(CurrentParent(), "00f067aa0ba902b7");
  {
    const SpanContext job{"1bf92f3577b34da6a3ce929d0e0e4736", "10f067aa0ba902b7", false};
    const TraceScope inside(job);
    EXPECT_EQ(CurrentSpan(), job);
  }
  EXPECT_EQ(CurrentParent(), "00f067aa0ba902b7") << "a scope within ends alone";
}

TEST(TraceScopeTest, AnIdOfAnotherFormStandsForOne) {
  const TraceScope scope("order-17", "", nullptr);
  const SpanContext span = CurrentSpan();
  EXPECT_TRUE(ParseTraceParent(TraceParentOf(span)));
  EXPECT_EQ(span.trace_id, TraceIdOf("order-17"));
  EXPECT_NE(TraceIdOf("order-17"), TraceIdOf("order-18"));
  EXPECT_TRUE(ParseTraceParent(TraceParentOf(
      {TraceIdOf("00000000000000000000000000000000"), SpanIdOf(std::string(32, '0')), true})));
}

TEST(TraceScopeTest, LinesOfTheLogSayInWhichSpanTheyWere) {
  SpanContext heard;
  SetLogTap([&](const LogEntry& entry) { heard = entry.span; });
  {
    const TraceScope scope(kId, kGiven, nullptr);
    Logger("somebody").Info("happened");
  }
  EXPECT_EQ(heard.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(heard.span_id, "0af7651916cd43dd");
  Logger("somebody").Info("happened");
  EXPECT_EQ(heard, SpanContext());
  SetLogTap({});
}

}  // namespace
}  // namespace gyre::telemetry
