#include "ml/registry/source_rule.h"

#include <gtest/gtest.h>

namespace gyre::registry {
namespace {

constexpr std::string_view kRun = "0123456789abcdef0123456789abcdef";

SourceOwners Proxied() {
  return {.run_id = std::string(kRun),
          .run_root = "mlflow-artifacts:/5/" + std::string(kRun) + "/artifacts",
          .logged_model = "m-1f",
          .logged_model_root = "mlflow-artifacts:/5/models/m-1f/artifacts"};
}
SourceOwners OnDisk() {
  return {.run_id = std::string(kRun),
          .run_root = "file:///srv/mlruns/5/r1/artifacts",
          .logged_model = "m-1f",
          .logged_model_root = "/srv/mlruns/5/models/m-1f/artifacts"};
}

// Each is what somebody has broken into a server with.
TEST(SourceRule, AttacksAreRefused) {
  constexpr std::string_view kAttacks[] = {
      "file:///etc",
      "file:/etc",
      "file://etc/passwd",
      "file://evil/etc",
      "FILE:///etc",
      "//proc/self/root",
      "/etc",
      "/etc/passwd",
      "etc",
      "./model",
      "C:\\Windows",
      "c:/windows",
      "mlflow-artifacts://h:9/models/../../../",
      "mlflow-artifacts:/5/x/../../../..",
      "mlflow-artifacts://host:5000/..%2f..%2f..%2f",
      "mlflow-artifacts://host:5000/..%2F..%252F..",
      "http://h/.../../../../etc",
      "http://h/../../",
      "https://h/api/2.0/mlflow-artifacts/artifacts/../../",
      "http://h/api/2.0/mlflow-artifacts/artifacts%00",
      "s3a://b/..",
      "s3:/my_bucket/models/path/../../other/path",
      "..%2f..%2f",
      "%2e%2e/%2e%2e",
      "%252e%252e%252fetc",
      "%25252e%25252e%25252fetc",
      "s3://b/%00",
      "s3://b/a%2500",
      "file:///srv/mlruns\\..\\..\\etc",
      "file:///srv/mlruns/5/r1/artifacts\\..\\..\\..\\..\\etc",
      "s3://b\\..\\c",
      "http:///?/../../../../../../etc/",
      "http:///#/../../etc/",
      "http://host#/../../etc/",
      "http://host/%23/x",
      "dbfs:/R/artifacts/a?/a",
      "dbfs:/R/artifacts/a%3f/../../../../../../",
      "dbfs:/a;b/../..",
      "s3://b/a;type=x",
      "s3://b/a%3Bx",
      "file:///srv/mlruns/5/r1/artifacts#/../../../../../etc",
      "file:///srv/mlruns/5/r1/artifacts?/../etc",
      "%66ile:///etc",
      "file%3a///etc",
      "runs:/ffffffffffffffffffffffffffffffff/model",
      "runs://profile@databricks/0123456789abcdef0123456789abcdef/model",
      "runs:/",
      "runs:model",
      "models:/m-2e",
      "models://profile/m-1f",
      "models:/",
      "models:/churn",
      "models:/churn/1/x",
      "models:m-1f",
      "http://evil/api/2.0/mlflow-artifacts/artifacts/",
      "http://evil//api//2.0/mlflow-artifacts//artifacts/6/x",
      "https://h/ajax-api/2.0/mlflow-artifacts/artifacts/6/x",
      "mlflow-artifacts:/6/other/artifacts/model",
      "mlflow-artifacts://evil/5/0123456789abcdef0123456789abcdef/artifacts",
      "mlflow-artifacts:/5/0123456789abcdef0123456789abcdef/artifactsx/model",
      "mlflow-artifacts:/5",
      "",
  };
  for (const std::string_view attack : kAttacks) {
    for (const SourceOwners& owners : {SourceOwners{}, Proxied(), OnDisk()}) {
      const auto read = ReadSource(attack, owners);
      ASSERT_FALSE(read) << attack << " beside " << owners.run_root;
      EXPECT_EQ(read.error().gy(), "GY3640") << attack;
      EXPECT_EQ(read.error().code(), Code::kInvalidArgument) << attack;
      EXPECT_FALSE(read.error().why().empty()) << attack;
    }
  }
  const std::string nul("s3://b/a\0b", 10);
  EXPECT_FALSE(ReadSource(nul, Proxied()));
  EXPECT_FALSE(ReadSource("s3://b/\xff", Proxied()));
  EXPECT_FALSE(ReadSource("s3://b/" + std::string(kSourceBytesMax, 'a'), Proxied()));
  std::string layers = "/";
  for (int i = 0; i < 20; ++i) layers = "%" + (i == 0 ? "2f" : "25" + layers.substr(1));
  EXPECT_FALSE(ReadSource("s3://b/" + layers, Proxied())) << layers;
}

// What is only kept as text does no harm: nobody opens it.
TEST(SourceRule, OtherStoresAreKeptAsText) {
  for (const std::string_view text :
       {"s3://bucket/path/model", "gs://b/m", "wasbs://c@account.blob.core.windows.net/m",
        "abfss://c@a.dfs.core.windows.net/m", "hdfs://n:8020/m", "dbfs:/models/m", "ftp://evil/a",
        "http://example.org/models/m", "dummy-source", "prompt-template", "s3://b/a%20b",
        "s3://b/100%", "s3://b/a..b/..c/d.."}) {
    const auto read = ReadSource(text, {});
    ASSERT_TRUE(read) << text << ": " << read.error().ToString();
    EXPECT_EQ(read->kind, Source::Kind::kText) << text;
  }
}

TEST(SourceRule, FilesInsideTheNamedRunOrModelPass) {
  const std::string root = Proxied().run_root;
  for (const std::string& text : {root, root + "/model", root + "//model/", root + "/a%20b",
                                  std::string("mlflow-artifacts:/5/models/m-1f/artifacts")}) {
    const auto read = ReadSource(text, Proxied());
    ASSERT_TRUE(read) << text << ": " << read.error().ToString();
    EXPECT_EQ(read->kind, Source::Kind::kInside) << text;
    EXPECT_FALSE(ReadSource(text, {})) << "nobody is named: " << text;
    EXPECT_FALSE(ReadSource(text, OnDisk())) << "it lies elsewhere: " << text;
  }
  for (const std::string_view text :
       {"/srv/mlruns/5/r1/artifacts/model", "file:///srv/mlruns/5/r1/artifacts",
        "file:/srv/mlruns/5/r1/artifacts/m", "file://localhost/srv/mlruns/5/r1/artifacts/m",
        "/srv/./mlruns/5/models/m-1f/artifacts"}) {
    EXPECT_TRUE(ReadSource(text, OnDisk())) << text;
    EXPECT_FALSE(ReadSource(text, Proxied())) << text;
  }
  EXPECT_FALSE(ReadSource("/srv/mlruns/5/r1/artifacts2/model", OnDisk()));
  EXPECT_FALSE(ReadSource("srv/mlruns/5/r1/artifacts/model", OnDisk()));
}

TEST(SourceRule, OurOwnSchemesNameWhatTheyMean) {
  const auto run = ReadSource("runs:/" + std::string(kRun) + "/model", Proxied());
  ASSERT_TRUE(run) << run.error().ToString();
  EXPECT_EQ(run->kind, Source::Kind::kRun);
  EXPECT_EQ(run->id, kRun);
  const auto logged = ReadSource("models:/m-1f", Proxied());
  ASSERT_TRUE(logged);
  EXPECT_EQ(logged->kind, Source::Kind::kLoggedModel);
  const auto version = ReadSource("models:/my model/3", {});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->model, "my model");
  EXPECT_EQ(version->what, "3");
  const auto alias = ReadSource("models:/churn@champion", {});
  ASSERT_TRUE(alias);
  EXPECT_EQ(alias->model, "churn");
  EXPECT_EQ(alias->what, "@champion");
  EXPECT_EQ(LoggedModelOf("models:/m-1f"), "m-1f");
  EXPECT_EQ(LoggedModelOf("models:/churn/3"), "");
}

}  // namespace
}  // namespace gyre::registry
