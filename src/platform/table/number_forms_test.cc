// How numbers are written, as whole files show it.
#include <gtest/gtest.h>

#include "platform/table/testing/import_fixture.h"
#include "platform/table/writer.h"

namespace gyre::table {
namespace {

// Where all values of a column agree in one way to write numbers, they are numbers.
TEST_F(Import, NumbersAsPeopleWriteThem) {
  const auto imported = Read(
      "price;us;share;cost;at\n1.196,10;1,234.50;10%;$5;01.02.2020 00:00\n"
      "7;12.5;7.5%;$1,000.25;02.02.2020 10:30:05\n;NA;-3%;-$2;\n");
  ASSERT_TRUE(imported) << imported.error().ToString();
  EXPECT_EQ(Types(*imported), "double double double double timestamp");
  EXPECT_EQ(Row(imported->frame, 0), "1196.1|1234.5|10|5|2020-02-01T00:00:00Z");
  EXPECT_EQ(Row(imported->frame, 1), "7|12.5|7.5|1000.25|2020-02-02T10:30:05Z");
  EXPECT_EQ(Row(imported->frame, 2), "~|~|-3|-2|~");
  EXPECT_EQ(imported->report.formats.at("price"), TextFormat::kDecimalComma);
  EXPECT_EQ(imported->report.formats.at("us"), TextFormat::kDecimalPoint);
  ASSERT_GE(imported->report.notes.size(), 4u);
  EXPECT_EQ(imported->report.notes[0], "`price` was read as numbers like 1.234,5");
  EXPECT_EQ(imported->report.notes[2], "`share` was read as numbers like 1,234.5; % is left out");

  const auto quoted = Read("name,price\na,\"39,87\"\nb,\"1,5\"\n");
  ASSERT_TRUE(quoted);
  EXPECT_EQ(Row(quoted->frame, 0), "a|39.87");
  EXPECT_EQ(Types(*Read("name,price\na,\"39,87\"\n", {.types = {{"price", Type::kText}}})),
            "text text");
}

// What could be two numbers, or is none in a few rows, stays text, and the remedy is said.
TEST_F(Import, NumbersThatStayTextAreNoted) {
  const auto either = Read("n,s\n\"1,234\",a\n\"2,500\",b\n");
  ASSERT_TRUE(either);
  EXPECT_EQ(Types(*either), "text text");
  ASSERT_EQ(either->report.notes.size(), 1u);
  EXPECT_NE(either->report.notes[0].find("--type n=double:1,234.5 or --type n=double:1.234,5"),
            std::string::npos);
  for (const auto& [format, wanted] : std::vector<std::pair<TextFormat, std::string>>{
           {TextFormat::kDecimalPoint, "1234"}, {TextFormat::kDecimalComma, "1.234"}}) {
    const auto given = Read("n\n\"1,234\"\n\"2,500\"\n",
                            {.types = {{"n", Type::kDouble}}, .formats = {{"n", format}}});
    ASSERT_TRUE(given) << given.error().ToString();
    EXPECT_EQ(Row(given->frame, 0), wanted);
  }
  EXPECT_EQ(Read("n\n\"1,234\"\n", {.types = {{"n", Type::kDouble}}}).error().gy(), "GY2041");

  std::string bytes = "price;who\n";
  for (int i = 0; i < 40; ++i) bytes += "1.196,10;a\n";
  const auto most = Read(bytes + "on request;b\n");
  ASSERT_TRUE(most);
  EXPECT_EQ(Types(*most), "text text");
  ASSERT_EQ(most->report.notes.size(), 1u);
  EXPECT_EQ(most->report.notes[0],
            "`price` was read as text: 40 of 41 values look like numbers like 1.234,5. To read "
            "these: --type price=double:1.234,5 --bad null");
  const auto given =
      Read(bytes + "on request;b\n", {.bad = BadCells::kNull, .types = {{"price", Type::kDouble}}});
  ASSERT_TRUE(given) << given.error().ToString();
  EXPECT_EQ(Row(given->frame, 0), "1196.1|a");
  EXPECT_EQ(Row(given->frame, 40), "~|b");
  for (const char* mixed : {"n,s\n10%,a\n5,b\n", "n,s\n$5,a\n€5,b\n"})
    EXPECT_EQ(Types(*Read(mixed)), "text text") << mixed;
  EXPECT_EQ(Types(*Read("n,s\n1.196,a\n2.500,b\n")), "double text");
}

TEST_F(Import, NumbersAreReadAsBefore) {
  const KnownTable before{.name = "de:v1",
                          .schema = {{"n", Type::kDouble}},
                          .formats = {{"n", TextFormat::kDecimalComma}}};
  const auto joined = Read("n;s\n1.196;a\n2.500;b\n", {.known = before});
  ASSERT_TRUE(joined);
  EXPECT_EQ(Row(joined->frame, 0), "1196|a");
  ASSERT_EQ(joined->report.notes.size(), 1u);
  EXPECT_NE(joined->report.notes[0].find("as in de:v1: no value shows"), std::string::npos);
  EXPECT_EQ(Row(Read("n,s\n1.196,a\n2.5,b\n", {.known = before})->frame, 0), "1.196|a");
  const ImportOptions model{.types = {{"n", Type::kDouble}},
                            .formats = {{"n", TextFormat::kDecimalComma}}};
  EXPECT_EQ(Row(Read("n,s\n1.196,a\n\"2.500,5\",b\n", model)->frame, 0), "1196|a");
  std::string whole = "n,s\n";
  for (int i = 0; i < 20'000; ++i) whole += "12,a\n";
  EXPECT_EQ(Row(Read(whole + "10.5,b\n", model)->frame, 20'000), "10.5|b");
}

// A file that has decimal commas throughout says so of its columns, as one with thousands does.
TEST_F(Import, ADecimalCommaIsKept) {
  const auto first = Read("n;s;k\n1,5;a;1\n2,25;b;2\n");
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(Types(*first), "double text int");
  EXPECT_TRUE(first->report.notes.empty());
  EXPECT_EQ(first->report.formats, (Formats{{"n", TextFormat::kDecimalComma}}));
  const KnownTable before{
      .name = "de:v1", .schema = first->report.schema, .formats = first->report.formats};
  const auto joined = Read("n;s;k\n1.196;a;1\n2.500;b;2\n", {.known = before});
  ASSERT_TRUE(joined);
  EXPECT_EQ(Row(joined->frame, 0), "1196|a|1");
  ASSERT_EQ(joined->report.notes.size(), 1u);
  EXPECT_NE(joined->report.notes[0].find("as in de:v1: no value shows"), std::string::npos);
  // The next file of the kind, and one with points that show it.
  EXPECT_TRUE(Read("n;s;k\n1,5;a;1\n", {.known = before})->report.notes.empty());
  EXPECT_EQ(Row(Read("n,s,k\n1.5,a,1\n", {.known = before})->frame, 0), "1.5|a|1");
  // Cells that commas part have decimal points, unless one shows otherwise.
  const ImportOptions model{
      .types = first->report.schema, .formats = before.formats, .types_by = "the model"};
  for (const ImportOptions& options : {ImportOptions{.known = before}, model}) {
    const auto points = Read("n,s,k\n1.196,a,1\n2.500,b,2\n", options);
    ASSERT_TRUE(points) << points.error().ToString();
    EXPECT_EQ(Row(points->frame, 0), "1.196|a|1");
    EXPECT_EQ(Row(Read("n,s,k\n1.196,a,1\n\"2.500,5\",b,2\n", options)->frame, 0), "1196|a|1");
  }
}

// The first rows look like whole numbers, and late ones show how they are written.
TEST_F(Import, ALateNumberShowsHowAllAreWritten) {
  std::string bytes = "n;s\n";
  for (int i = 0; i < 20'000; ++i) bytes += "1.196;a\n";
  const auto late = Read(bytes + "2.500,5;b\n");
  ASSERT_TRUE(late) << late.error().ToString();
  EXPECT_EQ(Types(*late), "double text");
  EXPECT_EQ(Row(late->frame, 0), "1196|a");
  bytes = "n;s\n";
  for (int i = 0; i < 20'000; ++i) bytes += "1.196,5;a\n";
  const auto mixed = Read(bytes + "10.5;a\n");
  ASSERT_TRUE(mixed) << mixed.error().ToString();
  EXPECT_EQ(Types(*mixed), "text text");
  ASSERT_EQ(mixed->report.notes.size(), 1u);
  EXPECT_NE(mixed->report.notes[0].find("20,000 of 20,001"), std::string::npos)
      << mixed->report.notes[0];
}

// 12.345 alone may be either; what other columns show decides, and is said.
TEST_F(Import, ThousandsAreReadAsTheFileShows) {
  for (const char* bytes :
       {"ort;einw;flaeche;preis\nA;12.345;1.200;3,5\nB;2.000;1.100;4,25\n",
        "ort,einw,flaeche,preis\nA,12.345,1.200,\"3,5\"\nB,2.000,1.100,\"4,25\"\n"}) {
    const auto imported = Read(bytes);
    ASSERT_TRUE(imported) << imported.error().ToString();
    EXPECT_EQ(Row(imported->frame, 0), "A|12345|1200|3.5") << bytes;
    EXPECT_EQ(imported->report.formats.at("einw"), TextFormat::kDecimalComma);
    ASSERT_GE(imported->report.notes.size(), 2u);
    EXPECT_EQ(imported->report.notes[0],
              "`einw` was read as numbers like 1.234,5, because `preis` shows it: no value of its "
              "own does. For numbers like 1,234.5: --type einw=double:1,234.5");
    const auto back = Read(bytes, {.types = {{"einw", Type::kDouble}},
                                   .formats = {{"einw", TextFormat::kDecimalPoint}}});
    ASSERT_TRUE(back) << back.error().ToString();
    EXPECT_EQ(Row(back->frame, 0), "A|12.345|1200|3.5");
  }
  const auto tsv = Read("pop\trate\n12,345\t3.5\n9,000\t4.25\n");
  ASSERT_TRUE(tsv);
  EXPECT_EQ(Row(tsv->frame, 0), "12345|3.5");
  ASSERT_EQ(tsv->report.notes.size(), 1u);
  EXPECT_NE(tsv->report.notes[0].find("For numbers like 1.234,5: --type pop=double:1.234,5"),
            std::string::npos);
  const auto both = Read("a;b;c\n12.345;3,5;3.5\n");
  ASSERT_TRUE(both);
  EXPECT_EQ(Types(*both), "text double double");
  EXPECT_NE(both->report.notes.at(0).find("Say which: --type a=double:1,234.5"), std::string::npos);
  const auto plain = Read("a,b,c\n1.196,3.5,12\n2.500,1.5,13\n");
  ASSERT_TRUE(plain);
  EXPECT_EQ(Row(plain->frame, 0), "1.196|3.5|12");
  EXPECT_TRUE(plain->report.notes.empty());
  EXPECT_TRUE(Read("a,b\n1.196,x\n")->report.notes.empty());
}

// The column that shows it does so far behind the first rows.
TEST_F(Import, ALateColumnShowsTheForm) {
  std::string bytes = "einw,preis\n";
  for (int i = 0; i < 20'000; ++i) bytes += "12.345,3\n";
  const auto late = Read(bytes + "1.000,\"3,5\"\n");
  ASSERT_TRUE(late) << late.error().ToString();
  EXPECT_EQ(Row(late->frame, 0), "12345|3");
  EXPECT_EQ(Row(Read(bytes + "1.000,3.5\n")->frame, 0), "12.345|3");
}

// What a file shows otherwise than the table that it joins, or the model that reads it, is said.
TEST_F(Import, TheFormOfOthersIsSaid) {
  const ImportOptions model{.types = {{"n", Type::kDouble}, {"m", Type::kDouble}},
                            .formats = {{"n", TextFormat::kDecimalComma}},
                            .types_may_miss = true,
                            .types_by = "the model"};
  const auto open = Read("n;m\n1.196;3\n", model);
  ASSERT_TRUE(open);
  EXPECT_EQ(Row(open->frame, 0), "1196|3");
  ASSERT_EQ(open->report.notes.size(), 1u);
  EXPECT_NE(open->report.notes[0].find("as in the model: no value shows"), std::string::npos);
  const auto against = Read("n;m\n1.196;3.5\n", model);
  ASSERT_TRUE(against);
  EXPECT_NE(against->report.notes.at(0).find("`m` is written the other way"), std::string::npos);
  EXPECT_EQ(Row(Read("n,m\n\"1,5\",12.345\n", model)->frame, 0), "1.5|12345");
  // A number in JSON has one meaning.
  EXPECT_EQ(Row(Read("{\"n\":1.196}\n", model, "a.jsonl")->frame, 0), "1.196");
}

TEST_F(Import, OneOddCellDecidesNothing) {
  const std::string bytes = "price,n\n\"1,234\",1\n\"2,500\",2\nn.v.,3\n";
  const auto alone = Read(bytes);
  ASSERT_TRUE(alone);
  EXPECT_EQ(Types(*alone), "text int");
  ASSERT_EQ(alone->report.notes.size(), 1u);
  EXPECT_EQ(
      alone->report.notes[0],
      "`price` was read as text: 2 of 3 values look like numbers, but 1,234 may mean 1234 or "
      "1.234. Say which: --type price=double:1,234.5 or --type price=double:1.234,5, each with "
      "--bad null");
  const auto given = Read(bytes, {.bad = BadCells::kNull, .types = {{"price", Type::kDouble}}});
  ASSERT_TRUE(given) << given.error().ToString();
  EXPECT_EQ(Row(given->frame, 0), "~|1");
  EXPECT_NE(given->report.notes.at(0).find("Say which: --type price=double:1,234.5"),
            std::string::npos);
}

// A column that held numbers holds dates now: how the numbers were written says nothing of these.
TEST_F(Import, NumbersSayNothingOfDates) {
  for (const TextFormat format :
       {TextFormat::kDecimalPoint, TextFormat::kDecimalComma, TextFormat::kJson}) {
    EXPECT_EQ(ParseDate("01/02/2024", format), std::nullopt);
    const auto imported = Read(
        "x,n\n01/02/2024,1\n",
        {.known = {.name = "v:v1", .schema = {{"x", Type::kDouble}}, .formats = {{"x", format}}}});
    ASSERT_TRUE(imported);
    EXPECT_EQ(Row(imported->frame, 0), "2024-01-02|1");
    EXPECT_EQ(imported->report.formats.at("x"), TextFormat::kMonthFirst);
    EXPECT_EQ(imported->report.notes.size(), 1u);
  }
}

// The unit is kept with the format, and another one, or none, is said, whoever reads the file.
TEST_F(Import, UnitsAreKept) {
  const auto first = Read("r,s\n12.5%,a\n4%,b\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(FormatText(first->report.formats.at("r")), "1,234.5%");
  EXPECT_EQ(ParseFormat("1,234.5%"), first->report.formats.at("r"));
  EXPECT_EQ(ParseFormat("1,234.5x"), std::nullopt);
  const KnownTable before{
      .name = "r:v1", .schema = first->report.schema, .formats = first->report.formats};
  EXPECT_TRUE(Read("r,s\n10%,a\n", {.known = before})->report.notes.empty());
  const ImportOptions model{
      .types = {{"r", Type::kDouble}}, .formats = first->report.formats, .types_by = "the model"};
  EXPECT_TRUE(Read("r,s\n10%,a\n", model)->report.notes.empty());
  for (const auto& [bytes, unit] : std::vector<std::pair<std::string, std::string>>{
           {"r,s\n0.125,a\n", "no unit"}, {"r,s\n12,a\n", "no unit"}, {"r,s\n$12.50,a\n", "$"}}) {
    const auto joined = Read(bytes, {.known = before});
    ASSERT_TRUE(joined);
    const std::string said = "`r` has " + unit + ", whereas r:v1 has %";
    ASSERT_EQ(joined->report.notes.size(), 1u) << bytes;
    EXPECT_EQ(joined->report.notes[0], said + ": look whether these are the same numbers");
    const auto scored = Read(bytes, model);
    ASSERT_TRUE(scored) << scored.error().ToString();
    ASSERT_FALSE(scored->report.notes.empty()) << bytes;
    EXPECT_NE(scored->report.notes.back().find("whereas the model has %"), std::string::npos);
  }
  const auto json = Read("{\"r\":0.125}\n", model, "a.jsonl");
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(Row(json->frame, 0), "0.125");
  EXPECT_EQ(json->report.notes.size(), 1u);
  const KnownTable plain{.name = "p:v1", .schema = first->report.schema, .formats = {}};
  const auto percent = Read("r,s\n12.5%,a\n", {.known = plain});
  ASSERT_TRUE(percent);
  EXPECT_NE(percent->report.notes.back().find("`r` has %, whereas p:v1 has no unit"),
            std::string::npos);

  ASSERT_TRUE(WriteParquet(Read("r\n0.125\n")->frame, folder_ + "/r.parquet"));
  const auto parquet = ImportFrame({{folder_ + "/r.parquet", "r.parquet"}}, {.known = before});
  ASSERT_TRUE(parquet);
  EXPECT_EQ(parquet->report.notes.size(), 1u);
}

// No way to read these makes the same numbers of all of them.
TEST_F(Import, MixedUnitsAreNotAdvised) {
  for (const char* bytes : {"r,s\n12.5%,a\n0.035,b\n4%,c\n", "r,s\n$12.50,a\n$3,b\n€4,c\n"}) {
    const auto mixed = Read(bytes);
    ASSERT_TRUE(mixed);
    EXPECT_EQ(Types(*mixed), "text text");
    ASSERT_EQ(mixed->report.notes.size(), 1u);
    EXPECT_NE(mixed->report.notes[0].find("2 of 3 have"), std::string::npos);
    EXPECT_EQ(mixed->report.notes[0].find("--type"), std::string::npos);
  }
  const ImportOptions asked{.types = {{"r", Type::kDouble}},
                            .formats = {{"r", TextFormat::kDecimalPoint}}};
  const auto given = Read("r,s\n12.5%,a\n0.035,b\n4%,c\n", asked);
  ASSERT_TRUE(given) << given.error().ToString();
  EXPECT_EQ(given->report.notes.at(0),
            "2 of 3 values of `r` have %, the others have not: look whether these are the same "
            "numbers");
}

}  // namespace
}  // namespace gyre::table
