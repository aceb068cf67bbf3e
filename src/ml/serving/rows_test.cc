#include "ml/serving/rows.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "base/random.h"
#include "ml/serving/answer.h"
#include "ml/serving/testing/package.h"

namespace gyre::serving {
namespace {

class Rows : public testing::Test, public RowSink {
 protected:
  void SetUp() override {
    auto scorer = predictors::Scorer::FromPackage(TestPackage(0));
    ASSERT_TRUE(scorer) << scorer.error().ToString();
    snapshot_ = MakeSnapshot({.endpoint = "e",
                              .project = "p",
                              .deployment_id = "d",
                              .model = "churn:v1",
                              .variant = {},
                              .model_name = "churn",
                              .model_version = 1,
                              .scorer = *std::move(scorer)},
                             {});
  }
  void Row(std::span<const table::Cell> cells) override {
    cells_.assign(cells.begin(), cells.end());
    texts_.emplace_back(cells[2].text);
    ++rows_;
  }
  Result<RowFacts> Read(std::string_view body) {
    rows_ = 0;
    texts_.clear();
    return reader_.Read(body, *snapshot_, 100, *this);
  }
  std::string Fails(std::string_view body) {
    const auto facts = Read(body);
    if (facts) return "accepted";
    EXPECT_EQ(facts.error().code(), Code::kInvalidArgument);
    return facts.error().gy() + " " + facts.error().where() + " " + facts.error().message();
  }
  const table::Cell& cell(std::string_view name) {
    return cells_[snapshot_->columns.find(name)->second];
  }

  std::shared_ptr<const Snapshot> snapshot_;
  RowReader reader_;
  std::vector<table::Cell> cells_;
  std::vector<std::string> texts_;
  int rows_ = 0;
};

TEST_F(Rows, AnEventOfAnotherCenturyIsRefused) {
  const auto facts = Read(R"({"inputs":[{"age":1}],"event_time":"2999-01-01T00:00:00Z"})");
  ASSERT_TRUE(facts) << facts.error().ToString();
  const std::int64_t event_us = facts->event_times_us[0];
  EXPECT_TRUE(CheckEventTimes(*facts, event_us - kEventAheadMax));
  const auto checked = CheckEventTimes(*facts, event_us - kEventAheadMax - 1);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().gy(), "GY3810");
  EXPECT_NE(checked.error().message().find("2999-01-01T00:00:00Z is more than a year ahead"),
            std::string::npos)
      << checked.error().message();
}

TEST_F(Rows, ReadsEveryType) {
  const auto facts = Read(R"({"inputs":[{"age":34,"amount":-1.5e2,"country":"D\u0045","active":true,
      "joined":"1970-01-03","seen":"1970-01-01T00:00:01Z"}]})");
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->rows, 1U);
  EXPECT_EQ(cell("age").i, 34);
  EXPECT_EQ(cell("amount").d, -150);
  EXPECT_EQ(texts_[0], "DE");
  EXPECT_EQ(cell("active").i, 1);
  EXPECT_EQ(cell("joined").i, 2);
  EXPECT_EQ(cell("seen").i, 1'000'000);
}

TEST_F(Rows, DatesAsTheTrainingDataHadThem) {
  EXPECT_EQ(Fails(R"({"inputs":[{"joined":"03/01/1970"}]})").substr(0, 6), "GY3811");
  predictors::ModelPackage package = TestPackage(0);
  package.formats = {{"joined", table::TextFormat::kDayFirst}};
  auto scorer = predictors::Scorer::FromPackage(*predictors::ModelPackage::Load(package.Save()));
  ASSERT_TRUE(scorer) << scorer.error().ToString();
  SnapshotInfo info = snapshot_->info;
  info.scorer = *std::move(scorer);
  snapshot_ = MakeSnapshot(std::move(info), {});
  ASSERT_TRUE(Read(R"({"inputs":[{"joined":"03/01/1970"}]})"));
  EXPECT_EQ(cell("joined").i, 2);
  ASSERT_TRUE(Read(R"({"inputs":[{"joined":"1970-01-03"}]})"));
  EXPECT_EQ(cell("joined").i, 2);
  EXPECT_NE(Fails(R"({"inputs":[{"joined":"01/25/1970"}]})").find("day first"), std::string::npos);
}

// Where the training data held objects and lists, the same ones can be sent.
TEST_F(Rows, NestedValuesAsTheTrainingDataHadThem) {
  predictors::ModelPackage package = TestPackage(0);
  package.formats = {{"country", table::TextFormat::kJson}};
  auto scorer = predictors::Scorer::FromPackage(*predictors::ModelPackage::Load(package.Save()));
  ASSERT_TRUE(scorer) << scorer.error().ToString();
  SnapshotInfo info = snapshot_->info;
  info.scorer = *std::move(scorer);
  snapshot_ = MakeSnapshot(std::move(info), {});
  ASSERT_TRUE(Read(R"({"inputs":[{"country": {"a": [1, "x y"],
      "b": null}}]})"));
  EXPECT_EQ(texts_[0], R"({"a":[1,"x y"],"b":null})");
  ASSERT_TRUE(Read(R"({"inputs":[{"country":[1, 2]},{"country":"DE"}]})"));
  EXPECT_EQ(texts_[0], "[1,2]");
  EXPECT_TRUE(Fails(R"({"inputs":[{"amount":[1]}]})").starts_with("GY3811"));
}

TEST_F(Rows, NumbersSentAsTextNameTheNumber) {
  for (const auto& [sent, fix] : std::vector<std::pair<std::string, std::string>>{
           {R"({"amount":"49.28"})", "send \"49.28\" as a JSON number, without quotes: 49.28"},
           {R"({"amount":"49,28"})", "send \"49,28\" as a JSON number, without quotes: 49.28"},
           {R"({"amount":"1.196,10 €"})", "1196.1"},
           {R"({"age":"34"})", "send \"34\" as a JSON number, without quotes: 34"},
           {R"({"age":"34.5"})", ""},
           {R"({"amount":"1,234"})", ""},
           {R"({"amount":"x"})", ""}}) {
    const auto facts = Read("{\"inputs\":[" + sent + "]}");
    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().gy(), "GY3811");
    EXPECT_EQ(facts.error().fixes().empty(), fix.empty()) << sent;
    if (fix.empty()) continue;
    EXPECT_NE(facts.error().fixes()[0].find(fix), std::string::npos) << sent;
  }
}

TEST_F(Rows, NumbersBeyondRangeAreCalledThat) {
  for (const char* body :
       {R"({"inputs":[{"amount":1e999}]})", R"({"inputs":[{"age":99999999999999999999}]})"}) {
    EXPECT_NE(Fails(body).find("is a number beyond what"), std::string::npos) << Fails(body);
  }
}

TEST_F(Rows, MissingIsNullAndUnknownIsCounted) {
  const auto facts = Read(
      R"({"inputs":[{"country":null,"extra":{"deep":[1,{"x":2}]},"other":1},{"amount":2}], "id": "x"})");
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->rows, 2U);
  EXPECT_EQ(facts->ignored, 2U);
  EXPECT_FALSE(cell("country").valid);
  EXPECT_FALSE(cell("age").valid);
  EXPECT_TRUE(cell("amount").valid);
}

TEST_F(Rows, KeysInAnyOrderAndSpelling) {
  ASSERT_TRUE(Read(R"({"inputs":[{"age":1,"amount":2}]})"));
  ASSERT_TRUE(Read(R"({"inputs":[{"amount":3,"age":4},{"age":5,"amount":6},{"age":7}]})"));
  EXPECT_EQ(cell("age").i, 7);
  EXPECT_FALSE(cell("amount").valid);
  ASSERT_TRUE(Read(R"({"inputs":[{"\u0061ge":8,"amoun":1,"amountx":2,"amount":9}]})"));
  EXPECT_EQ(cell("age").i, 8);
  EXPECT_EQ(cell("amount").d, 9);
}

TEST_F(Rows, GentleConversions) {
  ASSERT_TRUE(Read(R"({"inputs":[{"age":34.0,"amount":3,"country":12.50,"active":0}]})"));
  EXPECT_EQ(cell("age").i, 34);
  EXPECT_EQ(cell("amount").d, 3);
  EXPECT_EQ(texts_[0], "12.50");
  ASSERT_TRUE(Read(R"({"inputs":[{"country": true }]})"));
  EXPECT_EQ(texts_[0], "true");
  ASSERT_TRUE(Read(R"({"inputs":[{"amount":123456789012345678901234567890}]})"));
  EXPECT_EQ(cell("amount").d, 123456789012345678901234567890.0);
}

TEST_F(Rows, WrongTypesNameRowAndColumn) {
  EXPECT_EQ(Fails(R"({"inputs":[{"age":1},{"age":"34"}]})"),
            "GY3811 inputs[1].age inputs[1].age must be a whole number, but text was sent: \"34\"");
  EXPECT_NE(Fails(R"({"inputs":[{"age":34.5}]})").find("a number was sent: 34.5"),
            std::string::npos);
  for (const char* value : {"true", "[1]", "{\"a\":1}", "\"x\"", "1e999", "-1e999"}) {
    EXPECT_TRUE(Fails(fmt::format(R"({{"inputs":[{{"amount":{}}}]}})", value))
                    .starts_with("GY3811 inputs[0].amount"))
        << value;
  }
  for (const char* value : {"99999999999999999999", "1e30", "true", "\"\""}) {
    EXPECT_TRUE(Fails(fmt::format(R"({{"inputs":[{{"age":{}}}]}})", value))
                    .starts_with("GY3811 inputs[0].age"))
        << value;
  }
  for (const char* value : {"2", "\"true\"", "0.5", "[]"}) {
    EXPECT_TRUE(Fails(fmt::format(R"({{"inputs":[{{"active":{}}}]}})", value))
                    .starts_with("GY3811 inputs[0].active"))
        << value;
  }
  for (const char* value : {"\"yesterday\"", "20260101", "\"2026-13-01\""}) {
    EXPECT_TRUE(Fails(fmt::format(R"({{"inputs":[{{"joined":{}}}]}})", value))
                    .starts_with("GY3811 inputs[0].joined"))
        << value;
  }
  EXPECT_TRUE(Fails(R"({"inputs":[{"country":["NL"]}]})").starts_with("GY3811 inputs[0].country"));
  EXPECT_TRUE(Fails(R"({"inputs":[{"age":1,"age":2}]})").starts_with("GY3811 inputs[0].age"));
}

TEST_F(Rows, BrokenBodies) {
  const std::string deep(5000, '[');
  const std::vector<std::string> bodies = {"",
                                           " ",
                                           "null",
                                           "[]",
                                           "1",
                                           "\"x\"",
                                           "{",
                                           "{}",
                                           R"({"inputs":1})",
                                           R"({"inputs":{}})",
                                           R"({"inputs":[1]})",
                                           R"({"inputs":[[]]})",
                                           R"({"inputs":[{"age":1})",
                                           R"({"inputs":[{"age":}]})",
                                           R"({"inputs":[{"age":nul}]})",
                                           R"({"inputs":[{"age":01}]})",
                                           R"({"inputs":[{"age":NaN}]})",
                                           R"({"inputs":[{age:1}]})",
                                           R"({"inputs":[{"age":1}]}{)",
                                           R"({"inputs":[],"inputs":[]})",
                                           "{\"inputs\":[{\"country\":\"\xff\"}]}",
                                           "{\"inputs\":[{\"country\":\"a\nb\"}]}",
                                           "{\"inputs\":[{\"x\":" + deep + "}]}",
                                           std::string("{\"inputs\":[{\"age\":1}]}\0x", 24)};
  for (const std::string& body : bodies)
    EXPECT_TRUE(Fails(body).starts_with("GY381")) << body.substr(0, 60) << " -> " << Fails(body);
}

TEST_F(Rows, WhatStandsBesideTheRowsIsTakenForEach) {
  const auto facts = Read(
      R"({"event_times":["2026-11-21T08:00:00Z","2026-11-22"],"inputs":[{},{}],"keys":[7,"b"],)"
      R"("inference_ids":["x","y"]})");
  ASSERT_TRUE(facts) << facts.error().ToString();
  ASSERT_EQ(facts->event_times_us.size(), 2U);
  EXPECT_EQ(facts->event_times_us[1] - facts->event_times_us[0], 16 * 3600 * kMicrosPerSecond);
  EXPECT_EQ(facts->keys[0], "7");
  EXPECT_EQ(facts->keys[1], "b");
  EXPECT_EQ(facts->inference_ids[1], "y");
  const auto one = Read(R"({"inputs":[{},{}],"event_time":"2026-11-21"})");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->event_times_us.size(), 1U);
  EXPECT_TRUE(one->keys.empty());
  for (const char* body :
       {R"({"inputs":[{}],"event_time":"soon"})", R"({"inputs":[{}],"event_time":5})",
        R"({"inputs":[{},{}],"event_times":["2026-11-21"]})", R"({"inputs":[{}],"keys":[1.5]})",
        R"({"inputs":[{}],"keys":"a"})", R"({"inputs":[{}],"inference_ids":["a","b"]})"})
    EXPECT_TRUE(Fails(body).starts_with("GY3810")) << body;
}

TEST_F(Rows, AKeyThatIsNoInputIsTakenFromTheRow) {
  auto stream = std::make_shared<inference_log::Stream>();
  stream->counters = std::make_shared<inference_log::EndpointCounters>();
  auto with_key = std::make_shared<Snapshot>(*snapshot_);
  with_key->stream = stream;
  snapshot_ = with_key;
  const char* body = R"({"inputs":[{"age":1,"customer":17},{"age":2},{"customer":"c","age":3}]})";
  EXPECT_EQ(Read(body)->ignored, 2U);
  stream->counters->key_column.Set("customer");
  const auto facts = Read(body);
  ASSERT_TRUE(facts) << facts.error().ToString();
  EXPECT_EQ(facts->ignored, 0U);
  ASSERT_EQ(facts->keys.size(), 3U);
  EXPECT_EQ(facts->keys[0], "17");
  EXPECT_EQ(facts->keys[1], "");
  EXPECT_EQ(facts->keys[2], "c");
}

TEST_F(Rows, LimitOfRows) {
  std::string body = R"({"inputs":[{})";
  for (int i = 0; i < 100; ++i) body += ",{}";
  EXPECT_TRUE(Fails(body + "]}").starts_with("GY3812"));
  ASSERT_TRUE(Read(body.substr(0, body.size() - 3) + "]}"));
  EXPECT_EQ(rows_, 100);
  const auto none = Read(R"({"inputs":[]})");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->rows, 0U);
}

TEST_F(Rows, AnswersInOrderWithTypedPredictions) {
  Answer answer;
  answer.Begin(*snapshot_);
  const auto facts =
      reader_.Read(R"({"inputs":[{"amount":10,"z":1},{"amount":-10},{}]})", *snapshot_, 10, answer);
  ASSERT_TRUE(facts) << facts.error().ToString();
  const auto json = Json::Parse(answer.Finish(*facts));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["model"].AsString(), "churn:v1");
  EXPECT_TRUE(LooksLikeId((*json)["inference_id"].AsString()));
  ASSERT_EQ((*json)["outputs"].size(), 3U);
  EXPECT_EQ((*json)["outputs"].items()[0]["prediction"].AsString(), "Yes");
  EXPECT_EQ((*json)["outputs"].items()[1]["prediction"].AsString(), "No");
  const double yes = (*json)["outputs"].items()[0]["probability"]["Yes"].AsDouble();
  EXPECT_GT(yes, 0.99);
  EXPECT_EQ((*json)["ignored_columns"].AsInt(), 1);
}

// Spoiled bodies: an answer or an error, never a crash.
TEST_F(Rows, SpoiledBodies) {
  const std::string good =
      R"({"inputs":[{"age":34,"amount":-1.5e2,"country":"D\u0045","active":true,"joined":"1970-01-03","x":[1,{}]}]})";
  Random random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string body = good;
    for (std::uint64_t n = 1 + random.Below(3); n > 0; --n) {
      const std::size_t place = random.Below(body.size());
      switch (random.Below(4)) {
        case 0:
          body[place] = "\"{}[],:\\0123e-.tfn \xff"[random.Below(20)];
          break;
        case 1:
          body.erase(place, 1 + random.Below(6));
          break;
        case 2:
          body.insert(place, body.substr(random.Below(body.size()), random.Below(12)));
          break;
        default:
          body.resize(place);
          break;
      }
      if (body.empty()) body = "{";
    }
    const auto facts = Read(body);
    if (facts) continue;
    EXPECT_TRUE(facts.error().gy().starts_with("GY381"));
  }
}

}  // namespace
}  // namespace gyre::serving
