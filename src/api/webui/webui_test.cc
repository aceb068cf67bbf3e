#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "api/webui/webui_api.h"
#include "platform/net/client.h"
#include "platform/net/testing/house.h"

namespace gyre::webui {
namespace {

constexpr std::string_view kIndex =
    "<!doctype html><head><base href=\"/\"><script src=\"assets/a-1.js\"></script></head>";
constexpr Asset kAssets[] = {
    {"index.html", "text/html", "t", kIndex, "", ""},
    {"assets/a-1.js", "text/javascript; charset=utf-8", "u", "plain", "gzipped", "brotlied"},
    {"assets/f-2.woff2", "font/woff2", "v", "font", "", ""},
};

using Headers = std::vector<std::pair<std::string, std::string>>;

class WebuiTest : public testing::Test {
 protected:
  void Open(std::span<const Asset> assets, const WebuiSettings& settings = {}) {
    api_ = std::make_unique<WebuiApi>(assets, settings);
    const net::RouteTable tables[] = {api_->table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0", .base_path = settings.base_path},
                                   tables, gate_, nullptr);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
    client_ = std::make_unique<net::Client>(net::ClientSettings{.url = server_->url()});
  }
  net::ClientResponse Get(const std::string& path, Headers headers = {}) {
    auto answer = client_->Send({.path = path, .headers = std::move(headers)});
    EXPECT_TRUE(answer) << answer.error().ToString();
    return answer ? *answer : net::ClientResponse{};
  }

  net::OpenGate gate_;
  std::unique_ptr<WebuiApi> api_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_;
};

TEST_F(WebuiTest, EachPageIsTheOnePage) {
  Open(kAssets);
  for (const char* path : {"/", "/login", "/setup?token=x", "/p/churn", "/p/churn/runs/7f3a?x=1"}) {
    const net::ClientResponse page = Get(path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_EQ(page.body, kIndex) << path;
    EXPECT_EQ(page.Header("cache-control"), "no-cache");
    const std::string policy = page.Header("content-security-policy");
    EXPECT_NE(policy.find("default-src 'none'"), std::string::npos) << policy;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos) << policy;
  }
  EXPECT_EQ(Get("/api/v1/nothing").status, 404);
  EXPECT_EQ(Get("/p/churn/api/v1/projects").status, 404) << "the API has one place";
  EXPECT_EQ(Get("/graphql").status, 404);
}

TEST_F(WebuiTest, WhoHasThePageIsNotSentItAgain) {
  Open(kAssets);
  const std::string tag = Get("/").Header("etag");
  const net::ClientResponse again = Get("/p/churn", {{"If-None-Match", tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(Get("/", {{"If-None-Match", "\"else\""}}).status, 200);
}

TEST_F(WebuiTest, ThePageKnowsBelowWhichPathItIs) {
  Open(kAssets, {.base_path = "/gyre"});
  EXPECT_NE(Get("/p/churn").body.find("<base href=\"/gyre/\">"), std::string::npos);
}

TEST_F(WebuiTest, FilesComePackedAsTheBrowserTakesThem) {
  Open(kAssets);
  const auto of = [&](const std::string& accepted) {
    const net::ClientResponse file = Get("/assets/a-1.js", {{"Accept-Encoding", accepted}});
    EXPECT_EQ(file.Header("cache-control"), "public, max-age=31536000, immutable");
    return file.Header("content-encoding") + " " + file.body;
  };
  EXPECT_EQ(of("gzip, deflate, br, zstd"), "br brotlied");
  EXPECT_EQ(of("gzip;q=1.0, br;q=0"), "gzip gzipped");
  EXPECT_EQ(of("identity"), " plain");
  EXPECT_EQ(Get("/assets/f-2.woff2", {{"Accept-Encoding", "br"}}).body, "font");
  EXPECT_EQ(Get("/assets/a-0.js").status, 404);
}

TEST_F(WebuiTest, AProgramWithoutItsUiSaysSo) {
  Open({});
  EXPECT_NE(Get("/p/churn").body.find("GYRE_UI=OFF"), std::string::npos);
  EXPECT_EQ(Get("/assets/a-1.js").status, 404);
}

TEST_F(WebuiTest, AFolderIsReadAnew) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "webui";
  std::filesystem::create_directories(folder / "assets");
  std::ofstream(folder / "index.html") << kIndex;
  std::ofstream(folder / "assets/b.css") << "a{}";
  Open({}, {.folder = folder.string()});
  EXPECT_EQ(Get("/p/churn").body, kIndex);
  EXPECT_EQ(Get("/assets/b.css").Header("content-type"), "text/css; charset=utf-8");
  std::ofstream(folder / "assets/b.css") << "b{}";
  EXPECT_EQ(Get("/assets/b.css").body, "b{}");
  EXPECT_EQ(Get("/assets/c.css").status, 404);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace gyre::webui
