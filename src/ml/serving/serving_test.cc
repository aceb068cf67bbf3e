#include "ml/serving/serving.h"

#include <gtest/gtest.h>

#include <atomic>

#include "ml/registry/catalog.h"
#include "ml/serving/testing/house.h"
#include "platform/exec/thread_pool.h"

namespace gyre::serving {
namespace {

constexpr std::string_view kBody = R"({"inputs":[{"age":30,"amount":0.5,"country":"NL"}]})";

class ServingTest : public testing::Test {
 protected:
  Json Predict(std::string_view endpoint, std::string_view body = kBody) {
    const auto text = house_.serving->Predict(endpoint, body);
    EXPECT_TRUE(text) << text.error().ToString();
    return text ? *Json::Parse(*text) : Json();
  }
  std::string ModelOf(std::string_view endpoint) { return Predict(endpoint)["model"].AsString(); }
  TestHouse house_;
};

TEST_F(ServingTest, DeploysAnAliasAndAnswers) {
  house_.Register("churn", 0);
  house_.Promote("churn", 1);
  const auto endpoint = house_.Deploy("churn@champion");
  ASSERT_TRUE(endpoint) << endpoint.error().ToString();
  EXPECT_EQ(endpoint->name, "churn");
  EXPECT_EQ(endpoint->follows, "churn@champion");
  EXPECT_TRUE(endpoint->ready);
  EXPECT_GT(endpoint->memory_bytes, 0);
  const Json answer = Predict("churn");
  EXPECT_EQ(answer["model"].AsString(), "churn:v1");
  EXPECT_EQ(answer["outputs"].items()[0]["prediction"].AsString(), "Yes");
}

TEST_F(ServingTest, EveryAnswerHasItsOwnId) {
  house_.Register("churn", 0);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  EXPECT_NE(Predict("churn")["inference_id"].AsString(),
            Predict("churn")["inference_id"].AsString());
}

TEST_F(ServingTest, RollsBackToAnyEarlierDeployment) {
  for (int i = 0; i < 4; ++i) house_.Register("churn", i);
  for (const char* reference : {"churn:v1", "churn:v2", "churn:v3", "churn:v4"})
    ASSERT_TRUE(house_.Deploy(reference, "live"));
  EXPECT_EQ(ModelOf("live"), "churn:v4");
  ASSERT_TRUE(house_.serving->Rollback(
      {.project = "default", .endpoint = "live", .to = 0, .reason = "bad", .deployed_by = "ben"}));
  EXPECT_EQ(ModelOf("live"), "churn:v3");
  const auto back = house_.serving->Rollback(
      {.project = "default", .endpoint = "live", .to = 1, .reason = "", .deployed_by = "ben"});
  ASSERT_TRUE(back) << back.error().ToString();
  EXPECT_EQ(ModelOf("live"), "churn:v1");
  EXPECT_EQ(back->deployment.basis, "rollback to 1");
  const auto history = house_.serving->History("default", "live", 100);
  ASSERT_TRUE(history);
  ASSERT_EQ(history->size(), 6U);
  EXPECT_EQ(history->front().number, 6);
  EXPECT_EQ(
      house_.serving
          ->Rollback(
              {.project = "default", .endpoint = "live", .to = 99, .reason = {}, .deployed_by = {}})
          .error()
          .gy(),
      "GY3803");
}

TEST_F(ServingTest, ARollbackRevivesNoRemovedVersionAndNamesOneThatIsThere) {
  for (int i = 0; i < 3; ++i) house_.Register("churn", i);
  for (const char* reference : {"churn:v1", "churn:v2", "churn:v3"})
    ASSERT_TRUE(house_.Deploy(reference));
  const auto back = [&](int to) {
    return house_.serving->Rollback(
        {.project = "default", .endpoint = "churn", .to = to, .reason = {}, .deployed_by = {}});
  };
  const auto remove = [&](const char* reference) {
    ASSERT_TRUE(house_.registry->DeleteVersion(house_.registry->Resolve("default", reference)->id));
  };
  remove("churn:v2");
  const auto refused = back(0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().gy(), "GY3807");
  EXPECT_EQ(refused.error().fixes(),
            std::vector<std::string>{"gyre endpoints rollback churn --to 1    (churn:v1)"});
  EXPECT_EQ(ModelOf("churn"), "churn:v3");
  ASSERT_TRUE(back(1));
  EXPECT_EQ(ModelOf("churn"), "churn:v1");
  remove("churn:v3");
  EXPECT_EQ(back(3).error().fixes(), std::vector<std::string>{"gyre deploy churn:vN --name churn"});
}

TEST_F(ServingTest, LoadsWhatShouldRunAfterARestart) {
  house_.Register("churn", 0);
  house_.Register("price", 1);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  ASSERT_TRUE(house_.Deploy("price:v1"));
  house_.Restart({});
  EXPECT_TRUE(house_.serving->ready());
  EXPECT_EQ(ModelOf("churn"), "churn:v1");
  EXPECT_EQ(ModelOf("price"), "price:v1");
}

TEST_F(ServingTest, ABrokenPackageIsNamedAndSpoilsNothingElse) {
  house_.Register("good", 0);
  ASSERT_TRUE(house_.Deploy("good:v1"));
  const auto bad = house_.Register("bad", 1);
  ASSERT_TRUE(house_.Deploy("bad:v1"));
  ASSERT_TRUE(house_.blobs->Remove(bad.package.digest));
  house_.Restart({});
  EXPECT_EQ(ModelOf("good"), "good:v1");
  const auto answer = house_.serving->Predict("bad", kBody);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().gy(), "GY3805");
  const auto endpoint = house_.serving->Get("default", "bad");
  ASSERT_TRUE(endpoint);
  EXPECT_FALSE(endpoint->ready);
  EXPECT_NE(endpoint->problem.find("GY1501"), std::string::npos) << endpoint->problem;
}

TEST_F(ServingTest, AFailedDeployLeavesTheOldOneServing) {
  house_.Register("churn", 0);
  const auto second = house_.Register("churn", 1);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  ASSERT_TRUE(house_.blobs->Remove(second.package.digest));
  EXPECT_FALSE(house_.Deploy("churn:v2"));
  EXPECT_EQ(ModelOf("churn"), "churn:v1");
  EXPECT_EQ(house_.serving->Get("default", "churn")->deployment.number, 1);
}

TEST_F(ServingTest, WhatOthersLoggedSaysWhyItDoesNotAnswer) {
  house_.Restart({.rows_max = 100, .follow_aliases = true});
  house_.Register("churn", 0);
  house_.Promote("churn", 1);
  ASSERT_TRUE(house_.Deploy("churn@champion"));
  registry::Catalog catalog(*house_.database, SystemClock());
  ASSERT_TRUE(catalog.Log({.project = "default",
                           .title = "churn",
                           .source = "s3://b/m",
                           .created_by = "ann",
                           .flavors = {"python_function", "pytorch"}}));
  for (const auto& refused : {house_.Deploy("churn:v2"), house_.Deploy("churn:v2", "other")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().gy(), "GY3622");
    EXPECT_NE(refused.error().message().find("gyre cannot serve mlflow.pytorch models yet"),
              std::string::npos);
  }
  house_.Promote("churn", 2);
  ASSERT_TRUE(house_.serving->Reconcile());
  const auto endpoint = house_.serving->Get("default", "churn");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->deployment.model, "churn:v1") << "what answers stays";
  EXPECT_TRUE(endpoint->ready);
}

TEST_F(ServingTest, FollowsItsAliasUntilRolledBack) {
  house_.Restart({.rows_max = 100, .follow_aliases = true});
  house_.Register("churn", 0);
  house_.Register("churn", 1);
  house_.Promote("churn", 1);
  ASSERT_TRUE(house_.Deploy("churn@champion"));
  ASSERT_TRUE(house_.Deploy("churn:v1", "pinned"));
  house_.Promote("churn", 2);
  ASSERT_TRUE(house_.serving->Reconcile());
  EXPECT_EQ(ModelOf("churn"), "churn:v2");
  EXPECT_EQ(ModelOf("pinned"), "churn:v1");
  EXPECT_EQ(house_.serving->Get("default", "churn")->deployment.basis, "alias moved");
  ASSERT_TRUE(house_.serving->Reconcile());
  EXPECT_EQ(house_.serving->Get("default", "churn")->deployment.number, 2);
  ASSERT_TRUE(house_.serving->Rollback(
      {.project = "default", .endpoint = "churn", .to = 0, .reason = {}, .deployed_by = {}}));
  ASSERT_TRUE(house_.serving->Reconcile());
  EXPECT_EQ(ModelOf("churn"), "churn:v1");
}

TEST_F(ServingTest, NamesAreUniquePerServer) {
  house_.Register("churn", 0, "a");
  house_.Register("churn", 0, "b");
  ASSERT_TRUE(house_.Deploy("churn:v1", "", "a"));
  EXPECT_EQ(house_.Deploy("churn:v1", "", "b").error().gy(), "GY3801");
  EXPECT_EQ(house_.Deploy("churn:v1", "../x", "a").error().gy(), "GY1200");
  EXPECT_EQ(house_.serving->Get("b", "churn").error().gy(), "GY3802");
  EXPECT_EQ(house_.serving->List("a", 10, "")->size(), 1U);
  EXPECT_EQ(house_.serving->List("b", 10, "")->size(), 0U);
  EXPECT_EQ(house_.serving->Remove("b", "churn", "x").error().gy(), "GY3802");
  ASSERT_TRUE(house_.serving->Remove("a", "churn", "x"));
  EXPECT_EQ(house_.serving->Predict("churn", kBody).error().gy(), "GY3802");
  EXPECT_EQ(house_.serving->Find("churn"), nullptr);
}

TEST_F(ServingTest, CountsGoOnOverSwaps) {
  house_.Register("churn", 0);
  house_.Register("churn", 1);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  Predict("churn", R"({"inputs":[{"x":1},{"y":2}]})");
  ASSERT_TRUE(house_.Deploy("churn:v2"));
  Predict("churn");
  EXPECT_FALSE(house_.serving->Predict("churn", "{}"));
  const EndpointCounts counts = house_.serving->Counts("churn");
  EXPECT_EQ(counts.requests, 3);
  EXPECT_EQ(counts.rows, 3);
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(counts.ignored_columns, 2);
}

TEST_F(ServingTest, BytesAndCpuTimeAreCounted) {
  house_.Register("churn", 0);
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  const std::string body(kBody);
  std::size_t bytes = 0;
  for (int i = 0; i < 64; ++i)
    bytes += body.size() + house_.serving->Predict("churn", body)->size();
  const EndpointCounts counts = house_.serving->Counts("churn");
  EXPECT_EQ(counts.bytes, static_cast<std::int64_t>(bytes));
  EXPECT_GT(counts.cpu_ns, 0) << "one of 64 small requests is measured";
}

TEST_F(ServingTest, LineageLeadsFromTheModelToTheEndpoint) {
  const auto version = house_.Register("churn", 0);
  const auto endpoint = house_.Deploy("churn:v1");
  ASSERT_TRUE(endpoint);
  const lineage::Lineage lineage(*house_.database);
  const auto up = lineage.Walk(endpoint->id, lineage::Direction::kUp);
  ASSERT_TRUE(up) << up.error().ToString();
  ASSERT_GE(up->nodes.size(), 2U);
  EXPECT_EQ(up->nodes[1].id, version.id);
}

// 200 swaps under concurrent requests: each request gets a whole answer of one version, none fails,
// versions never mix.
TEST_F(ServingTest, TwoHundredSwapsFailNobody) {
  constexpr int kThreads = 3, kSwaps = 200;
  const auto high = house_.Register("churn", 30);
  const auto low = house_.Register("churn", -30);
  ASSERT_TRUE(house_.Deploy("churn:v1", "live"));
  std::atomic<bool> stop{false};
  std::atomic<long> failed{0}, mixed{0}, answered{0}, swaps_seen{0};
  {
    std::vector<exec::Worker> callers;
    for (int t = 0; t < kThreads; ++t) {
      callers.emplace_back("caller", [&](const exec::StopFlag&) {
        std::string last;
        while (!stop.load()) {
          const auto text = house_.serving->Predict("live", kBody);
          if (!text) {
            failed.fetch_add(1);
            continue;
          }
          const Json answer = *Json::Parse(*text);
          const bool yes = answer["outputs"].items()[0]["prediction"].AsString() == "Yes";
          if (yes != (answer["model"].AsString() == "churn:v1")) mixed.fetch_add(1);
          if (answer["model"].AsString() != last) swaps_seen.fetch_add(1);
          last = answer["model"].AsString();
          answered.fetch_add(1);
        }
      });
    }
    for (int i = 0; i < kSwaps; ++i)
      ASSERT_TRUE(house_.Deploy(i % 2 == 0 ? "churn:v2" : "churn:v1", "live"));
    stop.store(true);
  }
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(mixed.load(), 0);
  EXPECT_GT(answered.load(), kSwaps);
  EXPECT_GT(swaps_seen.load(), kThreads);
  EXPECT_EQ(house_.serving->Get("default", "live")->deployment.number, kSwaps + 1);
}

}  // namespace
}  // namespace gyre::serving
