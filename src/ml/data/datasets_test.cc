#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "ledger/lineage/lineage.h"
#include "ml/data/queries.h"
#include "ml/data/trash_kind.h"
#include "ml/runners/testing/jobs_here.h"
#include "platform/exec/files.h"
#include "platform/table/archive.h"

namespace gyre::data {
namespace {

class DatasetsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/gyre_datasets_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    database_ = *db::OpenSqlite({.path = folder_ + "/gyre.db"});
    const db::ModuleSchema schemas[] = {blob::BlobSchema(), events::EventsSchema(),
                                        lineage::LineageSchema(), trash::TrashSchema(),
                                        DataSchema()};
    ASSERT_TRUE(database_->Migrate(schemas));
    blobs_ = *blob::OpenLocalStore(folder_ + "/blobs");
    events_ = events::OpenEvents(*database_, SystemClock());
    AddTasks(tasks_);
    jobs_ = std::make_unique<runners::JobsHere>(tasks_, blobs_->scratch_directory());
    datasets_ = *OpenDatasets(*database_, *blobs_, *jobs_, *events_, SystemClock());
    queries_ = std::make_unique<Queries>(*datasets_, *blobs_, *jobs_, 60'000);
  }
  void TearDown() override {
    queries_.reset();
    datasets_.reset();
    events_.reset();
    jobs_.reset();
    blobs_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  runners::Job Add(const std::string& bytes, ImportRequest request = {}) {
    if (request.dataset.empty()) request.dataset = "people";
    if (request.filename.empty()) request.filename = "people.csv";
    request.project = "default";
    request.created_by = "ann";
    auto upload = datasets_->NewUpload();
    EXPECT_TRUE(upload);
    EXPECT_TRUE((*upload)->Append(bytes));
    auto job = datasets_->Import(request, *std::move(upload));
    EXPECT_TRUE(job) << job.error().ToString();
    return *job;
  }
  static std::string People(int rows, int shift = 0) {
    std::string text = "id,age,sex\n";
    for (int i = 0; i < rows; ++i)
      text += fmt::format("{},{},{}\n", i + 1, 20 + (i + shift) % 40, i % 3 == 0 ? "f" : "m");
    return text;
  }
  std::vector<std::string> Scratch() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(blobs_->scratch_directory())) {
      const std::string name = entry.path().filename();
      if (name.starts_with("upload") || name.starts_with("export")) names.push_back(name);
    }
    return names;
  }
  Result<Json> Ask(const std::string& sql, const std::string& project = "default") {
    GYRE_TRY(const runners::Job job,
             queries_->Submit({.project = project, .sql = sql, .rows_max = 10}));
    if (job.state != "succeeded") return runners::ErrorOf(job);
    EXPECT_EQ(job.input.Dump().find('/'), std::string::npos);
    GYRE_TRY(const std::string text, blobs_->Get(job.result["sha256"].AsString()));
    return Json::Parse(text);
  }
  std::int64_t Count(const std::string& sql) {
    std::int64_t count = -1;
    EXPECT_TRUE(database_->Read([&](db::Reader& reader) -> Result<> {
      return reader.Query(sql, {}, [&](const db::Row& row) -> Result<> {
        count = row.Int(0);
        return {};
      });
    }));
    return count;
  }

  std::string folder_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<events::Events> events_;
  runners::TaskRegistry tasks_;
  std::unique_ptr<runners::JobsHere> jobs_;
  std::unique_ptr<Datasets> datasets_;
  std::unique_ptr<Queries> queries_;
};

TEST_F(DatasetsTest, AFileBecomesAVersion) {
  const runners::Job job = Add(People(100), {.tags = {{"source", "crm"}}});
  ASSERT_EQ(job.state, "succeeded") << job.error_message;
  EXPECT_EQ(job.input.Dump().find('/'), std::string::npos) << "where we keep files is ours to know";
  EXPECT_EQ(job.result["reference"].AsString(), "people:v1");
  const auto version = datasets_->Resolve("default", "people");
  ASSERT_TRUE(version) << version.error().ToString();
  EXPECT_EQ(version->rows, 100);
  EXPECT_EQ(version->schema.size(), 3u);
  EXPECT_EQ(version->tags.at("source"), "crm");
  EXPECT_EQ(version->source_name, "people.csv");
  EXPECT_TRUE(Scratch().empty());
  EXPECT_EQ(Count("SELECT count(*) FROM blob_ref WHERE owner_kind = 'dataset_version'"), 2);
  EXPECT_EQ(Count("SELECT count(*) FROM lineage_node WHERE kind = 'dataset_version'"), 1);
  EXPECT_EQ(events_->List({.kind = "dataset.version.created"})->size(), 1u);
}

TEST_F(DatasetsTest, DamagedPartsGiveNoNumbersUntilTheFileIsAddedAgain) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  const Version version = *datasets_->Resolve("default", "people");
  const std::string part = datasets_->PartPaths(version)->front();
  std::string bytes = *exec::ReadFile(part);
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(exec::WriteFile(part, bytes));
  const auto expect_loss = [](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().gy(), "GY1502");
    EXPECT_EQ(result.error().code(), Code::kDataLoss);
    EXPECT_NE(result.error().message().find("people:v1"), std::string::npos);
    EXPECT_NE(result.error().message().find("block 0 of 1"), std::string::npos);
    EXPECT_NE(result.error().fixes().front().find("gyre add people.csv --name people"),
              std::string::npos);
  };
  expect_loss(Ask("select sum(age) from people"));
  expect_loss(datasets_->Rows(version, 0, 10));
  expect_loss(datasets_->ProfileAgainst(version, "age"));
  expect_loss(datasets_->ParquetFile(version));
  expect_loss(datasets_->Export(version, "csv", {}));
  EXPECT_EQ(datasets_->Check(version, "ann")->error_code, "GY1502");
  const runners::Job again = Add(People(100));
  ASSERT_EQ(again.state, "succeeded") << again.error_message;
  EXPECT_TRUE(again.result["unchanged"].AsBool());
  EXPECT_TRUE(Ask("select sum(age) from people"));
}

TEST_F(DatasetsTest, TheSameContentIsNoNewVersion) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  const int before = jobs_->tasks_run;
  runners::Job again = Add(People(100));
  EXPECT_TRUE(again.result["unchanged"].AsBool());
  EXPECT_EQ(jobs_->tasks_run, before);  // the bytes were known: nothing was read
  again =
      Add(People(100), {.filename = "other.csv", .format = "csv"});  // other bytes would do, too
  EXPECT_TRUE(again.result["unchanged"].AsBool());
  std::string semicolons = People(100);
  std::replace(semicolons.begin(), semicolons.end(), ',', ';');
  again = Add(semicolons);
  EXPECT_TRUE(again.result["unchanged"].AsBool());
  EXPECT_EQ(again.result["version"].AsString(), "v1");
  EXPECT_EQ(Add(People(101)).result["version"].AsString(), "v2");
  EXPECT_EQ(Add(People(100), {.dataset = "others"}).result["version"].AsString(), "v1");
  EXPECT_EQ(datasets_->ListVersions("default", "people", 0, 10)->size(), 2u);
  EXPECT_EQ(datasets_->List("default", "", 10)->size(), 2u);
}

TEST_F(DatasetsTest, ReferencesAndTheirErrors) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  for (const std::string good :
       {"people", "people:v1", "people:latest", "people:1", "default/people:v1"}) {
    EXPECT_TRUE(datasets_->Resolve("default", good)) << good;
  }
  EXPECT_EQ(datasets_->Resolve("default", "peple").error().fixes().at(0), "did you mean `people`?");
  EXPECT_EQ(datasets_->Resolve("default", "people:v9").error().gy(), "GY2102");
  EXPECT_EQ(datasets_->Resolve("other", "people").error().gy(), "GY2101");
  EXPECT_EQ(datasets_->Resolve("other", "default/people").error().code(), Code::kPermissionDenied);
  for (const std::string bad :
       {"people:v0", "people:x", "people@champion", "", "../x", "people:v1:v2", "a b"}) {
    EXPECT_EQ(datasets_->Resolve("default", bad).error().code(), Code::kInvalidArgument) << bad;
  }
}

TEST_F(DatasetsTest, AFailedImportLeavesNothing) {
  const runners::Job job = Add("a,b\n1\n");
  EXPECT_EQ(job.state, "failed");
  EXPECT_EQ(job.error_code, "GY2034");
  EXPECT_EQ(job.error_where.substr(0, 12), "people.csv:2");
  EXPECT_TRUE(Scratch().empty());
  EXPECT_EQ(Count("SELECT count(*) FROM dataset"), 0);
  EXPECT_EQ(Count("SELECT count(*) FROM blob_ref"), 0);
  auto upload = datasets_->NewUpload();
  EXPECT_EQ(datasets_->Import({.project = "default", .dataset = "../x"}, *datasets_->NewUpload())
                .error()
                .gy(),
            "GY1200");
  EXPECT_EQ(
      datasets_
          ->Import({.project = "default", .dataset = "x", .bad = "maybe"}, *datasets_->NewUpload())
          .error()
          .gy(),
      "GY2106");
  EXPECT_EQ(datasets_
                ->Import({.project = "default", .dataset = "x", .types = {"age"}},
                         *datasets_->NewUpload())
                .error()
                .gy(),
            "GY2106");
  EXPECT_EQ(
      datasets_
          ->Import({.project = "default", .dataset = "x", .format = "xls"}, *datasets_->NewUpload())
          .error()
          .gy(),
      "GY2106");
  EXPECT_EQ(datasets_
                ->Import({.project = "default", .dataset = "x", .columns = "some"},
                         *datasets_->NewUpload())
                .error()
                .gy(),
            "GY2106");
}

TEST_F(DatasetsTest, AnotherTableIsNoNextVersionWhereTheSameColumnsAreAskedFor) {
  Add("id,age,sex\n1,20,f\n");
  const runners::Job other = Add("id,price\n1,20\n", {.filename = "prices.csv", .columns = "same"});
  EXPECT_EQ(other.error_code, "GY2115");
  EXPECT_EQ(other.error_message,
            "prices.csv has other columns than people:v1: it lacks age, sex, and has also price");
  EXPECT_EQ(datasets_->Resolve("default", "people")->number, 1);
  EXPECT_TRUE(Scratch().empty());
  const runners::Job same = Add("sex,id,age\nf,2,20.5\n", {.columns = "same"});
  EXPECT_EQ(same.result["reference"].AsString(), "people:v2") << "order and types may differ";
  EXPECT_EQ(Add("id,price\n1,20\n", {.columns = "any"}).result["reference"].AsString(),
            "people:v3");
  EXPECT_EQ(Add("a\n1\n", {.dataset = "new", .columns = "same"}).state, "succeeded");
}

TEST_F(DatasetsTest, AnUploadLostInARestartIsSaid) {
  jobs_->hold = true;
  Add(People(10));
  for (const std::string& name : Scratch())
    std::filesystem::remove_all(blobs_->scratch_directory() + "/" + name);
  const runners::Job job = jobs_->Finish(jobs_->held);
  EXPECT_EQ(job.error_code, "GY2108");
}

TEST_F(DatasetsTest, TheNextVersionIsCheckedAndBadRowsSetAside) {
  ASSERT_EQ(Add(People(200)).state, "succeeded");
  std::string next = People(200, 1);
  next += "7,30,f\n201,900,f\n202,31,x\n";
  const runners::Job plain = Add(next);
  EXPECT_FALSE(plain.result["check"]["success"].AsBool()) << plain.result.Dump();
  EXPECT_EQ(plain.result["rows"].AsInt(), 203);
  const runners::Job aside = Add(next, {.bad = "quarantine"});
  EXPECT_EQ(aside.result["rows"].AsInt(), 200);
  EXPECT_EQ(aside.result["rows_quarantined"].AsInt(), 3);
  const auto version = datasets_->Resolve("default", "people");
  const auto rows = datasets_->Quarantine(*version, 10);
  ASSERT_EQ((*rows)["items"].size(), 3u);
  EXPECT_EQ((*rows)["items"].items()[0]["reason"].AsString(), "`id` is 7 once more");
  EXPECT_EQ((*rows)["items"].items()[1]["text"].AsString(), R"({"id":201,"age":900,"sex":"f"})");
  const auto v2 = datasets_->Resolve("default", "people:v2");
  const auto check = datasets_->Check(*v2, "ann");
  ASSERT_TRUE(check);
  EXPECT_FALSE(check->result["success"].AsBool());
  EXPECT_EQ(check->result["failed"].AsInt(), 3);
  EXPECT_EQ(check->result["bad_rows"].items()[1]["row"].AsInt(), 201);
  EXPECT_EQ(plain.result["check"]["origin"].AsString(), "suggested from people:v1");
  EXPECT_EQ(plain.result["check"]["rows_broken"].AsInt(), 3);
  // A suite of one's own takes its place, and is kept with its number.
  const auto set = datasets_->SetExpectations(
      "default", "people", *Json::Parse(R"({"expectations":[{"kind":"rows_between","min":1}]})"),
      "ann");
  ASSERT_TRUE(set);
  EXPECT_EQ((*set)["number"].AsInt(), 1);
  EXPECT_EQ((*set)["warnings"].size(), 0u);
  EXPECT_TRUE(datasets_->Check(*v2, "ann")->result["success"].AsBool());
  EXPECT_EQ(datasets_
                ->SetExpectations("default", "people",
                                  *Json::Parse(R"({"expectations":[{"kind":"x"}]})"), "ann")
                .error()
                .gy(),
            "GY2110");
}

TEST_F(DatasetsTest, ASuiteOfColumnsThatAreNotThereSaysSo) {
  ASSERT_EQ(Add(People(200)).state, "succeeded");
  const auto set = datasets_->SetExpectations("default", "people", *Json::Parse(R"({"expectations":[
      {"kind":"not_missing","column":"Age"},{"kind":"unique","column":"nix"},
      {"kind":"between","column":"Age","min":1}]})"),
                                              "ann");
  ASSERT_TRUE(set);
  ASSERT_EQ((*set)["warnings"].size(), 2u) << set->Dump();
  EXPECT_EQ((*set)["warnings"].items()[0].AsString(),
            "people:v1 has no column `Age`: did you mean `age`?");
  EXPECT_EQ((*set)["warnings"].items()[1].AsString(), "people:v1 has no column `nix`");
  const auto check = datasets_->Check(*datasets_->Resolve("default", "people"), "ann");
  ASSERT_TRUE(check);
  EXPECT_EQ(check->result["results"].items()[0]["observed"].AsString(),
            "no such column: did you mean `age`?");
}

TEST_F(DatasetsTest, WhatBreaksASuiteThatWasSetIsSetAside) {
  ASSERT_EQ(Add(People(200)).state, "succeeded");
  ASSERT_TRUE(datasets_->SetExpectations("default", "people", *Json::Parse(R"({"expectations":[
      {"kind":"between","column":"age","min":0,"max":120},
      {"kind":"in_set","column":"sex","values":["m"],"mostly":0.5}]})"),
                                         "ann"));
  // One cell does not turn the column into text; other columns may change.
  const std::string next = People(200, 1) + "200.5,31,m\n201,900,f\n202,old,f\n";
  const runners::Job job = Add(next);
  ASSERT_EQ(job.state, "succeeded") << job.error_message;
  EXPECT_EQ(job.result["rows"].AsInt(), 201);
  EXPECT_EQ(job.result["rows_quarantined"].AsInt(), 2);
  EXPECT_TRUE(job.result["check"]["success"].AsBool()) << job.result.Dump();
  const auto version = datasets_->Resolve("default", "people");
  EXPECT_EQ(version->schema[0].type, table::Type::kDouble);
  const auto rows = datasets_->Quarantine(*version, 10);
  ASSERT_EQ((*rows)["items"].size(), 2u);
  EXPECT_EQ((*rows)["items"].items()[0]["line"].AsInt(), 204);
  EXPECT_EQ((*rows)["items"].items()[1]["reason"].AsString(), "`age` is 900, outside 0..120");
  // The same again is the same; another suite reads it anew; who asks for it gets all rows.
  EXPECT_TRUE(Add(next).result["unchanged"].AsBool());
  ASSERT_TRUE(datasets_->SetExpectations("default", "people", *Json::Parse(R"({"expectations":[
      {"kind":"between","column":"age","min":0,"max":1000}]})"),
                                         "ann"));
  EXPECT_EQ(Add(next).result["rows"].AsInt(), 202);
  EXPECT_EQ(Add(next, {.bad = "error"}).error_code, "GY2041");
  const runners::Job all = Add(next + "203,2000,f\n", {.bad = "null"});
  EXPECT_EQ(all.result["rows"].AsInt(), 204);
  EXPECT_EQ(all.result["check"]["rows_broken"].AsInt(), 1);
  // What is left is there already: no version names the rows, so the answer does.
  const runners::Job same = Add(People(200) + "203,2000,f\n");
  EXPECT_TRUE(same.result["unchanged"].AsBool());
  EXPECT_EQ(same.result["quarantine"].items()[0]["line"].AsInt(), 202);
  // Nothing but bad rows: none is lost without a word.
  const runners::Job none = Add("id,age,sex\n1,-1,m\n2,-2,m\n");
  EXPECT_EQ(none.error_code, "GY2104");
}

TEST_F(DatasetsTest, DiffSaysWhatChanged) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  ASSERT_EQ(Add("id,age,city\n1,20.5,Rome\n2,30,Oslo\n").state, "succeeded");
  const auto diff = datasets_->Diff(*datasets_->Resolve("default", "people:v1"),
                                    *datasets_->Resolve("default", "people:v2"));
  ASSERT_TRUE(diff);
  EXPECT_EQ((*diff)["schema"]["added"].Dump(), R"([{"name":"city","type":"text"}])");
  EXPECT_EQ((*diff)["schema"]["removed"].Dump(), R"([{"name":"sex","type":"text"}])");
  EXPECT_EQ((*diff)["schema"]["changed"].Dump(), R"([{"name":"age","from":"int","to":"double"}])");
  EXPECT_EQ((*diff)["rows"].Dump(), R"({"from":100,"to":2})");
  EXPECT_EQ((*diff)["columns"].items()[0]["changes"]["max"].Dump(), R"({"from":100,"to":2})");
}

TEST_F(DatasetsTest, QueriesSeeDatasetsByName) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  ASSERT_EQ(Add(People(50)).state, "succeeded");
  ASSERT_EQ(Add("k,v\n1,2\n3,4\n", {.dataset = "with-dash"}).state, "succeeded");
  const auto answer =
      Ask("SELECT (SELECT count(*) FROM people), (SELECT count(*) FROM \"people:v1\"), sum(v) FROM "
          "\"with-dash\"");
  ASSERT_TRUE(answer) << answer.error().ToString();
  EXPECT_EQ((*answer)["rows"].Dump(), "[[50,100,6]]");
  const auto cut = Ask("SELECT * FROM people");
  EXPECT_EQ((*cut)["rows"].size(), 10u);
  EXPECT_TRUE((*cut)["truncated"].AsBool());
  const auto missing = Ask("SELECT * FROM poeple");
  EXPECT_EQ(missing.error().code(), Code::kInvalidArgument);
  EXPECT_NE(missing.error().fixes().back().find("people"), std::string::npos);
  EXPECT_EQ(Ask("SELECT * FROM read_csv('/etc/passwd')").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(Ask("SELECT * FROM people", "elsewhere").error().code(), Code::kInvalidArgument);
  EXPECT_EQ((*datasets_->Rows(*datasets_->Resolve("default", "people"), 48, 10))["rows"].Dump(),
            "[[49,28,\"f\"],[50,29,\"m\"]]");
}

TEST_F(DatasetsTest, AQueryThatWaitsSeesTheVersionsItWasAskedFor) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  jobs_->hold = true;
  std::vector<std::string> read;
  const QueryRequest asked{.project = "default",
                           .sql = "SELECT count(*) FROM people",
                           .on_read = [&](const Version& version, bool) {
                             read.push_back(version.reference());
                             return Result<>();
                           }};
  ASSERT_TRUE(queries_->Submit(asked));
  const runners::Job waits = jobs_->held;
  jobs_->hold = false;
  ASSERT_EQ(Add(People(50)).state, "succeeded");
  const runners::Job ended = jobs_->Finish(waits);
  ASSERT_EQ(ended.state, "succeeded") << ended.error_message;
  EXPECT_EQ(ended.result["rows"].AsInt(), 1);
  const auto answer = Json::Parse(*blobs_->Get(ended.result["sha256"].AsString()));
  EXPECT_EQ((*answer)["rows"].Dump(), "[[100]]");
  EXPECT_EQ(read, std::vector<std::string>{"people:v1"});
  EXPECT_EQ(queries_->Answer("default", waits.id).error().gy(), "GY2118") << "no such job is kept";
}

TEST_F(DatasetsTest, ExportsReadBackAsTheSame) {
  ASSERT_EQ(Add("a,b,c\n1,x,2011-01-01\n2,\"q\"\"u, \",\n,,2012-02-02\n").state, "succeeded");
  const Version version = *datasets_->Resolve("default", "people");
  for (const std::string format : {"csv", "jsonl", "parquet"}) {
    const auto path = datasets_->Export(version, format, {});
    ASSERT_TRUE(path) << path.error().ToString();
    const runners::Job again = Add(*exec::ReadFile(*path), {.filename = "again." + format});
    EXPECT_TRUE(again.result["unchanged"].AsBool())
        << format << again.result.Dump() << *exec::ReadFile(*path);
    ASSERT_TRUE(exec::RemoveTree(path->substr(0, path->rfind('/'))));
  }
  EXPECT_EQ(datasets_->Export(version, "xls", {}).error().gy(), "GY2106");
  EXPECT_EQ(datasets_->ParquetFile(version)->digest, version.parts[0].object.digest);
}

TEST_F(DatasetsTest, AFolderIsOneDataset) {
  std::filesystem::create_directories(folder_ + "/in");
  ASSERT_TRUE(exec::WriteFile(folder_ + "/in/1.csv", "a,b\n1,x\n"));
  ASSERT_TRUE(exec::WriteFile(folder_ + "/in/2.csv", "a,b\n2,y\n3,z\n"));
  ASSERT_TRUE(table::WriteTar(*table::ListTables(folder_ + "/in"), folder_ + "/in.tar"));
  const runners::Job job =
      Add(*exec::ReadFile(folder_ + "/in.tar"), {.filename = "in.tar", .format = "tar"});
  ASSERT_EQ(job.state, "succeeded") << job.error_message;
  EXPECT_EQ(job.result["rows"].AsInt(), 3);
  EXPECT_TRUE(Add("a,b\n1,x\n2,y\n3,z\n").result["unchanged"].AsBool());
}

TEST_F(DatasetsTest, RemovingDropsRows) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  ASSERT_EQ(Add(People(50)).state, "succeeded");
  ASSERT_TRUE(datasets_->Remove("default", "people:v2"));
  EXPECT_EQ(datasets_->Resolve("default", "people")->number, 1);
  EXPECT_EQ(Add(People(60)).result["version"].AsString(), "v3");  // a number is never used again
  ASSERT_TRUE(datasets_->SetTags("default", "people:v1", {{"k", "v"}}));
  ASSERT_TRUE(datasets_->Remove("default", "people"));
  EXPECT_EQ(Count("SELECT (SELECT count(*) FROM dataset) + (SELECT count(*) FROM dataset_part) + "
                  "(SELECT count(*) FROM blob_ref WHERE owner_kind <> 'trash')"),
            0);
  EXPECT_EQ(datasets_->Remove("default", "people").error().code(), Code::kNotFound);
}

TEST_F(DatasetsTest, WhatWasRemovedComesBack) {
  ASSERT_EQ(Add(People(100)).state, "succeeded");
  ASSERT_EQ(Add(People(50)).state, "succeeded");
  ASSERT_TRUE(datasets_->SetTags("default", "people:v1", {{"k", "v"}}));
  const Version before = *datasets_->Resolve("default", "people:v1");
  const std::int64_t refs = Count("SELECT count(*) FROM blob_ref");
  trash::Trash trash(*database_, SystemClock(), kMicrosPerSecond);
  trash.Register(DatasetTrash({*database_, *datasets_, *events_, SystemClock()}));
  const trash::Asked one{.project = "default", .name = "people:v1", .by = "ann"};
  EXPECT_EQ(trash.Remove("dataset", one)->name, "people:v1");
  const trash::Asked last{.project = "default", .name = "people:v2", .by = "ann"};
  EXPECT_EQ(trash.Remove("dataset", last)->name, "people") << "a dataset has a version";
  const auto first = trash.Newest("default", "dataset", "people:v1");
  ASSERT_TRUE(first);
  EXPECT_EQ(trash.Restore(*first, "").error().gy(), "GY5004") << "its dataset is not there";
  const auto whole = trash.Newest("default", "dataset", "people");
  ASSERT_TRUE(whole);
  ASSERT_TRUE(trash.Restore(*whole, "folk"));
  ASSERT_TRUE(trash.Restore(*first, ""));
  const auto after = datasets_->Resolve("default", "folk:v1");
  ASSERT_TRUE(after) << after.error().ToString();
  EXPECT_EQ(after->id, before.id);
  EXPECT_EQ(after->content_hash, before.content_hash);
  EXPECT_EQ(after->tags, before.tags);
  EXPECT_EQ(after->rows, 100);
  EXPECT_TRUE(datasets_->PartPaths(*after));
  EXPECT_EQ(Count("SELECT count(*) FROM blob_ref"), refs);
  EXPECT_EQ(Count("SELECT count(*) FROM trash_row"), 0);
}

TEST_F(DatasetsTest, ProfilesKnowTheirTarget) {
  std::string text = "x,noise,y\n";
  for (int i = 0; i < 500; ++i)
    text += fmt::format("{},{},{}\n", i % 7, i % 5, i % 7 > 3 ? "yes" : "no");
  ASSERT_EQ(Add(text).state, "succeeded");
  const Version version = *datasets_->Resolve("default", "people");
  const auto profile = datasets_->ProfileAgainst(version, "y");
  ASSERT_TRUE(profile);
  EXPECT_EQ((*profile)["associations"].items()[0]["column"].AsString(), "x");
  EXPECT_EQ((*profile)["warnings"].items()[0]["kind"].AsString(), "near_perfect");
  EXPECT_EQ(datasets_->ProfileAgainst(version, "z").error().gy(), "GY2105");
  EXPECT_EQ((*datasets_->Profile(version))["rows"].AsInt(), 500);
}

}  // namespace
}  // namespace gyre::data
