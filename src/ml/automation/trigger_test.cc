#include "ml/automation/trigger.h"

#include <gtest/gtest.h>

namespace gyre::automation {
namespace {

Result<TriggerSpec> Read(std::string_view text) {
  const auto json = Json::Parse(text);
  EXPECT_TRUE(json) << text;
  return TriggerSpecFromJson(json ? *json : Json());
}

std::string MessageOf(std::string_view text) {
  const auto spec = Read(text);
  return spec ? "accepted" : spec.error().ToString();
}

constexpr std::string_view kWhole = R"({
  "name": "churn-drift",
  "on": {"kind": "drift", "endpoint": "churn", "columns": "tenure, charges"},
  "run": {"pipeline": "retrain", "params": {"budget": "60s"}},
  "guards": {"cooldown_s": 60, "runs_per_day_max": 2, "cpu_seconds_per_month": 5000.5,
             "one_at_a_time": false, "quality_first": false, "failures_max": 1,
             "quiet_hours": {"from": "22:00", "to": "06:30", "zone": "Europe/Zurich"}},
  "approval": "approver", "enabled": false})";

TEST(TriggerSpec, ReadsBackWhatItWrites) {
  const auto spec = Read(kWhole);
  ASSERT_TRUE(spec) << spec.error().ToString();
  EXPECT_EQ(spec->guards.quiet_hours->to_minute, 6 * 60 + 30);
  const auto again = TriggerSpecFromJson(TriggerSpecToJson(*spec));
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(*again, *spec);
}

TEST(TriggerSpec, HasDefaultsThatGuard) {
  const auto spec = Read(R"({"name": "t", "on": {"kind": "hand"}, "run": {"pipeline": "p"}})");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->guards, Guards());
  EXPECT_TRUE(spec->enabled);
  EXPECT_GT(spec->guards.cooldown_s, 0);
}

TEST(TriggerSpec, RefusesByName) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {R"([])", "a trigger must be an object"},
      {R"({"name": "t", "run": {"pipeline": "p"}})", "must say what it listens for"},
      {R"({"name": "t", "on": {"kind": "hand"}})", "must say what it starts"},
      {R"({"name": "t", "on": {"kind": "wind"}, "run": {"pipeline": "p"}})", "listen for `wind`"},
      {R"({"name": "t", "on": {"kind": "dataset"}, "run": {"pipeline": "p"}})", "which dataset"},
      {R"({"name": "t", "on": {"kind": "schedule"}, "run": {"pipeline": "p"}})", "must say when"},
      {R"({"name": "t", "on": {"kind": "schedule", "at": "soon"}, "run": {"pipeline": "p"}})",
       "GY4742"},
      {R"({"name": "t", "on": {"kind": "schedule", "at": "@daily", "zone": "Mars"},
           "run": {"pipeline": "p"}})",
       "GY4741"},
      {R"({"name": "t", "on": {"kind": "hand", "endpoint": "x"}, "run": {"pipeline": "p"}})",
       "has no member `endpoint`"},
      {R"({"name": "t", "on": {"kind": "hand"}, "run": {"pipeline": "p", "params": [1]}})",
       "must be an object"},
      {R"({"name": "a/b", "on": {"kind": "hand"}, "run": {"pipeline": "p"}})", "GY1200"},
      {R"({"name": "t", "on": {"kind": "hand"}, "run": {"pipeline": "p"},
           "guards": {"cooldown_s": -1}})",
       "`cooldown_s`"},
      {R"({"name": "t", "on": {"kind": "hand"}, "run": {"pipeline": "p"},
           "guards": {"quiet_hours": {"from": "25:00", "to": "06:00"}}})",
       "`25:00` is no time"},
      {R"({"name": "t", "on": {"kind": "hand"}, "run": {"pipeline": "p"},
           "guards": {"quiet_hours": {"from": "06:00", "to": "06:00"}}})",
       "never end"},
  };
  for (const auto& [text, part] : kCases) {
    const std::string message = MessageOf(text);
    EXPECT_NE(message.find(part), std::string::npos) << text << "\n" << message;
  }
}

TEST(Listens, ComparesWhatTheTriggerNames) {
  const auto spec = Read(kWhole);
  ASSERT_TRUE(spec);
  Occurrence drift{.cause = Cause::kDrift, .subject = "churn", .columns = {"age", "charges"}};
  EXPECT_TRUE(Listens(*spec, drift));
  drift.columns = {"age"};
  EXPECT_FALSE(Listens(*spec, drift));
  drift.columns = {"tenure"};
  drift.subject = "fraud";
  EXPECT_FALSE(Listens(*spec, drift));
  drift.subject = "churn";
  drift.cause = Cause::kQuality;
  EXPECT_FALSE(Listens(*spec, drift));
}

TEST(Listens, MatchesFilesBranchesAndAliases) {
  TriggerSpec spec;
  spec.on = {.cause = Cause::kFile, .subject = "/in", .pattern = "*.csv"};
  Occurrence file{.cause = Cause::kFile, .subject = "/in", .file = "a.csv"};
  EXPECT_TRUE(Listens(spec, file));
  file.file = "a.csv.part";
  EXPECT_FALSE(Listens(spec, file));
  file.file = ".a.csv";
  EXPECT_FALSE(Listens(spec, file));
  spec.on = {.cause = Cause::kPush, .branch = "main"};
  EXPECT_TRUE(Listens(spec, {.cause = Cause::kPush, .branch = "main"}));
  EXPECT_FALSE(Listens(spec, {.cause = Cause::kPush, .branch = "topic"}));
  spec.on = {.cause = Cause::kRegistry, .subject = "churn", .alias = "champion"};
  EXPECT_TRUE(Listens(spec, {.cause = Cause::kRegistry, .subject = "churn", .alias = "champion"}));
  EXPECT_FALSE(Listens(spec, {.cause = Cause::kRegistry, .subject = "churn", .alias = "blue"}));
}

}  // namespace
}  // namespace gyre::automation
