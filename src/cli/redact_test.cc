#include "cli/redact.h"

#include <gtest/gtest.h>

namespace gyre::cli {
namespace {

const std::string kToken =
    "gyre_pat_5002ea6ac97396101014cb4bdae32d3a1d14f044eefe40804531d54127434b04";

TEST(Redact, SecretsByTheirName) {
  EXPECT_EQ(WithoutSecrets("GET /setup?token=abcdef0123&x=1"), "GET /setup?token=(hidden)&x=1");
  EXPECT_EQ(WithoutSecrets("Authorization: Bearer s3cr3t"), "Authorization: Bearer (hidden)");
  EXPECT_EQ(WithoutSecrets("authorization=Basic YWxhZGRpbjpvcGVu, x-api-key=hunter2, x-scope=ml"),
            "authorization=(hidden), x-api-key=(hidden), x-scope=ml");
  EXPECT_EQ(WithoutSecrets("'password': 'two \\' words', 'rows': 3"),
            "'password': '(hidden)', 'rows': 3");
  EXPECT_EQ(WithoutSecrets("from https://ana:pass@example.org/x"),
            "from https://(hidden)@example.org/x");
  EXPECT_EQ(WithoutSecrets("the token"), "the token");
  EXPECT_EQ(WithoutSecrets("secrets"), "secrets");
}

TEST(Redact, SecretsByTheirLooks) {
  EXPECT_EQ(WithoutSecrets("said " + kToken + ", twice"), "said (hidden), twice");
  EXPECT_EQ(WithoutSecrets("key=" + kToken), "key=(hidden)");
  EXPECT_EQ(WithoutSecrets("/x/AKIAIOSFODNN7EXAMPLE/y"), "/x/(hidden)/y");
  const std::string id = "request_id=785a5ddca56aa91f2113d803260db2cf";
  EXPECT_EQ(WithoutSecrets(id), id) << "an id opens nothing, and finds the line of the log";
  EXPECT_EQ(WithoutSecrets("a sentence of ordinary words"), "a sentence of ordinary words");
}

TEST(Redact, NamesInALog) {
  EXPECT_EQ(WithoutNames("info  request: answered method=GET "
                         "path=/api/v1/projects/churn/datasets/sales/versions/3 status=200 "
                         "peer=10.1.2.3 who=ann request_id=785a5ddca56aa91f2113d803260db2cf"),
            "info  request: answered method=GET "
            "path=/api/v1/projects/(name)/datasets/(name)/versions/3 status=200 "
            "peer=(hidden) who=(hidden) request_id=785a5ddca56aa91f2113d803260db2cf");
  EXPECT_EQ(WithoutNames("path=/e/churn who=local-owner peer=127.0.0.1"),
            "path=/e/(name) who=local-owner peer=127.0.0.1");
  EXPECT_EQ(WithoutNames("path=/gyre/v2/models/churn/infer?x=sales a"),
            "path=/gyre/v2/models/(name)/infer a");
  EXPECT_EQ(WithoutNames("error: column `age` is no number\nsecond"),
            "error: column `(name)` is no number\nsecond");
  EXPECT_EQ(WithoutNames("one ` alone"), "one ` alone");
  EXPECT_EQ(WithoutNames("{\"text\":\"no `age`\",\"path\":\"/api/v1/users/ann\",\"us\":7}"),
            "{\"text\":\"no `(name)`\",\"path\":\"/api/v1/users/(name)\",\"us\":7}");
}

}  // namespace
}  // namespace gyre::cli
