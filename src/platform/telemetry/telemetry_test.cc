#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <type_traits>

#include "base/json.h"
#include "base/text.h"
#include "platform/telemetry/log.h"
#include "platform/telemetry/metrics.h"
#include "platform/telemetry/stale.h"

namespace gyre::telemetry {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "gyre_log_" + std::to_string(getpid()) + ".log";
  }
  void TearDown() override {
    ASSERT_TRUE(ConfigureLog({}).has_value());
    unlink(path_.c_str());
  }
  LogSettings Settings(LogFormat format) {
    LogSettings settings;
    settings.format = format;
    settings.file = path_;
    return settings;
  }
  std::string path_;
};

TEST_F(LogTest, JsonLinesCarryFieldsAndRequestId) {
  ASSERT_TRUE(ConfigureLog(Settings(LogFormat::kJson)).has_value());
  constexpr Logger kLog{"ml/serving"};
  {
    LogRequestScope scope("req-1");
    kLog.Info("endpoint swapped",
              {{"endpoint", "a \"b\"\n"}, {"version", 3}, {"ok", true}, {"seconds", 0.5}});
  }
  kLog.Info("plain");
  FlushLog();
  const std::string text = ReadAll(path_);
  const auto lines = Split(Trim(text), '\n');
  ASSERT_EQ(lines.size(), 2u) << text;
  const auto first = Json::Parse(lines[0]);
  ASSERT_TRUE(first.has_value()) << text;
  EXPECT_EQ((*first)["endpoint"].AsString(), "a \"b\"\n");
  EXPECT_EQ((*first)["version"].AsInt(), 3);
  EXPECT_EQ((*first)["request_id"].AsString(), "req-1");
  EXPECT_EQ((*first)["level"].AsString(), "info");
  EXPECT_FALSE((*Json::Parse(lines[1])).Has("request_id"));
}

TEST_F(LogTest, LevelsPerModuleChangeAtRunTime) {
  ASSERT_TRUE(ConfigureLog(Settings(LogFormat::kText)).has_value());
  EXPECT_FALSE(LogEnabled("ml/serving", LogLevel::kDebug));
  SetLogLevel("ml", LogLevel::kDebug);
  SetLogLevel("ml/data", LogLevel::kError);
  EXPECT_TRUE(LogEnabled("ml/serving", LogLevel::kDebug));
  EXPECT_FALSE(LogEnabled("ml/data", LogLevel::kWarn));
  EXPECT_FALSE(LogEnabled("platform/net", LogLevel::kDebug));
  EXPECT_FALSE(LogEnabled("mlx", LogLevel::kDebug));
}

TEST_F(LogTest, RepeatedWarningsAreCountedInsteadOfWritten) {
  LogSettings settings = Settings(LogFormat::kText);
  settings.same_event_per_second_max = 3;
  ASSERT_TRUE(ConfigureLog(settings).has_value());
  for (int i = 0; i < 1000; ++i) Logger("x").Warn("same again");
  FlushLog();
  const std::string text = ReadAll(path_);
  EXPECT_LT(Split(text, '\n').size(), 20u);
}

TEST_F(LogTest, FilesRotate) {
  LogSettings settings = Settings(LogFormat::kText);
  settings.file_bytes_max = 2000;
  settings.files_max = 2;
  ASSERT_TRUE(ConfigureLog(settings).has_value());
  for (int i = 0; i < 200; ++i) Logger("x").Info("line", {{"i", i}});
  FlushLog();
  EXPECT_LE(ReadAll(path_).size(), 2200u);
  const std::string first = path_.substr(0, path_.size() - 4) + ".1.log";
  EXPECT_GT(ReadAll(first).size(), 1000u);
  unlink(first.c_str());
  unlink((path_.substr(0, path_.size() - 4) + ".2.log").c_str());
}

TEST_F(LogTest, UnwritableFileIsAnErrorWithItsName) {
  LogSettings settings;
  settings.file = "/proc/gyre-no-such/x.log";
  const auto result = ConfigureLog(settings);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().gy(), "GY1061");
}

TEST(SecretTest, HasNoWayIntoTheLog) {
  static_assert(!std::is_constructible_v<LogField, std::string_view, Secret>);
  static_assert(!fmt::is_formattable<Secret>::value);
  Secret a(std::string("0123456789012345678901234567890"));
  const Secret b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): the moved-from value must be wiped
  EXPECT_EQ(b.Reveal().size(), 31u);
}

TEST(MetricsTest, ExposesPrometheusText) {
  Metrics metrics;
  metrics.GetCounter("gyre_requests_total", "Requests.", {{"route", "/a\"b\\"}, {"status", "200"}})
      .Add(3);
  metrics.GetCounter("gyre_requests_total", "Requests.", {{"route", "/a\"b\\"}, {"status", "200"}})
      .Add();
  metrics.GetGauge("gyre_up", "Up.").Set(1);
  metrics.GaugeFunction("gyre_asked", "Asked.", {}, [] { return 2.5; });
  const double bounds[] = {0.1, 1};
  Histogram& histogram = metrics.GetHistogram("gyre_seconds", "Time.", {{"p", "x"}}, bounds);
  histogram.Observe(0.1);
  histogram.Observe(0.5);
  histogram.Observe(7);
  EXPECT_EQ(metrics.ExposeText(),
            "# HELP gyre_asked Asked.\n# TYPE gyre_asked gauge\ngyre_asked 2.5\n"
            "# HELP gyre_requests_total Requests.\n# TYPE gyre_requests_total counter\n"
            "gyre_requests_total{route=\"/a\\\"b\\\\\",status=\"200\"} 4\n"
            "# HELP gyre_seconds Time.\n# TYPE gyre_seconds histogram\n"
            "gyre_seconds_bucket{p=\"x\",le=\"0.1\"} 1\ngyre_seconds_bucket{p=\"x\",le=\"1\"} 2\n"
            "gyre_seconds_bucket{p=\"x\",le=\"+Inf\"} 3\ngyre_seconds_sum{p=\"x\"} "
            "7.6\ngyre_seconds_count{p=\"x\"} 3\n"
            "# HELP gyre_up Up.\n# TYPE gyre_up gauge\ngyre_up 1\n");
}

TEST(MetricsTest, SeriesOfOneFamilyAreBounded) {
  Metrics metrics;
  for (int i = 0; i < 5000; ++i) metrics.GetCounter("c", "C.", {{"user", std::to_string(i)}}).Add();
  const std::string text = metrics.ExposeText();
  EXPECT_LT(Split(text, '\n').size(), 2010u);
  EXPECT_NE(text.find("c{user=\"other\"} 3000"), std::string::npos);
}

TEST(MetricsTest, AStaleGaugeIsNotTold) {
  Metrics metrics;
  metrics.GetGauge("gyre_drift", "Drift.", {{"method", "ks"}}).Set(0.5);
  metrics.GetGauge("gyre_drift", "Drift.", {{"method", "psi"}}).Set(0.1);
  metrics.GetGauge("gyre_drift", "Drift.", {{"method", "ks"}}).Set(Stale());
  EXPECT_EQ(metrics.ExposeText().find("ks"), std::string::npos) << metrics.ExposeText();
  ASSERT_EQ(metrics.Read().size(), 1u);
  EXPECT_EQ(metrics.Read()[0].series.size(), 1u);
  metrics.GetGauge("gyre_drift", "Drift.", {{"method", "ks"}}).Set(NAN);
  EXPECT_NE(metrics.ExposeText().find("ks"), std::string::npos) << "not known is something else";
}

}  // namespace
}  // namespace gyre::telemetry
