#include "cli/table_text.h"

#include <gtest/gtest.h>

namespace gyre::cli {
namespace {

using Format = ColumnSpec::Format;
constexpr ColumnSpec kColumns[] = {{"NAME", "name"},
                                   {"ROWS", "rows", Format::kCount},
                                   {"SIZE", "size.bytes", Format::kBytes},
                                   {"AT", "at", Format::kTime}};

Json Rows() {
  return Json::Arr({Json::Obj({{"name", "zürich"},
                               {"rows", 50000},
                               {"size", Json::Obj({{"bytes", 1200000}})},
                               {"at", "2026-11-21T08:12:30.5Z"}}),
                    Json::Obj({{"name", "a,\"b\"\tc"}, {"rows", 7}})});
}

TEST(TableText, ColumnsAlignByWhatIsSeen) {
  EXPECT_EQ(AlignedTable(kColumns, Rows(), true, 80),
            "NAME        ROWS    SIZE  AT\n"
            "zürich    50,000  1.2 MB  2026-11-21 08:12\n"
            "a,\"b\"\\tc       7\n");
}

TEST(TableText, UnknownProgressIsEmpty) {
  constexpr ColumnSpec kJobs[] = {{"JOB", "id"}, {"PROGRESS", "progress", Format::kPercent}};
  const Json rows = Json::Arr(
      {Json::Obj({{"id", "a"}, {"progress", -1.0}}), Json::Obj({{"id", "b"}, {"progress", 0.5}})});
  EXPECT_EQ(AlignedTable(kJobs, rows, true, 80),
            "JOB  PROGRESS\n"
            "a\n"
            "b      50.0 %\n");
}

TEST(TableText, TsvAndCsvKeepTheValues) {
  EXPECT_EQ(
      TsvTable(kColumns, Rows(), true),
      "NAME\tROWS\tSIZE\tAT\nzürich\t50000\t1200000\t2026-11-21T08:12:30.5Z\na,\"b\"\\tc\t7\t\t\n");
  EXPECT_EQ(CsvTable(kColumns, Rows(), false),
            "zürich,50000,1200000,2026-11-21T08:12:30.5Z\n\"a,\"\"b\"\"\tc\",7,,\n");
}

TEST(TableText, MeasuredTimesHaveNoDigitsOfChance) {
  constexpr ColumnSpec kTimes[] = {{"CPU", "cpu", Format::kSeconds},
                                   {"PROGRESS", "progress", Format::kPercent}};
  const Json rows = Json::Arr({Json::Obj({{"cpu", 0.040964999999999994}, {"progress", 1.0}})});
  EXPECT_EQ(TsvTable(kTimes, rows, false), "0.040965\t1\n");
}

TEST(TableText, WhatOthersWroteSteersNoTerminal) {
  EXPECT_EQ(SteerlessText("a\x1b]0;pwn\x07\x1b[31mred\x1b[0m\nb\tc"),
            "a\\x1b]0;pwn\\x07\x1b[31mred\x1b[0m\nb\tc");
  EXPECT_EQ(SteerlessText("\x1b[2J\x1b]52;c;eA==\x07 \u009b31m zürich"),
            "\\x1b[2J\\x1b]52;c;eA==\\x07 \\x9b31m zürich");
  EXPECT_EQ(SteerlessText("\x1b["), "\\x1b[");
}

TEST(TableText, ControlCharactersAreShown) {
  EXPECT_EQ(OneLineText("a\nb\tc\r\x1b[31m\x7f zürich \u0085é"),
            "a\\nb\\tc\\r\\x1b[31m\\x7f zürich \\x85é");
}

TEST(TableText, AColumnMayHaveADotInItsName) {
  constexpr ColumnSpec kDotted[] = {{"temp.in", "temp.in"}, {"a\nb", "a\nb"}};
  EXPECT_EQ(AlignedTable(kDotted, Json::Arr({Json::Obj({{"temp.in", 20}, {"a\nb", 1}})}), true, 80),
            "temp.in  a\\nb\n20       1\n");
}

TEST(TableText, LongCellsAreCutWithoutBreakingACharacter) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "ü";
  const std::string table =
      AlignedTable(std::span(kColumns, 1), Json::Arr({Json::Obj({{"name", text}})}), false, 80);
  EXPECT_LT(table.size(), 140u);
  EXPECT_TRUE(table.ends_with("ü..\n")) << table;
}

}  // namespace
}  // namespace gyre::cli
