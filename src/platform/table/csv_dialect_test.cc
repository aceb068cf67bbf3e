#include "platform/table/csv_dialect.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "platform/table/cell_types.h"

namespace gyre::table {
namespace {

TEST(Dialect, FindsTheDelimiter) {
  EXPECT_EQ(DetectDialect("a,b\n1,2\n3,4\n", false).delimiter, ',');
  EXPECT_EQ(DetectDialect("a;b\n1,5;2,5\n3,1;4,2\n", false).delimiter, ';');
  EXPECT_EQ(DetectDialect("a\tb c\n1\tx, y\n3\tz, w\n", false).delimiter, '\t');
  EXPECT_EQ(DetectDialect("a|b|c\n1|2|3\n", false).delimiter, '|');
  EXPECT_EQ(DetectDialect("text\none, two\nthree\n", false).delimiter, ',');
  EXPECT_EQ(DetectDialect("n,t\n1,\"a;b;c\"\n2,\"d;e;f\"\n", false).delimiter, ',');
}

TEST(Dialect, AMarkInsideSomeTextsIsNoSeparator) {
  std::string file = "sentence\n";
  for (int i = 0; i < 60; ++i)
    file += i % 20 == 3 ? "dark ; but funny ; moments\n" : "a film about nothing\n";
  EXPECT_EQ(DetectDialect(file, false).delimiter, ',');
}

TEST(Dialect, FindsQuotesAndEscapes) {
  EXPECT_EQ(DetectDialect("a,b\n'x, y',1\n'z, w',2\n", false).quote, '\'');
  EXPECT_EQ(DetectDialect("a,b\n\"x, y\",1\n", false).quote, '"');
  EXPECT_TRUE(DetectDialect("a,b\n\"say \\\"hi, you\\\" now\",1\n\"x\",2\n\"y\",3\n", false)
                  .backslash_escapes);
  EXPECT_FALSE(DetectDialect("a,b\n\"say \"\"hi\"\"\",1\n", false).backslash_escapes);
}

TEST(Dialect, FindsTheHeader) {
  EXPECT_TRUE(DetectDialect("a,b\n1,2\n", false).header);
  EXPECT_FALSE(DetectDialect("5.1,3.5,setosa\n4.9,3.0,setosa\n", false).header);
  EXPECT_TRUE(DetectDialect("name,city\nAnn,Rome\nBob,Oslo\n", false).header);
  EXPECT_FALSE(DetectDialect("39, State-gov, 77516\n50, Self-emp, 83311\n", false).header);
  EXPECT_TRUE(DetectDialect("V1,V2,class\n0,1,EI\n0,0,N\n", false).header);
}

TEST(Dialect, FindsTheDecimalComma) {
  EXPECT_EQ(DetectDialect("a;b\n1,5;x\n2,5;y\n", false).decimal_point, ',');
  EXPECT_EQ(DetectDialect("a;b\n1.5;x\n2.5;y\n", false).decimal_point, '.');
  // What may be thousands does not outweigh what may not.
  EXPECT_EQ(DetectDialect("a;b;c\n12.345;1.200;3,5\n", false).decimal_point, ',');
  EXPECT_EQ(DetectDialect("a\tb\n12,345\t3.5\n", false).decimal_point, '.');
  EXPECT_EQ(DetectDialect("a;b\n12,345;x\n", false).decimal_point, '.');
}

// Decimal commas part each row in two as well, and a row or two has another number of cells.
TEST(Dialect, AFewRaggedRowsChangeNothing) {
  std::string bytes = "day;price;n;who\n";
  for (int i = 0; i < 12; ++i) bytes += "01.02.2024;12,5;3;Ann\n";
  for (const char* ragged : {"01.02.2024;12,5\n", "01.02.2024;12,5;3;Ann;x, y;z\n", "total\n"}) {
    for (const std::size_t at : {bytes.find('\n') + 1, bytes.size()}) {
      const CsvDialect dialect = DetectDialect(std::string(bytes).insert(at, ragged), false);
      EXPECT_EQ(dialect.delimiter, ';') << ragged;
      EXPECT_EQ(dialect.decimal_point, ',') << ragged;
      EXPECT_TRUE(dialect.header) << ragged;
    }
  }
}

TEST(Dialect, SurvivesAnything) {
  Random random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    constexpr std::string_view kAlphabet = ",;\t|\"'\\\n\r ab1.\x00\xff";
    for (std::uint64_t i = random.Below(60); i > 0; --i)
      bytes += kAlphabet[random.Below(kAlphabet.size())];
    const CsvDialect dialect = DetectDialect(bytes, random.Below(2) == 0);
    EXPECT_NE(std::string_view(",;\t|").find(dialect.delimiter), std::string_view::npos);
  }
}

TEST(Kinds, OfText) {
  constexpr KindSet kBothWays = kCommaKind | kPointKind;
  EXPECT_EQ(ClassifyText("12", '.'), kTextKind | kIntKind | kDoubleKind | kBothWays);
  EXPECT_EQ(ClassifyText("-0.5e3", '.'), kTextKind | kDoubleKind | kPointKind | kShowsPointKind);
  EXPECT_EQ(ClassifyText("00123", '.'), kTextKind | kIdKind);
  EXPECT_EQ(ClassifyText("99999999999999999999", '.'), kTextKind | kIdKind);
  EXPECT_EQ(ClassifyText("TRUE", '.'), kTextKind | kBoolKind);
  EXPECT_EQ(ClassifyText("2011-02-29", '.'), kTextKind);
  EXPECT_EQ(ClassifyText("2012-02-29", '.'), kTextKind | kDateKind | kTimestampKind);
  EXPECT_EQ(ClassifyText("31.12.2012", '.'), kTextKind | kDateKind | kTimestampKind);
  EXPECT_EQ(ClassifyText("12/31/2012", '.'), kTextKind | kMonthFirstKind);
  EXPECT_EQ(ClassifyText("31/12/2012", '.'), kTextKind | kDayFirstKind);
  EXPECT_EQ(ClassifyText("2012-02-28T10:00:00Z", '.'), kTextKind | kTimestampKind);
  EXPECT_EQ(ClassifyText("31.12.2012 10:00", '.'), kTextKind | kTimestampKind);
  EXPECT_EQ(ClassifyText("31.12.2012 24:00", '.'), kTextKind);
  EXPECT_EQ(ClassifyText("3,14", ','), kTextKind | kDoubleKind | kCommaKind | kShowsCommaKind);
  EXPECT_EQ(ClassifyText("3,14", '.'), kTextKind | kCommaKind | kShowsCommaKind);
  EXPECT_EQ(ClassifyText("1,234", '.'), kTextKind | kBothWays | kEitherKind);
  EXPECT_EQ(ClassifyText("1.196", '.'), kTextKind | kDoubleKind | kBothWays | kEitherKind);
  EXPECT_EQ(ClassifyText("1.196,10", '.'), kTextKind | kCommaKind | kShowsCommaKind);
  EXPECT_EQ(ClassifyText("-1,234.50", '.'), kTextKind | kPointKind | kShowsPointKind);
  EXPECT_EQ(ClassifyText("10 %", '.'), kTextKind | kBothWays | kUnitKind);
  EXPECT_EQ(ClassifyText("-$5", '.'), kTextKind | kBothWays | (kUnitKind << 1));
  EXPECT_EQ(ClassifyText("1.196,10\xC2\xA0€", '.'),
            kTextKind | kCommaKind | kShowsCommaKind | (kUnitKind << 2));
  for (const char* text : {"1.19,6", "01.196,10", "1,,2", "1.196.", "$", "%", "$-", "1234.567,8",
                           "$007", "5 $ 5", "+49 30 1234", "192.168.0.1"})
    EXPECT_EQ(ClassifyText(text, '.'), kTextKind) << text;
  EXPECT_EQ(ClassifyText("1-2", '.'), kTextKind);
  EXPECT_EQ(ClassifyText("+49 30 1234", '.'), kTextKind);
}

}  // namespace
}  // namespace gyre::table
