#include "platform/table/import.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <filesystem>

#include "platform/exec/files.h"
#include "platform/table/duckdb_session.h"
#include "platform/table/reader.h"
#include "platform/table/testing/import_fixture.h"
#include "platform/table/writer.h"

namespace gyre::table {
namespace {

TEST_F(Import, InfersTypes) {
  const auto imported = Read(
      "id,age,score,on,day,at,zip,name\n"
      "1,31,0.5,true,2011-01-01,2011-01-01 10:00:00,00123,Ann\n"
      "2,,1,FALSE,2011-1-2,2011-01-02T10:00:00+02:00,12345,\"B, ob\"\n"
      "3,NA,-1e3,?,,2011-01-02,99999,\"\"\n");
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "int int double bool date timestamp text text");
  EXPECT_EQ(Row(imported->frame, 0), "1|31|0.5|true|2011-01-01|2011-01-01T10:00:00Z|00123|Ann");
  EXPECT_EQ(Row(imported->frame, 1), "2|~|1|false|2011-01-02|2011-01-02T08:00:00Z|12345|B, ob");
  EXPECT_EQ(Row(imported->frame, 2), "3|~|-1000|~|~|2011-01-02T00:00:00Z|99999|");
  EXPECT_EQ(imported->report.notes.size(), 2u);  // ? and NA
}

TEST_F(Import, ReadsDialects) {
  for (const auto& [bytes, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"a;b\r\n1,5;x\r\n2,5;y\r\n", "1.5|x"},
           {"a\tb\n1\tx, y\n2\tz\n", "1|x, y"},
           {"a|b\n7|q\n8|r", "7|q"},
           {"a,b\n'x, y',1\n'it''s',2\n", "x, y|1"},
           {"a,b\n\"line\nbreak\",1\n\"q\"\"q\",2\n", "line\nbreak|1"},
           {"a,b\r1,x\r2,y\r", "1|x"},
           {"\xEF\xBB\xBF"
            "a,b\n1,x\n2,y\n",
            "1|x"},
           {"a,b\n\n1,x\n\n2,y\n\n", "1|x"},
           {"5.1,setosa\n4.9,virginica\n", "5.1|setosa"}}) {
    const auto imported = Read(bytes);
    ASSERT_TRUE(imported) << bytes << imported.error().ToString();
    EXPECT_EQ(Row(imported->frame, 0), wanted) << bytes;
    EXPECT_EQ(imported->frame.rows(), 2u) << bytes;
  }
}

TEST_F(Import, ReadsEncodings) {
  const std::string latin = "name,n\nM\xfcller,1\nAnn,2\n";
  EXPECT_EQ(Row(Read(latin)->frame, 0), "Müller|1");
  std::string wide = "\xFF\xFE", big;
  for (const char c : std::string("name,n\nAnn,1\nBob,2\n")) {
    wide += c;
    wide += '\0';
    big += '\0';
    big += c;
  }
  EXPECT_EQ(Row(Read(wide)->frame, 0), "Ann|1");
  EXPECT_EQ(Row(Read(big)->frame, 1), "Bob|2");
  // Not UTF-8 only far behind the first bytes: read again.
  std::string late = "name,n\n";
  for (int i = 0; i < 40'000; ++i) late += "Ann,1\n";
  late += "M\xfcller,2\n";
  const auto imported = Read(late);
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Row(imported->frame, 40'000), "Müller|2");
  EXPECT_EQ(imported->report.notes.size(), 1u);
}

// One that fits both ways is read as the table that it joins; what a value shows wins, and is said.
TEST_F(Import, DatesAreReadAsBefore) {
  const std::string both = "when,n\n01/12/2024,1\n12/01/2024,2\n";
  const auto alone = Read(both);
  ASSERT_TRUE(alone) << alone.error().ToString();
  EXPECT_EQ(Row(alone->frame, 0), "2024-01-12|1");
  ASSERT_EQ(alone->report.notes.size(), 1u);
  EXPECT_NE(alone->report.notes[0].find("--type when=date:%d/%m/%Y"), std::string::npos)
      << alone->report.notes[0];

  const KnownTable before{.name = "fr:v1",
                          .schema = {{"when", Type::kDate}, {"n", Type::kInt}},
                          .formats = {{"when", TextFormat::kDayFirst}}};
  const auto joined = Read(both, {.known = before});
  ASSERT_TRUE(joined) << joined.error().ToString();
  EXPECT_EQ(Row(joined->frame, 0), "2024-12-01|1");
  EXPECT_EQ(joined->report.formats.at("when"), TextFormat::kDayFirst);
  ASSERT_EQ(joined->report.notes.size(), 1u);
  EXPECT_NE(joined->report.notes[0].find("day/month/year, as in fr:v1"), std::string::npos);

  const auto other = Read("when,n\n01/25/2024,1\n", {.known = before});
  ASSERT_TRUE(other);
  EXPECT_EQ(Row(other->frame, 0), "2024-01-25|1");
  ASSERT_EQ(other->report.notes.size(), 1u);
  EXPECT_NE(other->report.notes[0].find("whereas fr:v1 has day/month/year"), std::string::npos);

  const ImportOptions given{.types = {{"when", Type::kDate}},
                            .formats = {{"when", TextFormat::kDayFirst}}};
  EXPECT_EQ(Row(Read(both, given)->frame, 0), "2024-12-01|1");
  EXPECT_EQ(Row(Read("when\n2024-12-01\n", given)->frame, 0), "2024-12-01");
  EXPECT_EQ(Read("when\n01/25/2024\n", given).error().gy(), "GY2041");
}

// The first rows fit both ways, a late one does not.
TEST_F(Import, ALateDateShowsTheOrder) {
  std::string bytes = "when,n\n";
  for (int i = 0; i < 200'000; ++i) bytes += "01/12/2024,1\n";
  const auto late = Read(bytes + "25/03/2024,2\n");
  ASSERT_TRUE(late) << late.error().ToString();
  EXPECT_EQ(Row(late->frame, 0), "2024-12-01|1");
  EXPECT_TRUE(late->report.notes.empty());
  EXPECT_TRUE(Read(bytes + "03/25/2024,2\n")->report.notes.empty());
}

// One bad row of five is set aside, and its column keeps the type that the table has.
TEST_F(Import, QuarantineReadsByTheKnownTable) {
  const ImportOptions options{.bad = BadCells::kQuarantine,
                              .known = {.name = "q:v1", .held = {{"n", Type::kInt}}}};
  const auto imported = Read("n,s\n1,a\n2,b\nx,c\n4,d\n5,e\n", options);
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "int text");
  EXPECT_EQ(imported->report.rows, 4);
  ASSERT_EQ(imported->report.quarantine.size(), 1u);
  EXPECT_EQ(imported->report.quarantine[0].line, 4);
}

// Only the ragged row is set aside; the others are read in the file's dialect.
TEST_F(Import, QuarantineKeepsTheDialect) {
  const std::string rows = "01.02.2024;12,5;Ann\n02.02.2024;7,25;Bob\n";
  for (const char* ragged : {"03.02.2024;1,5\n", "03.02.2024;1,5;Ann;x, y\n"}) {
    for (const std::string& bytes :
         {"day;price;who\n" + (ragged + rows) + rows, "day;price;who\n" + rows + rows + ragged}) {
      const auto imported = Read(bytes, {.bad = BadCells::kQuarantine});
      ASSERT_TRUE(imported) << imported.error().ToString();
      EXPECT_EQ(Types(*imported), "date double text") << bytes;
      EXPECT_EQ(imported->report.format, "CSV, semicolon separated, UTF-8, decimal comma");
      EXPECT_EQ(imported->report.rows, 4);
      EXPECT_EQ(imported->report.quarantine.size(), 1u);
    }
  }
}

// What Parquet holds and we do not is read as exactly as can be, and what is lost is said.
TEST_F(Import, ParquetTypesBeyondOurs) {
  const std::string path = folder_ + "/wide.parquet";
  const auto db = DuckDb::Open({});
  ASSERT_TRUE(db);
  ASSERT_TRUE(
      (*db)->Execute("COPY (SELECT 18446744073709551615::UBIGINT AS big, 7::UBIGINT AS small, "
                     "12345678901234567.89::DECIMAL(38,2) AS money, 1.25::DECIMAL(9,2) AS price, "
                     "[1,2] AS list, 5::DECIMAL(18,0) AS whole) TO " +
                     SqlString(path) + " (FORMAT parquet)"));
  const auto imported = ImportFrame({{path, "wide.parquet"}}, {});
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "text int double double text int");
  EXPECT_EQ(Row(imported->frame, 0), "18446744073709551615|7|1.2345678901234568e+16|1.25|[1, 2]|5");
  ASSERT_EQ(imported->report.notes.size(), 3u);
  EXPECT_NE(imported->report.notes[0].find("`big` is UBIGINT"), std::string::npos);
  EXPECT_NE(imported->report.notes[1].find("`money` is DECIMAL(38,2)"), std::string::npos);
  EXPECT_NE(imported->report.notes[2].find("`list` is INTEGER[]"), std::string::npos);
  const auto exact = ImportFrame({{path, "wide.parquet"}}, {.types = {{"money", Type::kText}}});
  ASSERT_TRUE(exact) << exact.error().ToString();
  EXPECT_EQ(exact->frame.columns[2].text[0], "12345678901234567.89");
}

TEST_F(Import, LaterRowsCorrectTheGuess) {
  std::string bytes = "a,b,c,d\n";
  for (int i = 0; i < 30'000; ++i) bytes += std::to_string(i) + ",1,," + std::to_string(i) + "\n";
  bytes += "30000,2.5,x,007\n";
  const auto imported = Read(bytes);
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "int double text text");
  EXPECT_EQ(Row(imported->frame, 30'000), "30000|2.5|x|007");
  EXPECT_EQ(Row(imported->frame, 5), "5|1|~|5");
  EXPECT_EQ(imported->frame.rows(), 30'001u);
}

TEST_F(Import, NamesTheBadCell) {
  std::string bytes = "id,age\n";
  for (int i = 1; i <= 50'000; ++i)
    bytes += std::to_string(i) + "," +
             (i > 1840 && i % 4000 == 1841 % 4000 ? "\"thirty-one\"" : "31") + "\n";
  const auto imported = Read(bytes);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().gy(), "GY2041");
  EXPECT_EQ(imported.error().message(), "column `age` is not a whole number in 13 of 50,000 rows");
  EXPECT_EQ(imported.error().where(), "sales.csv:1842:6    \"thirty-one\"");
  ASSERT_EQ(imported.error().fixes().size(), 3u);
  EXPECT_NE(imported.error().fixes()[0].find("gyre add FILE --bad null"), std::string::npos);
  EXPECT_NE(imported.error().fixes()[2].find("--type age=text"), std::string::npos);

  const auto nulled = Read(bytes, {.bad = BadCells::kNull});
  ASSERT_TRUE(nulled);
  EXPECT_EQ(nulled->report.cells_nulled, 13);
  EXPECT_EQ(Row(nulled->frame, 1840), "1841|~");
  const auto kept = Read(bytes, {.types = {{"age", Type::kText}}});
  ASSERT_TRUE(kept);
  EXPECT_EQ(Row(kept->frame, 1840), "1841|thirty-one");
  const auto aside = Read(bytes, {.bad = BadCells::kQuarantine});
  ASSERT_TRUE(aside);
  EXPECT_EQ(aside->report.rows, 49'987);
  EXPECT_EQ(aside->frame.rows(), 49'987u);
  ASSERT_EQ(aside->report.rows_quarantined, 13);
  EXPECT_EQ(aside->report.quarantine[0].line, 1842);
  EXPECT_EQ(aside->report.quarantine[0].text, "1841,\"thirty-one\"");
}

TEST_F(Import, GivenTypes) {
  EXPECT_EQ(Types(*Read("a,b\n1,2\n3,4\n", {.types = {{"a", Type::kDouble}, {"b", Type::kText}}})),
            "double text");
  const auto wrong = Read("a,b\n1,x\n3,y\n", {.types = {{"b", Type::kInt}}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().gy(), "GY2041");
  EXPECT_NE(wrong.error().where().find("sales.csv:2:3"), std::string::npos)
      << wrong.error().where();
  const auto unknown = Read("alpha,b\n1,x\n3,y\n", {.types = {{"alpa", Type::kInt}}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().gy(), "GY2037");
}

TEST_F(Import, SaysWhatIsWrongWithTheFile) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "GY2031"},
      {"   \n\n", "GY2031"},
      {"a,b\n", "GY2031"},
      {"a,b,a\n1,2,3\n4,5,6\n", "GY2032"},
      {"a,b,A\n1,2,3\n4,5,6\n", "GY2032"},
      {"a,b\n1,2\n3\n4,5\n", "GY2034"},
      {"a,b\n1,2\n3,4,5\n6,7\n", "GY2034"},
      {"a,b\n1,\"open\n2,3\n4,5\n", "GY2035"},
      {std::string("a,b\n1,\0\n", 8), "GY2033"},
      {"PK\x03\x04 and so on", "GY2033"},
      {"{\"a\":1}\n{\"a\":\n", "GY2036"},
      {"{\"a\":1}\n[1,2]\n", "GY2036"},
      {"{\"a\":1,\"a\":2}\n", "GY2036"},
      {"[]", "GY2031"},
      {"{\"\":1}\n", "GY2032"},
      {"PAR1 is not enough PAR1", "GY2039"},
  };
  int number = 0;
  for (const auto& [bytes, code] : cases) {
    const auto imported = Read(bytes, {}, "file" + std::to_string(number++));
    ASSERT_FALSE(imported) << bytes;
    EXPECT_EQ(imported.error().gy(), code) << bytes << " " << imported.error().ToString();
    EXPECT_EQ(imported.error().code(), Code::kInvalidArgument) << bytes;
  }
  EXPECT_EQ(Read("a,b\n1,2\n3\n4,5\n").error().where().substr(0, 11), "sales.csv:3");
}

TEST_F(Import, RaggedRowsAsAsked) {
  const std::string bytes = "a,b\n1,2\n3\n4,5,6\n";
  const auto padded = Read(bytes, {.bad = BadCells::kNull});
  ASSERT_TRUE(padded) << padded.error().ToString();
  EXPECT_EQ(Row(padded->frame, 1), "3|~");
  EXPECT_EQ(Row(padded->frame, 2), "4|5");
  const auto aside = Read(bytes, {.bad = BadCells::kQuarantine});
  ASSERT_TRUE(aside);
  EXPECT_EQ(aside->frame.rows(), 1u);
  EXPECT_EQ(aside->report.rows_quarantined, 2);
  EXPECT_EQ(aside->report.rows, 1);
}

TEST_F(Import, ReadsJson) {
  const std::string lines =
      "{\"n\":1,\"t\":\"007\",\"d\":\"2011-01-01\",\"l\":[1, "
      "2]}\n{\"t\":\"x\\n\\u00fc\",\"n\":2.5,\"new\":true}\n\n{\"n\":null}";
  const auto imported = Read(lines, {}, "a.jsonl");
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "double text date text bool");
  EXPECT_EQ(Row(imported->frame, 0), "1|007|2011-01-01|[1,2]|~");
  EXPECT_EQ(Row(imported->frame, 1), "2.5|x\nü|~|~|true");
  EXPECT_EQ(imported->report.formats.size(), 1u);
  EXPECT_EQ(imported->report.formats.begin()->second, TextFormat::kJson);
  EXPECT_EQ(Row(imported->frame, 2), "~|~|~|~|~");
  const auto array =
      Read("[\n {\"n\": 1, \"s\": \"a]b\"},\n {\"n\": 2,\n \"s\": \"c\"}\n]\n", {}, "a.json");
  ASSERT_TRUE(array) << array.error().ToString();
  EXPECT_EQ(Row(array->frame, 1), "2|c");
  const auto broken = Read("{\"n\":1}\n{\"n\":2}\n{\"n\":oops}\n", {}, "a.jsonl");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().where().substr(0, 9), "a.jsonl:3");
  const auto aside = Read("{\"n\":1}\n{\"n\":2}\n{\"n\":oops}\n{\"n\":4}\n",
                          {.bad = BadCells::kQuarantine}, "a.jsonl");
  ASSERT_TRUE(aside);
  EXPECT_EQ(aside->report.rows, 3);
  EXPECT_EQ(aside->report.quarantine.at(0).line, 3);
}

TEST_F(Import, ReadsCompressedFiles) {
  const std::string text = "a,b\n1,x\n2,y\n";
  std::string packed(1000, '\0');
  z_stream stream = {};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = 1000;
  deflate(&stream, Z_FINISH);
  packed.resize(1000 - stream.avail_out);
  deflateEnd(&stream);
  EXPECT_EQ(Row(Read(packed, {}, "a.csv.gz")->frame, 1), "2|y");
  EXPECT_EQ(Read(packed + packed, {}, "a.csv.gz")->frame.rows(),
            5u);  // two members, each with its header
  EXPECT_EQ(Read(packed.substr(0, packed.size() - 9), {}, "a.csv.gz").error().gy(), "GY2033");
  std::string zstd(1000, '\0');
  zstd.resize(ZSTD_compress(zstd.data(), zstd.size(), text.data(), text.size(), 3));
  EXPECT_EQ(Row(Read(zstd, {}, "a.csv.zst")->frame, 1), "2|y");
}

TEST_F(Import, DamagedParquetIsCalledByItsName) {
  const auto good = Read("a,b\n1,x\n2,y\n");
  ASSERT_TRUE(WriteParquet(good->frame, folder_ + "/p.parquet"));
  const auto bytes = exec::ReadFile(folder_ + "/p.parquet");
  ASSERT_TRUE(bytes);
  for (const std::string& damaged :
       {bytes->substr(0, bytes->size() / 2), "PAR1" + std::string(200, 'x') + "PAR1"}) {
    const Error error = Read(damaged, {}, "sales.parquet").error();
    EXPECT_EQ(error.gy(), "GY2039");
    const std::string text = error.ToString() + error.why();
    EXPECT_NE(text.find("sales.parquet is a damaged"), std::string::npos) << text;
    EXPECT_EQ(text.find(folder_), std::string::npos) << text;
    EXPECT_EQ(text.find("SELECT"), std::string::npos) << text;
    EXPECT_EQ(error.fixes().size(), 1u);
  }
  EXPECT_EQ(Read(std::string("\0\x01xyz", 5), {}, "sales.parquet").error().gy(), "GY2039");
  // Also when the name that is shown holds the path.
  const SourceFile file = File("damaged", "PAR1" + std::string(200, 'x') + "PAR1");
  EXPECT_EQ(ImportFrame({{file.path, "a" + file.path}}, {}).error().gy(), "GY2039");
}

TEST_F(Import, WhatIsNoTableIsRefused) {
  const std::string script = "#!/bin/sh\nexport A=1\nrun it\n";
  EXPECT_EQ(Read(script, {}, "env.sh").error().gy(), "GY2040");
  EXPECT_EQ(Read(script, {}, "notes").error().gy(), "GY2040");
  EXPECT_TRUE(Read(script, {.format = FileFormat::kCsv}, "env.sh"));
  EXPECT_TRUE(Read(script, {}, "words.txt"));
  EXPECT_TRUE(Read(script, {}, "words.csv.zst"));
  EXPECT_TRUE(Read("n\n1\n2\n", {}, "numbers"));
  EXPECT_TRUE(Read("a;b\nx;y\n", {}, "table"));
}

// An empty cell in quotes is text only where the column holds some.
TEST_F(Import, EmptyQuotesInColumnsWithoutText) {
  const auto imported = Read(
      "\"n\",\"day\",\"none\",\"word\"\n\"1\",\"\",\"\",\"\"\n"
      "\"\",\"2024-01-02\",\"\",\"x\"\n");
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "int date text text");
  EXPECT_EQ(Row(imported->frame, 0), "1|~|~|");
  EXPECT_EQ(Row(imported->frame, 1), "~|2024-01-02|~|x");
}

TEST_F(Import, ReadsParquetAndFolders) {
  const auto first = Read("a,b\n1,x\n2,y\n");
  ASSERT_TRUE(WriteParquet(first->frame, folder_ + "/p.parquet"));
  const SourceFile parquet = {folder_ + "/p.parquet", "p.parquet"};
  const auto twice = ImportFrame({parquet, parquet}, {.types = {{"a", Type::kText}}});
  ASSERT_TRUE(twice) << twice.error().ToString();
  EXPECT_EQ(Types(*twice), "text text");
  EXPECT_EQ(twice->frame.rows(), 4u);
  const auto csvs =
      ImportFrame({File("1.csv", "a,b\n1,x\n2,z\n"), File("2.csv", "b,a\ny,2.5\nz,1\n")}, {});
  ASSERT_TRUE(csvs) << csvs.error().ToString();
  EXPECT_EQ(Types(*csvs), "double text");
  EXPECT_EQ(Row(csvs->frame, 2), "2.5|y");
  EXPECT_EQ(ImportFrame({File("1.csv", "a,b\n1,x\n2,z\n"), File("2.csv", "a,c\n1,x\n2,z\n")}, {})
                .error()
                .gy(),
            "GY2038");
  EXPECT_EQ(ImportFrame({File("1.csv", "a,b\n1,x\n2,z\n"), parquet}, {}).error().gy(), "GY2038");
}

TEST_F(Import, FoldersGiveColumns) {
  const auto at = [](SourceFile file, std::string_view folders) {
    file.name = std::string(folders) + file.name;
    return file;
  };
  const SourceFile one = File("1.csv", "a\n1\n2\n"), two = File("2.csv", "a\n3\n");
  const auto csv = ImportFrame(
      {at(one, "s/region=north%20sea/year=2023/"), at(two, "s/region=south/year=2024/")}, {});
  ASSERT_TRUE(csv) << csv.error().ToString();
  EXPECT_EQ(Types(*csv), "int text int");
  EXPECT_EQ(Row(csv->frame, 1), "2|north sea|2023");
  EXPECT_EQ(Row(csv->frame, 2), "3|south|2024");
  EXPECT_EQ(csv->report.notes.back(), "`region`, `year` stand in the names of folders");
  ASSERT_TRUE(WriteParquet(Read("a\n1\n2\n")->frame, folder_ + "/p.parquet"));
  const SourceFile parquet = {folder_ + "/p.parquet", "p.parquet"};
  const auto whole = ImportFrame({at(parquet, "day=2024-01-02/k=x/"),
                                  at(parquet, "day=2024-01-03/k=__HIVE_DEFAULT_PARTITION__/")},
                                 {.types = {{"k", Type::kText}}});
  ASSERT_TRUE(whole) << whole.error().ToString();
  EXPECT_EQ(Types(*whole), "int date text");
  EXPECT_EQ(Row(whole->frame, 0), "1|2024-01-02|x");
  EXPECT_EQ(Row(whole->frame, 3), "2|2024-01-03|~");
  EXPECT_EQ(ImportFrame({at(parquet, "day=2024-01-02/"), parquet}, {}).error().gy(), "GY2038");
  EXPECT_EQ(ImportFrame({at(one, "day=2024-01-02/"), two}, {}).error().gy(), "GY2038");
  // What stands in the file is the file's.
  EXPECT_EQ(Types(*ImportFrame({at(one, "a=x/"), at(two, "a=y/")}, {})), "int");
  const SourceFile json = File("j.jsonl", "{\"a\":1}\n{\"a\":2,\"b\":\"x\"}\n");
  const auto lines = ImportFrame({at(json, "r=1/"), at(json, "r=2/")}, {});
  ASSERT_TRUE(lines) << lines.error().ToString();
  EXPECT_EQ(lines->frame.rows(), 4u);
  EXPECT_EQ(lines->frame.Find("r")->ints[3], 2);
}

TEST_F(Import, SmallChunksGiveTheSameRows) {
  std::string bytes = "a,b\n";
  for (int i = 0; i < 50'000; ++i) bytes += std::to_string(i) + ",text " + std::to_string(i) + "\n";
  const auto small = Read(bytes, {.chunk_rows_max = 1000});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->frame.rows(), 50'000u);
  EXPECT_EQ(Row(small->frame, 49'999), "49999|text 49999");
}

TEST_F(Import, RealTables) {
  const char* given = std::getenv("GYRE_TEST_DATA");
  const char* source = std::getenv("GYRE_SOURCE_DIR");
  const std::string folder =
      given != nullptr ? given : std::string(source != nullptr ? source : ".") + "/../shared/data";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const std::vector<std::tuple<std::string, std::int64_t, std::string>> wanted = {
      {"adult", 32561, "int text int text int text text text text text int int int text text"},
      {"bike_sharing_hourly", 17379,
       "int date int int int int int int int int double double double double int int int"},
      {"titanic", 891,
       "int int text text double int int text double text text text double text int"},
      {"abalone", 4177, "text double double double double double double double int"},
      {"iris", 150, "double double double double text"},
      {"reviews_sst", 0, "text int"},
      {"dna", 3186, ""}};
  for (const auto& [name, rows, types] : wanted) {
    const auto imported = ImportFrame({{folder + "/" + name + ".csv", name + ".csv"}}, {});
    ASSERT_TRUE(imported) << imported.error().ToString() << imported.error().where();
    EXPECT_TRUE(rows == 0 || imported->report.rows == rows) << name << imported->report.rows;
    EXPECT_TRUE(types.empty() || Types(*imported) == types) << name << " " << Types(*imported);
  }
}

}  // namespace
}  // namespace gyre::table
