#include "ml/monitoring/kpi_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "base/testing/set_clock.h"
#include "ledger/events/events.h"
#include "ml/projects/projects.h"
#include "platform/exec/files.h"
#include "platform/telemetry/metrics.h"

namespace gyre::monitoring {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond, kDay = 24 * kHour;
constexpr std::int64_t kKeep = 30 * kDay;

// Numbers by their text; whatever is not there is unknown.
class Told final : public KpiValues {
 public:
  explicit Told(const std::map<std::string, double>& numbers) : numbers_(numbers) {}
  statistics::KpiValue Read(const projects::Project&, const statistics::KpiName& name,
                            std::int64_t) override {
    const auto found = numbers_.find(name.text);
    if (found == numbers_.end()) return {.unknown = name.text + " is not known yet"};
    return {.number = found->second};
  }
  std::string EndpointOf(const projects::Project&, const statistics::Kpi& kpi) override {
    return kpi.name.starts_with("live.") ? "churn" : "";
  }

 private:
  const std::map<std::string, double>& numbers_;
};

class KpiWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = exec::MakeTemporaryDirectory().value();
    database_ = *db::OpenSqlite({.path = folder_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {events::EventsSchema(), projects::ProjectsSchema(),
                                        MonitoringSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    events_ = events::OpenEvents(*database_, clock_);
    projects_ = std::make_unique<projects::Projects>(*database_, clock_);
    Open();
  }
  void TearDown() override {
    watch_.reset();
    events_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    const Notify notify = [this](Notice notice) {
      return [this, notice = std::move(notice)](db::Transaction&) -> Result<> {
        notices_.push_back(notice);
        return {};
      };
    };
    watch_ = std::make_unique<KpiWatch>(
        KpiRooms{*database_, *events_, *projects_, metrics_, clock_, notify},
        std::make_unique<Told>(numbers_), kKeep);
  }
  void State(std::vector<std::string> kpis) {
    const projects::ProblemChange change{.kpis = std::move(kpis)};
    const bool there = projects_->Get("p").has_value();
    ASSERT_TRUE(there ? projects_->SetProblem("p", change, "ana").has_value()
                      : projects_->Create("p", change, "ana").has_value());
  }
  // An hour later.
  KpiState Measured(std::size_t at = 0) {
    clock_.now_us += kHour;
    const auto states = watch_->Measure("p");
    EXPECT_TRUE(states) << states.error().ToString();
    return states ? states->at(at) : KpiState();
  }
  std::vector<std::string> Events() {
    std::vector<std::string> kinds;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) {
      return reader.Query(
          "SELECT kind, payload FROM event WHERE kind LIKE 'kpi.%' ORDER BY sequence", {},
          [&](const db::Row& row) {
            kinds.push_back(row.Str(0));
            payload_ = row.Str(1);
            return Result<>();
          });
    }));
    return kinds;
  }
  double Gauge(const std::string& name, const std::string& kpi) {
    return metrics_.GetGauge(name, "", {{"kpi", kpi}, {"project", "p"}}).value();
  }

  SetClock clock_;
  std::string folder_, payload_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<events::Events> events_;
  std::unique_ptr<projects::Projects> projects_;
  telemetry::Metrics metrics_;
  std::map<std::string, double> numbers_;
  std::vector<Notice> notices_;
  std::unique_ptr<KpiWatch> watch_;
};

using Kinds = std::vector<std::string>;

TEST_F(KpiWatchTest, EachChangeIsToldOnceAndWhatIsUnknownChangesNothing) {
  State({"live.auc[7d] >= 0.8"});
  EXPECT_EQ((*watch_->List("p"))[0].now.reason, "not measured yet");
  const KpiState first = Measured();
  EXPECT_EQ(first.now.state, "unknown");
  EXPECT_EQ(first.now.reason, "live.auc[7d] is not known yet");
  EXPECT_FALSE(first.now.value);
  numbers_ = {{"live.auc[7d]", 0.9}};
  EXPECT_EQ(Measured().now.state, "met");
  EXPECT_EQ(Events(), Kinds{}) << "met from the first is no news";
  numbers_ = {{"live.auc[7d]", 0.7}};
  EXPECT_EQ(Measured().now.state, "missed");
  Measured();
  EXPECT_EQ(Events(), Kinds{"kpi.breached"});
  EXPECT_NE(payload_.find(R"("endpoint":"churn")"), std::string::npos) << payload_;
  numbers_.clear();
  EXPECT_EQ(Measured().now.state, "unknown");
  numbers_ = {{"live.auc[7d]", 0.6}};
  EXPECT_EQ(Measured().now.state, "missed");
  EXPECT_EQ(Events(), Kinds{"kpi.breached"}) << "it was told before it was unknown";
  Open();  // another server
  Measured();
  EXPECT_EQ(Events(), Kinds{"kpi.breached"});
  numbers_ = {{"live.auc[7d]", 0.8}};
  EXPECT_EQ(Measured().now.state, "met");
  EXPECT_EQ(Events(), (Kinds{"kpi.breached", "kpi.met"}));
  ASSERT_EQ(notices_.size(), 2u);
  EXPECT_TRUE(notices_[0].urgent);
  EXPECT_EQ(notices_[0].title, "goal missed: live.auc[7d] >= 0.8");
  EXPECT_FALSE(notices_[1].urgent);
}

TEST_F(KpiWatchTest, OnlyWhatDiffersIsKeptAndOnlyForSoLong) {
  State({"predictions.count[1d] >= 10"});
  for (const double number : {5, 5, 5, 12, 12, 5}) {
    numbers_ = {{"predictions.count[1d]", number}};
    Measured();
  }
  const auto history = watch_->History("p", "predictions.count[1d] >= 10", 100);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 3u);
  EXPECT_EQ(history->at(0).value, 5) << "the newest first";
  EXPECT_EQ(history->at(1).state, "met");
  EXPECT_EQ(watch_->History("p", "predictions.count[1d] >= 10", 1)->size(), 1u);
  clock_.now_us += kKeep + 1;
  ASSERT_TRUE(watch_->Tick());
  EXPECT_EQ(watch_->History("p", "predictions.count[1d] >= 10", 100)->size(), 0u);
}

TEST_F(KpiWatchTest, KnowsSinceWhenAndHowItGoes) {
  State({"auc >= 0.8"});
  numbers_ = {{"auc", 0.9}};
  const KpiState first = Measured();
  EXPECT_EQ(first.since_us, clock_.now_us);
  numbers_ = {{"auc", 0.85}};
  const KpiState second = Measured();
  EXPECT_EQ(second.since_us, first.since_us) << "still met";
  EXPECT_EQ(second.before, 0.9);
  numbers_ = {{"auc", 0.5}};
  EXPECT_EQ(Measured().since_us, clock_.now_us);
  clock_.now_us += 8 * kDay;
  numbers_ = {{"auc", 0.6}};
  EXPECT_NE(Measured().before, 0.9) << "a week back at most";
  EXPECT_EQ((*watch_->List("p"))[0].now.value, 0.6);
}

TEST_F(KpiWatchTest, AGoalThatIsGivenUpIsForgotten) {
  State({"auc >= 0.8", "nps >= 40", "cost.total[30d] / feedback.count[30d] <= 2"});
  numbers_ = {{"auc", 0.9}, {"cost.total[30d]", 10}, {"feedback.count[30d]", 0}};
  EXPECT_EQ(Measured(1).now.reason, "a fact that somebody reports; gyre does not measure it");
  EXPECT_EQ(Measured(2).now.state, "unknown") << "nothing is divided by 0";
  numbers_["feedback.count[30d]"] = 4;
  const KpiState ratio = Measured(2);
  EXPECT_EQ(ratio.now.value, 2.5);
  EXPECT_EQ(ratio.now.state, "missed");
  EXPECT_EQ(Gauge("gyre_kpi_value", ratio.now.kpi), 2.5);
  EXPECT_EQ(Gauge("gyre_kpi_met", ratio.now.kpi), 0);
  EXPECT_EQ(Gauge("gyre_kpi_met", "auc >= 0.8"), 1);
  EXPECT_TRUE(std::isnan(Gauge("gyre_kpi_met", "nps >= 40")));
  EXPECT_EQ(watch_->Find("p", "3")->now.kpi, ratio.now.kpi);
  EXPECT_EQ(watch_->Find("p", "nps")->now.kpi, "nps >= 40");
  EXPECT_EQ(watch_->Find("p", "nobody").error().gy(), "GY4514");
  for (const std::string_view place : {"0", "40", "-1"})
    EXPECT_EQ(watch_->Find("p", place).error().gy(), "GY4514") << "a number is a place, no text";
  State({"auc >= 0.8"});
  Measured();
  EXPECT_EQ(watch_->List("p")->size(), 1u);
  State({"auc >= 0.8", "nps >= 40"});
  EXPECT_EQ((*watch_->List("p"))[1].now.reason, "not measured yet");
}

TEST_F(KpiWatchTest, EveryProjectIsMeasured) {
  State({"auc >= 0.8"});
  ASSERT_TRUE(projects_->Create("q", {.kpis = {{"auc >= 0.99"}}}, "ana"));
  ASSERT_TRUE(projects_->Create("r", {}, "ana"));
  numbers_ = {{"auc", 0.9}};
  ASSERT_TRUE(watch_->Tick());
  EXPECT_EQ((*watch_->List("p"))[0].now.state, "met");
  EXPECT_EQ((*watch_->List("q"))[0].now.state, "missed");
  EXPECT_TRUE(watch_->List("r")->empty());
  EXPECT_EQ(watch_->Measure("nobody").error().gy(), "GY3902");
}

}  // namespace
}  // namespace gyre::monitoring
