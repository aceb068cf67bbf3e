#include <gtest/gtest.h>

#include <set>

#include "api/mlflow/experiments_api.h"
#include "api/mlflow/run_search_api.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/budgets.h"
#include "ledger/usage/usage.h"

namespace gyre::mlflow {
namespace {

class RunSearchRoutesTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), usage::UsageSchema(),
                  trash::TrashSchema(), tracking::TrackingSchema()});
    experiments_ = *tracking::OpenExperiments(*database_, clock_, stamps_);
    tracking_ = *tracking::OpenTracking(*database_, clock_, stamps_);
    searcher_ = std::make_unique<tracking::RunSearcher>(*database_);
    pages_ = std::make_unique<RunPages>(*tracking_, stamps_);
    api_ = std::make_unique<RunSearchApi>(*projects_, *experiments_, *searcher_, *pages_);
    const net::RouteTable tables[] = {api_->table()};
    StartServer(tables);
  }
  void TearDown() override {
    server_.reset();
    tracking_.reset();
  }

  tracking::RunStamps stamps_;
  std::unique_ptr<tracking::Experiments> experiments_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<tracking::RunSearcher> searcher_;
  std::unique_ptr<RunPages> pages_;
  std::unique_ptr<RunSearchApi> api_;
};

TEST_F(RunSearchRoutesTest, APageEndsBeforeItIsTooLarge) {
  constexpr int kRuns = 90;
  tracking::NewRun from;
  from.project = "default";
  for (int i = 0; i < 80; ++i)
    from.tags.emplace("tag" + std::to_string(i), std::string(8'000, 'x'));
  for (int i = 0; i < kRuns; ++i) ASSERT_TRUE(tracking_->CreateRun(from));
  std::set<std::string> ids;
  std::string token;
  int pages = 0;
  do {
    const auto answer =
        Send("POST", "/api/2.0/mlflow/runs/search",
             R"({"experiment_ids":["0"],"max_results":50000,"page_token":")" + token + "\"}");
    ASSERT_EQ(answer.status, 200) << answer.body.substr(0, 1'000);
    EXPECT_LT(answer.body.size(), 48u << 20);
    const auto json = Json::Parse(answer.body);
    ASSERT_TRUE(json);
    for (const Json& run : (*json)["runs"].items())
      EXPECT_TRUE(ids.insert(run["info"]["run_id"].AsString()).second);
    token = (*json)["next_page_token"].AsString();
    ++pages;
  } while (!token.empty() && pages < 10);
  EXPECT_EQ(ids.size(), kRuns);
  EXPECT_EQ(pages, 2);
}

}  // namespace
}  // namespace gyre::mlflow
