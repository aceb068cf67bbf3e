#include "ml/training/commit.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/id.h"

namespace gyre::training {
namespace {

registry::ModelVersion Champion(std::string digest) {
  registry::ModelVersion champion;
  champion.model = "churn";
  champion.version = 1;
  champion.package = {std::move(digest), 7};
  return champion;
}

TEST(Commit, AChampionThatCannotBeReadStopsTheTraining) {
  const auto directory = std::filesystem::temp_directory_path() / ("commit-" + NewId());
  const auto blobs = *blob::OpenLocalStore(directory.string());
  Json input = Json::Obj();
  EXPECT_FALSE(AddChampion(Champion(std::string(64, 'a')), *blobs, &input));
  ASSERT_TRUE(AddChampion(Champion(blobs->Put("package")->digest), *blobs, &input));
  EXPECT_EQ(input["champion_name"].AsString(), "churn:v1");
  EXPECT_FALSE(input["champion_package"].AsString().empty());
  std::filesystem::remove_all(directory);
}

TEST(Commit, AChampionThatWasNotMeasuredIsNotPassedBy) {
  registry::GateNumbers measured;  // by a worker that was told of no champion
  measured.primary = "auc";
  measured.metrics["auc"] = {0.9, 0.89, 0.91};
  const Json judged = Json::Obj(
      {{"gate_numbers", measured.ToJson()}, {"evaluation", Json::Obj({{"task", "binary"}})}});
  const auto rules = registry::DefaultRules(true);
  const auto against = NumbersOf(judged, Champion(std::string(64, 'a')), {});
  ASSERT_TRUE(against);
  EXPECT_FALSE(registry::Judge(rules, *against).pass);
  const auto alone = NumbersOf(judged, std::nullopt, {});
  ASSERT_TRUE(alone);
  EXPECT_TRUE(registry::Judge(rules, *alone).pass) << "there is no champion to compare with";
}

TEST(Commit, TheMetricOfTheGateIsThePolicysNotTheTrainings) {
  registry::GateNumbers measured;
  measured.primary = "accuracy";
  const Json judged = Json::Obj(
      {{"gate_numbers", measured.ToJson()}, {"evaluation", Json::Obj({{"task", "binary"}})}});
  EXPECT_EQ(NumbersOf(judged, std::nullopt, {})->primary, "auc");
  EXPECT_EQ(NumbersOf(judged, std::nullopt, {.rules = {}, .metric = "f1", .dataset = {}})->primary,
            "f1");
}

}  // namespace
}  // namespace gyre::training
