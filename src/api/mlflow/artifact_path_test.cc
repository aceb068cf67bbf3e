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
           {"key%step%3%timestamp%1795325810101%wbb.png",
            "key%step%3%timestamp%1795325810101%wbb.png"},
           {"a%2517b", "a%17b"},
           {"a%7fb", "a%7fb"},
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
  EXPECT_EQ(PlaceOf(kRun + "/artifacts/a").path, "a");
  EXPECT_EQ(PlaceOf("my/own/root/" + kRun + "/artifacts/a").owner, kRun);
  EXPECT_EQ(PlaceOf("5/" + kRun + "/artifacts/" + kModel + "/artifacts/a").owner, kRun);
  for (const std::string& path : std::initializer_list<std::string>{
           "x", "", "artifacts/x", "5/" + kRun, "5/" + kRun + "/other/x",
           "5/" + std::string(32, 'A') + "/artifacts/x", "5/models/m-1/artifacts/x",
           "5/models/" + kModel, "5/other/" + kModel + "/artifacts/x",
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
