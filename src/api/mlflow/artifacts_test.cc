#include <gtest/gtest.h>

#include "api/mlflow/artifacts_api.h"
#include "api/mlflow/logged_models_api.h"
#include "api/mlflow/testing/mlflow_house.h"
#include "base/text.h"
#include "ledger/events/events.h"
#include "ledger/lineage/lineage.h"
#include "ledger/trash/trash.h"
#include "ledger/usage/usage.h"
#include "ml/registry/catalog.h"
#include "ml/tracking/tracking.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::mlflow {
namespace {

constexpr const char* kProxy = "/api/2.0/mlflow-artifacts/artifacts";

class ArtifactsTest : public MlflowTest {
 protected:
  void SetUp() override {
    OpenDatabase({blob::BlobSchema(), lineage::LineageSchema(), usage::UsageSchema(),
                  trash::TrashSchema(), events::EventsSchema(), registry::RegistrySchema(),
                  tracking::TrackingSchema()});
    catalog_ = std::make_unique<registry::Catalog>(*database_, clock_);
    blobs_ = *blob::OpenLocalStore(folder_ + "/blobs");
    tracking_ = *tracking::OpenTracking(*database_, clock_, stamps_);
    files_ = std::make_unique<tracking::Files>(*database_);
    api_ = std::make_unique<ArtifactsApi>(*projects_, *tracking_, *files_, *blobs_, *catalog_,
                                          clock_, std::string());
    experiments_ = *tracking::OpenExperiments(*database_, clock_, stamps_);
    models_ = std::make_unique<tracking::LoggedModels>(*database_, clock_);
    models_api_ =
        std::make_unique<LoggedModelsApi>(*projects_, *experiments_, *models_, *files_, *api_);
    const net::RouteTable tables[] = {api_->table(), models_api_->table()};
    StartServer(tables);
    run_ = NewRun("default");
    place_ = std::string(kProxy) + "/0/" + run_ + "/artifacts";
  }
  void TearDown() override { server_.reset(); }
  std::string NewRun(const std::string& project) {
    tracking::NewRun from;
    from.project = project;
    const auto run = tracking_->CreateRun(from);
    EXPECT_TRUE(run) << run.error().ToString();
    return run ? run->id : "";
  }
  // Rows of files that nobody sent.
  void Fill(const std::string& owner, int count) {
    ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
      return tx.Execute(
          "INSERT INTO tracking_file (owner, path, digest, size_bytes, media_type) WITH RECURSIVE "
          "n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) SELECT ?1, 'many/' || i, "
          "'', 0, '' FROM n",
          {owner, count});
    }));
  }
  net::ClientResponse Put(const std::string& path, const std::string& bytes) {
    return Send("PUT", path, bytes, {{"Content-Type", "application/octet-stream"}});
  }

  tracking::RunStamps stamps_;
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<tracking::Tracking> tracking_;
  std::unique_ptr<tracking::Files> files_;
  std::unique_ptr<registry::Catalog> catalog_;
  std::unique_ptr<ArtifactsApi> api_;
  std::unique_ptr<tracking::Experiments> experiments_;
  std::unique_ptr<tracking::LoggedModels> models_;
  std::unique_ptr<LoggedModelsApi> models_api_;
  std::string run_, place_;
};

TEST_F(ArtifactsTest, WhatIsPutIsListedReadAndDeleted) {
  EXPECT_EQ(Put(place_ + "/model/MLmodel", "flavors: {}").body, "{}");
  EXPECT_EQ(Put(place_ + "/model/data/model.pkl", std::string(300'000, 'x')).status, 200);
  EXPECT_EQ(Put(place_ + "/gr%C3%B6%C3%9Fe%20a.txt", "hallo").status, 200);
  const net::ClientResponse file = Send("GET", place_ + "/model/MLmodel");
  EXPECT_EQ(file.body, "flavors: {}");
  EXPECT_EQ(file.Header("content-type"), "text/plain");
  EXPECT_EQ(file.Header("content-disposition"), "attachment; filename=\"MLmodel\"");
  EXPECT_EQ(file.Header("x-content-type-options"), "nosniff");
  EXPECT_EQ(file.Header("content-security-policy"), "sandbox");
  EXPECT_EQ(Send("GET", place_ + "/model/data/model.pkl").body.size(), 300'000U);
  EXPECT_EQ(Send("GET", place_ + "/model/data/model.pkl", "", {{"Range", "bytes=5-9"}}).body,
            "xxxxx");
  EXPECT_EQ(Send("GET", std::string(kProxy) + "?path=0/" + run_ + "/artifacts/model").body,
            R"({"files":[{"path":"MLmodel","is_dir":false,"file_size":11},)"
            R"({"path":"data","is_dir":true}]})");
  EXPECT_EQ(Call("GET", "/artifacts/list?run_id=" + run_ + "&path=model/"),
            R"(200 {"root_uri":"mlflow-artifacts:/0/)" + run_ +
                R"(/artifacts","files":[{"path":"model/MLmodel","is_dir":false,"file_size":11},)"
                R"({"path":"model/data","is_dir":true}]})");
  EXPECT_EQ(Send("GET", "/get-artifact?path=gr%C3%B6%C3%9Fe%20a.txt&run_uuid=" + run_).body,
            "hallo");
  EXPECT_EQ(Send("DELETE", place_ + "/model").body, "{}");
  EXPECT_EQ(Send("GET", place_ + "/model/MLmodel").status, 404);
  EXPECT_EQ(Call("GET", "/artifacts/list?run_id=" + run_ + "&path=model"),
            R"(200 {"root_uri":"mlflow-artifacts:/0/)" + run_ + R"(/artifacts"})");
}

TEST_F(ArtifactsTest, WhatIsNotThereIsSaid) {
  Put(place_ + "/model/MLmodel", "x");
  const auto message = [](const net::ClientResponse& response) {
    return Json::Parse(response.body).value_or(Json())["message"].AsString();
  };
  EXPECT_EQ(message(Send("GET", place_ + "/nothing")), "No such artifact: 'nothing'");
  const net::ClientResponse folder = Send("GET", place_ + "/model");
  EXPECT_EQ(folder.status, 400);
  EXPECT_NE(folder.body.find("refers to a directory, not a file: 'model'"), std::string::npos);
  const std::string nobody(32, 'a');
  EXPECT_EQ(message(Put(std::string(kProxy) + "/0/" + nobody + "/artifacts/x", "x")),
            "Run with id=" + nobody + " not found");
  EXPECT_EQ(Call("GET", "/artifacts/list").substr(0, 4), "400 ");
}

TEST_F(ArtifactsTest, EachProjectHasItsOwn) {
  const std::string of_blue = "/0/" + NewRun("blue") + "/artifacts/x";
  EXPECT_EQ(Put("/p/blue" + std::string(kProxy) + of_blue, "x").status, 200);
  for (const char* method : {"GET", "DELETE", "PUT"})
    EXPECT_EQ(Send(method, kProxy + of_blue).status, 404) << method;
  EXPECT_EQ(Send("GET", "/p/blue" + std::string(kProxy) + of_blue).body, "x");
  EXPECT_EQ(Call("GET", "/artifacts/list?run_id=" + of_blue.substr(3, 32)).substr(0, 4), "404 ");
  EXPECT_EQ(Send("GET", "/get-artifact?path=x&run_id=" + of_blue.substr(3, 32)).status, 404);
  const std::string model = "/0/models/m-" + std::string(32, '1') + "/artifacts/model.pkl";
  EXPECT_EQ(Put(kProxy + model, "mine").status, 404) << "no such model";
  ASSERT_TRUE(database_->Write([&](db::Transaction& tx) {
    return tx.Execute(
        "INSERT INTO tracking_logged_model (id, project, experiment, run_id, name, model_type, "
        "status, artifact_root, created_us, updated_us, deleted_us) "
        "VALUES (?1, 'default', 1, '', 'm', '', 'ready', '', 1, 1, 0)",
        {"m-" + std::string(32, '1')});
  }));
  EXPECT_EQ(Put(kProxy + model, "mine").status, 200);
  EXPECT_EQ(Put("/p/blue" + std::string(kProxy) + model, "blue").status, 404);
  EXPECT_EQ(Send("GET", kProxy + model).body, "mine");
  EXPECT_EQ(Put(std::string(kProxy) + "/loose/a", "1").status, 200);
  EXPECT_EQ(Send("GET", "/p/blue" + std::string(kProxy) + "/loose/a").status, 404);
  EXPECT_EQ(Send("GET", std::string(kProxy) + "?path=loose").body,
            R"({"files":[{"path":"a","is_dir":false,"file_size":1}]})");
}

// Paths with which others have read and written outside of MLflow's folders. Nothing of them may
// come to a file, and the server still runs.
TEST_F(ArtifactsTest, NobodyClimbsOut) {
  const std::vector<std::string> addresses = {
      "GET /get-artifact?path=../../../../../../etc/passwd&run_uuid=" + run_,
      "GET /get-artifact?path=%2Fetc%2Fpasswd&run_id=" + run_,
      "GET /get-artifact?path=..%252f..%252fetc%252fpasswd&run_id=" + run_,
      "GET /get-artifact?path=file:///etc/passwd&run_id=" + run_,
      "GET /get-artifact?path=a%00b&run_id=" + run_,
      "GET /api/2.0/mlflow/artifacts/list?path=..&run_id=" + run_,
      "GET " + std::string(kProxy) + "?path=..%2f..",
      "GET " + std::string(kProxy) + "?path=/etc",
      "GET " + std::string(kProxy) + "?path=%255c%255chost",
      "GET " + std::string(kProxy) + "/../../../etc/passwd",
      "GET " + std::string(kProxy) + "/%2e%2e/%2e%2e/etc/passwd",
      "GET " + std::string(kProxy) + "/..%2f..%2fetc%2fpasswd",
      "GET " + std::string(kProxy) + "/%252E%252E%252Fetc",
      "GET " + std::string(kProxy) + "//etc/passwd",
      "GET " + std::string(kProxy) + "/C:%5CWindows",
      "GET " + std::string(kProxy) + "/a%23b",
      "PUT " + std::string(kProxy) + "/..%2fx",
      "PUT " + std::string(kProxy) + "/%252e%252e/x",
      "PUT " + std::string(kProxy) + "/" + std::string(300, 'x'),
      "PUT /ajax-api/2.0/mlflow-artifacts/artifacts/%252e%252e/x",
      "DELETE " + std::string(kProxy) + "/..%2f..",
      "DELETE " + std::string(kProxy) + "/%252E%252E%252F%252E%252E",
      "POST /ajax-api/2.0/mlflow/upload-artifact?path=../x&run_uuid=" + run_,
      "POST /ajax-api/2.0/mlflow/upload-artifact?path=..%252fx&run_uuid=" + run_,
      "POST /api/2.0/mlflow-artifacts/mpu/create/..%2fx",
      "POST /api/2.0/mlflow-artifacts/mpu/complete/%252e%252e%252fx",
  };
  for (const std::string& address : addresses) {
    net::RawClient client(server_->port());
    const std::string method = address.substr(0, address.find(' '));
    const bool has_body = method != "GET";
    client.Send(address + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                (has_body ? "Content-Length: 2\r\n\r\n{}" : "Content-Length: 0\r\n\r\n"));
    const std::string answer = client.ReadResponse();
    const std::string status = answer.substr(9, 3);
    EXPECT_TRUE(status == "400" || status == "404") << address << "\n" << answer;
  }
  const auto loose = files_->List({tracking::FileOwner::Kind::kProject, "default", ""}, "", "", 10);
  ASSERT_TRUE(loose);
  EXPECT_TRUE(loose->entries.empty());
  EXPECT_EQ(Put(place_ + "/still", "runs").status, 200);
}

TEST_F(ArtifactsTest, AListIsWholeOrSaysWhereItGoesOn) {
  Fill(run_, 50'100);
  const auto all =
      Json::Parse(Send("GET", std::string(kProxy) + "?path=0/" + run_ + "/artifacts/many").body);
  ASSERT_TRUE(all);
  EXPECT_EQ((*all)["files"].size(), 50'100U);

  const auto model = models_->Create({.project = "default", .name = "m"});
  ASSERT_TRUE(model) << model.error().ToString();
  Fill("model:default:" + model->id, 10'050);
  const std::string address =
      "/logged-models/" + model->id + "/artifacts/directories?artifact_directory_path=many";
  const Json first = Json::Parse(Call("GET", address).substr(4)).value_or(Json());
  EXPECT_EQ(first["files"].size(), 10'000U);
  const std::string token = first["next_page_token"].AsString();
  ASSERT_FALSE(token.empty());
  const Json rest =
      Json::Parse(Call("GET", address + "&page_token=" + token).substr(4)).value_or(Json());
  EXPECT_EQ(rest["files"].size(), 50U);
  EXPECT_FALSE(rest.Has("next_page_token"));
}

TEST_F(ArtifactsTest, TheUiUploadsSmallFiles) {
  const std::string address = "/ajax-api/2.0/mlflow/upload-artifact?path=a/b.txt&run_uuid=";
  EXPECT_EQ(Send("POST", address + run_, "text").status, 200);
  EXPECT_EQ(Send("GET", place_ + "/a/b.txt").body, "text");
  EXPECT_NE(Send("POST", address + run_).body.find("Request must specify data."),
            std::string::npos);
  EXPECT_NE(Send("POST", "/ajax-api/2.0/mlflow/upload-artifact?path=a", "x")
                .body.find("Request must specify run_id or run_uuid."),
            std::string::npos);
  EXPECT_EQ(Send("POST", address + run_, std::string((10 << 20) + 1, 'x')).status, 413);
}

TEST_F(ArtifactsTest, FilesOfModelVersionsAreReadWhereTheyAreKeptHere) {
  Put(place_ + "/model/MLmodel", "flavors: {}");
  ASSERT_TRUE(catalog_->Create({.project = "default", .title = "churn"}));
  const std::string root = "mlflow-artifacts:/0/" + run_ + "/artifacts";
  for (const std::string& source :
       {root + "/model", "runs:/" + run_ + "/model", std::string("s3://bucket/model")}) {
    const auto logged = catalog_->Log({.project = "default",
                                       .title = "churn",
                                       .source = source,
                                       .owners = {.run_id = run_, .run_root = root}});
    ASSERT_TRUE(logged) << logged.error().ToString();
  }
  const std::string address = "/model-versions/get-artifact?name=churn&path=";
  for (const char* version : {"1", "2"}) {
    for (const char* slash : {"", "/"}) {
      const net::ClientResponse file = Send("GET", slash + address + "MLmodel&version=" + version);
      EXPECT_EQ(file.body, "flavors: {}") << version << slash;
      EXPECT_EQ(file.Header("content-security-policy"), "sandbox");
    }
    EXPECT_EQ(Send("GET", address + "../../x&version=" + version).status, 400);
    EXPECT_EQ(Send("GET", address + "..%252f..%252fx&version=" + version).status, 400);
    EXPECT_EQ(Send("GET", address + "/etc/passwd&version=" + version).status, 400);
  }
  const net::ClientResponse elsewhere = Send("GET", address + "MLmodel&version=3");
  EXPECT_EQ(elsewhere.status, 400);
  EXPECT_NE(elsewhere.body.find("are kept elsewhere: s3://bucket/model"), std::string::npos);
  EXPECT_EQ(Send("GET", address + "MLmodel&version=9").status, 404);
  EXPECT_EQ(Send("GET", "/p/blue" + address + "MLmodel&version=1").status, 404);
}

class PartsTest : public ArtifactsTest {
 protected:
  Json Begin(const std::string& parts) {
    const auto json = Json::Parse(
        Send("POST", "/api/2.0/mlflow-artifacts/mpu/create/0/" + run_ + "/artifacts/big",
             R"({"path":"/tmp/some where/file.bin","num_parts":)" + parts + "}")
            .body);
    EXPECT_TRUE(json);
    return json ? *json : Json();
  }
  // The address of a part as the client uses it: what stands behind the host.
  static std::string PathOf(const Json& credential) {
    const std::string& url = credential["url"].AsString();
    return url.substr(url.find("/api/"));
  }
  std::string Complete(const std::string& upload, const std::string& parts,
                       const std::string& folder = "big") {
    const net::ClientResponse answer =
        Send("POST", "/api/2.0/mlflow-artifacts/mpu/complete/0/" + run_ + "/artifacts/" + folder,
             R"({"path":"file.bin","upload_id":")" + upload + R"(","parts":[)" + parts + "]}");
    return std::to_string(answer.status) + " " + answer.body;
  }
};

TEST_F(PartsTest, AFileComesInParts) {
  const Json begun = Begin("3");
  const std::string upload = begun["upload_id"].AsString();
  ASSERT_EQ(begun["credentials"].size(), 3U);
  EXPECT_EQ(begun["credentials"].items()[0]["url"].AsString().find(server_->url()), 0U);
  std::string parts, whole;
  for (const Json& credential : begun["credentials"].items()) {
    const std::string number = std::to_string(credential["part_number"].AsInt());
    const std::string bytes(2'000'000, number[0]);
    whole += bytes;
    const net::ClientResponse put = Put(PathOf(credential), bytes);
    ASSERT_EQ(put.status, 200) << put.body;
    const std::string tag = put.Header("etag");
    // Sent in any order.
    parts = R"({"part_number":)" + number + R"(,"etag":"\")" + tag.substr(1, tag.size() - 2) +
            R"(\""})" + (parts.empty() ? "" : ",") + parts;
  }
  EXPECT_EQ(Send("GET", place_ + "/big/file.bin").status, 404);
  EXPECT_EQ(Complete(upload, parts), "200 {}");
  EXPECT_EQ(Send("GET", place_ + "/big/file.bin").body, whole);
  EXPECT_EQ(Complete(upload, parts), "200 {}") << "a retry";
}

TEST_F(PartsTest, AddressesAreGoodForWhatTheyWereGivenFor) {
  const Json begun = Begin("2");
  const std::string upload = begun["upload_id"].AsString();
  const std::string first = PathOf(begun["credentials"].items()[0]);
  const auto tag_of = [&](const std::string& path) {
    const std::string tag = Put(path, "abc").Header("etag");
    return tag.substr(1, tag.size() - 2);
  };
  const std::string part = R"({"part_number":1,"etag":")" + tag_of(first) + "\"}";
  std::string other = first;
  other.replace(other.find("&part=1"), 7, "&part=2");
  EXPECT_EQ(Put(other, "x").status, 400) << "another part";
  EXPECT_EQ(Put(first.substr(0, first.size() - 1), "x").status, 400) << "a wrong signature";
  EXPECT_EQ(Put("/api/2.0/mlflow-artifacts/mpu/part", "x").status, 400);
  EXPECT_EQ(Complete(upload, part, "elsewhere").substr(0, 3), "400") << "another place";
  EXPECT_EQ(Complete("1." + upload, part).substr(0, 3), "400");
  EXPECT_EQ(Complete(upload, R"({"part_number":2,"etag":"x"})").substr(0, 3), "400") << "a gap";
  const std::string object = std::string(64, 'a') + ".5." + std::string(64, 'b');
  EXPECT_EQ(Complete(upload, R"({"part_number":1,"etag":")" + object + "\"}").substr(0, 3), "400")
      << "somebody else's blob";
  EXPECT_EQ(Complete(upload, "").substr(0, 3), "400");
  EXPECT_EQ(Complete(upload, part), "200 {}");
  clock_.now_us += 13 * 3'600 * kMicrosPerSecond;
  EXPECT_EQ(Put(first, "x").status, 400) << "it has ended";
  EXPECT_EQ(Complete(upload, part).substr(0, 3), "400");
  EXPECT_FALSE(Begin("0").Has("upload_id"));
  EXPECT_FALSE(Begin("10001").Has("upload_id"));
}

}  // namespace
}  // namespace gyre::mlflow
