#include "platform/table/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "platform/table/column_values.h"
#include "platform/table/writer.h"

namespace gyre::table {
namespace {

std::string ScratchFile(const std::string& name) {
  const std::string folder = testing::TempDir() + "/gyre_table_" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  return folder + "/" + name;
}

Frame SampleFrame(std::size_t rows) {
  Frame frame;
  frame.columns.resize(6);
  const Type types[] = {Type::kBool, Type::kInt,  Type::kDouble,
                        Type::kText, Type::kDate, Type::kTimestamp};
  for (std::size_t i = 0; i < 6; ++i) {
    frame.columns[i].name = std::string(TypeName(types[i])) + "\"'x";
    frame.columns[i].type = types[i];
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const auto n = static_cast<std::int64_t>(row);
    const std::int64_t ints[] = {n % 2, -n * 1'000'003,    0,
                                 0,     n % 40000 - 20000, n * 1'234'567 - 5'000'000};
    for (std::size_t i = 0; i < 6; ++i) {
      Column& column = frame.columns[i];
      if ((row + i) % 7 == 3) {
        column.PushNull();
      } else if (types[i] == Type::kDouble) {
        column.PushDouble(row % 5 == 0 ? std::nan("") : static_cast<double>(n) / 3);
      } else if (types[i] == Type::kText) {
        column.PushText(row % 4 == 0 ? "" : "a longer text with ü and row " + std::to_string(row));
      } else {
        column.PushInt(ints[i]);
      }
    }
  }
  return frame;
}

void ExpectSame(const Frame& a, const Frame& b) {
  ASSERT_EQ(a.schema(), b.schema());
  ASSERT_EQ(a.rows(), b.rows());
  for (std::size_t i = 0; i < a.columns.size(); ++i) {
    for (std::size_t row = 0; row < a.rows(); ++row) {
      ASSERT_EQ(a.columns[i].IsValid(row), b.columns[i].IsValid(row))
          << a.columns[i].name << " " << row;
      ASSERT_EQ(CellText(a.columns[i], row), CellText(b.columns[i], row))
          << a.columns[i].name << " " << row;
    }
  }
}

TEST(Parquet, RoundTripsEveryTypeAndNulls) {
  const Frame frame = SampleFrame(10'000);
  const std::string path = ScratchFile("it's \"one\".parquet");
  ASSERT_TRUE(WriteParquet(frame, path)) << WriteParquet(frame, path).error().ToString();
  const Result<Frame> back = ReadParquet({path});
  ASSERT_TRUE(back) << back.error().ToString();
  ExpectSame(frame, *back);
  EXPECT_EQ(*ParquetRowCount({path, path}), 20'000);
}

TEST(Parquet, ChunksKeepTheOrder) {
  const Frame frame = SampleFrame(9'000);
  const std::string path = ScratchFile("chunks.parquet");
  ASSERT_TRUE(WriteParquet(frame, path, {.row_group_rows = 2048}));
  std::size_t rows = 0, calls = 0;
  ASSERT_TRUE(ForEachParquetChunk(
      {path, path}, {.columns = {frame.columns[1].name}}, 4'000, [&](Frame& chunk) -> Result<> {
        ++calls;
        for (std::size_t i = 0; i < chunk.rows(); ++i) {
          EXPECT_EQ(CellText(chunk.columns[0], i), CellText(frame.columns[1], (rows + i) % 9'000));
        }
        rows += chunk.rows();
        return {};
      }));
  EXPECT_EQ(rows, 18'000u);
  EXPECT_GE(calls, 4u);
}

TEST(Parquet, EmptyTableKeepsItsColumns) {
  const std::string path = ScratchFile("empty.parquet");
  ASSERT_TRUE(WriteParquet(SampleFrame(0), path));
  const Result<Frame> back = ReadParquet({path});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->rows(), 0u);
  EXPECT_EQ(back->columns.size(), 6u);
}

TEST(Parquet, SaysWhatIsWrong) {
  const std::string path = ScratchFile("some.parquet");
  ASSERT_TRUE(WriteParquet(SampleFrame(3), path));
  const Result<Frame> missing_column = ReadParquet({path}, {.columns = {"doubel\"'x"}});
  ASSERT_FALSE(missing_column);
  EXPECT_EQ(missing_column.error().gy(), "GY2002");
  EXPECT_EQ(missing_column.error().fixes().at(0), "did you mean `double\"'x`?");
  const Result<Frame> missing_file = ReadParquet({path + "x"});
  ASSERT_FALSE(missing_file);
  EXPECT_EQ(missing_file.error().code(), Code::kNotFound);
  const Result<Frame> not_parquet = ReadParquet({"/proc/self/exe"});
  ASSERT_FALSE(not_parquet);
  EXPECT_EQ(not_parquet.error().code(), Code::kInvalidArgument);
}

TEST(Parquet, CancelledBetweenChunks) {
  const std::string path = ScratchFile("cancel.parquet");
  ASSERT_TRUE(WriteParquet(SampleFrame(5'000), path));
  int asked = 0;
  const Result<Frame> frame = ReadParquet({path}, {.cancelled = [&] { return ++asked > 2; }});
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code(), Code::kCancelled);
}

TEST(TextOut, CsvAndJsonLines) {
  Frame frame = SampleFrame(0);
  frame.columns.resize(4);
  for (Column& column : frame.columns) column.name = column.name.substr(0, 3);
  frame.columns[0].PushInt(1);
  frame.columns[1].PushNull();
  frame.columns[2].PushDouble(0.1);
  frame.columns[3].PushText("a,\"b\"\n");
  std::string csv, json;
  AppendCsvHeader(frame.schema(), &csv);
  AppendCsvRows(frame, &csv);
  AppendJsonLines(frame, &json);
  EXPECT_EQ(csv, "boo,int,dou,tex\ntrue,,0.1,\"a,\"\"b\"\"\n\"\n");
  EXPECT_EQ(json, "{\"boo\":true,\"int\":null,\"dou\":0.1,\"tex\":\"a,\\\"b\\\"\\n\"}\n");
}

// Column by column, the values of the frame: numbers of all numeric types, the rest counted.
TEST(ColumnReader, HoldsWhatTheFrameHolds) {
  const Frame frame = SampleFrame(5000);
  const std::string path = ScratchFile("columns.parquet");
  ASSERT_TRUE(WriteParquet(frame, path, {.row_group_rows = 2048}));
  const auto reader = ColumnReader::Open({});
  ASSERT_TRUE(reader) << reader.error().ToString();
  Schema numeric;
  for (const Field& field : frame.schema()) {
    if (field.type != Type::kText && field.type != Type::kBool) numeric.push_back(field);
  }
  std::vector<NumberColumn> numbers(1);
  numbers[0] = {{1, 2, 3}, 4};  // from before
  const auto read = (*reader)->Numbers({path, path}, numeric, &numbers);
  ASSERT_TRUE(read) << read.error().ToString();
  for (std::size_t k = 0; k < numeric.size(); ++k) {
    const Column& column = *frame.Find(numeric[k].name);
    std::vector<double> expected, found = numbers[k].values;
    std::int64_t missing = 0;
    const std::vector<double> all = AsDoubles(column);
    for (std::size_t row = 0; row < frame.rows(); ++row) {
      missing += column.IsValid(row) ? 0 : 2;
      if (column.IsValid(row) && !std::isnan(all[row]))
        expected.insert(expected.end(), 2, all[row]);
    }
    std::erase_if(found, [](double v) { return std::isnan(v); });
    std::ranges::sort(expected);
    std::ranges::sort(found);
    EXPECT_EQ(found, expected) << numeric[k].name;
    EXPECT_EQ(numbers[k].missing, missing);
  }
}

TEST(ColumnReader, CountsValues) {
  const Frame frame = SampleFrame(5000);
  const std::string path = ScratchFile("counted.parquet");
  ASSERT_TRUE(WriteParquet(frame, path));
  const auto reader = ColumnReader::Open({});
  ASSERT_TRUE(reader);
  auto flags = (*reader)->Count({path}, frame.columns[0].name, 10);
  ASSERT_TRUE(flags);
  std::ranges::sort(flags->values);
  ASSERT_EQ(flags->values.size(), 2u);
  EXPECT_EQ(flags->values[0].first, "false");
  EXPECT_EQ(flags->values[0].second + flags->values[1].second + flags->missing, 5000);
  EXPECT_FALSE(flags->cut_off);
  const auto texts = (*reader)->Count({path}, frame.columns[3].name, 100);
  ASSERT_TRUE(texts);
  EXPECT_EQ(texts->values.size(), 100u);
  EXPECT_TRUE(texts->cut_off);
  EXPECT_EQ((*reader)->Count({"/nowhere.parquet"}, "x", 10).error().gy(), "GY2004");
}

}  // namespace
}  // namespace gyre::table
