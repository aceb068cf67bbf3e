#include "cli/imports/neptune_run.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace gyre::cli::imports {
namespace {

constexpr std::int64_t kBegan = 1'700'000'000'000'000;

NeptuneRow Row(const std::string& attribute, const std::string& type, const std::string& value) {
  return {
      .project = "team/churn", .run = "CH-1", .attribute = attribute, .type = type, .value = value};
}

NeptuneRow PointAt(const std::string& attribute, std::int64_t step, std::int64_t time_us,
                   const std::string& value) {
  NeptuneRow row = Row(attribute, "float_series", value);
  row.step = step;
  row.time_us = time_us;
  return row;
}

TEST(NeptuneRuns, KeepTheirIdsAndDates) {
  NeptuneRun run;
  run.Add(Row("sys/creation_time", "datetime", std::to_string(kBegan)));
  run.Add(Row("sys/running_time", "float", "2.5"));
  run.Add(Row("sys/tags", "string_set", "a, b"));
  run.Add(Row("sys/failed", "bool", "true"));
  run.Add(Row("params/lr", "float", "0.1"));
  run.Add(Row("params/since", "datetime", std::to_string(kBegan)));
  const RunSource source = run.Finish("churn");
  EXPECT_EQ(source.key, "neptune:team/churn/CH-1");
  EXPECT_EQ(source.name, "CH-1");
  EXPECT_EQ(source.created_us, kBegan);
  EXPECT_EQ(source.ended_us, kBegan + 2'500'000);
  EXPECT_EQ(source.status, "failed");
  EXPECT_EQ(source.tags.at("neptune.tags"), "a, b");
  EXPECT_EQ(source.params.at("params/lr"), "0.1");
  EXPECT_EQ(source.params.at("params/since"), FormatTime(kBegan));
  EXPECT_FALSE(source.params.contains("sys/failed"));
}

TEST(NeptuneRuns, PutPointsIntoTheOrderOfTime) {
  NeptuneRun run;
  run.Add(PointAt("loss", 2'000'000, kBegan + 2, "nan"));
  run.Add(PointAt("acc", 1'000'000, kBegan + 1, "0.5"));
  run.Add(PointAt("loss", 1'000'000, kBegan + 1, "0.25"));
  const RunSource source = run.Finish("churn");
  ASSERT_EQ(source.points.size(), 3U);
  EXPECT_EQ(source.metrics[source.points[0].metric], "acc");
  EXPECT_EQ(source.points[0].step, 1);
  EXPECT_EQ(source.points[1].value, 0.25);
  EXPECT_EQ(source.points[2].step, 2);
  EXPECT_EQ(source.created_us, kBegan + 1);
  EXPECT_EQ(source.ended_us, kBegan + 2);
  EXPECT_FALSE(source.tags.contains("neptune.step_unit"));
}

TEST(NeptuneRuns, SayWhenStepsAreNoWholeNumbers) {
  NeptuneRun run;
  run.Add(PointAt("loss", 1'500'000, kBegan, "1"));
  run.Add(PointAt("loss", 2'000'000, kBegan + 1, "1"));
  const RunSource source = run.Finish("churn");
  EXPECT_EQ(source.points[0].step, 1'500'000);
  EXPECT_EQ(source.points[1].step, 2'000'000);
  EXPECT_EQ(source.tags.at("neptune.step_unit"), "0.000001");
}

TEST(NeptuneRuns, CountWhatIsNotTakenAndNameFilesByTheirStep) {
  NeptuneRun run;
  run.Add(Row("weights", "histogram_series", ""));
  run.Add(Row("odd", "quaternion", "1"));
  run.Add(Row(std::string(251, 'x'), "int", "1"));
  NeptuneRow file = Row("plots", "file_series", "CH-1/plots_1.png");
  file.step = 1'500'000;
  run.Add(file);
  NeptuneRow text = Row("log", "string_series", "hi\n");
  text.step = 3'000'000;
  run.Add(text);
  run.Add(Row("long", "string", std::string(9'000, 'y')));
  const RunSource source = run.Finish("churn");
  EXPECT_EQ(run.not_taken.size(), 3U);
  EXPECT_EQ(run.not_taken.at("histograms"), 1);
  ASSERT_EQ(run.files.size(), 1U);
  EXPECT_EQ(run.files[0].first, "plots/step_1.5");
  EXPECT_EQ(source.texts.at("series/log.jsonl"), "{\"step\":\"3\",\"value\":\"hi\\n\"}\n");
  EXPECT_EQ(source.texts.at("params/long.txt").size(), 9'000U);
}

}  // namespace
}  // namespace gyre::cli::imports
