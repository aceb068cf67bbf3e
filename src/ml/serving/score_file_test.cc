#include "ml/serving/score_file.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "ml/runners/testing/jobs_here.h"
#include "ml/serving/explain_file.h"
#include "ml/serving/testing/house.h"
#include "platform/exec/files.h"
#include "platform/table/import.h"

namespace gyre::serving {
namespace {

constexpr std::string_view kCsv =
    "id,amount,country,active,age,joined,seen\n"
    "a,0.1,NL,true,30,2020-01-31,2021-05-05T10:00:00Z\n"
    "b,-1.75e-3,DE,false,41,2020-02-29,2021-05-05T11:00:00Z\n"
    "c,,,,,,\n"
    "d,123456.789,XX,true,7,1999-12-31,1970-01-01T00:00:00Z\n";
constexpr std::string_view kJsonRows = R"({"inputs":[
    {"id":"a","amount":0.1,"country":"NL","active":true,"age":30,"joined":"2020-01-31","seen":"2021-05-05T10:00:00Z"},
    {"id":"b","amount":-1.75e-3,"country":"DE","active":false,"age":41,"joined":"2020-02-29","seen":"2021-05-05T11:00:00Z"},
    {"id":"c"},
    {"id":"d","amount":123456.789,"country":"XX","active":true,"age":7,"joined":"1999-12-31","seen":"1970-01-01T00:00:00Z"}]})";

class ScoreFileTest : public testing::Test {
 protected:
  void SetUp() override {
    version_ = house_.Register("churn", 0.25);
    ASSERT_TRUE(house_.Deploy("churn:v1"));
  }
  Result<Json> Score(std::string_view text, const std::string& name,
                     const std::string& output_format) {
    return Run(ScoreFile, text, name, output_format);
  }
  Result<Json> Run(Result<Json> (*task)(runners::TaskContext&), std::string_view text,
                   const std::string& name, const std::string& output_format) {
    const std::string path = (house_.directory() / name).string();
    GYRE_DO(exec::WriteFile(path, text));
    GYRE_TRY(const std::string model, house_.blobs->LocalPath(version_.package.digest));
    runners::ContextHere context(
        Json::Obj(
            {{"model", model}, {"input", path}, {"name", name}, {"output_format", output_format}}),
        house_.directory().string());
    return task(context);
  }
  TestHouse house_;
  registry::ModelVersion version_;
};

// The file and the endpoint give the same bits, to the last digit of their text.
TEST_F(ScoreFileTest, SameBitsAsOnline) {
  const auto online = Json::Parse(*house_.serving->Predict("churn", kJsonRows));
  ASSERT_TRUE(online);
  for (const char* format : {"csv", "jsonl", "parquet"}) {
    SCOPED_TRACE(format);
    const auto done = Score(kCsv, "rows.csv", format);
    ASSERT_TRUE(done) << done.error().ToString();
    EXPECT_EQ((*done)["rows"].AsInt(), 4);
    const auto scored =
        table::ImportFrame({{(*done)["output"].AsString(), std::string("scores.") + format}}, {});
    ASSERT_TRUE(scored) << scored.error().ToString();
    const table::Column* prediction = scored->frame.Find("prediction");
    const table::Column* yes = scored->frame.Find("probability_Yes");
    ASSERT_NE(prediction, nullptr);
    ASSERT_NE(yes, nullptr);
    ASSERT_NE(scored->frame.Find("id"), nullptr);
    for (std::size_t i = 0; i < 4; ++i) {
      const Json& answer = (*online)["outputs"].items()[i];
      EXPECT_EQ(prediction->text[i], answer["prediction"].AsString());
      EXPECT_EQ(yes->doubles[i], answer["probability"]["Yes"].AsDouble());
    }
  }
}

TEST_F(ScoreFileTest, AFileWithoutAColumnOfTheModelIsRefusedByName) {
  const auto done =
      Score("id,amount,land,active,age,joined,seen\na,0.1,NL,true,30,,\n", "few.csv", "csv");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().gy(), "GY3822");
  EXPECT_NE(done.error().message().find("country"), std::string::npos);
}

TEST_F(ScoreFileTest, ColumnsNamedAsAnswersAreKeptBesideThem) {
  const auto done = Score(
      "id,amount,country,active,age,joined,seen,prediction,probability_Yes,probability_of_rain,"
      "input_prediction\na,0.1,NL,true,30,,,mine,0.125,0.5,older\n",
      "again.csv", "csv");
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ((*done)["renamed"], Json::Obj({{"prediction", "input_input_prediction"},
                                           {"probability_Yes", "input_probability_Yes"}}));
  const auto scored =
      table::ImportFrame({{(*done)["output"].AsString(), std::string("scores.csv")}}, {});
  ASSERT_TRUE(scored) << scored.error().ToString();
  EXPECT_EQ(scored->frame.Find("input_input_prediction")->text[0], "mine");
  EXPECT_EQ(scored->frame.Find("input_prediction")->text[0], "older");
  EXPECT_EQ(scored->frame.Find("input_probability_Yes")->doubles[0], 0.125);
  EXPECT_EQ(scored->frame.Find("probability_of_rain")->doubles[0], 0.5);
  EXPECT_NE(scored->frame.Find("prediction")->text[0], "mine");
}

TEST_F(ScoreFileTest, ExplanationsAddUpToTheAnswers) {
  const auto done = Run(ExplainFile, kCsv, "rows.csv", "parquet");
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ((*done)["scale"].AsString(), "log-odds");
  ASSERT_EQ((*done)["outputs"].size(), 1U);
  const Json& output = (*done)["outputs"].items()[0];
  EXPECT_EQ(output["output"].AsString(), "Yes");
  EXPECT_EQ(output["base"].AsDouble(), 0.25);
  const Json& first = output["columns"].items()[0];
  EXPECT_EQ(first["column"].AsString(), "amount");
  EXPECT_NEAR(first["mean_abs"].AsDouble(), (0.1 + 1.75e-3 + 123456.789) / 4, 1e-9);
  const auto file =
      table::ImportFrame({{(*done)["output"].AsString(), std::string("why.parquet")}}, {});
  ASSERT_TRUE(file) << file.error().ToString();
  ASSERT_NE(file->frame.Find("id"), nullptr);
  // DE weighs 2, a year of age 0.01, the amount 1.
  EXPECT_DOUBLE_EQ(file->frame.Find("contribution_country")->doubles[1], 2);
  EXPECT_DOUBLE_EQ(file->frame.Find("contribution_age")->doubles[1], 0.41);
  EXPECT_DOUBLE_EQ(file->frame.Find("contribution_amount")->doubles[1], -1.75e-3);
  EXPECT_DOUBLE_EQ(file->frame.Find("raw")->doubles[1], 0.25 + 2 + 0.41 - 1.75e-3);
  EXPECT_DOUBLE_EQ(file->frame.Find("raw")->doubles[2], 0.25);
  const auto summary = Run(ExplainFile, kCsv, "rows.csv", "none");
  ASSERT_TRUE(summary);
  EXPECT_FALSE(summary->Has("output"));
  EXPECT_EQ((*summary)["outputs"], (*done)["outputs"]);
}

TEST_F(ScoreFileTest, WrongCellsAndFormatsAreErrors) {
  const std::string header = "id,amount,country,active,age,joined,seen\n";
  const auto wrong = Score(header + "a,,,,30,,\nb,,,,old,,\n", "wrong.csv", "csv");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().gy(), "GY2041");
  EXPECT_NE(wrong.error().ToString().find("wrong.csv"), std::string::npos);
  EXPECT_EQ(wrong.error().why(), "the model says that `age` is int");
  using Fixes = std::vector<std::string>;
  const std::string tolerant = "gyre predict --bad null   (what cannot be read is missing)";
  EXPECT_EQ(wrong.error().fixes(),
            (Fixes{"correct the cell in wrong.csv, or leave it empty: a missing value", tolerant}));
  const auto ragged = Score(header + "a,,,,30,,\nb,,\n", "ragged.csv", "csv");
  ASSERT_FALSE(ragged);
  EXPECT_EQ(ragged.error().fixes(), (Fixes{"correct that line of ragged.csv", tolerant}));
  EXPECT_EQ(Score(header + "a,,,,30,,\n", "a.csv", "xml").error().gy(), "GY3820");
  EXPECT_FALSE(Score("", "empty.csv", "csv"));
}

}  // namespace
}  // namespace gyre::serving
