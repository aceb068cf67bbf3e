#include "ml/data/expectations.h"

#include <gtest/gtest.h>

#include "ml/data/content_hash.h"
#include "platform/table/append.h"

namespace gyre::data {
namespace {

using table::Frame;
using table::Type;

Frame People(std::int64_t rows) {
  Frame frame = table::EmptyFrame(
      {{"id", Type::kInt}, {"age", Type::kDouble}, {"sex", Type::kText}, {"day", Type::kDate}});
  for (std::int64_t i = 0; i < rows; ++i) {
    frame.columns[0].PushInt(i + 1);
    if (i % 10 == 0) {
      frame.columns[1].PushNull();
    } else {
      frame.columns[1].PushDouble(static_cast<double>(20 + i % 40));
    }
    frame.columns[2].PushText(i % 3 == 0 ? "f" : "m");
    frame.columns[3].PushInt(15'000 + i);
  }
  return frame;
}

Json CheckOn(const Json& suite, const Frame& frame,
             std::vector<std::string>* complaints = nullptr) {
  SuiteCheck check(suite, frame.schema());
  const auto found = check.Add(frame);
  if (complaints != nullptr) *complaints = found;
  return check.Finish();
}

// Kinds and columns that failed: "in_set sex".
std::vector<std::string> Failed(const Json& result) {
  std::vector<std::string> failed;
  for (const Json& item : result["results"].items()) {
    if (!item["success"].AsBool())
      failed.push_back(item["kind"].AsString() + " " + item["column"].AsString());
  }
  return failed;
}

TEST(Expectations, TheSuggestedSuitePassesOnItsOwnData) {
  const Frame frame = People(500);
  const Json suite = SuggestSuite(ProfileFrame(frame));
  ASSERT_TRUE(CheckSuite(suite)) << CheckSuite(suite).error().ToString();
  EXPECT_GE(suite["expectations"].size(), 12u);
  const Json result = CheckOn(suite, frame);
  EXPECT_TRUE(result["success"].AsBool()) << result.DumpPretty();
}

TEST(Expectations, FindWhatChanged) {
  const Json suite = SuggestSuite(ProfileFrame(People(500)));
  Frame next = People(500);
  next.columns[0].ints[7] = 3;       // an id twice
  next.columns[1].doubles[3] = 900;  // far outside
  next.columns[2].text = {};
  for (int i = 0; i < 500; ++i) next.columns[2].text.Push(i == 499 ? "x" : "f");
  std::vector<std::string> complaints;
  const Json result = CheckOn(suite, next, &complaints);
  EXPECT_EQ(Failed(result), (std::vector<std::string>{"unique id", "between age", "in_set sex"}));
  ASSERT_EQ(complaints.size(), 500u);
  EXPECT_EQ(complaints[7], "`id` is 3 once more");
  EXPECT_NE(complaints[3].find("outside"), std::string::npos);
  EXPECT_EQ(complaints[0], "");
  const Json& between = result["results"].items()[8];
  EXPECT_EQ(between["bad_rows"].AsInt(), 1) << between.Dump();
}

TEST(Expectations, TheContractOnTheSchema) {
  const Json suite = SuggestSuite(ProfileFrame(People(100)));
  Frame next = People(100).WithoutColumns({"sex"});
  next.columns[1].name = "Age";
  EXPECT_EQ(Failed(CheckOn(suite, next)),
            (std::vector<std::string>{"column_exists age", "column_type age", "missing_at_most age",
                                      "between age", "column_exists sex", "column_type sex",
                                      "not_missing sex", "in_set sex"}));
  const Json closed = *Json::Parse(
      R"({"expectations":[{"kind":"no_other_columns","columns":["id","age","sex"]}]})");
  EXPECT_EQ(CheckOn(closed, People(5))["results"].items()[0]["observed"].Dump(), "[\"day\"]");
}

TEST(Expectations, Mostly) {
  const Json suite = *Json::Parse(
      R"({"expectations":[{"kind":"between","column":"age","max":57,"mostly":0.9},{"kind":"between","column":"day","min":"2011-01-26","max":"2011-02-01"},
    {"kind":"length_between","column":"sex","min":1,"max":1},{"kind":"not_missing","column":"age","mostly":0.9}]})");
  ASSERT_TRUE(CheckSuite(suite));
  EXPECT_EQ(Failed(CheckOn(suite, People(200))), (std::vector<std::string>{"between day"}));
}

TEST(Expectations, SuitesThatMakeNoSense) {
  for (const std::string text :
       {"{}", R"({"expectations":1})", R"({"expectations":[{"kind":"betwen","column":"a"}]})",
        R"({"expectations":[{"kind":"between","column":"a"}]})",
        R"({"expectations":[{"kind":"between","column":"a","min":"x"}]})",
        R"({"expectations":[{"kind":"in_set","column":"a","values":[]}]})",
        R"({"expectations":[{"kind":"unique"}]})",
        R"({"expectations":[{"kind":"column_type","column":"a","type":"float"}]})",
        R"({"expectations":[{"kind":"missing_at_most","column":"a","fraction":2}]})",
        R"({"expectations":[{"kind":"unique","column":"a","mostly":7}]})",
        R"({"expectations":[{"kind":"unique","column":"a","other":7}]})",
        R"({"expectations":["x"]})"}) {
    const Result<> checked = CheckSuite(*Json::Parse(text));
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(CheckSuite(*Json::Parse(R"({"expectations":[{"kind":"betwen","column":"a"}]})"))
                .error()
                .fixes()
                .at(0),
            "did you mean `between`?");
}

std::string HashOf(const Frame& frame, std::uint32_t rows_per_chunk) {
  ContentHash hash(frame.schema());
  for (std::uint32_t from = 0; from < frame.rows(); from += rows_per_chunk) {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = from;
         i <
         std::min<std::uint32_t>(static_cast<std::uint32_t>(frame.rows()), from + rows_per_chunk);
         ++i)
      rows.push_back(i);
    hash.Add(frame.Select(rows));
  }
  return hash.FinishHex();
}

TEST(ContentHash, IsOfTheValuesOnly) {
  const Frame frame = People(5000);
  EXPECT_EQ(HashOf(frame, 5000), HashOf(frame, 7));
  Frame other = frame;
  other.columns[1].doubles[3] += 1;
  EXPECT_NE(HashOf(frame, 5000), HashOf(other, 5000));
  other = frame;
  other.columns[1].valid[1] = 0;
  EXPECT_NE(HashOf(frame, 5000), HashOf(other, 5000));
  other = frame;
  other.columns[0].name = "ID";
  EXPECT_NE(HashOf(frame, 5000), HashOf(other, 5000));
  Frame first = People(1), second = People(1);
  first.columns[2].text = second.columns[2].text = {};
  first.columns[2].text.Push("");
  second.columns[2].PushNull();
  EXPECT_NE(HashOf(first, 1), HashOf(second, 1));
}

}  // namespace
}  // namespace gyre::data
