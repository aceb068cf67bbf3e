#include "ml/pipelines/compare.h"

#include <gtest/gtest.h>

#include "ml/pipelines/programs.h"

namespace gyre::pipelines {
namespace {

StoredRun Stored(std::initializer_list<std::string_view> outputs) {
  const auto spec = ParseSpec(
      "name: a\nsteps:\n  fit:\n    shell: fit\n    for_each: [a, b, c, d]\n"
      "    outputs: {commit: text, accuracy: number, tests: text, model: file}\n",
      "a.yaml", ProgramKinds(), nullptr);
  EXPECT_TRUE(spec);
  StoredRun stored;
  stored.run.id = "run";
  stored.plan = SpecToJson(*spec).Dump();
  std::int64_t item = 0;
  for (const std::string_view text : outputs) {
    TaskRecord task;
    task.item = item++;
    task.value = std::string(1, static_cast<char>('a' + task.item));
    task.state = text.empty() ? State::kFailed : State::kSucceeded;
    if (!text.empty()) task.outputs = *Json::Parse(text, 8);
    task.started_us = 1'000'000;
    task.ended_us = 1'000'000 * (task.item + 2);
    stored.tasks.push_back(task);
  }
  return stored;
}

const StoredRun& Runs() {
  static const StoredRun stored =
      Stored({R"({"accuracy": 0.5, "commit": "c1", "tests": "passed", "model": "sha256:1"})",
              R"({"accuracy": 1, "commit": "c2", "tests": "passed", "model": "sha256:2"})", "",
              R"({"accuracy": 0.75, "commit": "c3", "tests": "passed", "model": "sha256:3"})"});
  return stored;
}

std::string Order(const Comparison& wanted) {
  const auto compared = CompareItems(Runs(), wanted);
  EXPECT_TRUE(compared) << compared.error().ToString();
  std::string order;
  for (const Json& row : (*compared)["items"].items()) order += row["item"].AsString();
  return order;
}

TEST(Compare, SortsByAnOutputAndWhatHasNoneComesLast) {
  EXPECT_EQ(Order({.step = "fit"}), "abcd");
  EXPECT_EQ(Order({.step = "fit", .by = "accuracy"}), "bdac");
  EXPECT_EQ(Order({.step = "fit", .by = "accuracy", .ascending = true}), "adbc");
  EXPECT_EQ(Order({.step = "fit", .by = "commit"}), "dbac");
  EXPECT_EQ(Order({.step = "fit", .by = "seconds"}), "dcba");
  EXPECT_EQ(Order({.step = "fit", .by = "accuracy", .limit = 2}), "bd");
}

TEST(Compare, NamesWhatDiffersAndWhatIsTheSame) {
  const auto compared = CompareItems(Runs(), {.step = "fit"});
  ASSERT_TRUE(compared);
  EXPECT_EQ((*compared)["columns"].Dump(), R"(["accuracy","commit"])");
  EXPECT_EQ((*compared)["same"].Dump(), R"({"tests":"passed"})");
  EXPECT_EQ((*compared)["items_in_all"].AsInt(), 4);
  const Json& first = (*compared)["items"].items()[0];
  EXPECT_EQ(first["state"].AsString(), "succeeded");
  EXPECT_EQ(first["seconds"].AsDouble(), 1.0);
  EXPECT_EQ(first["outputs"]["model"].AsString(), "sha256:1");
}

TEST(Compare, RefusesWhatIsNotThere) {
  EXPECT_EQ(CompareItems(Runs(), {.step = "fti"}).error().gy(), "GY4713");
  const auto refused = CompareItems(Runs(), {.step = "fit", .by = "acuracy"});
  EXPECT_EQ(refused.error().gy(), "GY4727");
  ASSERT_EQ(refused.error().fixes().size(), 1u);
  EXPECT_EQ(refused.error().fixes()[0], "did you mean `accuracy`?");
}

}  // namespace
}  // namespace gyre::pipelines
