#include "ml/pipelines/pipelines.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <map>

#include "base/mutex.h"
#include "ledger/usage/budgets.h"
#include "ml/pipelines/pipelines_for_tests.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

class PipelinesTest : public PipelinesFixture {};

TEST_F(PipelinesTest, SameBytesAreOneVersion) {
  const std::string text = "name: a\nsteps: {x: {command: [echo, hello]}}\n";
  EXPECT_EQ(pipelines_->Add("default", text, "a.yaml", "ann")->version, 1);
  EXPECT_EQ(pipelines_->Add("default", text, "b.yaml", "ben")->version, 1);
  EXPECT_EQ(pipelines_->Add("default", text + "#\n", "a.yaml", "ann")->version, 2);
  EXPECT_EQ(pipelines_->Resolve("default", "a")->version, 2);
  EXPECT_EQ(pipelines_->Resolve("default", "a:v1")->version, 1);
  EXPECT_EQ(pipelines_->Resolve("default", "b").error().gy(), "GY4711");
  ASSERT_TRUE(pipelines_->Remove("default", "a:v2"));
  EXPECT_EQ(pipelines_->Resolve("default", "a")->version, 1);
}

TEST_F(PipelinesTest, StepsPassWhatTheyMake) {
  const RunView run = End(Begin(R"(
name: a
params: {who: {type: text, default: world}}
steps:
  one:
    shell: |
      echo "hello $GYRE_PARAM_WHO" > "$GYRE_OUTPUT_FILE"
      echo 41 > "$GYRE_OUTPUT_N"
    outputs: {file: file, n: int}
  two:
    command: [cat, "${steps.one.outputs.file}"]
    when: ${steps.one.outputs.n} == 41
  three:
    script: |
      import os
      print(int(os.environ["GYRE_INPUT_N"]) + 1)
    inputs: {n: "${steps.one.outputs.n}"}
outputs: {n: "${steps.one.outputs.n}"}
)",
                                {"who=you; echo $HOME"}));
  EXPECT_EQ(run.state, "succeeded") << run.reason;
  EXPECT_EQ(run.outputs.Dump(), R"({"n":41})");
  EXPECT_EQ(Log(run, "two"), "hello you; echo $HOME\n");
  EXPECT_EQ(Log(run, "three"), "42\n");
  const auto described = pipelines_->Describe(run.id, 100);
  ASSERT_TRUE(described);
  EXPECT_EQ((*described)["steps"].size(), 3u);
  const auto news = events_->List({.kind = "pipeline.", .after = 0});
  ASSERT_EQ(news->size(), 2u);
  EXPECT_EQ((*news)[1].kind, "pipeline.run.succeeded");
}

TEST_F(PipelinesTest, AValueThatIsNotOfItsTypeIsNamed) {
  const RunView run = End(Begin(R"(
name: a
steps:
  one: {shell: 'echo \"seven\" > "$GYRE_OUTPUT_J"', outputs: {j: json}}
  two: {command: [echo, x], inputs: {n: {type: int, value: "${steps.one.outputs.j}"}}}
)"));
  EXPECT_EQ(run.reason,
            "step `two` failed: GY4729 the input `n` is to be int, and \"seven\" is not");
  const RunView item = End(Begin(R"(
name: a
steps:
  each: {command: [echo, x], for_each: [1, b], inputs: {n: {type: int, value: "${item}"}}}
)"));
  EXPECT_NE(item.reason.find("and \"b\" is not"), std::string::npos) << item.reason;
}

TEST_F(PipelinesTest, WhatAnotherPipelineIsGivenIsCheckedAtOnce) {
  ASSERT_TRUE(
      Add("name: inner\nparams: {n: int, t: {type: text, default: x}}\n"
          "steps: {x: {command: [echo, hello]}}\n"));
  const auto outer = [&](std::string_view params) {
    return Add(
        fmt::format("name: outer\nparams: {{k: text}}\nsteps:\n"
                    "  x: {{kind: pipeline, pipeline: inner, params: {}}}\n",
                    params));
  };
  EXPECT_TRUE(outer("{n: 3}"));
  EXPECT_TRUE(outer("{n: '${params.k}'}"));  // its value may be a number
  for (const char* wrong : {"{}", "{n: x}", "{n: 1, m: 2}"}) {
    const auto added = outer(wrong);
    ASSERT_FALSE(added) << wrong;
    EXPECT_EQ(added.error().gy(), "GY4705") << wrong;
    EXPECT_EQ(added.error().where(), "a.yaml:4") << wrong;
  }
}

TEST_F(PipelinesTest, WhoAsksForMoreThanThereIsIsRefusedAtOnce) {
  for (const char* asked : {"cpus: 4000", "memory: 900000GiB"}) {
    RunRequest request;
    request.project = "default";
    request.source =
        fmt::format("name: a\nsteps: {{x: {{command: [a], resources: {{{}}}}}}}\n", asked);
    const auto run = pipelines_->Run(request);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().gy(), "GY4733") << asked;
  }
}

TEST_F(PipelinesTest, OutOfMemorySaysSoAndGrowsWhereThatIsAskedFor) {
  const RunView run = End(Begin(R"(
name: a
steps:
  fixed:
    script: |
      import time
      held = bytearray(90_000_000); held[::4096] = b"x" * len(held[::4096]); time.sleep(3)
    resources: {memory: 40MB}
  grown:
    script: |
      import time
      held = bytearray(90_000_000); held[::4096] = b"x" * len(held[::4096]); time.sleep(2)
    resources: {memory: 40MB}
    retries: {max: 3, backoff: 0, memory_factor: 2}
)"));
  std::map<std::string, Json> tasks;
  const Json all = TasksOf(run);
  for (const Json& task : all.items()) tasks[task["task"].AsString()] = task;
  EXPECT_EQ(tasks["fixed"]["reason"].AsString().substr(0, 35),
            "GY4734 out of memory: limit 40.0 MB")
      << tasks["fixed"].Dump();
  EXPECT_EQ(tasks["grown"]["state"].AsString(), "succeeded") << tasks["grown"].Dump();
  EXPECT_GT(tasks["grown"]["attempts"].size(), 1u);
}

TEST_F(PipelinesTest, NothingIsTakenFromTheCacheWhenThatIsSaid) {
  RunRequest request;
  request.source =
      "name: a\nsteps:\n  x: {shell: echo 1 > \"$GYRE_OUTPUT_N\", outputs: {n: int}, cache: "
      "true}\n";
  const RunView first = End(Begin(request));
  request.no_cache = true;
  const RunView second = End(Begin(request));
  EXPECT_EQ(TasksOf(second).items()[0]["reason"].AsString(),
            "run, because nothing was to be taken from the cache");
  request.no_cache = false;
  EXPECT_EQ(TasksOf(End(Begin(request))).items()[0]["cached_from"].AsString(), second.id);
}

TEST_F(PipelinesTest, AFailureSaysWhyAndExitHandlersRun) {
  const RunView run = End(Begin(R"(
name: a
steps:
  bad: {shell: "echo no such column >&2; exit 3"}
  after: {command: [echo, x], needs: bad}
  tell: {command: [echo, "it ${run.state}"], always: true}
)"));
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.reason, "step `bad` failed: exit status 3: no such column");
  EXPECT_EQ(Log(run, "tell"), "it failed\n");
}

TEST_F(PipelinesTest, LoopsTimeoutsAndMissingOutputs) {
  const RunView run = End(Begin(R"(
name: a
steps:
  loop: {command: [echo, "${item}", "${index}"], for_each: [a, b, c]}
  slow: {command: [sleep, "60"], timeout: 200ms}
  mute: {command: ["true"], outputs: {x: int}}
  gone: {command: [no-such-program]}
)"));
  EXPECT_EQ(Log(run, "loop[1]"), "b 1\n");
  const auto described = pipelines_->Describe(run.id, 100);
  std::map<std::string, std::string> reasons;
  for (const Json& task : (*described)["tasks"].items())
    reasons[task["task"].AsString()] = task["reason"].AsString();
  EXPECT_EQ(reasons["slow"], "it took longer than 0.2 s");
  EXPECT_EQ(reasons["mute"], "GY4709 the output `x` was not written");
  EXPECT_NE(reasons["gone"].find("cannot be started"), std::string::npos);
}

TEST_F(PipelinesTest, ARestartAdoptsWhatRunsAndRepeatsNothing) {
  const std::string text =
      "name: a\nsteps:\n"
      "  first: {shell: \"echo first >> " +
      root_ +
      "/effects\"}\n"
      "  second: {shell: \"sleep 0.6; echo second >> " +
      root_ +
      "/effects\", needs: first}\n"
      "  third: {shell: \"echo third >> " +
      root_ + "/effects\", needs: second}\n";
  const RunView real = Begin(text);
  while (!exec::FileExists(root_ + "/effects")) usleep(1000);
  usleep(100'000);
  for (int i = 0; i < 3; ++i) Open();
  EXPECT_EQ(End(real).state, "succeeded");
  EXPECT_EQ(exec::ReadFile(root_ + "/effects").value(), "first\nsecond\nthird\n");
}

TEST_F(PipelinesTest, ResultsAreTakenFromTheCacheAndMissesExplained) {
  const std::string text =
      "name: a\nparams: {n: {type: int, default: 1}}\nsteps:\n  x:\n    command: [sh, -c, 'echo "
      "$1 > \"$GYRE_OUTPUT_F\"', x, '${params.n}']\n    outputs: {f: file}\n    cache: true\n";
  const auto reason = [&](const RunView& run) {
    return (*pipelines_->Describe(run.id, 10))["tasks"].items()[0]["reason"].AsString();
  };
  const RunView first = End(Begin(text));
  ASSERT_EQ(first.state, "succeeded") << first.reason;
  EXPECT_EQ(reason(first), "run, because no earlier result");
  const RunView second = End(Begin(text));
  EXPECT_EQ(reason(second), "taken from run " + first.id.substr(0, 8));
  const RunView third = End(Begin(text, {"n=2"}));
  EXPECT_EQ(reason(third), "run, because with.command changed");
  const auto described = pipelines_->Describe(first.id, 10);
  const std::string file = (*described)["tasks"].items()[0]["outputs"]["f"].AsString();
  ASSERT_TRUE(blobs_->Remove(file.substr(7)));
  const RunView fourth = End(Begin(text));
  EXPECT_EQ(reason(fourth), "run, because the files that it made are gone");
}

TEST_F(PipelinesTest, AnotherInterpreterIsAMiss) {
  const std::string python = root_ + "/python";
  const auto install = [&](std::string_view version) {
    ASSERT_TRUE(
        exec::WriteFile(python, fmt::format("#!/bin/sh\n# {}\nexec /bin/sh \"$@\"\n", version)));
    ASSERT_EQ(chmod(python.c_str(), 0755), 0);
  };
  const std::string text =
      "name: a\nsteps:\n  x: {script: echo hello, interpreter: " + python + ", cache: true}\n";
  const auto reason = [&](const RunView& run) {
    EXPECT_EQ(run.state, "succeeded") << run.reason;
    return (*pipelines_->Describe(run.id, 10))["tasks"].items()[0]["reason"].AsString();
  };
  install("3.11");
  const RunView first = End(Begin(text));
  EXPECT_EQ(reason(End(Begin(text))), "taken from run " + first.id.substr(0, 8));
  install("3.11.9");
  EXPECT_EQ(reason(End(Begin(text))), "run, because interpreter changed");
  // Also the one that PATH finds.
  const std::string found =
      "name: b\nsteps:\n  x: {script: echo hello, interpreter: [python], cache: true, "
      "environment: {PATH: \"" +
      root_ + ":/usr/bin:/bin\"}}\n";
  End(Begin(found));
  install("3.12.10-rc");
  EXPECT_EQ(reason(End(Begin(found))), "run, because interpreter changed");
}

TEST_F(PipelinesTest, CancelAndRetry) {
  const std::string text = "name: a\nsteps:\n  x: {command: [test, -e, " + root_ +
                           "/there]}\n  y: {command: [sleep, '60'], needs: x}\n";
  const RunView failed = End(Begin(text));
  EXPECT_EQ(failed.state, "failed");
  ASSERT_TRUE(exec::WriteFile(root_ + "/there", ""));
  const auto again = pipelines_->Retry(failed.id, "");
  ASSERT_TRUE(again) << again.error().ToString();
  usleep(200'000);
  ASSERT_TRUE(pipelines_->Cancel(failed.id, "by ann"));
  const RunView cancelled = End(failed);
  EXPECT_EQ(cancelled.state, "cancelled");
  EXPECT_EQ(cancelled.reason, "by ann");
}

TEST_F(PipelinesTest, WhatASpentBudgetRefusesIsNotBegunAgain) {
  const RunView failed =
      End(Begin("name: a\nsteps:\n  x: {command: [test, -e, " + root_ + "/there]}\n"));
  ASSERT_TRUE(exec::WriteFile(root_ + "/there", ""));
  usage::Usage usage(*database_, clock_);
  ASSERT_TRUE(usage.SetPrices({.cpu_hour_micros = 1'000'000, .valid_from_us = 1}));
  ASSERT_TRUE(usage.Record({.project = "default",
                            .subject_kind = "run",
                            .subject_id = "r",
                            .at_us = clock_.NowMicros(),
                            .quantities = {.cpu_us = usage::kMicrosPerHour}}));
  usage::Budgets budgets(*database_, clock_);
  ASSERT_TRUE(budgets.Add({.name = "spent", .limit_nanos = 1, .period = "total", .stops = true}));
  EXPECT_EQ(pipelines_->Retry(failed.id, "").error().gy(), "GY4134");
  EXPECT_EQ(End(failed).state, "failed");
  ASSERT_TRUE(budgets.Remove("spent"));
  ASSERT_TRUE(pipelines_->Retry(failed.id, ""));
  EXPECT_EQ(End(failed).state, "succeeded");
}

// A letter that is cut in two, and bytes that are none, are no text that a database takes.
TEST_F(PipelinesTest, WhatAFailingProgramPrintsNeverStopsTheOthers) {
  const RunView cut = Begin(
      "name: a\nsteps:\n  x: {script: \"print('a' * 199 + 'é' * 9); "
      "exit(3)\"}\n");
  const RunView broken = Begin(
      "name: a\nsteps:\n  x: {shell: \"printf 'no \\\\377 letter'; "
      "exit 3\"}\n");
  const RunView other = Begin("name: b\nsteps: {x: {command: [sleep, '0.3']}}\n");
  EXPECT_EQ(End(cut).state, "failed");
  EXPECT_TRUE(End(cut).reason.ends_with(": " + std::string(199, 'a'))) << End(cut).reason;
  EXPECT_TRUE(End(broken).reason.ends_with("no \xEF\xBF\xBD letter")) << End(broken).reason;
  EXPECT_EQ(End(other).state, "succeeded");
}

// A kind whose work is only what the test says of it.
struct Work {
  std::atomic<bool> may_begin = true;
  std::atomic<int> asked = 0;             // to begin
  std::string label = "work", cancelled;  // cancelled: what was
  Mutex mutex;
};
constexpr KindKey kWorkKeys[] = {{"work"}};
const KindFacts kWorkFacts{"work", kWorkKeys, {}};
class WorkKind final : public StepKind {
 public:
  explicit WorkKind(Work& work) : work_(work) {}
  const KindFacts& facts() const override { return kWorkFacts; }
  Result<std::string> Start(const StepContext& context) override {
    ++work_.asked;
    while (!work_.may_begin) usleep(1000);
    return "of " + context.step;
  }
  Result<std::optional<StepEnd>> Poll(const std::string& /*reference*/,
                                      const StepContext& context) override {
    if (context.with["work"].AsString() == "endless") return std::optional<StepEnd>();
    if (context.with["work"].AsString() == "cancelled")
      return std::optional<StepEnd>(
          StepEnd{.outputs = MakeError(Code::kCancelled, "GY9999", "cancelled by ann")});
    return std::optional<StepEnd>(
        StepEnd{.outputs = Json::Obj(), .links = {{"thing", "id", work_.label, true}}});
  }
  void Cancel(const std::string& reference) override {
    const MutexLock lock(work_.mutex);
    work_.cancelled += reference + ";";
  }

 private:
  Work& work_;
};

TEST_F(PipelinesTest, WhatCannotBeWrittenFailsItsRunAlone) {
  Work work;
  work.label = "no \xFF letter";
  kind_ = [&] { return std::make_unique<WorkKind>(work); };
  Open();
  const RunView other = Begin("name: b\nsteps: {x: {command: [sleep, '0.3']}}\n");
  const RunView broken = End(
      Begin("name: a\nsteps: {x: {kind: work}, y: {command: [sleep, '60']}, z: {kind: work, work: "
            "endless}}\n"));
  EXPECT_EQ(broken.state, "failed");
  EXPECT_NE(broken.reason.find("cannot be written"), std::string::npos) << broken.reason;
  EXPECT_EQ(End(other).state, "succeeded");
  Open();
  EXPECT_EQ(pipelines_->Get(broken.id)->state, "failed");
  EXPECT_EQ(work.cancelled, "of z;");
}

TEST_F(PipelinesTest, WorkThatBeginsWhileItsRunIsCancelledIsCancelledToo) {
  Work work;
  work.may_begin = false;
  kind_ = [&] { return std::make_unique<WorkKind>(work); };
  Open();
  const RunView run = Begin("name: a\nsteps: {x: {kind: work, work: endless}}\n");
  while (work.asked == 0) usleep(1000);  // what was not asked to begin has nothing to cancel
  ASSERT_TRUE(pipelines_->Cancel(run.id, "by ann"));
  work.may_begin = true;
  EXPECT_EQ(End(run).state, "cancelled");
  Open();
  EXPECT_EQ(work.cancelled, "of x;");
}

TEST_F(PipelinesTest, ARunIsCancelledWithTheWorkOfItsStep) {
  Work work;
  kind_ = [&] { return std::make_unique<WorkKind>(work); };
  Open();
  ASSERT_TRUE(pipelines_->Add("default", "name: inner\nsteps: {x: {kind: work, work: cancelled}}\n",
                              "inner.yaml", "ann"));
  const RunView run = End(
      Begin("name: outer\nsteps:\n  a: {kind: pipeline, pipeline: inner, retries: {max: 2}}\n"));
  EXPECT_EQ(run.state, "cancelled");
  EXPECT_TRUE(run.reason.starts_with("step `a` was cancelled: GY4725 run ")) << run.reason;
  EXPECT_TRUE(run.reason.ends_with("cancelled: step `x` was cancelled: GY9999 cancelled by ann"))
      << run.reason;
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(pipelines_->ListRuns({})->size(), 2u) << "it is not tried again";
}

TEST_F(PipelinesTest, EndsThoughNestedRunsAreBeingCancelled) {
  ASSERT_TRUE(pipelines_->Add("default", "name: inner\nsteps: {x: {command: [sleep, '60']}}\n",
                              "inner.yaml", "ann"));
  const RunView outer = Begin(
      "name: outer\nsteps:\n  a: {kind: pipeline, pipeline: inner, for_each: "
      "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]}\n");
  while (pipelines_->ListRuns({})->size() < 21) usleep(1000);
  ASSERT_TRUE(pipelines_->Cancel(outer.id, "by ann"));
  Open();
  EXPECT_EQ(End(outer).state, "cancelled");
  const auto runs = pipelines_->ListRuns({});
  for (const RunView& run : *runs) EXPECT_EQ(End(run).state, "cancelled");
}

TEST_F(PipelinesTest, ANumberIsNeverGivenAgain) {
  ASSERT_TRUE(Add("name: a\nsteps: {x: {command: [echo, hello]}}\n"));
  ASSERT_TRUE(Add("name: a\nsteps: {x: {command: [echo, you]}}\n"));
  ASSERT_TRUE(pipelines_->Remove("default", "a"));
  EXPECT_EQ(Add("name: a\nsteps: {x: {command: [echo, other]}}\n")->version, 3);
  EXPECT_EQ(pipelines_->Resolve("default", "a:v1").error().gy(), "GY4711");
}

// What runs is what was there when it was added: who adds a version later adds nothing to it.
TEST_F(PipelinesTest, AVersionMeansOneGraphForEver) {
  const std::string outer =
      "name: outer\nsteps: {p: {kind: pipeline, pipeline: inner}, c: {use: part}}\n";
  const auto nothing = Add(outer);
  EXPECT_EQ(nothing.error().gy(), "GY4711");
  Work work;
  kind_ = [&] { return std::make_unique<WorkKind>(work); };
  Open();
  ASSERT_TRUE(Add("component: part\nkind: work\n"));
  EXPECT_EQ(Add(outer).error().where(), "a.yaml:2");
  ASSERT_TRUE(Add("name: inner\nsteps: {x: {kind: work}}\n"));
  ASSERT_TRUE(Add(outer));
  ASSERT_TRUE(Add("component: part\nshell: echo now > " + root_ + "/part\n"));
  ASSERT_TRUE(Add("name: inner\nsteps: {x: {shell: 'echo now > " + root_ + "/inner'}}\n"));
  RunRequest request;
  request.project = "default";
  request.pipeline = "outer:v1";
  EXPECT_EQ(pipelines_->PermissionsOf(request)->size(), 0u);
  EXPECT_EQ(End(*pipelines_->Run(request)).state, "succeeded");
  EXPECT_FALSE(exec::FileExists(root_ + "/part"));
  EXPECT_FALSE(exec::FileExists(root_ + "/inner"));
  // The same bytes with other parts are another version, and it needs what those need.
  EXPECT_EQ(Add(outer)->version, 2);
  request.pipeline = "outer";
  EXPECT_EQ(*pipelines_->PermissionsOf(request), std::vector<std::string>{"pipeline.program"});
  request.admit = [](const std::vector<std::string>& permissions) -> Result<> {
    return MakeError(Code::kPermissionDenied, "GY9999", "{}", permissions.at(0));
  };
  EXPECT_EQ(pipelines_->Run(request).error().message(), "pipeline.program");
}

TEST_F(PipelinesTest, APartOfAnotherIsNotRemoved) {
  ASSERT_TRUE(Add("name: inner\nsteps: {x: {command: [echo, hello]}}\n"));
  ASSERT_TRUE(Add("name: inner\nsteps: {x: {command: [echo, you]}}\n"));
  ASSERT_TRUE(Add("name: outer\nsteps: {p: {kind: pipeline, pipeline: 'inner:v1'}}\n"));
  const auto removed = pipelines_->Remove("default", "inner");
  EXPECT_EQ(removed.error().gy(), "GY4715");
  EXPECT_EQ(removed.error().message(), "`inner:v1` is part of `outer:v1`");
  EXPECT_TRUE(pipelines_->Remove("default", "inner:v2"));
  EXPECT_TRUE(pipelines_->Remove("default", "outer"));
  EXPECT_TRUE(pipelines_->Remove("default", "inner"));
}

// A database of a server that fixed nothing.
TEST_F(PipelinesTest, VersionsOfBeforeAreFixedAtTheStart) {
  ASSERT_TRUE(Add("name: inner\nsteps: {x: {command: [echo, hello]}}\n"));
  ASSERT_TRUE(Add("name: outer\nsteps: {p: {kind: pipeline, pipeline: inner}}\n"));
  for (const char* sql : {"UPDATE pipeline_version SET plan = ''", "DELETE FROM pipeline_part"})
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) { return tx.Execute(sql, {}); }));
  Open();
  EXPECT_EQ(pipelines_->Remove("default", "inner").error().gy(), "GY4715");
  RunRequest request;
  request.project = "default";
  request.pipeline = "outer";
  EXPECT_EQ(End(*pipelines_->Run(request)).state, "succeeded");
}

// Neither a parameter nor the output of a nested run makes a file of another project one's own.
TEST_F(PipelinesTest, AFileIsOfTheProjectWhoseStepMadeIt) {
  const RunView made =
      End(Begin("name: a\nsteps:\n  x: {shell: 'echo secret > \"$GYRE_OUTPUT_F\"', outputs: {f: "
                "file}}\noutputs: {f: '${steps.x.outputs.f}'}\n"));
  const std::string file = made.outputs["f"].AsString(), digest = file.substr(7);
  EXPECT_TRUE(*pipelines_->HasFile("default", digest));
  EXPECT_FALSE(*pipelines_->HasFile("other", digest));
  Work work;
  kind_ = [&] { return std::make_unique<WorkKind>(work); };
  Open();
  const std::string inner =
      "name: inner\nparams: {f: text}\nsteps: {x: {kind: work}}\noutputs: {f: '${params.f}'}\n";
  ASSERT_TRUE(pipelines_->Add("other", inner, "inner.yaml", "ben"));
  RunRequest request;
  request.project = "other";
  request.source = "name: outer\nsteps:\n  a: {kind: pipeline, pipeline: inner, params: {f: '" +
                   file + "'}, outputs: {f: file}, cache: true}\n";
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(End(*pipelines_->Run(request)).state, "succeeded");
    EXPECT_FALSE(*pipelines_->HasFile("other", digest));
  }
}

TEST_F(PipelinesTest, AKeyIsOneRunAndPipelinesRunPipelines) {
  ASSERT_TRUE(pipelines_->Add(
      "default",
      "name: inner\nparams: {n: int}\nsteps:\n  x:\n    shell: echo $((GYRE_PARAM_N * 2)) > "
      "\"$GYRE_OUTPUT_D\"\n    outputs: {d: int}\noutputs: {d: \"${steps.x.outputs.d}\"}\n",
      "inner.yaml", "ann"));
  RunRequest request;
  request.project = "default";
  request.source =
      "name: outer\nsteps:\n  a: {kind: pipeline, pipeline: inner, params: {n: '${item}'}, "
      "for_each: "
      "[3, 4], outputs: {d: int}}\noutputs: {ds: '${steps.a.outputs.d}'}\n";
  request.key = "trigger-1";
  request.triggered_by = "trigger drift: alert 1";
  const auto first = pipelines_->Run(request);
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(pipelines_->Run(request)->id, first->id);
  const RunView ended = End(*first);
  EXPECT_EQ(ended.state, "succeeded") << ended.reason;
  EXPECT_EQ(ended.outputs.Dump(), R"({"ds":[6,8]})");
  EXPECT_EQ(pipelines_->ListRuns({})->size(), 3u);
}

TEST_F(PipelinesTest, AFailedRunCarriesTheCodeOfItsError) {
  kind_ = [] {
    static constexpr KindFacts kFacts{"refuse", {}, {}, true};
    return ImmediateKind(kFacts, "", [](const StepContext&) {
      return StepEnd{.outputs = FailedPrecondition("GY4617", "there are 3 labelled rows")};
    });
  };
  Open();
  ASSERT_TRUE(Add("name: a\nsteps: {fresh: {kind: refuse}}\n"));
  const RunView run = End(Begin("name: b\nsteps: {inner: {kind: pipeline, pipeline: a}}\n"));
  EXPECT_EQ(run.state, "failed");
  EXPECT_EQ(run.error, "GY4617") << "also through a pipeline that runs another";
  ASSERT_TRUE(pipelines_->Retry(run.id, ""));
  Open();
  EXPECT_EQ(End(run).error, "GY4617");
  EXPECT_EQ(End(Begin("name: c\nsteps: {x: {command: [\"false\"]}}\n")).error, "");
}

TEST_F(PipelinesTest, ParametersAreCheckedWithoutARun) {
  ASSERT_TRUE(Add("name: a\nparams: {budget: int}\nsteps: {x: {command: [echo]}}\n"));
  const auto check = [&](const Json& params) {
    return pipelines_->CheckParams({.project = "default", .pipeline = "a", .params = params});
  };
  EXPECT_TRUE(check(Json::Obj({{"budget", 3}})));
  EXPECT_EQ(check(Json::Obj({{"budgt", 3}})).error().fixes()[0], "did you mean `budget`?");
  EXPECT_EQ(check(Json::Obj()).error().gy(), "GY4705");
  EXPECT_TRUE(pipelines_->ListRuns({})->empty());
}

}  // namespace
}  // namespace gyre::pipelines
