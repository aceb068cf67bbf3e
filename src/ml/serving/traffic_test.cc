#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "base/hash.h"
#include "ml/serving/route.h"
#include "ml/serving/service.h"
#include "ml/serving/traffic_for_tests.h"
#include "platform/exec/thread_pool.h"

namespace gyre::serving {
namespace {

// --- spreading -----------------------------------------------------------------------------------

std::vector<Arm> Arms(const std::vector<std::pair<std::string, double>>& weights) {
  std::vector<Arm> arms;
  for (const auto& [name, weight] : weights) arms.push_back({name, Xxh3(name), weight, nullptr});
  return arms;
}

TEST(PickArm, SharesAreKeptWithinChance) {
  constexpr int kKeys = 200'000;
  const std::vector<std::pair<std::string, double>> weights = {
      {"b", 0.03}, {"canary", 0.1}, {"champion", 0.87}};
  const auto arms = Arms(weights);
  std::vector<int> counts(arms.size());
  for (int i = 0; i < kKeys; ++i) ++counts[PickArm(arms, Xxh3(fmt::format("customer-{}", i)))];
  for (std::size_t k = 0; k < arms.size(); ++k) {
    const double p = weights[k].second;
    // Five standard deviations of a binomial count.
    EXPECT_NEAR(counts[k], kKeys * p, 5 * std::sqrt(kKeys * p * (1 - p))) << weights[k].first;
  }
}

TEST(PickArm, CountedKeysAreSpreadAsWell) {
  const auto arms = Arms({{"canary", 0.5}, {"champion", 0.5}});
  int canary = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) canary += PickArm(arms, i * 0x9e3779b97f4a7c15) == 0;
  EXPECT_NEAR(canary, 5000, 5 * 50);
}

TEST(PickArm, ARaisedShareKeepsWhomItHad) {
  std::set<int> before;
  for (const double share : {0.01, 0.1, 0.25, 0.6, 1.0}) {
    const auto arms = Arms({{"canary", share}, {"champion", 1 - share}});
    std::set<int> now;
    for (int i = 0; i < 20'000; ++i) {
      if (PickArm(arms, Xxh3(fmt::format("k{}", i))) == 0) now.insert(i);
    }
    for (const int key : before) ASSERT_TRUE(now.contains(key)) << share;
    EXPECT_GT(now.size(), before.size());
    before = std::move(now);
  }
  EXPECT_EQ(before.size(), 20'000U);
}

TEST(PickArm, AThirdVariantOnlyTakesItsOwn) {
  const auto two = Arms({{"canary", 0.2}, {"champion", 0.8}});
  const auto three = Arms({{"b", 0.2}, {"canary", 0.2}, {"champion", 0.8}});
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t key = Xxh3(fmt::format("k{}", i));
    const std::size_t now = PickArm(three, key);
    if (now != 0) {
      ASSERT_EQ(two[PickArm(two, key)].name, three[now].name);
    }
  }
}

TEST(Sticky, SaysByWhat) {
  EXPECT_EQ(ParseSticky("")->by, Sticky::By::kRequest);
  const auto header = ParseSticky("header:X-User");
  ASSERT_TRUE(header);
  EXPECT_EQ(header->name, "X-User");
  EXPECT_EQ(ParseSticky("column:age")->by, Sticky::By::kColumn);
  for (const char* wrong : {"x", "header:", "cookie:a"})
    EXPECT_EQ(ParseSticky(wrong).error().gy(), "GY3852") << wrong;
}

// --- endpoints -----------------------------------------------------------------------------------

struct OneHeader final : Headers {
  explicit OneHeader(std::string v) : value(std::move(v)) {}
  std::optional<std::string_view> Find(std::string_view name) const override {
    return name == "X-User" ? std::optional<std::string_view>(value) : std::nullopt;
  }
  std::string value;
};

TEST_F(TrafficTest, ACanaryHasItsShare) {
  const auto endpoint = Canary("churn:v2", 0.25);
  ASSERT_TRUE(endpoint) << endpoint.error().ToString();
  EXPECT_TRUE(endpoint->ready);
  ASSERT_EQ(endpoint->variants.size(), 1U);
  EXPECT_EQ(endpoint->variants[0].deployment.number, 2);
  constexpr int kRequests = 4000;
  int canary = 0;
  for (int i = 0; i < kRequests; ++i) canary += ModelOf(Body("NL")) == "churn:v2";
  EXPECT_NEAR(canary, kRequests / 4, 5 * std::sqrt(kRequests * 0.25 * 0.75));
  const VariantCounts counts = CountsOf("canary");
  EXPECT_EQ(counts.requests, canary);
  EXPECT_EQ(counts.rows, canary);
  EXPECT_EQ(counts.model, "churn:v2");
  EXPECT_EQ(CountsOf("champion").requests, kRequests - canary);
  EXPECT_EQ(CountsOf("champion").share, 0.75);
  EXPECT_FALSE(house_.serving->Predict("churn", "{"));
  EXPECT_EQ(CountsOf("canary").failed + CountsOf("champion").failed, 1);
}

TEST_F(TrafficTest, WhatWasAnsweredStaysCountedWhenAVariantGoes) {
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  ASSERT_TRUE(Canary("churn:v3", 0, true));
  for (int i = 0; i < 100; ++i) ModelOf(Body("NL"));
  EXPECT_EQ(house_.serving->Answered("churn").requests, 100);
  ASSERT_TRUE(house_.serving->RemoveVariant("default", "churn", "canary", "", "ann"));
  EXPECT_EQ(house_.serving->Answered("churn").requests, 100);
  EXPECT_EQ(house_.serving->Answered("churn").rows, 100);
  EXPECT_EQ(house_.serving->Answered("nothing").requests, 0);
}

TEST_F(TrafficTest, CallersStayOnTheirVariant) {
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  const auto change = [&](const char* sticky) {
    return house_.serving->Change({.project = "default",
                                   .endpoint = "churn",
                                   .sticky = sticky,
                                   .park_after_us = {},
                                   .by = "ann"});
  };
  for (const char* sticky : {"column:country", "member:session", "header:X-User"}) {
    SCOPED_TRACE(sticky);
    ASSERT_TRUE(change(sticky));
    std::set<std::string> models;
    for (int caller = 0; caller < 40; ++caller) {
      const std::string name = fmt::format("caller{}", caller);
      const OneHeader header(name);
      const std::string first = ModelOf(Body(name), &header);
      for (int i = 0; i < 5; ++i) ASSERT_EQ(ModelOf(Body(name), &header), first);
      models.insert(first);
    }
    EXPECT_EQ(models.size(), 2U);
  }
  EXPECT_EQ(change("nonsense").error().gy(), "GY3852");
}

TEST_F(TrafficTest, TheSameRequestAgainChangesNothing) {
  const auto first = Canary("churn:v2", 0.1);
  const auto again = Canary("churn:v2", 0.1);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->variants[0].deployment.id, again->variants[0].deployment.id);
  const auto more = Canary("churn:v2", 0.5);
  ASSERT_TRUE(more);
  EXPECT_EQ(first->variants[0].deployment.id, more->variants[0].deployment.id);
  EXPECT_EQ(house_.serving->History("default", "churn", 10)->size(), 2U);
}

TEST_F(TrafficTest, SharesAddUp) {
  ASSERT_TRUE(Canary("churn:v2", 0.1));
  auto& serving = *house_.serving;
  const auto set = [&](const std::map<std::string, double>& shares) {
    return serving.SetTraffic("default", "churn", shares, "", "ann");
  };
  ASSERT_TRUE(set({{"champion", 0.7}, {"canary", 0.3}}));
  EXPECT_EQ(CountsOf("canary").share, 0.3);
  EXPECT_EQ(set({{"champion", 0.9}, {"canary", 0.3}}).error().gy(), "GY3850");
  EXPECT_EQ(set({{"canary", 1.5}}).error().gy(), "GY3850");
  EXPECT_EQ(set({{"nobody", 0.1}}).error().gy(), "GY3851");
  EXPECT_EQ(CountsOf("canary").share, 0.3);
  ASSERT_TRUE(set({{"canary", 1}}));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ModelOf(Body("NL")), "churn:v2");
  EXPECT_EQ(serving
                .SetVariant({.project = "default",
                             .endpoint = "churn",
                             .variant = "champion",
                             .reference = "churn:v2",
                             .reason = {},
                             .by = "ann"})
                .error()
                .gy(),
            "GY3850");
}

TEST_F(TrafficTest, RollbackTakesTheCanaryThenTheChampion) {
  ASSERT_TRUE(house_.Deploy("churn:v3"));
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  const RollbackRequest back{
      .project = "default", .endpoint = "churn", .to = 0, .reason = "bad", .deployed_by = "ben"};
  auto endpoint = house_.serving->Rollback(back);
  ASSERT_TRUE(endpoint) << endpoint.error().ToString();
  EXPECT_TRUE(endpoint->variants.empty());
  EXPECT_EQ(endpoint->deployment.model, "churn:v3");
  endpoint = house_.serving->Rollback(back);
  ASSERT_TRUE(endpoint) << endpoint.error().ToString();
  // Not the canary's deployment, although it came later.
  EXPECT_EQ(endpoint->deployment.model, "churn:v1");
}

TEST_F(TrafficTest, ARollbackDoesNotComeBackToWhatWasRolledBack) {
  ASSERT_TRUE(house_.Deploy("churn:v2"));
  ASSERT_TRUE(house_.Deploy("churn:v3"));
  const RollbackRequest back{
      .project = "default", .endpoint = "churn", .to = 0, .reason = "", .deployed_by = "ben"};
  for (const char* model : {"churn:v2", "churn:v1"}) {
    const auto endpoint = house_.serving->Rollback(back);
    ASSERT_TRUE(endpoint) << endpoint.error().ToString();
    EXPECT_EQ(endpoint->deployment.model, model);
  }
  EXPECT_EQ(house_.serving->Rollback(back).error().gy(), "GY3804");
  ASSERT_TRUE(house_.Deploy("churn:v4"));
  EXPECT_EQ(house_.serving->Rollback(back)->deployment.model, "churn:v1");
}

TEST_F(TrafficTest, AShadowGoesWithShareZero) {
  ASSERT_TRUE(house_.Deploy("churn:v3"));
  ASSERT_TRUE(Canary("churn:v2", 0, true));
  const auto updated = house_.serving->Get("default", "churn")->updated_us;
  const auto same = house_.serving->SetTraffic("default", "churn", {{"champion", 1}}, "", "ann");
  ASSERT_TRUE(same) << same.error().ToString();
  EXPECT_EQ(same->updated_us, updated);
  const auto gone = house_.serving->SetTraffic("default", "churn", {{"shadow", 0}}, "", "ann");
  ASSERT_TRUE(gone) << gone.error().ToString();
  EXPECT_TRUE(gone->variants.empty());
  EXPECT_EQ(gone->deployment.model, "churn:v3");
}

TEST_F(TrafficTest, PromotingMakesItTheChampion) {
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  const auto endpoint = Promote("better");
  ASSERT_TRUE(endpoint) << endpoint.error().ToString();
  EXPECT_TRUE(endpoint->variants.empty());
  EXPECT_EQ(endpoint->deployment.model, "churn:v2");
  EXPECT_EQ(endpoint->deployment.basis, "promoted canary");
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v2");
  EXPECT_EQ(Promote().error().gy(), "GY3851");
}

// The alias moves to what the canary runs: the canary is the champion now.
TEST_F(TrafficTest, AFollowedAliasEndsTheCanary) {
  house_.Promote("churn", 1);
  ASSERT_TRUE(house_.Deploy("churn@champion"));
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  house_.Promote("churn", 2);
  ASSERT_TRUE(house_.serving->Reconcile());
  const auto endpoint = house_.serving->Get("default", "churn");
  ASSERT_TRUE(endpoint);
  EXPECT_TRUE(endpoint->variants.empty());
  EXPECT_EQ(endpoint->deployment.model, "churn:v2");
}

TEST_F(TrafficTest, VariantsSurviveARestart) {
  ASSERT_TRUE(Canary("churn:v2", 1));
  ASSERT_TRUE(Canary("churn:v3", 0, true));
  house_.Restart({});
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v2");
  const auto endpoint = house_.serving->Get("default", "churn");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->variants.size(), 2U);
  EXPECT_TRUE(endpoint->ready);
  ASSERT_TRUE(house_.serving->Remove("default", "churn", "ann"));
  EXPECT_FALSE(house_.serving->Predict("churn", Body("NL")));
}

TEST_F(TrafficTest, AShadowIsComparedAndAnswersNobody) {
  ASSERT_TRUE(Canary("churn:v4", 0, true));
  constexpr int kRequests = 30;
  int agreed = 0;
  double difference = 0;
  const auto chance = [](double raw) { return 1 / (1 + std::exp(-raw)); };
  for (int i = 0; i < kRequests; ++i) {
    const double amount = 0.2 * (i - 20);
    EXPECT_EQ(
        ModelOf(fmt::format(R"({{"inputs":[{{"country":"NL","amount":{},"age":30}}]}})", amount)),
        "churn:v1");
    // Versions 1 and 4 are apart by 3 on the scale of log-odds.
    const double a = chance(-1 + amount + 0.3), b = chance(2 + amount + 0.3);
    agreed += (a >= 0.5) == (b >= 0.5);
    difference += std::fabs(a - b) / kRequests;
  }
  static_cast<ServingService&>(*house_.serving).shadows().Drain();
  const VariantCounts counts = CountsOf("shadow");
  EXPECT_TRUE(counts.shadow);
  EXPECT_EQ(counts.comparison.rows, kRequests);
  EXPECT_EQ(counts.comparison.agreed, agreed);
  EXPECT_GT(agreed, 0);
  EXPECT_LT(agreed, kRequests);
  EXPECT_NEAR(counts.comparison.difference_mean, difference, 1e-9);
  EXPECT_EQ(counts.dropped, 0);
  EXPECT_EQ(counts.requests, kRequests);
  EXPECT_EQ(CountsOf("champion").requests, kRequests);
  EXPECT_EQ(
      house_.serving->SetTraffic("default", "churn", {{"shadow", 0.5}}, "", "ann").error().gy(),
      "GY3850");
}

// What it had in common with a champion that is gone says nothing of the present one.
TEST_F(TrafficTest, AShadowIsComparedWithEachChampionByItself) {
  ASSERT_TRUE(Canary("churn:v4", 0, true));
  auto& shadows = static_cast<ServingService&>(*house_.serving).shadows();
  for (int i = 0; i < 5; ++i) ModelOf(Body("NL"));
  shadows.Drain();
  ASSERT_TRUE(house_.Deploy("churn:v2"));
  EXPECT_EQ(CountsOf("shadow").comparison.rows, 0);
  for (int i = 0; i < 3; ++i) ModelOf(Body("NL"));
  shadows.Drain();
  const VariantCounts counts = CountsOf("shadow");
  EXPECT_EQ(counts.comparison.with, "churn:v2");
  EXPECT_EQ(counts.comparison.rows, 3);
  ASSERT_EQ(counts.beside.size(), 2U);
  EXPECT_EQ(counts.beside[0].with, "churn:v1");
  EXPECT_EQ(counts.beside[0].rows, 5);
  EXPECT_EQ(VariantCountsToJson(counts)["comparisons"].size(), 2U);
}

// What was judged beside one champion takes nothing over from another.
TEST_F(TrafficTest, ATakeoverIsFromTheChampionThatItNames) {
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  ASSERT_TRUE(house_.Deploy("churn:v3"));  // by somebody else
  EXPECT_EQ(Promote("", "churn:v1").error().gy(), "GY3856");
  EXPECT_EQ(Promote("", "churn:v3", "churn:v4").error().gy(), "GY3857");
  const auto deployed = house_.serving->Deploy({.project = "default",
                                                .reference = "churn:v2",
                                                .endpoint = "churn",
                                                .reason = "",
                                                .deployed_by = "ann",
                                                .over = "churn:v1"});
  ASSERT_FALSE(deployed);
  EXPECT_NE(deployed.error().message().find("runs churn:v3, not churn:v1"), std::string::npos);
  EXPECT_EQ(house_.serving->Get("default", "churn")->deployment.model, "churn:v3");
  EXPECT_TRUE(Promote("", "churn:v3"));
  EXPECT_TRUE(house_.serving->Deploy({.project = "default",
                                      .reference = "churn:v2",
                                      .endpoint = "churn",
                                      .reason = "",
                                      .deployed_by = "ann",
                                      .over = "churn:v3"}))
      << "its alias may have been faster";
}

TEST_F(TrafficTest, WhatHappenedIsInItsLog) {
  ASSERT_TRUE(Canary("churn:v2", 0.1));
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(house_.serving->Predict("churn", "nonsense"));
  const auto log = house_.serving->Log("default", "churn", 100);
  ASSERT_TRUE(log);
  EXPECT_GE(log->size(), 3U);
  EXPECT_LE(log->size(), 20U);  // not every refusal
  EXPECT_EQ(log->items()[0]["level"].AsString(), "refused");
  EXPECT_EQ(log->items()[log->size() - 1]["message"].AsString(),
            "churn:v1 answers (deploy) by ann");
}

TEST_F(TrafficTest, StatisticsGoWithTheDeploymentThatTheyAreOf) {
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v1");
  const std::weak_ptr<VariantStats> champion = house_.serving->Find("churn")->stats;
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  EXPECT_FALSE(champion.expired());
  ASSERT_TRUE(house_.Deploy("churn:v3"));
  EXPECT_EQ(CountsOf("champion").requests, 0);
  for (int i = 0; i < 50 && !champion.expired(); ++i) usleep(100'000);
  EXPECT_TRUE(champion.expired());
  const std::weak_ptr<VariantStats> last = house_.serving->Find("churn")->stats;
  ASSERT_TRUE(house_.serving->Remove("default", "churn", "ann"));
  for (int i = 0; i < 50 && !last.expired(); ++i) usleep(100'000);
  EXPECT_TRUE(last.expired());
}

// Nobody else holds the routes that are looked through meanwhile.
TEST_F(TrafficTest, EndpointsThatNobodyAskedAreParkedTogether) {
  const std::vector<std::string> names = {"churn", "second", "third"};
  for (const std::string& name : names) {
    if (name != "churn") ASSERT_TRUE(house_.Deploy("churn:v1", name));
    ASSERT_TRUE(house_.serving->Change({.project = "default",
                                        .endpoint = name,
                                        .sticky = {},
                                        .park_after_us = kMicrosPerSecond,
                                        .by = "ann"}));
  }
  const auto parked = [&](const std::string& name) { return house_.serving->Parked(name); };
  for (int i = 0; i < 100 && !std::ranges::all_of(names, parked); ++i) usleep(100'000);
  EXPECT_TRUE(std::ranges::all_of(names, parked));
}

TEST_F(TrafficTest, AnIdleEndpointIsParkedAndWakes) {
  const auto parked = house_.serving->Change({.project = "default",
                                              .endpoint = "churn",
                                              .sticky = {},
                                              .park_after_us = kMicrosPerSecond,
                                              .by = "ann"});
  ASSERT_TRUE(parked) << parked.error().ToString();
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v1");
  const std::weak_ptr<const Snapshot> held = house_.serving->Find("churn");
  EXPECT_FALSE(held.expired());
  Result<Endpoint> endpoint = house_.serving->Get("default", "churn");
  for (int i = 0; i < 100 && endpoint && !endpoint->parked; ++i) {
    usleep(100'000);
    endpoint = house_.serving->Get("default", "churn");
  }
  ASSERT_TRUE(endpoint);
  EXPECT_TRUE(endpoint->parked);
  EXPECT_TRUE(house_.serving->Parked("churn"));
  EXPECT_EQ(house_.serving->ProjectOf("churn"), "default");
  EXPECT_TRUE(house_.serving->Parked("churn")) << "asking whose it is wakes nothing";
  EXPECT_FALSE(endpoint->ready);
  EXPECT_EQ(endpoint->memory_bytes, 0);
  for (int i = 0; i < 50 && !held.expired(); ++i) usleep(100'000);
  EXPECT_TRUE(held.expired());  // although this thread has answered with it
  EXPECT_EQ(ModelOf(Body("NL")), "churn:v1");
  endpoint = house_.serving->Get("default", "churn");
  EXPECT_TRUE(endpoint->ready);
  EXPECT_FALSE(house_.serving->Parked("churn"));
  EXPECT_EQ(CountsOf("champion").requests, 2);
  EXPECT_EQ(house_.serving
                ->Change({.project = "default",
                          .endpoint = "churn",
                          .sticky = {},
                          .park_after_us = 5,
                          .by = "ann"})
                .error()
                .gy(),
            "GY3853");
}

// Requests go on while everything is changed under them.
TEST_F(TrafficTest, NobodyFailsWhileSharesChange) {
  ASSERT_TRUE(Canary("churn:v2", 0.5));
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0}, failed{0};
  std::vector<exec::Worker> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back("caller", [&](const exec::StopFlag&) {
      while (!stop.load()) {
        const auto answer = house_.serving->Predict("churn", Body("DE"));
        (answer ? answered : failed).fetch_add(1);
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(Canary(i % 3 == 0 ? "churn:v3" : "churn:v2", 0.01 * (i + 1)));
    if (i % 7 == 6) {
      EXPECT_TRUE(house_.serving->Rollback({.project = "default",
                                            .endpoint = "churn",
                                            .to = 0,
                                            .reason = "",
                                            .deployed_by = "ann"}));
    }
    if (i % 5 == 0) {
      EXPECT_TRUE(Canary("churn:v4", 0, true));
    }
  }
  stop.store(true);
  callers.clear();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_GT(answered.load(), 100);
}

TEST_F(TrafficTest, WhatWasDoneIsKnownAfterARestart) {
  ASSERT_TRUE(Canary("churn:v2", 0.25));
  EXPECT_FALSE(house_.serving->Predict("churn", "{"));
  const auto messages = [&](int limit) {
    std::string text;
    const auto log = house_.serving->Log("default", "churn", limit);
    EXPECT_TRUE(log);
    for (const Json& entry : log->items())
      text += fmt::format("{} {}: {}\n", entry["level"].AsString(), entry["variant"].AsString(),
                          entry["message"].AsString());
    return text;
  };
  EXPECT_TRUE(messages(10).starts_with("refused ")) << messages(10);
  house_.Restart({});
  EXPECT_EQ(messages(10),
            "info canary: champion 75 %, canary 25 % by ann: try\n"
            "info champion: churn:v1 answers (deploy) by ann\n");
  EXPECT_EQ(messages(1), "info canary: champion 75 %, canary 25 % by ann: try\n");
  for (int i = 0; i < 210; ++i) ASSERT_TRUE(Canary("churn:v2", 0.001 * (1 + i % 2)));
  EXPECT_EQ(house_.serving->Log("default", "churn", 1000)->size(), 200U);
  ASSERT_TRUE(house_.serving->Remove("default", "churn", "ann"));
  ASSERT_TRUE(house_.Deploy("churn:v1"));
  EXPECT_EQ(house_.serving->Log("default", "churn", 10)->size(), 1U);
}

// What goes on where a dead process stopped may change an endpoint while the next one still loads.
TEST_F(TrafficTest, AChangeWhileTheServerStartsIsNotLost) {
  constexpr int kRounds = 3, kBefore = 40;  // so many are loaded before it
  for (int i = 0; i < kBefore; ++i) ASSERT_TRUE(house_.Deploy("churn:v1", fmt::format("a{}", i)));
  for (int round = 0; round < kRounds; ++round) {
    house_.serving.reset();
    house_.serving = *OpenServing(*house_.database, *house_.blobs, *house_.registry, *house_.events,
                                  *house_.metrics, SystemClock(), {});
    exec::ThreadPool pool({.name = "start", .threads = 1});
    ASSERT_TRUE(pool.Post([&] { EXPECT_TRUE(house_.serving->Start()); }));
    const std::string model = fmt::format("churn:v{}", 2 + round);
    while (!house_.serving->Find("a0")) std::this_thread::yield();
    ASSERT_TRUE(house_.Deploy(model));
    while (!house_.serving->ready()) std::this_thread::yield();
    const auto endpoint = house_.serving->Get("default", "churn");
    ASSERT_TRUE(endpoint);
    EXPECT_TRUE(endpoint->ready) << "it runs something else than " << model;
    EXPECT_EQ(ModelOf(Body("x")), model);
  }
}

}  // namespace
}  // namespace gyre::serving
