#include "api/mlflow/artifact_path.h"

#include <gtest/gtest.h>

namespace gyre::mlflow {
namespace {

using Kind = ArtifactPlace::Kind;

const std::string kRun(32, 'a');
const std::string kModel = "m-" + std::string(32, '1');

TEST(ArtifactPath, IsCleanedOnce) {
  struct Case {
    const char *given, *clean;
  };
  for (const auto& [given, clean] : std::initializer_list<Case>{
           {"", ""},
           {".", ""},
           {"model", "model"},
           {"model/", "model"},
           {"a//b/./c", "a/b/c"},
           {"a%20b.txt", "a b.txt"},
           {"a%2520b.txt", "a b.txt"},
           {"50%", "50%"},
           {"50%zz", "50%zz"},
           {"größe/🙂.txt", "größe/🙂.txt"},
           {"a?b=c;d", "a?b=c;d"},
           {"..a/b..", "..a/b.."},
           {"...", "..."},
           {"c:", "c:"},
           {"a:b/c", "a:b/c"},
       }) {
    const auto path = CleanArtifactPath(given);
    ASSERT_TRUE(path) << given;
    EXPECT_EQ(*path, clean) << given;
    EXPECT_EQ(CleanArtifactPath(*path).value_or("refused"), clean) << "again: " << given;
  }
}

// Every form in which somebody has climbed out of MLflow's folders.
TEST(ArtifactPath, NobodyClimbsOut) {
  const std::string nul("a%00b");
  for (const std::string& path : std::initializer_list<std::string>{
           "..",
           "../x",
           "a/../b",
           "a/..",
           "../../../../../../etc/passwd",
           "..%2f..",
           "..%2F..%2Fetc",
           "%2e%2e/x",
           "%2e%2e%2fx",
           "%252E%252E%252Fetc",
           "%25252e%25252e%25252fetc",
           "a/%2e%2e/b",
           "a/.%2e/b",
           "/etc/passwd",
           "//etc/passwd",
           "%2fetc%2fpasswd",
           "%252fetc",
           "///proc/self/root",
           "\\etc",
           "..\\..\\x",
           "a\\..\\b",
           "%5c..%5c",
           "%255c",
           "C:/Windows",
           "c:\\Windows",
           "C%3A/x",
           "C%3a%2fx",
           "./C:/x",
           "./file:x",
           "file:///etc/passwd",
           "file:/etc/passwd",
           "FILE:etc",
           "file%3a///etc",
           "http://host/../..",
           "http:///#/../../etc",
           "s3://b/../x",
           "dbfs://x",
           "a#b",
           "a%23b",
           "#/../../etc",
           nul,
           std::string("a\0b", 3),
           "a%0ab",
           "a\nb",
           "a%7fb",
           "a\x1f",
           "\xff\xfe",
           "a%ff",
           "a%c0%ae%c0%ae/b",
           std::string(256, 'x'),
           "a/" + std::string(256, 'x'),
           std::string(5000, 'x'),
       }) {
    const auto clean = CleanArtifactPath(path);
    ASSERT_FALSE(clean) << path << " became " << *clean;
    EXPECT_EQ(clean.error().message(), "Invalid path");
  }
  std::string deep = "..";
  for (int i = 0; i < 12; ++i) {
    std::string escaped;
    for (const char c : deep) escaped += c == '%' ? "%25" : c == '.' ? "%2e" : std::string(1, c);
    deep = escaped;
    EXPECT_FALSE(CleanArtifactPath(deep + "/x")) << i;
  }
}

TEST(ArtifactPath, SaysWhoseItIs) {
  const ArtifactPlace run = PlaceOf("5/" + kRun + "/artifacts/model/MLmodel");
  EXPECT_EQ(run.kind, Kind::kRun);
  EXPECT_EQ(run.experiment, "5");
  EXPECT_EQ(run.owner, kRun);
  EXPECT_EQ(run.path, "model/MLmodel");
  EXPECT_EQ(PlaceOf("5/" + kRun + "/artifacts").path, "");
  const ArtifactPlace model = PlaceOf("5/models/" + kModel + "/artifacts/model.pkl");
  EXPECT_EQ(model.kind, Kind::kModel);
  EXPECT_EQ(model.owner, kModel);
  EXPECT_EQ(model.path, "model.pkl");
  for (const std::string& path : std::initializer_list<std::string>{
           std::string("x"), std::string(), "5/" + kRun, "5/" + kRun + "/other/x",
           "x/" + kRun + "/artifacts/x", "5/" + std::string(32, 'A') + "/artifacts/x",
           "5/models/m-1/artifacts/x", "5/models/" + kModel,
           "5/traces/tr-1/artifacts/traces.json"}) {
    const ArtifactPlace place = PlaceOf(path);
    EXPECT_EQ(place.kind, Kind::kLoose) << path;
    EXPECT_EQ(place.path, path);
    EXPECT_EQ(place.owner, "");
  }
}

TEST(ArtifactPath, TextsArePlain) {
  EXPECT_EQ(MediaTypeOf("a/MLmodel"), "text/plain");
  EXPECT_EQ(MediaTypeOf("conda.yaml"), "text/plain");
  EXPECT_EQ(MediaTypeOf("table.json"), "text/plain");
  EXPECT_EQ(MediaTypeOf("plot.PNG"), "image/png");
  EXPECT_EQ(MediaTypeOf("page.html"), "text/html");
  EXPECT_EQ(MediaTypeOf("model.pkl"), "application/octet-stream");
  EXPECT_EQ(MediaTypeOf("a.png/noext"), "application/octet-stream");
}

}  // namespace
}  // namespace gyre::mlflow
