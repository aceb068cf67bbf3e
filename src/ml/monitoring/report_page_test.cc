#include <gtest/gtest.h>

#include "ml/monitoring/comparisons.h"
#include "ml/monitoring/report_picture.h"

namespace gyre::monitoring {
namespace {

Json Number(std::string name, double effect, bool drifted) {
  return Json::Obj(
      {{"name", std::move(name)},
       {"type", "double"},
       {"kind", "number"},
       {"status", "compared"},
       {"method", "ks.two_sided/scipy"},
       {"statistic", 0.2},
       {"p_value", 0.0},
       {"p_corrected", 0.0},
       {"threshold", 0.05},
       {"drifted", drifted},
       {"reason", "because"},
       {"effect", Json::Obj({{"method", "w"}, {"value", effect}, {"threshold", 0.1}})},
       {"histogram", Json::Obj({{"edges", Json::Arr({0.0, 1.0, 2.0})},
                                {"reference", Json::Arr({3, 1})},
                                {"current", Json::Arr({0, 4})},
                                {"below", Json::Obj({{"reference", 0}, {"current", 2}})},
                                {"above", Json::Obj()}})}});
}

Json Comparison(Json columns) {
  return Json::Obj({{"reference", Json::Obj({{"name", "a.csv"}, {"rows", 4}})},
                    {"current", Json::Obj({{"name", "<b>"}, {"rows", 6}})},
                    {"method", "calibrated"},
                    {"drifted_columns", 1},
                    {"compared_columns", 2},
                    {"columns", std::move(columns)}});
}

TEST(ReportPage, DriftStandsFirstAndNothingIsLoaded) {
  const std::string page =
      ReportPage(Comparison(Json::Arr({Number("calm", 5, false), Number("moved", 0.2, true)})));
  EXPECT_LT(page.find(">moved</a>"), page.find(">calm</a>"));
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_NE(page.find("(2 below)"), std::string::npos);
}

TEST(ReportPage, NamesAreTextWhateverTheyHold) {
  Json column = Number("<script>alert('x')</script>", 1, true);
  column.Set("reason", "\"&<");
  const std::string page = ReportPage(Comparison(Json::Arr({column})));
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("&quot;&amp;&lt;"), std::string::npos);
  EXPECT_NE(page.find("&lt;b&gt;"), std::string::npos);
}

TEST(ReportPage, SaysWhatWasNotCompared) {
  const std::string page = ReportPage(Comparison(Json::Arr({Json::Obj(
      {{"name", "id"}, {"type", "text"}, {"status", "only_in_reference"}, {"reason", "gone"}})})));
  EXPECT_NE(page.find("only in reference"), std::string::npos);
  EXPECT_NE(page.find("gone"), std::string::npos);
}

TEST(ReportPicture, BarsOfCategories) {
  const Json column = Json::Obj(
      {{"name", "plan"},
       {"type", "text"},
       {"values",
        Json::Arr(
            {Json::Obj({{"value", "a & b"}, {"reference", 3}, {"current", 1}}),
             Json::Obj({{"value", "ääääääääääääääääääääääääää"}, {"reference", 1}, {"current", 1}}),
             Json::Obj({{"value", nullptr}, {"of", 7}, {"reference", 0}, {"current", 2}})})}});
  const std::string svg = ColumnPicture(column);
  EXPECT_NE(svg.find("a &amp; b"), std::string::npos);
  EXPECT_NE(svg.find("7 others"), std::string::npos);
  EXPECT_NE(svg.find("75.0 → 25.0 %"), std::string::npos);
  EXPECT_NE(svg.find("ää…"), std::string::npos);
  EXPECT_TRUE(ColumnPicture(Json::Obj({{"name", "x"}})).empty());
}

TEST(ReportPicture, NumbersByType) {
  EXPECT_EQ(ShownNumber("double", 1234.5678), "1235");
  EXPECT_EQ(ShownNumber("int", 13034), "13034");
  EXPECT_EQ(ShownNumber("double", 0.123456), "0.1235");
  EXPECT_EQ(ShownNumber("double", 3e9), "3e+09");
  EXPECT_EQ(ShownNumber("date", 0.5), "1970-01-01");
  EXPECT_EQ(ShownNumber("timestamp", 60e6), "1970-01-01 00:01");
}

}  // namespace
}  // namespace gyre::monitoring
