// Pipelines on a database and a folder of their own, by a clock that can be put ahead.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/usage.h"
#include "ml/pipelines/pipelines.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {

class ShiftedClock final : public Clock {
 public:
  std::int64_t NowMicros() const override { return SystemClock().NowMicros() + ahead_us; }
  std::int64_t MonotonicMicros() const override { return SystemClock().MonotonicMicros(); }
  std::atomic<std::int64_t> ahead_us = 0;
};

class PipelinesFixture : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-pipelines-XXXXXX";
    root_ = mkdtemp(pattern);
    db::Settings settings;
    settings.path = root_ + "/gyre.db";
    database_ = *db::OpenSqlite(settings);
    const db::ModuleSchema schemas[] = {blob::BlobSchema(),       events::EventsSchema(),
                                        lineage::LineageSchema(), usage::UsageSchema(),
                                        trash::TrashSchema(),     PipelinesSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    blobs_ = *blob::OpenLocalStore(root_ + "/blobs");
    events_ = events::OpenEvents(*database_, clock_);
    ASSERT_TRUE(events_->Start());
    Open();
  }
  void TearDown() override {
    pipelines_.reset();
    events_.reset();
    ASSERT_TRUE(exec::RemoveTree(root_));
  }
  // As a server that starts does; the one before it has ended.
  void Open() {
    pipelines_.reset();
    PipelinesSettings settings;
    settings.directory = root_ + "/pipelines";
    settings.environment = {{"PATH", "/usr/bin:/bin"}};
    if (find_secret_) settings.find_secret = find_secret_;
    settings.gpus = gpus_;
    auto opened = OpenPipelines({*database_, *blobs_, *events_, clock_}, settings);
    ASSERT_TRUE(opened) << opened.error().ToString();
    pipelines_ = *std::move(opened);
    if (kind_) pipelines_->AddKind(kind_());
    ASSERT_TRUE(pipelines_->Start());
  }
  RunView Begin(RunRequest request) {
    request.project = "default";
    request.created_by = "ann";
    auto run = pipelines_->Run(std::move(request));
    EXPECT_TRUE(run) << run.error().ToString() << run.error().where();
    return run ? *run : RunView();
  }
  RunView Begin(std::string_view source, std::vector<std::string> params = {}) {
    RunRequest request;
    request.source = source;
    request.param_texts = std::move(params);
    return Begin(std::move(request));
  }
  Result<PipelineVersion> Add(std::string_view source) {
    return pipelines_->Add("default", source, "a.yaml", "ann");
  }
  RunView End(const RunView& run) {
    auto ended = pipelines_->Wait(run.id, 20'000);
    EXPECT_TRUE(ended);
    return *ended;
  }
  std::string Log(const RunView& run, std::string_view step) {
    return pipelines_->ReadLog(run.id, step, 0, 0, 1 << 20)->text;
  }
  // Of the run's first tasks.
  Json TasksOf(const RunView& run) { return (*pipelines_->Describe(run.id, 100))["tasks"]; }

  std::string root_;
  ShiftedClock clock_;
  std::function<std::unique_ptr<StepKind>()> kind_;  // that the next Open adds
  FindSecret find_secret_;
  std::int64_t gpus_ = 0;  // of the machine
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<events::Events> events_;
  std::unique_ptr<Pipelines> pipelines_;
};

}  // namespace gyre::pipelines
