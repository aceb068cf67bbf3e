#include "ml/tracking/files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ledger/usage/usage.h"
#include "ml/tracking/trash_kind.h"

namespace gyre::tracking {
namespace {

using Kind = FileOwner::Kind;

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/gyre-files-XXXXXX";
    directory_ = mkdtemp(pattern);
    database_ = *db::OpenSqlite({.path = directory_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), lineage::LineageSchema(),
                                        usage::UsageSchema(), trash::TrashSchema(),
                                        TrackingSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    blobs_ = *blob::OpenLocalStore(directory_ + "/blobs");
    tracking_ = *OpenTracking(*database_, SystemClock(), stamps_);
    files_ = std::make_unique<Files>(*database_);
    NewRun run;
    run.project = "blue";
    const auto made = tracking_->CreateRun(run);
    ASSERT_TRUE(made) << made.error().ToString();
    run_ = {Kind::kRun, "blue", made->id};
  }
  void TearDown() override {
    tracking_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void MakeModel(const std::string& project, const std::string& id) {
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
      return tx.Execute(
          "INSERT INTO tracking_logged_model (id, project, experiment, run_id, name, model_type, "
          "status, artifact_root, created_us, updated_us, deleted_us) "
          "VALUES (?1, ?2, 1, '', 'm', '', 'ready', '', 1, 1, 0)",
          {id, project});
    }));
  }
  std::string Put(const FileOwner& owner, const std::string& path, std::string_view bytes = "x") {
    const auto object = blobs_->Put(bytes);
    if (!object) return object.error().ToString();
    const auto put = files_->Put(owner, {path, *object, ""});
    return put ? "ok" : put.error().gy();
  }
  std::string Listed(const FileOwner& owner, const std::string& folder, int limit = 100) {
    std::string names, token;
    do {
      const auto page = files_->List(owner, folder, token, limit);
      if (!page) return page.error().gy();
      for (const FileEntry& entry : page->entries) {
        names += entry.name + (entry.is_folder ? "/" : "=" + std::to_string(entry.size_bytes));
        names += ' ';
      }
      token = page->next_page_token;
    } while (!token.empty());
    return names;
  }
  std::int64_t References() {
    std::int64_t count = 0;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      GYRE_DO(reader.QueryOne("SELECT COUNT(*) FROM blob_ref", {},
                              [&](const db::Row& row) { count = row.Int(0); }));
      return {};
    }));
    return count;
  }

  std::string directory_;
  RunStamps stamps_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<Tracking> tracking_;
  std::unique_ptr<Files> files_;
  FileOwner run_, loose_{Kind::kProject, "blue"};
};

TEST_F(FilesTest, AFolderShowsWhatStandsInItAndNotBelow) {
  for (const char* path :
       {"a.txt", "a-b", "model/MLmodel", "model/weights/1", "model/weights/2", "model0", "z/y/x/w"})
    EXPECT_EQ(Put(run_, path, path), "ok");
  for (int i = 0; i < 300; ++i) EXPECT_EQ(Put(run_, "many/" + std::to_string(i)), "ok");
  EXPECT_EQ(Listed(run_, ""), "a-b=3 a.txt=5 many/ model/ model0=6 z/ ");
  EXPECT_EQ(Listed(run_, "", 1), "a-b=3 a.txt=5 many/ model/ model0=6 z/ ");
  EXPECT_EQ(Listed(run_, "model"), "MLmodel=13 weights/ ");
  EXPECT_EQ(Listed(run_, "model/weights"), "1=15 2=15 ");
  EXPECT_EQ(Listed(run_, "nothing"), "");
  EXPECT_EQ(Listed(run_, "a.txt"), "");
  EXPECT_EQ(files_->List(run_, "many", "", 1000)->entries.size(), 300U);
  std::string token;
  std::size_t seen = 0;
  do {
    const auto page = files_->List(run_, "many", token, 7);
    seen += page->entries.size();
    token = page->next_page_token;
  } while (!token.empty());
  EXPECT_EQ(seen, 300U);
}

TEST_F(FilesTest, EachOwnerHasItsOwn) {
  MakeModel("blue", "m-1");
  const FileOwner model{Kind::kLoggedModel, "blue", "m-1"};
  const FileOwner elsewhere{Kind::kLoggedModel, "default", "m-1"};
  EXPECT_EQ(Put(run_, "a"), "ok");
  EXPECT_EQ(Put(model, "a", "of the model"), "ok");
  EXPECT_EQ(Put(loose_, "a", "loose"), "ok");
  EXPECT_EQ(files_->Get(run_, "a")->object.size_bytes, 1);
  EXPECT_EQ(files_->Get(model, "a")->object.size_bytes, 12);
  EXPECT_EQ(files_->Get(loose_, "a")->object.size_bytes, 5);
  EXPECT_EQ(files_->Get(elsewhere, "a").error().gy(), "GY3403");
  EXPECT_EQ(Put(elsewhere, "a"), "GY3441") << "a model of another project";
  EXPECT_EQ(Put({Kind::kLoggedModel, "blue", "m-2"}, "a"), "GY3441");
  EXPECT_EQ(files_->CheckTaker(elsewhere).error().gy(), "GY3441") << "before a byte is taken";
  const FileOwner foreign{Kind::kRun, "default", run_.id};
  EXPECT_EQ(files_->Get(foreign, "a").error().gy(), "GY3401") << "a run of another project";
  EXPECT_EQ(Put(foreign, "a"), "GY3401");
  EXPECT_EQ(Listed(foreign, ""), "GY3401");
  EXPECT_EQ(files_->Remove(foreign, "a").error().gy(), "GY3401");
  EXPECT_EQ(Put({Kind::kRun, "blue", "nobody"}, "a"), "GY3401");
  ASSERT_TRUE(tracking_->HideRun(run_.id));
  EXPECT_EQ(Put(run_, "b"), "GY3426") << "it is deleted";
  EXPECT_EQ(files_->Get(run_, "a")->object.size_bytes, 1) << "and still read";
  ASSERT_TRUE(tracking_->UnhideRun(run_.id));
  EXPECT_EQ(tracking_->GetArtifact(run_.id, "a")->object.size_bytes, 1) << "the same files";
}

TEST_F(FilesTest, APlaceHoldsAFileOrAFolder) {
  EXPECT_EQ(Put(run_, "a/b"), "ok");
  EXPECT_EQ(Put(run_, "a"), "GY3440");
  EXPECT_EQ(Put(run_, "a/b/c"), "GY3440");
  EXPECT_EQ(Put(run_, "a/b"), "ok");
  EXPECT_EQ(Put(run_, "../a"), "GY3405");
}

TEST_F(FilesTest, WhatNobodyHasAnyMoreIsGivenBack) {
  EXPECT_EQ(Put(run_, "a", "one"), "ok");
  EXPECT_EQ(Put(run_, "b", "one"), "ok");
  EXPECT_EQ(References(), 1);
  EXPECT_EQ(Put(run_, "a", "two"), "ok");
  EXPECT_EQ(References(), 2) << "b still is the first";
  EXPECT_EQ(Put(run_, "b", "two"), "ok");
  EXPECT_EQ(References(), 1);
  EXPECT_EQ(Put(run_, "m/a", "three"), "ok");
  EXPECT_EQ(Put(run_, "m/b/c", "four"), "ok");
  EXPECT_EQ(*files_->Remove(run_, "m"), 2);
  EXPECT_EQ(References(), 1);
  EXPECT_EQ(*files_->Remove(run_, "m"), 0);
  EXPECT_EQ(*files_->Remove(run_, ""), 2) << "everything";
  EXPECT_EQ(References(), 0);
}

// A project takes its files along and brings them back.
TEST_F(FilesTest, AProjectsFilesGoWithIt) {
  MakeModel("blue", "m-1");
  MakeModel("blues", "m-2");
  EXPECT_EQ(Put({Kind::kLoggedModel, "blue", "m-1"}, "a", "one"), "ok");
  EXPECT_EQ(Put({Kind::kLoggedModel, "blues", "m-2"}, "a", "two"), "ok");
  EXPECT_EQ(Put(loose_, "b", "three"), "ok");
  const trash::Holding held = HeldRuns(stamps_);
  std::int64_t rows = 0;
  ASSERT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
    for (const trash::Holding::Rows& of : held.rows) {
      if (of.table != "tracking_file") continue;
      GYRE_DO(reader.QueryOne("SELECT COUNT(*) FROM tracking_file WHERE " + of.condition, {"blue"},
                              [&](const db::Row& row) { rows += row.Int(0); }));
    }
    std::vector<std::string> owners;
    GYRE_DO(reader.Query(held.blobs.back().owners, {"blue"}, [&](const db::Row& row) -> Result<> {
      owners.push_back(row.Str(0));
      return {};
    }));
    std::ranges::sort(owners);
    EXPECT_EQ(owners, (std::vector<std::string>{"model:blue:m-1", "project:blue"}));
    return {};
  }));
  EXPECT_EQ(rows, 2);
}

}  // namespace
}  // namespace gyre::tracking
