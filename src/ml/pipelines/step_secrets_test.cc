#include "ml/pipelines/step_secrets.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>

#include "ml/pipelines/pipelines_for_tests.h"
#include "platform/exec/files.h"

namespace gyre::pipelines {
namespace {

class StepSecretsTest : public PipelinesFixture {
 protected:
  StepSecretsTest() {
    find_secret_ = [this](std::string_view project, std::string_view text) -> Result<std::string> {
      const auto found = secrets_.find(std::string(text.substr(7)));
      if (project == "default" && found != secrets_.end()) return found->second;
      return NotFound("GY4142", "there is no secret `{}`", text.substr(7));
    };
  }
  std::map<std::string, std::string> secrets_ = {{"token", "open sesame"}};
};

TEST_F(StepSecretsTest, OnlyTheProgramKnowsThem) {
  const RunView run = End(Begin(R"(
name: a
params: {t: {type: text, default: "secret:token"}}
steps:
  good: {shell: 'test "$TOKEN" = "open sesame"; echo "it is $TOKEN."', environment: {TOKEN: "secret:token"}}
  bad: {shell: 'echo "no entry with $TOKEN"; exit 3', environment: {TOKEN: "secret:token"}}
  told: {shell: 'echo "$TOKEN" > "$GYRE_OUTPUT_T"', environment: {TOKEN: "secret:token"}, outputs: {t: text}}
  file: {shell: 'head -c 3000000 /dev/zero > "$GYRE_OUTPUT_F"; echo "$TOKEN" >> "$GYRE_OUTPUT_F"', environment: {TOKEN: "secret:token"}, outputs: {f: file}}
  given: {shell: 'echo "$TOKEN"', environment: {TOKEN: "${params.t}"}}
)"));
  std::map<std::string, std::string> reasons;
  const Json tasks = TasksOf(run);
  for (const Json& task : tasks.items())
    reasons[task["task"].AsString()] = task["reason"].AsString();
  EXPECT_EQ(Log(run, "good"), "it is ***********.\n");
  EXPECT_EQ(Log(run, "given"), "secret:token\n") << "only the file itself names secrets";
  EXPECT_EQ(reasons["bad"], "exit status 3: no entry with ***********");
  EXPECT_EQ(reasons["told"].substr(0, 6), "GY4735") << reasons["told"];
  EXPECT_EQ(reasons["file"].substr(0, 6), "GY4735") << reasons["file"];
  secrets_["token"] = "changed";  // what is on the disk does not depend on what it is now
  pipelines_.reset();
  for (const char* step : {"good", "bad"}) {
    const auto log = exec::ReadFile(root_ + "/pipelines/" + run.id + "/" + step + ".1/.gyre-log");
    ASSERT_TRUE(log);
    EXPECT_EQ(log->find("sesame"), std::string::npos) << *log;
  }
  Open();
}

TEST_F(StepSecretsTest, OneThatIsNotThereIsSaidBeforeAnythingRuns) {
  RunRequest request;
  request.project = "default";
  request.source = "name: a\nsteps: {x: {command: [a], environment: {TOKEN: 'secret:other'}}}\n";
  const auto run = pipelines_->Run(request);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().gy(), "GY4142");
  EXPECT_EQ(run.error().where(), "step x");
}

TEST(Masked, HidesSecretsThatHoldEachOther) {
  const std::vector<std::string> secrets = {"abc", "abcdef", "efgh", "aa"};
  EXPECT_EQ(Masked("-abcdef-", secrets), "-******-") << "one begins with another";
  EXPECT_EQ(Masked("-abcdefgh-", secrets), "-********-") << "one begins in another";
  EXPECT_EQ(Masked("-aaa-", secrets), "-***-") << "one begins in itself";
}

TEST_F(StepSecretsTest, PartsOfALogNeverShowOne) {
  const std::string file = root_ + "/log", secret = "open sesame";
  const std::vector<std::string> secrets = {secret};
  const std::string text = "a open sesame b open sesameopen sesame c open ses";
  ASSERT_TRUE(exec::WriteFile(file, text));
  const std::string masked = Masked(text, secrets);
  EXPECT_EQ(masked, "a *********** b ********************** c open ses");
  for (std::int64_t bytes = 1; bytes < 20; ++bytes) {
    std::string read;
    for (std::int64_t at = 0; at < static_cast<std::int64_t>(text.size()); at += bytes)
      read += ReadMaskedLog(file, at, bytes, secrets, true)->text;
    EXPECT_EQ(read, masked) << bytes;
  }
  EXPECT_EQ(ReadMaskedLog(file, 0, 100, secrets, false)->text, masked.substr(0, masked.size() - 8));
  ASSERT_TRUE(MaskFile(file, secrets));
  EXPECT_EQ(*exec::ReadFile(file), masked);
}

}  // namespace
}  // namespace gyre::pipelines
