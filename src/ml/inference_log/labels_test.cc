#include "ml/inference_log/labels.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/random.h"
#include "base/time.h"
#include "ml/inference_log/dataset_task.h"
#include "ml/inference_log/label_join.h"
#include "ml/inference_log/testing/log_house.h"
#include "platform/table/reader.h"

namespace gyre::inference_log {
namespace {

Json Row(const std::string& id, const std::string& label, std::int64_t day,
         std::int64_t version = 0) {
  return Json::Obj({{"inference_id", id},
                    {"label", label},
                    {"time", FormatTime(day * kMicrosPerDay)},
                    {"version", version}});
}

Json Send(LogHouse& house, const std::vector<Json>& rows) {
  auto feedback = house.log->NewFeedback("p", "churn");
  GYRE_CHECK(feedback.has_value());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto added = (*feedback)->Add(rows[i], fmt::format("rows[{}]", i));
    EXPECT_TRUE(added) << added.error().ToString();
  }
  const auto done = (*feedback)->Commit();
  EXPECT_TRUE(done) << done.error().ToString();
  return *done;
}

std::string Id(std::uint64_t i) { return fmt::format("{:016x}{:016x}", 0xabc, i); }

void AnswerMany(LogHouse& house, std::uint64_t count) {
  const auto stream = house.log->Open(house.Spec());
  Recorder recorder;
  for (std::uint64_t i = 0; i < count; ++i)
    LogHouse::Answer(recorder, *stream, i, 1,
                     {.received_us = static_cast<std::int64_t>(1 + i) * kMicrosPerSecond});
  GYRE_CHECK(house.log->Flush().has_value());
}

std::string LabelOf(const Joined& joined, std::size_t row) {
  return table::CellText(*joined.frame.Find("label"), row);
}

TEST(Labels, TheLatestCountsAndARepeatChangesNothing) {
  LogHouse house;
  AnswerMany(house, 4);
  Send(house, {Row(Id(0), "No", 10), Row(Id(1), "Yes", 10), Row(Id(1) + "-0", "Yes", 12)});
  Send(house, {Row(Id(0), "Yes", 11), Row(Id(0), "No", 10), Row("nobody", "Yes", 10)});
  const Joined joined = house.Read();
  EXPECT_EQ(LabelOf(joined, 0), "Yes");
  EXPECT_EQ(LabelOf(joined, 1), "Yes");
  EXPECT_EQ(LabelOf(joined, 2), "");
  EXPECT_EQ(joined.frame.Find("label_time")->ints[1], 10 * kMicrosPerDay) << "since the first time";
  EXPECT_EQ(joined.counts.rows, 4);
  EXPECT_EQ(joined.counts.labelled, 2);
  EXPECT_EQ(joined.counts.unknown, 1);
  EXPECT_EQ(joined.counts.duplicates, 2);
  EXPECT_EQ(joined.counts.corrected, 1);
}

TEST(Labels, BeforeTheCaptureIsSealedToo) {
  LogHouse house;
  const auto stream = house.log->Open(house.Spec());
  Recorder recorder;
  LogHouse::Answer(recorder, *stream, 7, 1);
  Send(house, {Row(Id(7), "No", 30'000)});
  ASSERT_TRUE(house.log->Flush());
  EXPECT_EQ(LabelOf(house.Read(), 0), "No");
}

// Whatever the order in which labels came and however they were split into requests.
TEST(Labels, TheJoinDoesNotDependOnTheOrderOfArrival) {
  Random random(11);
  for (int round = 0; round < 3; ++round) {
    std::vector<Json> labels;
    for (int i = 0; i < 120; ++i) {
      labels.push_back(Row(random.Below(10) == 0 ? "other" : Id(random.Below(30)),
                           random.Below(2) == 0 ? "Yes" : "No",
                           20'000 + static_cast<std::int64_t>(random.Below(4)),
                           static_cast<std::int64_t>(random.Below(2))));
    }
    std::vector<std::uint64_t> first;
    Json counts;
    for (int order = 0; order < 3; ++order) {
      LogHouse house;
      AnswerMany(house, 30);
      random.Shuffle(labels);
      std::size_t at = 0;
      while (at < labels.size()) {
        const std::size_t end = std::min<std::size_t>(labels.size(), at + 1 + random.Below(60));
        Send(house, {labels.begin() + static_cast<std::ptrdiff_t>(at),
                     labels.begin() + static_cast<std::ptrdiff_t>(end)});
        at = end;
      }
      const Joined joined = house.Read();
      if (order == 0) {
        first = table::RowHashes(joined.frame);
        counts = JoinCountsToJson(joined.counts);
      }
      EXPECT_EQ(table::RowHashes(joined.frame), first);
      EXPECT_EQ(JoinCountsToJson(joined.counts), counts);
    }
  }
}

TEST(Labels, InPiecesTheCountsAreTheSame) {
  LogHouse house({.segment_rows_max = 5});
  AnswerMany(house, 23);
  std::vector<Json> labels = {Row("nobody", "Yes", 1), Row(Id(3), "No", 1)};
  for (std::uint64_t i = 0; i < 23; i += 2) labels.push_back(Row(Id(i), "Yes", 40'000));
  Send(house, labels);
  const auto plan = house.log->Plan("p", "churn", INT64_MIN, INT64_MAX);
  ASSERT_GE(plan->request.segments.size(), 4U);
  std::size_t rows = 0, pieces = 0;
  const auto joined =
      ForEachJoined(plan->request, 7, [&](const Joined&, table::Frame& chunk) -> Result<> {
        rows += chunk.rows();
        ++pieces;
        return {};
      });
  ASSERT_TRUE(joined);
  EXPECT_EQ(rows, 23U);
  EXPECT_GT(pieces, 1U);
  EXPECT_EQ(JoinCountsToJson(joined->counts), JoinCountsToJson(house.Read().counts));
  EXPECT_EQ(joined->counts.unknown, 1);
  EXPECT_EQ(joined->counts.labelled, 13);
}

TEST(Labels, MoreThanAreHeldAtOnceSayTheSame) {
  Random random(5);
  LogHouse house;
  AnswerMany(house, 30);
  for (int batch = 0; batch < 4; ++batch) {
    std::vector<Json> labels;
    for (int i = 0; i < 25; ++i)
      labels.push_back(Row(random.Below(10) == 0 ? "other" : Id(random.Below(25)),
                           random.Below(2) == 0 ? "Yes" : "No",
                           20'000 + static_cast<std::int64_t>(random.Below(4))));
    Send(house, labels);
  }
  const auto plan = house.log->Plan("p", "churn", INT64_MIN, INT64_MAX);
  const Joined joined = house.Read();
  const table::Frame rows = joined.frame.WithoutColumns({"label", "label_time"});
  std::vector<std::uint32_t> halves[2];
  for (std::uint32_t row = 0; row < rows.rows(); ++row) halves[row / 15].push_back(row);
  for (const std::int64_t at_once : {1, 7, 100, 1000}) {
    std::vector<std::string> problems;
    LabelIndex index(plan->request, table::Type::kText, &problems, at_once);
    JoinCounts counts;
    for (const auto& half : halves) {
      table::Frame piece = rows.Select(half);
      ASSERT_TRUE(index.Join(&piece, &counts));
      EXPECT_EQ(table::RowHashes(piece), table::RowHashes(joined.frame.Select(half))) << at_once;
    }
    counts.unknown = index.unknown();
    EXPECT_EQ(JoinCountsToJson(counts), JoinCountsToJson(joined.counts)) << at_once;
  }
}

TEST(Labels, WhatTrainsAgainHasTheTargetsTypeAndNoShadows) {
  LogHouse house;
  StreamSpec spec = house.Spec();
  spec.target_type = table::Type::kInt;
  spec.classes = {"0", "1"};
  const auto stream = house.log->Open(spec);
  spec.role = "shadow";
  spec.model = "churn:v2";
  spec.model_version_id = "m2";
  const auto shadow = house.log->Open(spec);
  Recorder recorder;
  LogHouse::Answer(recorder, *stream, 1, 3);
  LogHouse::Answer(recorder, *shadow, 1, 3);
  ASSERT_TRUE(house.log->Flush());
  Send(house, {Json::Obj({{"inference_id", Id(1)}, {"label", 1}}),
               Json::Obj({{"inference_id", Id(1) + "-2"}, {"label", 0}})});
  const Joined joined = house.Read();
  EXPECT_EQ(joined.frame.rows(), 6U);
  const auto& [frame, event_us, versions, labelled, set_aside] =
      TrainingFrame(joined, true, {"0", "1"});
  EXPECT_EQ(labelled, 2);
  EXPECT_EQ(event_us.size(), 2U);
  EXPECT_TRUE(set_aside.empty());
  ASSERT_EQ(frame.rows(), 2U);
  ASSERT_NE(frame.Find("Churn"), nullptr);
  EXPECT_EQ(frame.Find("Churn")->type, table::Type::kInt);
  EXPECT_EQ(frame.Find("Churn")->ints, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(frame.columns.size(), 4U);
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].model_version_id, "m1");
  EXPECT_EQ(TrainingFrame(joined, false, {"0", "1"}).frame.rows(), 3U);
}

// One slip of the hand must not make a model of three classes.
TEST(Labels, ClassesThatTheModelDoesNotKnowAreSetAside) {
  LogHouse house;
  AnswerMany(house, 4);
  Send(house, {Row(Id(0), "Yes", 10), Row(Id(1), "Yess", 10), Row(Id(2), "No", 10)});
  const Joined joined = house.Read();
  const TrainingRows made = TrainingFrame(joined, false, joined.classes);
  EXPECT_EQ(made.frame.rows(), 3U) << "with the row that has no label yet";
  EXPECT_EQ(made.labelled, 3);
  EXPECT_EQ(made.set_aside, (decltype(made.set_aside){{"Yess", 1}}));
  EXPECT_EQ(TrainingFrame(joined, true, {}).frame.rows(), 3U) << "unless they are asked for";
}

table::Frame Answers(const std::vector<std::string>& labels) {
  table::Frame frame;
  frame.columns = {{.name = "place", .type = table::Type::kInt},
                   {.name = "y", .type = table::Type::kText}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    frame.columns[0].PushInt(static_cast<std::int64_t>(i));
    frame.columns[1].PushText(labels[i]);
  }
  return frame;
}

TEST(DatasetOfCaptures, TakesTheNewestOfTheOlderRows) {
  const table::Frame older = Answers({"a", "b", "a", "b"});
  const Mixed mixed = Mix(older, Answers({"a", "b"}), {.target = "y", .newest = 2});
  EXPECT_EQ(mixed.older, 2);
  EXPECT_EQ(mixed.frame.columns[0].ints, (std::vector<std::int64_t>{2, 3, 0, 1}));
  EXPECT_EQ(Mix(older, older, {.target = "y", .newest = INT64_MAX}).older, 4);
}

TEST(DatasetOfCaptures, KeepsTheClassesThatOnlyOlderRowsHave) {
  std::vector<std::string> labels(30, "a");
  labels.insert(labels.end(), 30, "b");
  const table::Frame older = Answers(labels);
  const Mixed mixed = Mix(older, Answers(std::vector<std::string>(40, "b")),
                          {.target = "y", .classes = {"a", "b", "c"}});
  EXPECT_EQ(mixed.older, 20);
  EXPECT_EQ(mixed.frame.columns[0].ints.front(), 10) << "the newest of them";
  EXPECT_EQ(mixed.gone, std::vector<std::string>{"c"});
  EXPECT_EQ(mixed.said.size(), 1U);
}

TEST(Labels, LateOnesAreJoinedAndCounted) {
  LogHouse house;
  AnswerMany(house, 3);  // in 1970, and the labels come now
  Send(house, {Row(Id(0), "Yes", 0)});
  EXPECT_EQ(house.Read().counts.late, 1);
  ASSERT_TRUE(
      house.log->SetPolicy("p", "churn", *Json::Parse(R"({"lateness_days": 36500})"), "ann"));
  EXPECT_EQ(house.Read().counts.late, 0);
}

TEST(Labels, ByKeyTheyReachEveryRowOfIt) {
  LogHouse house;
  const auto stream = house.log->Open(house.Spec());
  ASSERT_TRUE(house.log->SetPolicy("p", "churn", *Json::Parse(R"({"key_column": "age"})"), "ann"));
  Recorder recorder;
  LogHouse::Answer(recorder, *stream, 1, 3);
  LogHouse::Answer(recorder, *stream, 2, 3);
  ASSERT_TRUE(house.log->Flush());
  Send(house, {*Json::Parse(R"({"key": 2, "label": "Yes"})"),
               *Json::Parse(R"({"key": "77", "label": "No"})")});
  const Joined joined = house.Read();
  EXPECT_EQ(joined.counts.labelled, 2);
  EXPECT_EQ(joined.counts.unknown, 1);
}

TEST(Labels, AWrongOneIsNamedAndNothingIsKept) {
  LogHouse house;
  AnswerMany(house, 1);
  const auto code = [&](const std::string& json) {
    auto feedback = house.log->NewFeedback("p", "churn");
    EXPECT_TRUE((*feedback)->Add(Row(Id(0), "Yes", 1), "rows[0]"));
    const auto added = (*feedback)->Add(*Json::Parse(json), "rows[1]");
    return added ? std::string("ok") : added.error().gy() + " " + added.error().where();
  };
  EXPECT_EQ(code(R"({"inference_id": "a", "label": null})"), "GY4611 rows[1].label");
  EXPECT_EQ(code(R"({"inference_id": "a", "label": {"x": 1}})"), "GY4611 rows[1].label");
  EXPECT_EQ(code(R"({"label": "Yes"})"), "GY4610 rows[1]");
  EXPECT_EQ(code(R"({"inference_id": "a", "label": "Yes", "time": "soon"})"),
            "GY4610 rows[1].time");
  EXPECT_EQ(code(R"({"inference_id": "a", "lable": "Yes"})"), "GY4610 rows[1].lable");
  EXPECT_EQ(house.Read().counts.labelled, 0);
  EXPECT_EQ(Send(house, {Row(Id(0), "Maybe", 1)})["unknown_classes"]["Maybe"].AsInt(), 1);
}

TEST(Labels, OfTheTargetsType) {
  const auto label = [](table::Type type, std::vector<std::string> classes,
                        const std::string& value) {
    const LabelRule rule{.target = "y", .target_type = type, .classes = std::move(classes)};
    const auto read =
        ReadLabel(Json::Obj({{"key", "k"}, {"label", *Json::Parse(value)}}), rule, "rows[0]", 0);
    if (!read) return read.error().gy();
    return rule.numbers() ? fmt::format("{}", read->number) : read->word;
  };
  using table::Type;
  EXPECT_EQ(label(Type::kDouble, {}, "1.5"), "1.5");
  // As it may stand in a file.
  EXPECT_EQ(label(Type::kDouble, {}, "\"1.5\""), "1.5");
  EXPECT_EQ(label(Type::kDouble, {}, "\"n/a\""), "GY4611");
  EXPECT_EQ(label(Type::kInt, {"0", "1"}, "\"1\""), "1");
  EXPECT_EQ(label(Type::kInt, {"0", "1"}, "\"n/a\""), "GY4611");
  EXPECT_EQ(label(Type::kInt, {"0", "1"}, "1"), "1");
  EXPECT_EQ(label(Type::kInt, {"0", "1"}, "1.0"), "1");
  EXPECT_EQ(label(Type::kInt, {"0", "1"}, "1.5"), "GY4611");
  EXPECT_EQ(label(Type::kInt, {"0", "1"}, "7"), "7");
  EXPECT_EQ(label(Type::kBool, {"false", "true"}, "true"), "true");
  EXPECT_EQ(label(Type::kBool, {"0", "1"}, "true"), "1");
  EXPECT_EQ(label(Type::kBool, {"false", "true"}, "2"), "GY4611");
  EXPECT_EQ(label(Type::kText, {"No", "Yes"}, "\"Yes\""), "Yes");
}

TEST(Labels, OnesThatComeOneByOneAreMerged) {
  LogHouse house;
  AnswerMany(house, 40);
  for (std::uint64_t i = 0; i < 40; ++i)
    Send(house,
         {Row(Id(i % 35), i % 2 == 0 ? "Yes" : "No", static_cast<std::int64_t>(20'000 + i))});
  const std::string keep = R"({"retention_days": 36500})";  // the rows are of 1970
  ASSERT_TRUE(house.log->SetPolicy("p", "churn", *Json::Parse(keep), "ann"));
  const Joined before = house.Read();
  house.log->Start();
  const auto batches = [&] {
    return house.log->Window("p", "churn", INT64_MIN, INT64_MAX)->label_batches;
  };
  for (int i = 0; i < 400 && batches() != 1; ++i) usleep(20'000);
  EXPECT_EQ(batches(), 1);
  const Joined after = house.Read();
  EXPECT_EQ(table::RowHashes(after.frame), table::RowHashes(before.frame));
  EXPECT_EQ(JoinCountsToJson(after.counts), JoinCountsToJson(before.counts));
}

TEST(Labels, AStormOfThemIsStoredInPieces) {
  LogHouse house;
  AnswerMany(house, 10);
  auto feedback = house.log->NewFeedback("p", "churn");
  constexpr int kLabels = 200'000;
  for (int i = 0; i < kLabels; ++i)
    ASSERT_TRUE((*feedback)->Add(
        Json::Obj({{"inference_id", Id(static_cast<std::uint64_t>(i % 20))}, {"label", "No"}}),
        "rows"));
  EXPECT_EQ((*(*feedback)->Commit())["accepted"].AsInt(), kLabels);
  const Joined joined = house.Read();
  EXPECT_EQ(joined.counts.labelled, 10);
  EXPECT_EQ(joined.counts.unknown, kLabels / 2);
  EXPECT_EQ(joined.counts.duplicates, kLabels / 2 - 10);
}

}  // namespace
}  // namespace gyre::inference_log
