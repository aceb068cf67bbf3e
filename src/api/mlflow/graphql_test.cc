#include <gtest/gtest.h>

#include "api/mlflow/graphql_query.h"

namespace gyre::mlflow {
namespace {

TEST(GraphqlQuery, SelectsWhatIsAsked) {
  const auto fields =
      ParseQuery(R"(query GetRun($data: MlflowGetRunInput!) @component(name: "A.B") {
      found: mlflowGetRun(input: $data) { __typename apiError { code } run {
        info { runName, startTime __typename } inputs { datasetInputs { tags { key } } } data { tags { key } } } } })");
  ASSERT_TRUE(fields) << fields.error().ToString();
  ASSERT_EQ(fields->size(), 1U);
  EXPECT_EQ((*fields)[0].answers_as, "found");
  EXPECT_EQ((*fields)[0].variable, "data");
  const Json document =
      Json::Parse(R"({"run": {"info": {"run_name": "a", "start_time": 5, "user_id": "x"},
                      "data": {"tags": [{"key": "k", "value": "v"}]}}})")
          .value();
  EXPECT_EQ(
      Selected(document, "T", (*fields)[0].fields).Dump(),
      R"({"__typename":"T","apiError":null,"run":{"info":{"runName":"a","startTime":"5",)"
      R"("__typename":"MlflowInfo"},"inputs":{"datasetInputs":[]},"data":{"tags":[{"key":"k"}]}}})");
}

TEST(GraphqlQuery, IsBounded) {
  std::string deep = "{a", many = "{a{", root = "{";
  for (int i = 0; i < 11; ++i) deep += "{a";
  for (int i = 0; i < 12; ++i) deep += "}";
  for (int i = 0; i < 1'001; ++i) many += fmt::format("a{} ", i);
  for (int i = 0; i < 11; ++i) root += fmt::format("a{}: mlflowGetRun(input: $x) {{b}} ", i);
  for (const std::string& refused :
       {deep, many + "}}", root + "}", std::string("mutation { a }"), std::string("{a} {b}"),
        std::string("{a"), std::string("{...f}"), std::string(""), std::string("{a(b: (c))}"),
        std::string("{a(b: \"c)}"), std::string("{ a: }"), std::string(200'000, '{')}) {
    const auto fields = ParseQuery(refused);
    ASSERT_FALSE(fields) << refused.substr(0, 40);
    EXPECT_EQ(fields.error().gy(), "GY5100");
  }
}

}  // namespace
}  // namespace gyre::mlflow
