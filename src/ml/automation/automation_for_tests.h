// Triggers on a database of their own, above rooms that keep runs by their key.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/id.h"
#include "base/testing/set_clock.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ml/automation/automation.h"

namespace gyre::automation {

class AutomationTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("automation-" + NewId());
    std::filesystem::create_directories(directory_);
    auto database = db::OpenSqlite({.path = (directory_ / "gyre.db").string()});
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {events::EventsSchema(), lineage::LineageSchema(),
                                        trash::TrashSchema(), AutomationSchema()};
    const auto migrated = database_->Migrate(schemas);
    ASSERT_TRUE(migrated) << migrated.error().ToString();
    Open();
  }
  void TearDown() override {
    automation_.reset();
    events_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  // Rooms below that keep runs by their key, as pipelines do.
  void Open() {
    automation_.reset();
    events_ = events::OpenEvents(*database_, clock_);
    Below below;
    below.start = [this](const Below::Start& start) -> Result<std::string> {
      if (refuse_) return Internal("GY9999", "no disk");
      starts_.push_back(start);
      if (!runs_.contains("run-" + start.key)) runs_["run-" + start.key] = {.state = "running"};
      return "run-" + start.key;
    };
    below.run_state = [this](std::string_view id) -> Result<Below::RunState> {
      return runs_.at(std::string(id));
    };
    below.check = [](std::string_view, const TriggerSpec& spec) -> Result<std::string> {
      if (spec.pipeline == "nowhere") return NotFound("GY4710", "no such pipeline");
      return spec.pipeline;
    };
    below.takes = [this](std::string_view, std::string_view,
                         std::string_view param) -> Result<bool> {
      return takes_file_ && param == kFileParam;
    };
    below.names = [this](std::string_view,
                         std::string_view kind) -> Result<std::vector<std::string>> {
      return names_[std::string(kind)];
    };
    below.beside = [this](std::string_view, const TriggerSpec&) -> Result<std::string> {
      return beside_;
    };
    below.cost = [](std::string_view, std::string_view) -> Result<Below::Cost> {
      return Below::Cost{.runs = 2, .cpu_seconds = 50};
    };
    below.tell = [this](db::Transaction&, const Firing& firing) -> Result<> {
      if (deaf_) return Internal("GY9999", "no disk");
      told_.push_back(firing.outcome.kind.empty() ? firing.reason : firing.outcome.text);
      return {};
    };
    below.cancel = [this](std::string_view id, std::string_view) -> Result<> {
      runs_[std::string(id)].state = "cancelled";
      return {};
    };
    below.quality_alert = [this](std::string_view, std::string_view) -> Result<std::string> {
      return quality_alert_;
    };
    below.ask = [this](db::Transaction&, const Firing&, std::string_view role) -> Result<> {
      asked_.emplace_back(role);
      return {};
    };
    if (watches_) {
      below.standing = [this]() -> Result<std::vector<StandingAlert>> { return standing_; };
      below.labels = [this](std::string_view, const TriggerSpec&, std::string_view,
                            std::int64_t) -> Result<std::optional<Below::Labels>> {
        return counts_labels_ ? std::optional(labels_) : std::nullopt;
      };
      below.newest_event = [this](std::string_view, std::string_view) -> Result<std::int64_t> {
        return newest_event_us_;
      };
    }
    automation_ = OpenAutomation(*database_, *events_, clock_, std::move(below), {});
  }
  TriggerSpec Spec(Cause cause = Cause::kDrift) {
    TriggerSpec spec;
    spec.name = "churn-drift";
    spec.on.cause = cause;
    if (cause == Cause::kDrift) spec.on.subject = "churn";
    spec.pipeline = "retrain";
    return spec;
  }
  Occurrence Drift(std::string key) {
    return {.cause = Cause::kDrift,
            .project = "default",
            .subject = "churn",
            .key = std::move(key),
            .source_id = "alert-1",
            .text = "tenure drifted"};
  }
  Firing Newest() {
    const auto firings = automation_->Firings({.project = "default"});
    EXPECT_TRUE(firings && !firings->empty());
    return firings && !firings->empty() ? firings->front() : Firing();
  }
  void End(const Firing& firing, const std::string& state) {
    runs_[firing.run_id] = {.state = state,
                            .reason = state == "failed" ? "step train failed" : "",
                            .cpu_seconds = 12.5};
    ASSERT_TRUE(automation_->Turn());
  }

  std::filesystem::path directory_;
  SetClock clock_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<events::Events> events_;
  std::map<std::string, Below::RunState> runs_;
  std::vector<Below::Start> starts_;
  std::vector<std::string> asked_, told_;
  std::map<std::string, std::vector<std::string>> names_{
      {"endpoint", {"churn", "jump-1", "jump-365"}}, {"dataset", {"customers"}}};
  std::string beside_;
  std::string quality_alert_;
  bool refuse_ = false, deaf_ = false, takes_file_ = false;
  bool watches_ = false;  // somebody tells which alerts fire, and counts labels
  bool counts_labels_ = true;
  std::vector<StandingAlert> standing_;
  Below::Labels labels_;
  std::int64_t newest_event_us_ = 0;
  std::unique_ptr<Automation> automation_;
};

}  // namespace gyre::automation
