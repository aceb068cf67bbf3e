#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "platform/otlp/encode.h"
#include "platform/otlp/exporter.h"

namespace gyre::otlp {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

// The published definitions read these bytes as that message.
TEST(EncodeTest, ACounterIsACumulativeSum) {
  telemetry::FamilyReading family{.name = "a", .help = "", .type = "counter", .series = {}};
  auto& series = family.series.emplace_back();
  series.labels = {{"k", "v"}};
  series.value = 3;
  EXPECT_EQ(Hex(MetricsRequest({}, std::vector{family}, 1, 2)),
            "0a3e"  // resource_metrics
            "0a00"  // resource
            "123a"
            "0a060a0467797265"  // scope_metrics, scope "gyre"
            "1230"
            "0a0161"  // metric "a"
            "3a2b"
            "0a25"                  // sum, data point
            "3a080a016b12030a0176"  // k = v
            "11e803000000000000"
            "19d007000000000000"  // from 1,000 ns to 2,000 ns
            "210000000000000840"  // 3.0
            "1002"
            "1801");  // cumulative, monotonic
}

class ExporterTest : public testing::Test {
 protected:
  Exporter Make(ExporterSettings settings) {
    return Exporter(metrics_, SystemClock(), std::move(settings),
                    [this](std::string_view path, std::string body) -> Result<int> {
                      ++sent_[std::string(path)];
                      bytes_ += body.size();
                      if (status_ == 0) return MakeError(Code::kUnavailable, "GY1620", "nobody");
                      return status_;
                    });
  }
  std::int64_t Dropped(const std::string& signal) {
    return metrics_.GetCounter("gyre_otlp_dropped_total", "", {{"signal", signal}}).value();
  }
  telemetry::Metrics metrics_;
  std::map<std::string, int> sent_;
  std::size_t bytes_ = 0;
  int status_ = 200;
};

TEST_F(ExporterTest, WhatIsNotTakenIsKeptWhileThereIsRoom) {
  Exporter exporter = Make({.traces = true, .queue_max = 10});
  for (int i = 0; i < 8; ++i) exporter.Add(Span{.name = "a"});
  status_ = 503;
  EXPECT_FALSE(exporter.SendAll());
  for (int i = 0; i < 5; ++i) exporter.Add(Span{.name = "b"});
  EXPECT_EQ(Dropped("traces"), 3);
  status_ = 0;
  EXPECT_FALSE(exporter.SendAll());
  status_ = 200;
  EXPECT_TRUE(exporter.SendAll());
  EXPECT_EQ(sent_["/v1/traces"], 3);
  EXPECT_TRUE(exporter.SendAll());
  EXPECT_EQ(sent_["/v1/traces"], 3) << "nothing is left";
  EXPECT_EQ(metrics_.GetCounter("gyre_otlp_failures_total", "").value(), 2);
}

TEST_F(ExporterTest, WhatTheReceiverRefusesIsNotSentAgain) {
  Exporter exporter = Make({.logs = true});
  exporter.Add(LogRecord{.body = "x"});
  status_ = 400;
  EXPECT_TRUE(exporter.SendAll());
  EXPECT_EQ(Dropped("logs"), 1);
  status_ = 200;
  EXPECT_TRUE(exporter.SendAll());
  EXPECT_EQ(sent_["/v1/logs"], 1);
}

TEST_F(ExporterTest, TheLogIsHeardWithoutItsOwnLines) {
  Exporter exporter = Make({.metrics = true, .logs = true, .interval_us = 3600 * kMicrosPerSecond});
  exporter.Start();
  telemetry::Logger("somebody").Info("happened", {{"n", 3}});
  telemetry::Logger("otlp").Warn("not sent");
  exporter.Stop();
  EXPECT_EQ(sent_["/v1/logs"], 1);
  EXPECT_EQ(sent_["/v1/metrics"], 1);
  telemetry::Logger("somebody").Info("happened");
  EXPECT_TRUE(exporter.SendAll());
  EXPECT_EQ(sent_["/v1/logs"], 1) << "nobody listens any more";
}

TEST_F(ExporterTest, SpansThatEndAreHeard) {
  Exporter exporter = Make({.traces = true, .interval_us = 3600 * kMicrosPerSecond});
  telemetry::TellSpan({.name = "before"});
  exporter.Start();
  EXPECT_TRUE(telemetry::SpansAreWanted());
  telemetry::TellSpan({.name = "a"});
  exporter.Stop();
  EXPECT_EQ(sent_["/v1/traces"], 1);
  EXPECT_FALSE(telemetry::SpansAreWanted());
}

}  // namespace
}  // namespace gyre::otlp
