#include "cli/imports/mlflow_store.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gyre::cli::imports {
namespace {

TEST(MlflowStoreTest, ARootNamesAFolderOfThisMachineOrNone) {
  const auto path = [](std::string_view root) { return LocalPathOf(root, "/store", "/served"); };
  EXPECT_EQ(path("/a/b/"), "/a/b");
  EXPECT_EQ(path("file:///a/b%20c"), "/a/b c");
  EXPECT_EQ(path("file:/a"), "/a");
  EXPECT_EQ(path("file://localhost/a"), "/a");
  EXPECT_EQ(path("file://elsewhere/a"), "");
  EXPECT_EQ(path("./mlruns/0"), "/store/./mlruns/0");
  EXPECT_EQ(path("mlflow-artifacts:/1/r/artifacts"), "/served/1/r/artifacts");
  EXPECT_EQ(path("s3://bucket/a"), "");
  EXPECT_EQ(path("dbfs:/a"), "");
  EXPECT_EQ(path(""), "");
  EXPECT_EQ(LocalPathOf("./mlruns/0", "", ""), "") << "a database elsewhere has no folder";
}

TEST(MlflowStoreTest, ARootDoesNotClimb) {
  for (const std::string_view root : {"/a/../etc", "file:///a/../../etc", "file:///a/%2e%2e/etc",
                                      "mlflow-artifacts:/../etc", "../etc"})
    EXPECT_EQ(LocalPathOf(root, "/store", "/served"), "") << root;
}

TEST(MlflowStoreTest, TheLargestNumberIsAnInfinity) {
  constexpr double kLargest = std::numeric_limits<double>::max();
  EXPECT_EQ(MetricOf(kLargest), std::numeric_limits<double>::infinity());
  EXPECT_EQ(MetricOf(-kLargest), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(MetricOf(1.5), 1.5);
  EXPECT_TRUE(std::isnan(MetricOf(std::numeric_limits<double>::quiet_NaN())));
}

TEST(MlflowStoreTest, StatesByWordAndByNumber) {
  EXPECT_EQ(RunStatusOf("RUNNING"), "running");
  EXPECT_EQ(RunStatusOf("3"), "finished");
  EXPECT_EQ(RunStatusOf("FAILED"), "failed");
  EXPECT_EQ(RunStatusOf("5"), "killed");
  EXPECT_EQ(ModelStatusOf("LOGGED_MODEL_PENDING"), "pending");
  EXPECT_EQ(ModelStatusOf("2"), "ready");
  EXPECT_EQ(ModelStatusOf("3"), "failed");
}

}  // namespace
}  // namespace gyre::cli::imports
