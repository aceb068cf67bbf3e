// A database, the gate and a server with routes of every kind of permission. Tests only.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>

#include "base/testing/set_clock.h"
#include "ledger/access/access.h"
#include "ledger/access/local_owner.h"
#include "ledger/trash/trash.h"
#include "platform/exec/thread_pool.h"
#include "platform/net/server.h"
#include "platform/net/testing/raw_client.h"

namespace gyre::access {

inline constexpr std::string_view kPassword = "correct horse battery";

// Routes of every kind of permission; the handlers only say that they were reached.
class Rooms {
 public:
  Result<net::Response> Ok(net::Request& request) {
    std::string projects = request.principal.all_projects ? "*" : "";
    for (const std::string& project : request.principal.projects) projects += project + ",";
    return net::Response::Text(request.principal.kind + " " + request.principal.name + " " +
                               projects);
  }
  net::RouteTable table();
};
using net::Bind;
using net::Method;
using net::Permission;
inline constexpr net::Route kRooms[] = {
    {.method = Method::kGet,
     .path = "/public",
     .handler = Bind<&Rooms::Ok>,
     .permission = net::kPublic,
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/me",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("self"),
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/p/{project}/data",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("dataset.read"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/data",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("dataset.write"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/runs",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("run.write"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/runs/{run}",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("run.write"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/door/runs",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("run.write"),
     .summary = "s",
     .per_project = true},
    {.method = Method::kPost,
     .path = "/door/models",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("model.write"),
     .summary = "s",
     .per_project = true},
    {.method = Method::kPost,
     .path = "/p/{project}/approve",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("model.approve"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/p/{project}/deploy",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("endpoint.deploy"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/e/{endpoint}",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("predict"),
     .summary = "s",
     .where = net::Where::kInline,
     .audited = false,
     .per_project = true},
    {.method = Method::kGet,
     .path = "/jobs",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("job.read"),
     .summary = "s",
     .per_project = true},
    {.method = Method::kGet,
     .path = "/all",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("dataset.read"),
     .summary = "s"},
    {.method = Method::kPost,
     .path = "/users",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("access.admin"),
     .summary = "s"},
    {.method = Method::kGet,
     .path = "/unknown",
     .handler = Bind<&Rooms::Ok>,
     .permission = Permission("no.such.permission"),
     .summary = "s"},
};
inline net::RouteTable Rooms::table() { return {"test", kRooms, this}; }

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "gyre_access_" + std::to_string(getpid()) + "_" +
              std::to_string(serial_++);
    std::filesystem::create_directories(folder_);
    auto database = db::OpenSqlite({.path = folder_ + "/gyre.db"});
    ASSERT_TRUE(database.has_value()) << database.error().ToString();
    database_ = *std::move(database);
    const db::ModuleSchema schemas[] = {AccessSchema(), trash::TrashSchema()};
    ASSERT_TRUE(database_->Migrate(schemas).has_value());
    Open({});
  }
  void TearDown() override {
    server_.reset();
    access_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open(AccessSettings settings) {
    server_.reset();
    access_.reset();
    auto access = OpenAccess(*database_, clock_, settings);
    ASSERT_TRUE(access.has_value()) << access.error().ToString();
    access_ = *std::move(access);
    access_->SetProgramRoutes(
        [](const net::Route& route) { return route.path.find("/door/") != route.path.npos; });
    const net::RouteTable tables[] = {rooms_.table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0",
                                    .unix_socket = folder_ + "/s",
                                    .behind_proxy = settings.behind_proxy},
                                   tables, *access_, nullptr);
    ASSERT_TRUE(server.has_value()) << server.error().ToString();
    server_ = *std::move(server);
  }
  // "200 kind name projects", or "401 GY1701".
  static std::string Ask(net::RawClient& client, std::string_view line, std::string_view headers) {
    client.Send(std::string(line) + " HTTP/1.1\r\n" + std::string(headers) +
                "Content-Length: 0\r\n\r\n");
    const std::string response = client.ReadResponse();
    std::string out = response.substr(9, 3);
    if (out == "200") return out + " " + response.substr(response.find("\r\n\r\n") + 4);
    const std::size_t code = response.find("\"code\":\"");
    return out + " " + (code == std::string::npos ? "" : response.substr(code + 8, 6));
  }
  std::string Tcp(std::string_view line, std::string_view headers = "Host: localhost\r\n") const {
    net::RawClient client(server_->port());
    return Ask(client, line, headers);
  }
  std::string Socket(std::string_view line, std::string_view headers = "Host: x\r\n") const {
    net::RawClient client(folder_ + "/s");
    return Ask(client, line, headers);
  }
  std::string With(std::string_view secret, std::string_view line) const {
    return Tcp(line, "Host: localhost\r\nAuthorization: Bearer " + std::string(secret) + "\r\n");
  }
  // A request of another user of this machine.
  std::string AsNobody(bool by_socket) const {
    int ends[2];
    if (pipe(ends) != 0) return "";
    const pid_t child = fork();
    if (child == 0) {
      if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
      const std::string answer = by_socket ? Socket("GET /me") : Tcp("GET /me");
      _exit(write(ends[1], answer.data(), answer.size()) > 0 ? 0 : 1);
    }
    close(ends[1]);
    char text[512] = "";
    const ssize_t size = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return size > 0 ? text : "";
  }
  net::Principal Owner() const {
    return {.id = "local-owner", .name = "local-owner", .kind = "owner", .token_id = ""};
  }
  net::Principal PrincipalOf(const Issued& issued, std::string kind) const {
    return {.id = issued.token.user_id,
            .name = issued.token.user,
            .kind = std::move(kind),
            .token_id = issued.token.id};
  }
  void AddUser(std::string_view name, std::vector<Grant> grants) {
    const auto user = access_->CreateUser(Owner(), name, kPassword, std::move(grants));
    ASSERT_TRUE(user.has_value()) << user.error().ToString();
  }
  std::string Session(std::string_view name) {
    const auto issued = access_->Login(name, kPassword, "127.0.0.1:1");
    EXPECT_TRUE(issued.has_value());
    return issued ? issued->secret : "";
  }

  static inline int serial_ = 0;
  std::string folder_;
  SetClock clock_{1'700'000'000 * kMicrosPerSecond};
  Rooms rooms_;
  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<net::Server> server_;
};

inline constexpr std::string_view kOwnerAnswer = "200 owner local-owner *";

}  // namespace gyre::access
