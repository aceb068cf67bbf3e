#include "ml/pipelines/resources.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "ml/pipelines/pipelines_for_tests.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

using Gpus = std::vector<std::string>;

TEST(FindGpus, AreThoseOfTheMachineOfItsVariableOrOfTheSetting) {
  char pattern[] = "/tmp/gyre-gpus-XXXXXX";
  const std::string devices = mkdtemp(pattern);
  EXPECT_EQ(FindGpus(devices, {}, -1), Gpus());
  EXPECT_EQ(FindGpus(devices + "/none", {}, -1), Gpus());
  for (const char* const name : {"nvidia0", "nvidia3", "nvidiactl", "nvidia-uvm", "null", "nv"})
    ASSERT_TRUE(exec::WriteFile(devices + "/" + name, ""));
  EXPECT_EQ(FindGpus(devices, {}, -1), (Gpus{"0", "1"})) << "numbered as CUDA numbers them";
  EXPECT_EQ(FindGpus(devices, {}, 1), Gpus{"0"});
  EXPECT_EQ(FindGpus(devices, {}, 0), Gpus());
  EXPECT_EQ(FindGpus(devices, {}, 3), (Gpus{"0", "1", "2"}));
  EXPECT_EQ(FindGpus(devices, "2, GPU-8a", -1), (Gpus{"2", "GPU-8a"}));
  EXPECT_EQ(FindGpus(devices, "2,-1,3", -1), Gpus{"2"});
  EXPECT_EQ(FindGpus(devices, "", -1), Gpus());
  ASSERT_TRUE(exec::RemoveTree(devices));
}

class GpusTest : public PipelinesFixture {
 protected:
  GpusTest() { gpus_ = 2; }
};

TEST_F(GpusTest, AStepSeesItsOwnAndNobodyElseDoes) {
  const RunView run = Begin(R"(
name: a
steps:
  each:
    shell: |
      mkdir "/tmp/$GYRE_PIPELINE_RUN.$CUDA_VISIBLE_DEVICES"
      sleep 0.15
      rmdir "/tmp/$GYRE_PIPELINE_RUN.$CUDA_VISIBLE_DEVICES"
      echo "$CUDA_VISIBLE_DEVICES" > "$GYRE_OUTPUT_GPU"
    for_each: [1, 2, 3, 4, 5, 6]
    resources: {gpus: 1}
    outputs: {gpu: text}
  both: {shell: 'echo "$CUDA_VISIBLE_DEVICES"', resources: {gpus: 2}, needs: [each]}
  none: {shell: 'echo "none:$CUDA_VISIBLE_DEVICES"'}
  own: {shell: 'echo "$CUDA_VISIBLE_DEVICES"', environment: {CUDA_VISIBLE_DEVICES: "7"}}
outputs: {gpus: "${steps.each.outputs.gpu}"}
)");
  const RunView ended = End(run);
  ASSERT_EQ(ended.state, "succeeded") << ended.reason;
  std::set<std::string> used;
  for (const Json& gpu : ended.outputs["gpus"].items()) used.insert(gpu.AsString());
  EXPECT_EQ(used, (std::set<std::string>{"0", "1"})) << "two at a time";
  EXPECT_EQ(Log(run, "both"), "0,1\n");
  EXPECT_EQ(Log(run, "none"), "none:\n");
  EXPECT_EQ(Log(run, "own"), "7\n");
}

TEST_F(GpusTest, WhatIsAdoptedKeepsItsOwn) {
  const RunView first = Begin(
      "name: a\nsteps: {x: {shell: 'echo $CUDA_VISIBLE_DEVICES; sleep 1', resources: {gpus: "
      "1}}}\n");
  while (Log(first, "x").empty()) usleep(5000);
  Open();
  const RunView second =
      Begin("name: b\nsteps: {x: {shell: 'echo $CUDA_VISIBLE_DEVICES', resources: {gpus: 1}}}\n");
  EXPECT_EQ(End(second).state, "succeeded");
  EXPECT_EQ(Log(second, "x"), "1\n");
  EXPECT_EQ(End(first).state, "succeeded");
  EXPECT_EQ(Log(first, "x"), "0\n");
}

TEST_F(GpusTest, MoreThanThereAreAreRefusedAtOnce) {
  RunRequest request;
  request.project = "default";
  request.source = "name: a\nsteps: {x: {command: [a], resources: {gpus: 3}}}\n";
  const auto run = pipelines_->Run(request);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().gy(), "GY4733");
  EXPECT_EQ(run.error().message(), "step `x` asks for 3 GPUs, and this machine has 2");
}

// What was begun on a machine that had more.
TEST_F(GpusTest, WhatWaitsForGpusThatAreGoneFails) {
  const RunView run = Begin(
      "name: a\nsteps: {w: {command: [sleep, '0.5']}, x: {command: [echo], needs: [w], resources: "
      "{gpus: 2}}}\n");
  gpus_ = 1;
  Open();
  const RunView ended = End(run);
  EXPECT_NE(ended.reason.find("GY4733"), std::string::npos) << ended.reason;
}

}  // namespace
}  // namespace gyre::pipelines
