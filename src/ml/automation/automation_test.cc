#include "ml/automation/automation_for_tests.h"

namespace gyre::automation {
namespace {

constexpr std::int64_t kHour = 3600 * kMicrosPerSecond;

TEST_F(AutomationTest, AnAlertStartsOneRunHoweverOftenItIsTold) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  EXPECT_EQ(*automation_->Tell(Drift("event 7")), 1);
  EXPECT_EQ(*automation_->Tell(Drift("event 7")), 1);
  ASSERT_TRUE(automation_->Turn());
  ASSERT_TRUE(automation_->Turn());
  ASSERT_EQ(starts_.size(), 1u);
  EXPECT_EQ(starts_[0].triggered_by["source"].AsString(), "alert-1");
  EXPECT_EQ(Newest().state, "running");
  End(Newest(), "succeeded");
  EXPECT_EQ(Newest().state, "succeeded");
  EXPECT_EQ(Newest().cpu_seconds, 12.5);
  const lineage::Lineage lineage(*database_);
  const auto graph = lineage.Walk("alert-1", lineage::Direction::kDown);
  ASSERT_TRUE(graph);
  ASSERT_EQ(graph->nodes.size(), 2u);
  EXPECT_EQ(graph->nodes[1].kind, "pipeline_run");
}

TEST_F(AutomationTest, CooldownSkipsAndSaysWhy) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  End(Newest(), "succeeded");
  clock_.now_us += kHour;
  ASSERT_TRUE(automation_->Tell(Drift("2")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "skipped");
  EXPECT_EQ(Newest().guard, "cooldown");
  EXPECT_EQ(starts_.size(), 1u);
  clock_.now_us += 6 * kHour;
  ASSERT_TRUE(automation_->Tell(Drift("3")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
}

TEST_F(AutomationTest, ASecondTriggerOfTheSameEndpointWaitsForTheFirstRun) {
  TriggerSpec spec = Spec();
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  spec.name = "again";
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  EXPECT_EQ(*automation_->Tell(Drift("1")), 2);
  ASSERT_TRUE(automation_->Turn());
  ASSERT_EQ(starts_.size(), 1u);
  const auto waiting = automation_->Firings({.project = "default", .state = "waiting"});
  ASSERT_EQ(waiting->size(), 1u);
  EXPECT_EQ((*waiting)[0].guard, "one at a time");
  const auto running = automation_->Firings({.project = "default", .state = "running"});
  End(running->front(), "succeeded");
  clock_.now_us += kHour;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(starts_.size(), 2u);
}

TEST_F(AutomationTest, DoubtfulDataStartsNothing) {
  quality_alert_ = "alert-9";
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "skipped");
  EXPECT_NE(Newest().reason.find("alert-9"), std::string::npos);
  EXPECT_TRUE(starts_.empty());
}

TEST_F(AutomationTest, ThreeFailuresAskAPerson) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  for (int i = 0; i < 3; ++i) {
    clock_.now_us += kHour;
    ASSERT_TRUE(automation_->Tell(Drift(std::to_string(i))));
    ASSERT_TRUE(automation_->Turn());
    End(Newest(), "failed");
    EXPECT_NE(Newest().reason.find("step train failed"), std::string::npos);
  }
  clock_.now_us += kHour;
  EXPECT_EQ(told_.size(), 3u) << "each failure is told";
  ASSERT_TRUE(automation_->Tell(Drift("4")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().guard, "failures");
  EXPECT_EQ(told_.size(), 4u) << "a person is asked";
  clock_.now_us += kHour;
  // A person who has looked fires it by hand.
  const auto fired = automation_->Fire("default", "churn-drift", {}, "ann");
  ASSERT_TRUE(fired) << fired.error().ToString();
  EXPECT_EQ(fired->state, "running");
  EXPECT_EQ(fired->fired_by, "ann");
}

TEST_F(AutomationTest, TooFewLabelsAreWaitedForAndBeginNoCooldown) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  const std::string first = Newest().run_id;
  runs_[first] = {.state = "failed", .reason = "3 labelled rows", .error = "GY4617"};
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "waiting");
  clock_.now_us += kHour;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
  EXPECT_NE(Newest().run_id, first);
  runs_[Newest().run_id] = runs_[first];
  ASSERT_TRUE(automation_->Turn());
  EXPECT_GE(Newest().again_us, clock_.now_us + kHour / 2) << "the longer it waits, the rarer";
  clock_.now_us += kHour;
  ASSERT_TRUE(automation_->Turn());
  End(Newest(), "succeeded");
  EXPECT_EQ(Newest().state, "succeeded");
}

TEST_F(AutomationTest, AnApprovalIsAskedForOnceAndJudgedAgain) {
  TriggerSpec spec = Spec();
  spec.approval = "approver";
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "approval");
  EXPECT_EQ(asked_, std::vector<std::string>{"approver"});
  EXPECT_TRUE(starts_.empty());
  const auto approved =
      automation_->Approve("default", Newest().id.substr(0, 8), true, "ben", "go");
  ASSERT_TRUE(approved) << approved.error().ToString();
  EXPECT_EQ(approved->state, "running");
  EXPECT_EQ(approved->approved_by, "ben");
  EXPECT_EQ(automation_->Approve("default", approved->id, true, "ben", "").error().gy(), "GY4806");
}

TEST_F(AutomationTest, AnApprovalIsOfWhatTheTriggerSaidThen) {
  TriggerSpec spec = Spec();
  spec.approval = "approver";
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(asked_.size(), 1u);
  spec.pipeline = "another";
  ASSERT_TRUE(automation_->Replace("default", spec, "mallory"));
  EXPECT_EQ(Newest().state, "open");
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "approval");
  EXPECT_EQ(asked_.size(), 2u) << "asked for anew";
  EXPECT_TRUE(starts_.empty());
}

TEST_F(AutomationTest, AnApprovalEndsWithItsTimeOrWithANo) {
  TriggerSpec spec = Spec();
  spec.approval = "approver";
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(automation_->Approve("default", Newest().id, false, "ben", "not now")->reason,
            "ben said no: not now");
  ASSERT_TRUE(automation_->Tell(Drift("2")));
  ASSERT_TRUE(automation_->Turn());
  clock_.now_us += 8 * kMicrosPerDay;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(automation_->Firings({.project = "default", .state = "expired"})->size(), 1u);
  EXPECT_TRUE(starts_.empty());
}

// The process dies after the run has begun and before that is written down.
TEST_F(AutomationTest, ARunBegunBeforeACrashIsTheSameRun) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  const std::string run = Newest().run_id;
  ASSERT_TRUE(database_->Write([](db::Transaction& tx) {
    return tx.Execute("UPDATE automation_firing SET state = 'starting', run_id = ''", {});
  }));
  Open();
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
  EXPECT_EQ(Newest().run_id, run);
  EXPECT_EQ(runs_.size(), 1u);
}

TEST_F(AutomationTest, ARunThatCannotStartIsAFailure) {
  refuse_ = true;
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "failed");
  EXPECT_NE(Newest().reason.find("no disk"), std::string::npos);
  EXPECT_EQ(told_, std::vector<std::string>{Newest().reason});
}

// The words of a reason are for people: only its code says that labels are missing.
TEST_F(AutomationTest, AReasonThatMentionsACodeIsNone) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  runs_[Newest().run_id] = {.state = "failed", .reason = "printed GY4617", .error = "GY3316"};
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "failed");
}

TEST_F(AutomationTest, ARunThatAPersonBeganIsWaitedFor) {
  beside_ = "run-by-hand";
  TriggerSpec spec = Spec();
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().guard, "one at a time");
  EXPECT_NE(Newest().reason.find("run-by-hand"), std::string::npos);
  EXPECT_TRUE(starts_.empty());
  beside_.clear();
  clock_.now_us += kHour;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
}

TEST_F(AutomationTest, WhatATriggerNamesMustBeThere) {
  const auto refused = [&](const TriggerSpec& spec) {
    const auto made = automation_->Create("default", spec, "ann");
    EXPECT_FALSE(made);
    return made ? Error(Code::kInternal, "", "") : made.error();
  };
  TriggerSpec spec = Spec();
  spec.on.subject = "chrun";
  EXPECT_EQ(refused(spec).gy(), "GY4811");
  EXPECT_EQ(refused(spec).fixes()[0], "did you mean `churn`?");
  spec.on = {.cause = Cause::kDataset, .subject = "costumers"};
  EXPECT_EQ(refused(spec).fixes()[0], "did you mean `customers`?");
  spec.on = {.cause = Cause::kRegistry, .subject = "churn"};
  EXPECT_EQ(refused(spec).fixes()[0], "make the model first");
  spec.on = {.cause = Cause::kFile, .subject = (directory_ / "nowhere").string()};
  EXPECT_NE(refused(spec).message().find("nowhere"), std::string::npos);
  spec.on = {.cause = Cause::kHand};
  spec.params = Json::Obj({{"endpoint", "chrun"}});
  EXPECT_EQ(refused(spec).gy(), "GY4811") << "what it learns from";
  spec = Spec();
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  names_.clear();  // it has outlived its endpoint, and can still be switched off
  spec.enabled = false;
  EXPECT_TRUE(automation_->Replace("default", spec, "ann"));
  spec.on.subject = "fraud";
  EXPECT_EQ(automation_->Replace("default", spec, "ann").error().gy(), "GY4811");
}

TEST_F(AutomationTest, WhatEndedLongAgoIsForgotten) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  for (const std::string key : {"1", "2"}) {
    ASSERT_TRUE(automation_->Tell(Drift(key)));
    ASSERT_TRUE(automation_->Turn());
    if (key == "1") End(Newest(), "succeeded");
    clock_.now_us += 40 * kMicrosPerDay;
  }
  EXPECT_EQ(*automation_->Forget(clock_.now_us - 60 * kMicrosPerDay), 1);
  EXPECT_EQ(Newest().key, "2");
  EXPECT_EQ(*automation_->Forget(clock_.now_us), 0) << "what goes on stays";
}

TEST_F(AutomationTest, AScheduleIsDueOnceHoweverLongNobodyLooked) {
  TriggerSpec spec = Spec(Cause::kSchedule);
  spec.on.at = "0 3 * * *";
  spec.guards.cooldown_s = 0;
  clock_.now_us = *ParseTime("2026-03-01T12:00:00Z");
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_TRUE(automation_->Firings({.project = "default"})->empty());
  spec.name = "another";  // made after the first look
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Remove("default", "another"));
  clock_.now_us = *ParseTime("2026-03-02T03:00:05Z");
  ASSERT_TRUE(automation_->Turn());
  ASSERT_TRUE(automation_->Turn());
  ASSERT_EQ(automation_->Firings({.project = "default"})->size(), 1u);
  EXPECT_EQ(Newest().text, "due at 2026-03-02T03:00:00Z");
  End(Newest(), "succeeded");
  clock_.now_us = *ParseTime("2026-03-09T10:00:00Z");  // the server was off for a week
  Open();
  ASSERT_TRUE(automation_->Turn());
  ASSERT_EQ(automation_->Firings({.project = "default"})->size(), 2u);
  EXPECT_EQ(Newest().text, "due at 2026-03-09T03:00:00Z");
  clock_.now_us -= 3 * kMicrosPerDay;  // the clock is put back
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(automation_->Firings({.project = "default"})->size(), 2u);
}

// Local times through both changes of the year, and a clock that somebody moves about.
TEST_F(AutomationTest, SchedulesKeepToTheClocksOfTheirZone) {
  TriggerSpec spec = Spec(Cause::kSchedule);
  spec.on.at = "30 2 * * *";
  spec.on.zone = "Europe/Zurich";
  spec.guards = {.cooldown_s = 0, .runs_per_day_max = 0, .one_at_a_time = false};
  clock_.now_us = *ParseTime("2026-03-27T12:00:00Z");
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  const auto due = [&](std::string_view now) {
    clock_.now_us = *ParseTime(now);
    EXPECT_TRUE(automation_->Turn());
    const auto all = automation_->Firings({.project = "default"});
    return all && !all->empty() ? all->front().text : std::string();
  };
  EXPECT_EQ(due("2026-03-28T01:30:03Z"), "due at 2026-03-28T01:30:00Z");
  EXPECT_EQ(due("2026-03-29T00:59:00Z"), "due at 2026-03-28T01:30:00Z");
  EXPECT_EQ(due("2026-03-29T01:00:03Z"), "due at 2026-03-29T01:00:00Z") << "02:30 is jumped over";
  EXPECT_EQ(due("2026-03-30T00:30:03Z"), "due at 2026-03-30T00:30:00Z");
  EXPECT_EQ(due("2026-10-25T00:30:03Z"), "due at 2026-10-25T00:30:00Z") << "shown the first time";
  const std::size_t before = automation_->Firings({.project = "default"})->size();
  due("2026-10-25T01:30:03Z");
  EXPECT_EQ(automation_->Firings({.project = "default"})->size(), before) << "and the second";
  due("2026-10-25T00:30:03Z");  // set back by an hour: what was done is not done again
  due("2026-10-25T01:30:03Z");
  EXPECT_EQ(automation_->Firings({.project = "default"})->size(), before);
  EXPECT_EQ(due("2026-10-27T12:00:00Z"), "due at 2026-10-27T01:30:00Z") << "days ahead: once";
  EXPECT_EQ(automation_->Firings({.project = "default"})->size(), before + 1);
}

TEST_F(AutomationTest, QuietHoursAreThoseOfTheirZone) {
  TriggerSpec spec = Spec();
  spec.guards = {.cooldown_s = 0, .one_at_a_time = false};
  spec.guards.quiet_hours =
      QuietHours{.from_minute = 22 * 60, .to_minute = 6 * 60, .zone = "Asia/Tokyo"};
  clock_.now_us = *ParseTime("2026-06-01T14:00:00Z");  // 23:00 in Tokyo
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().guard, "quiet hours");
  EXPECT_EQ(Newest().again_us, *ParseTime("2026-06-01T21:00:00Z"));
  clock_.now_us -= kHour;  // set back while it waits: asked again, and still quiet
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "waiting");
  clock_.now_us += kMicrosPerDay;  // a day ahead: 22:00 again
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "waiting");
  clock_.now_us += 8 * kHour;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
}

TEST_F(AutomationTest, AKeyIsKnownHoweverManyFiringsCameSince) {
  TriggerSpec spec = Spec(Cause::kHand);
  spec.enabled = false;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  const auto first = automation_->Fire("default", spec.name, {.key = "prices"}, "ann");
  ASSERT_TRUE(first) << first.error().ToString();
  for (int i = 0; i < 1'001; ++i) {
    ++clock_.now_us;
    ASSERT_TRUE(
        automation_->Tell({.cause = Cause::kHand, .project = "default", .key = std::to_string(i)}));
  }
  const auto again = automation_->Fire("default", spec.name, {.key = "prices"}, "ann");
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(again->id, first->id);
}

TEST_F(AutomationTest, ADryRunChangesNothing) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  const auto dry = automation_->DryRun("default", "churn-drift");
  ASSERT_TRUE(dry);
  EXPECT_EQ((*dry)["action"].AsString(), "start");
  EXPECT_EQ((*dry)["cpu_seconds_per_run"].AsDouble(), 25) << "of the pipeline: it has no runs yet";
  EXPECT_EQ((*dry)["past_runs_of"].AsString(), "pipeline");
  EXPECT_TRUE(automation_->Firings({.project = "default"})->empty());
  EXPECT_TRUE(starts_.empty());
}

TEST_F(AutomationTest, NamesWhatIsThereAlreadyOrNotThere) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  EXPECT_EQ(automation_->Create("default", Spec(), "ann").error().gy(), "GY4803");
  EXPECT_EQ(automation_->Get("default", "churn-drft").error().fixes()[0],
            "did you mean `churn-drift`?");
  TriggerSpec spec = Spec();
  spec.pipeline = "nowhere";
  EXPECT_EQ(automation_->Replace("default", spec, "ann").error().gy(), "GY4710");
  EXPECT_EQ(automation_->GetFiring("default", "abc").error().gy(), "GY4805");
  ASSERT_TRUE(automation_->Remove("default", "churn-drift"));
  EXPECT_TRUE(automation_->List("default")->empty());
}

TEST(OccurrenceOf, ReadsEventsOfTheHouse) {
  const auto alert = OccurrenceOf(
      {.sequence = 5,
       .kind = "alert.firing",
       .project = "default",
       .subject = "window-1",
       .payload = R"({"name":"churn:drift","incident":"i1","signal":"drift","endpoint":"churn",)"
                  R"("columns":["age"],"what":"age drifted","reason":"2 of 2 windows"})"});
  ASSERT_TRUE(alert);
  EXPECT_EQ(alert->cause, Cause::kDrift);
  EXPECT_EQ(alert->columns, std::vector<std::string>{"age"});
  EXPECT_EQ(alert->key, "alert i1");
  EXPECT_EQ(alert->source_id, "i1");
  EXPECT_EQ(alert->text, "churn:drift: age drifted");
  EXPECT_FALSE(OccurrenceOf({.kind = "alert.firing", .payload = R"({"signal":"service"})"}));
  const auto kpi =
      OccurrenceOf({.kind = "kpi.breached",
                    .project = "p",
                    .subject = "p",
                    .payload = R"({"kpi":"live.auc[7d] >= 0.8","value":0.71,"endpoint":"churn"})"});
  ASSERT_TRUE(kpi);
  EXPECT_EQ(kpi->cause, Cause::kKpi);
  EXPECT_EQ(kpi->subject, "churn");
  EXPECT_EQ(kpi->text, "goal missed: live.auc[7d] >= 0.8, it is 0.71");
  EXPECT_FALSE(OccurrenceOf({.kind = "kpi.breached", .payload = R"({"kpi":"auc >= 0.8"})"}))
      << "a goal of an evaluation was judged by a gate";
  EXPECT_FALSE(OccurrenceOf({.kind = "kpi.met", .payload = R"({"endpoint":"churn"})"}));
  const auto data = OccurrenceOf(
      {.kind = "dataset.version.created", .payload = R"({"dataset":"sales","version":3})"});
  ASSERT_TRUE(data);
  EXPECT_EQ(data->text, "new version sales:v3");
  EXPECT_FALSE(OccurrenceOf({.kind = "alert.resolved", .payload = R"({"signal":"drift"})"}));
  EXPECT_FALSE(OccurrenceOf({.kind = "alert.firing", .payload = "{"}));
}

TEST_F(AutomationTest, AYearAheadFiresNothingAndEndsEachCooldown) {
  ASSERT_TRUE(automation_->Create("default", Spec(), "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  End(Newest(), "succeeded");
  clock_.now_us += 365 * kMicrosPerDay;
  for (int turn = 0; turn < 3; ++turn) ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(starts_.size(), 1u);
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(starts_.size(), 1u) << "told again, it is the same firing";
  ASSERT_TRUE(automation_->Tell(Drift("2")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(starts_.size(), 2u);
}

// Ahead for a moment, a start was noted; set right again, it holds for its cooldown, not for a
// year.
TEST_F(AutomationTest, AClockSetBackHoldsForOneCooldown) {
  for (const std::int64_t jump_us : {kMicrosPerDay, 365 * kMicrosPerDay}) {
    TriggerSpec spec = Spec();
    spec.name = fmt::format("jump-{}", jump_us / kMicrosPerDay);
    spec.on.subject = spec.name;
    ASSERT_TRUE(automation_->Create("default", spec, "ann"));
    const auto tell = [&](std::string_view key) {
      Occurrence seen = Drift(fmt::format("{} {}", spec.name, key));
      seen.subject = spec.name;
      ASSERT_TRUE(automation_->Tell(seen));
      ASSERT_TRUE(automation_->Turn());
    };
    tell("1");
    const std::size_t started = starts_.size();
    for (auto& [id, run] : runs_) run = {.state = "succeeded", .cpu_seconds = 1};
    ASSERT_TRUE(automation_->Turn());
    clock_.now_us -= jump_us;
    ASSERT_TRUE(automation_->Turn());
    clock_.now_us += kHour;
    tell("2");
    EXPECT_EQ(starts_.size(), started) << "an hour is no cooldown";
    clock_.now_us += 6 * kHour;
    tell("3");
    EXPECT_EQ(starts_.size(), started + 1);
    clock_.now_us += 2 * 365 * kMicrosPerDay;  // beyond the other
    for (auto& [id, run] : runs_) run = {.state = "succeeded", .cpu_seconds = 1};
    ASSERT_TRUE(automation_->Turn());
  }
}

TEST_F(AutomationTest, AClockSetBackKeepsNobodyWaiting) {
  TriggerSpec spec = Spec();
  spec.guards.cooldown_s = 0;
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("1")));
  ASSERT_TRUE(automation_->Turn());
  const Firing first = Newest();
  clock_.now_us += kMicrosPerSecond;
  spec.name = "again";
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  ASSERT_TRUE(automation_->Tell(Drift("2")));
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "waiting") << "for the first";
  clock_.now_us -= kMicrosPerDay;
  End(first, "succeeded");
  clock_.now_us += 11 * kMicrosPerSecond;
  ASSERT_TRUE(automation_->Turn());
  EXPECT_EQ(Newest().state, "running");
}

// A pipeline that wants to know is told which file it was.
TEST_F(AutomationTest, AFileIsAParameterWhereThePipelineHasOne) {
  const std::string folder = (directory_ / "incoming").string();
  std::filesystem::create_directories(folder);
  TriggerSpec spec = Spec(Cause::kFile);
  spec.on.subject = folder;
  spec.guards = {.cooldown_s = 0, .one_at_a_time = false, .quality_first = false};
  ASSERT_TRUE(automation_->Create("default", spec, "ann"));
  const auto hear = [&](const std::string& name) {
    Occurrence file{.cause = Cause::kFile,
                    .project = "default",
                    .subject = folder,
                    .key = name + " 1700000000 12"};
    EXPECT_EQ(*automation_->Tell(file), 1);
    EXPECT_TRUE(automation_->Turn());
    return starts_.back().params;
  };
  EXPECT_FALSE(hear("a.csv").Has("file"));
  takes_file_ = true;
  EXPECT_EQ(hear("b 2.csv")["file"].AsString(), folder + "/b 2.csv");
}

}  // namespace
}  // namespace gyre::automation
