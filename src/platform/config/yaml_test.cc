#include "platform/config/yaml.h"

#include <gtest/gtest.h>

namespace gyre::config {
namespace {

TEST(Yaml, EndsOnTextsThatAreNoDocument) {
  for (const char* text : {",", ",,", "a: 1\n, b", "]", "}", ", [", "- ,"}) {
    const auto parsed = ParseYaml(text, "x");
    EXPECT_FALSE(parsed.has_value() && parsed->is_object()) << text;
  }
  EXPECT_FALSE(ParseYaml("a: 1\n---\nb: 2", "x").has_value());
  EXPECT_TRUE(ParseYaml("---\na: 1\n...\n", "x").has_value());
}

TEST(Yaml, ScalarsFollowTheCoreSchema) {
  const auto json = ParseYaml(
      "a: 1\nb: 1.5\nc: yes\nd: 'true'\ne: true\nf:\ng: \"12\"\nh: 1.0\ni: -3\nj: 12abc\nk: .5\nl: "
      "2026-01-02\n",
      "x.yaml");
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(
      json->Dump(),
      R"({"a":1,"b":1.5,"c":"yes","d":"true","e":true,"f":null,"g":"12","h":1.0,"i":-3,"j":"12abc","k":0.5,"l":"2026-01-02"})");
}

TEST(Yaml, KeepsOrderAndNesting) {
  const auto json = ParseYaml("z: [1, {q: r}]\na:\n  - x\n  - y: 2\n", "x.yaml");
  ASSERT_TRUE(json) << json.error().ToString();
  EXPECT_EQ(json->Dump(), R"({"z":[1,{"q":"r"}],"a":["x",{"y":2}]})");
}

TEST(Yaml, ErrorsSayLineAndColumn) {
  const auto json = ParseYaml("a: 1\nb: [1, 2\nc: 3\n", "r.yaml");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().gy(), "GY1810");
  EXPECT_TRUE(json.error().where().starts_with("r.yaml:")) << json.error().where();
}

TEST(Yaml, RefusesWhatWouldBeAmbiguousOrHuge) {
  EXPECT_FALSE(ParseYaml("a: 1\na: 2\n", "x"));
  EXPECT_FALSE(ParseYaml("a: 1\n---\nb: 2\n", "x"));
  EXPECT_FALSE(ParseYaml("? [1, 2]\n: 3\n", "x"));
  EXPECT_FALSE(ParseYaml("a: \"\xff\"", "x"));
  EXPECT_FALSE(ParseYaml(std::string(5000, '['), "x"));
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'j'; ++c) {
    bomb += fmt::format("{}: &{} [*{}, *{}, *{}, *{}, *{}, *{}, *{}, *{}, *{}]\n", c, c,
                        char(c - 1), char(c - 1), char(c - 1), char(c - 1), char(c - 1),
                        char(c - 1), char(c - 1), char(c - 1), char(c - 1));
  }
  EXPECT_FALSE(ParseYaml(bomb, "x"));
}

TEST(Yaml, DumpReadsBack) {
  const Json json = Json::Obj({{"name", "churn"},
                               {"text", "12"},
                               {"no", "null"},
                               {"n", 3},
                               {"d", 0.1},
                               {"e", Json::Arr()},
                               {"list", Json::Arr({1, "a b: c", true})},
                               {"o", Json::Obj({{"k", Json()}})}});
  const std::string text = DumpYaml(json);
  const auto back = ParseYaml(text, "x");
  ASSERT_TRUE(back) << back.error().ToString() << "\n" << text;
  EXPECT_EQ(back->Dump(), json.Dump()) << text;
}

}  // namespace
}  // namespace gyre::config
