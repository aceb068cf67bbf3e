#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gyre {
namespace {

TEST(Json, RoundTripKeepsOrderAndBits) {
  const std::string text = R"({"b":1,"a":[true,null,0.1,-1e-300,"x\n\u00e9"],"c":{"d":3.0}})";
  const auto json = Json::Parse(text);
  ASSERT_TRUE(json) << json.error().ToString();
  const auto again = Json::Parse(json->Dump());
  ASSERT_TRUE(again);
  EXPECT_EQ(*json, *again);
  EXPECT_EQ(json->DumpCanonical(),
            "{\"a\":[true,null,0.1,-1e-300,\"x\\n\xC3\xA9\"],\"b\":1,\"c\":{\"d\":3.0}}");
  EXPECT_EQ((*json)["c"]["d"].AsDouble(), 3.0);
  EXPECT_TRUE((*json)["nothing"]["here"].is_null());
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "nul", "1e999", "\"\xff\"",
                          "{\"a\" 1}", "[1] 2", "01"})
    EXPECT_FALSE(Json::Parse(bad)) << bad;
  EXPECT_FALSE(Json::Parse(std::string(100, '[') + std::string(100, ']')));
}

TEST(Json, NotANumberBecomesNull) {
  EXPECT_EQ(Json(std::nan("")).Dump(), "null");
  EXPECT_EQ(Json(HUGE_VAL).Dump(), "null");
  EXPECT_EQ(Json(2.0).Dump(), "2.0");
}

TEST(Json, TypedReadsNameTheMember) {
  const Json json = Json::Obj({{"n", 3}, {"s", "x"}});
  EXPECT_EQ(*json.GetInt("n"), 3);
  EXPECT_EQ(json.GetInt("s").error().message(), "`s` must be a whole number");
  EXPECT_EQ(json.GetString("q").error().message(), "`q` is missing");
}

TEST(Json, EscapesWhereverItStands) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (const char* special : {"\"", "\\", "\n", "\x1f", "\x7f", "\xC3\xA9"}) {
      std::string text(20, 'x'), out;
      text.insert(at, special);
      AppendJsonString(text, &out);
      EXPECT_EQ(Json::Parse(out)->AsString(), text) << out;
    }
  }
}

TEST(Json, EscapesBrokenUtf8) {
  std::string out;
  AppendJsonString("a\xC0\x80\x01", &out);
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\\u0001\"");
}

}  // namespace
}  // namespace gyre
