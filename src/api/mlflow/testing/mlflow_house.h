// A database, projects `default` and `blue`, a gate that lets in whoever it is told to, and a
// server of given tables. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/testing/set_clock.h"
#include "ml/projects/projects.h"
#include "platform/db/database.h"
#include "platform/net/client.h"
#include "platform/net/server.h"

namespace gyre::mlflow {

class OneGate final : public net::Gatekeeper {
 public:
  Result<> Admit(net::Request& request, const net::Route& route) override {
    if (route.permission.name == net::kPublic.name) return {};
    EXPECT_TRUE(route.per_project) << route.path;
    request.principal = principal;
    return {};
  }
  bool AdmitsWithoutWaiting(const net::Request&, const net::Route&) const override { return true; }
  net::Principal principal{.id = "ann", .name = "ann", .kind = "user", .token_id = ""};
};

class MlflowTest : public testing::Test {
 protected:
  ~MlflowTest() override { std::filesystem::remove_all(folder_); }
  void OpenDatabase(std::vector<db::ModuleSchema> schemas = {}) {
    std::filesystem::create_directories(folder_);
    auto database = db::OpenSqlite({.path = folder_ + "/gyre.db"});
    ASSERT_TRUE(database) << database.error().ToString();
    database_ = *std::move(database);
    schemas.push_back(projects::ProjectsSchema());
    ASSERT_TRUE(database_->Migrate(schemas));
    projects_ = std::make_unique<projects::Projects>(*database_, clock_);
    ASSERT_TRUE(projects_->EnsureDefault());
    ASSERT_TRUE(projects_->Create("blue", {}, "ann"));
  }
  void StartServer(std::span<const net::RouteTable> tables) {
    auto server = net::StartServer({.listen = "127.0.0.1:0"}, tables, gate_, nullptr);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
    client_ = std::make_unique<net::Client>(net::ClientSettings{.url = server_->url()});
  }
  net::ClientResponse Send(const std::string& method, const std::string& path,
                           const std::string& body = "",
                           std::vector<std::pair<std::string, std::string>> headers = {}) {
    if (!body.empty() && headers.empty()) headers = {{"Content-Type", "application/json"}};
    auto response = client_->Send(
        {.method = method, .path = path, .headers = std::move(headers), .body = body});
    EXPECT_TRUE(response) << response.error().ToString();
    return response ? *response : net::ClientResponse{};
  }
  // "200 BODY" of a call below /api/2.0/mlflow.
  std::string Call(const std::string& method, const std::string& path,
                   const std::string& body = "") {
    const net::ClientResponse response = Send(method, "/api/2.0/mlflow" + path, body);
    return std::to_string(response.status) + " " + response.body;
  }

  static inline int serial_ = 0;
  const std::string folder_ = testing::TempDir() + "gyre_mlflow_" + std::to_string(getpid()) + "_" +
                              std::to_string(serial_++);
  SetClock clock_{1'700'000'000 * kMicrosPerSecond};
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<projects::Projects> projects_;
  OneGate gate_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_;
};

}  // namespace gyre::mlflow
