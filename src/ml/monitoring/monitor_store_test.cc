#include "ml/monitoring/monitor_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"
#include "ml/monitoring/judgement.h"

namespace gyre::monitoring {
namespace {

class Store : public testing::Test {
 protected:
  Store() : directory_(std::filesystem::temp_directory_path() / ("monitoring-" + NewId())) {
    std::filesystem::create_directories(directory_);
    database_ = *db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    const db::ModuleSchema schemas[] = {MonitoringSchema()};
    EXPECT_TRUE(database_->Migrate(schemas));
    row_.monitor.id = "m";
    row_.monitor.project = "p";
    row_.monitor.name = row_.monitor.endpoint = "churn";
    Write([&](db::Transaction& tx) {
      return InsertMonitor(tx, row_, MonitorSpecToJson({.drift = {.effect_min = 0.3}}).Dump());
    });
  }
  ~Store() override {
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Write(db::Database::WriteBody body) {
    const auto written = database_->Write(std::move(body));
    EXPECT_TRUE(written) << written.error().ToString();
  }
  void Read(const std::function<Result<>(db::Reader&)>& body) {
    const auto read = database_->Read(body);
    EXPECT_TRUE(read) << read.error().ToString();
  }
  static JudgedWindow WindowOf(std::int64_t number, int revision = 1) {
    JudgedWindow window{.id = WindowId("m", number), .monitor_id = "m", .number = number};
    window.begin_us = number * 10;
    window.end_us = number * 10 + 10;
    window.revision = revision;
    return window;
  }
  MonitorRow Monitor() {
    MonitorRow row;
    Read([&](db::Reader& reader) -> Result<> {
      GYRE_TRY([[maybe_unused]] const bool found, FindMonitor(reader, "p", "churn", &row));
      return {};
    });
    return row;
  }

  const std::filesystem::path directory_;
  std::unique_ptr<db::Database> database_;
  MonitorRow row_;
};

TEST_F(Store, KeepsTheFirstAndTheNewestRevisions) {
  for (int revision = 1; revision <= 9; ++revision) {
    Write([&](db::Transaction& tx) -> Result<> {
      if (revision > 1) GYRE_DO(KeepRevision(tx, WindowId("m", 1)));
      return PutWindow(tx, WindowOf(1, revision), "{}");
    });
  }
  Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const Json revisions, ReadRevisions(reader, WindowId("m", 1)));
    std::vector<std::int64_t> numbers;
    for (const Json& one : revisions.items()) numbers.push_back(one["revision"].AsInt());
    EXPECT_EQ(numbers, (std::vector<std::int64_t>{1, 5, 6, 7, 8}));
    return {};
  });
}

TEST_F(Store, ForgetsWindowsOfLongAgoAndGoesOnCounting) {
  Write([&](db::Transaction& tx) -> Result<> {
    for (const std::int64_t number : {1, 2, 6'000}) {
      GYRE_DO(PutWindow(tx, WindowOf(number), "{}"));
      GYRE_DO(MarkObserved(tx, WindowId("m", number), kDrift));
    }
    return ForgetOldWindows(tx, WindowOf(6'000));
  });
  EXPECT_EQ(Monitor().monitor.windows, 6'000);
  Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto windows, ReadWindows(reader, "m", 0, 10));
    EXPECT_EQ(windows.size(), 1U);
    GYRE_TRY(const auto forgotten, ReadObserved(reader, WindowId("m", 1)));
    EXPECT_TRUE(forgotten.empty());
    GYRE_TRY(const auto observed, ReadObserved(reader, WindowId("m", 6'000)));
    EXPECT_EQ(observed, std::vector<std::string>{std::string(kDrift)});
    return {};
  });
}

TEST_F(Store, CountsWhatCameLateByWindowAndByMonitor) {
  Write([&](db::Transaction& tx) -> Result<> {
    for (std::int64_t number = 1; number <= 4; ++number) {
      JudgedWindow window = WindowOf(number);
      window.state = number <= 3 ? WindowState::kFinal : WindowState::kProvisional;
      window.rows = 100;
      window.labelled = number == 1 ? 100 : 60;
      window.late = {.rows = number, .labels = 60};
      window.document = *Json::Parse(R"({"labels":{"delay_p50":2.5}})");
      GYRE_DO(PutWindow(tx, window, window.document.Dump()));
    }
    return LeaveOut(tx, WindowId("m", 2), 7, 3);
  });
  const Late late = Monitor().monitor.late;
  EXPECT_EQ(late.rows, 10);
  EXPECT_EQ(late.labels, 240);
  EXPECT_EQ(late.left_out_rows, 7);
  EXPECT_EQ(late.left_out_labels, 3);
  Read([&](db::Reader& reader) -> Result<> {
    const auto numbers = [&](std::int64_t since_us, int lacking) {
      std::vector<std::int64_t> found;
      const auto windows = ReadFinal(reader, "m", since_us, lacking);
      EXPECT_TRUE(windows);
      for (const JudgedWindow& window : *windows) found.push_back(window.number);
      return found;
    };
    using Numbers = std::vector<std::int64_t>;
    EXPECT_EQ(numbers(25, 0), (Numbers{2, 3}));  // a late row at 25 lies in the second
    EXPECT_EQ(numbers(INT64_MAX, 0), Numbers{});
    EXPECT_EQ(numbers(INT64_MAX, 1), Numbers{3});
    EXPECT_EQ(numbers(INT64_MAX, 9), (Numbers{2, 3}));
    GYRE_TRY(const auto history, ReadLabelHistory(reader, "m"));
    EXPECT_EQ(history.size(), 4U);
    EXPECT_EQ(history[0].end_us, 20);
    EXPECT_EQ(history[0].delay_us, 2'500'000);
    GYRE_TRY(const std::int64_t end_us, ReadEndUntil(reader, "m", 25));
    EXPECT_EQ(end_us, 30);
    return {};
  });
}

TEST_F(Store, ASignalOfAWindowIsObservedOnce) {
  Write([&](db::Transaction& tx) { return MarkObserved(tx, "w", kDrift); });
  const auto again =
      database_->Write([&](db::Transaction& tx) { return MarkObserved(tx, "w", kDrift); });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().gy(), "GY1402");
}

TEST_F(Store, AlertsAndTheirChangesComeBackAsTheyWere) {
  Alert alert;
  alert.id = AlertId("m", kDrift);
  alert.monitor_id = "m";
  alert.project = "p";
  alert.monitor = alert.endpoint = "churn";
  alert.signal = std::string(kDrift);
  alert.state.phase = Phase::kFiring;
  alert.columns = {"hour"};
  alert.changes = 1;
  Write([&](db::Transaction& tx) -> Result<> {
    GYRE_DO(PutAlert(tx, alert, StateToJson(alert.state).Dump(), R"(["hour"])"));
    return InsertChange(tx, alert.id, {.number = 1, .to = Phase::kFiring, .reason = "why"});
  });
  EXPECT_EQ(Monitor().monitor.firing, 1);
  EXPECT_EQ(Monitor().monitor.spec.drift.effect_min, 0.3);
  Read([&](db::Reader& reader) -> Result<> {
    GYRE_TRY(const auto firing, ReadAlerts(reader, {.projects = {{"p"}}, .phase = "firing"}));
    EXPECT_EQ(firing.size(), 1U);
    GYRE_TRY(const auto others, ReadAlerts(reader, {.projects = {{"q"}}, .all = true}));
    EXPECT_TRUE(others.empty());
    EXPECT_EQ(AlertToJson(firing[0]).Dump(), AlertToJson(alert).Dump());
    GYRE_TRY(const auto changes, ReadChanges(reader, alert.id, 10));
    EXPECT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].reason, "why");
    return {};
  });
  Write([&](db::Transaction& tx) { return DeleteMonitor(tx, "m"); });
}

TEST(MonitorSpec, ReadsWhatItWritesAndNamesWhatIsWrong) {
  const MonitorSpec spec = *ChangedSpec(
      {}, *Json::Parse(R"({"window":{"rows":200},"alert":{"bad":4},"against":"previous",
          "ignore":["id"],"quiet":["service"],"label_wait":60,"coverage_min":0.2})"));
  EXPECT_EQ(spec.alert.of_windows, 4);
  EXPECT_EQ(*ChangedSpec({}, MonitorSpecToJson(spec)), spec);
  for (const char* change : {R"({"effect":1})", R"({"effect_min":-1})", R"({"against":"x"})",
                             R"({"quiet":["x"]})", R"({"ignore":"id"})", R"({"label_wait":-1})"})
    EXPECT_EQ(ChangedSpec({}, *Json::Parse(change)).error().gy(), "GY4501") << change;
}

// What a change does not say of the window stays.
TEST(ChangedSpec, AWindowIsChangedMemberByMember) {
  MonitorSpec spec;
  spec.window = *WindowSpecFromJson(*Json::Parse(R"({"every": 3600, "lateness": 60})"));
  const auto changed = ChangedSpec(spec, *Json::Parse(R"({"window": {"rows_min": 50}})"));
  ASSERT_TRUE(changed) << changed.error().ToString();
  EXPECT_EQ(changed->window.period_us, 3600 * kMicrosPerSecond);
  EXPECT_EQ(changed->window.lateness_us, 60 * kMicrosPerSecond);
  EXPECT_EQ(changed->window.rows_min, 50);
  spec.window = *WindowSpecFromJson(*Json::Parse(R"({"rows": 500})"));
  const auto refused = ChangedSpec(spec, *Json::Parse(R"({"window": {"rows_min": 50}})"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY4502");
  EXPECT_EQ(refused.error().message(),
            "`rows_min` is of a window by time, and this one is by rows");
}

}  // namespace
}  // namespace gyre::monitoring
